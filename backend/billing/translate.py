"""The words of the case schema (ISO instants, nested objects) into a `Case`, and every complaint in one clear line."""

from typing import Any

from backend.billing.case import Case


class FactsError(Exception):
    """Facts that cannot be judged. `field` is a JSON pointer to what is wrong, `message` one sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field or '/'}: {message}")
        self.field = field
        self.message = message


def case_from_json(facts: Any) -> Case:
    """The case that a facts object of case.schema.json describes; `FactsError` where it breaks the schema."""
    raise NotImplementedError
