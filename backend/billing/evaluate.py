"""Facts in, determinations out: the what-if tool behind `python -m backend evaluate`."""

from collections.abc import Iterator
from typing import Any


def evaluate(text: str | bytes) -> Iterator[dict[str, Any]]:
    """One answer a facts object, in order, each with `id` where one was given.

    `text`: one facts object, an array of them, JSON Lines, or `{"cases": [{"id": ..., "facts": {...}}]}`.
    Facts that break the schema give `{"id": ..., "error": {"field": JSON pointer, "message": ...}}` in their place.
    """
    raise NotImplementedError
