"""Facts in, determinations out: the what-if tool behind `python -m backend evaluate`."""

import json
from collections.abc import Iterator
from typing import Any, NoReturn

from backend.billing.determination import determine
from backend.billing.translate import FactsError, case_from_json


def evaluate(text: str | bytes) -> Iterator[dict[str, Any]]:
    """One answer a facts object, in order, each with `id` where one was given.

    `text`: one facts object, an array of them, JSON Lines, or `{"cases": [{"id": ..., "facts": {...}}]}`; each may
    also stand as `{"id": ..., "facts": ...}`. Facts that break the schema give `{"id": ..., "error": {"field": JSON
    pointer into the facts, "message": ...}}` in their place. Text that is not JSON gives one such error.
    """
    try:
        documents = _documents(text.decode() if isinstance(text, bytes) else text)
    except UnicodeDecodeError:
        documents = [FactsError("", "the input is not UTF-8")]
    except FactsError as problem:
        documents = [problem]
    for document in documents:
        for given in _given(document):
            yield _answer(given)


def _documents(text: str) -> list[Any]:
    """The JSON values of the text: one, or one a line. A line that is not JSON is its error."""
    text = text.removeprefix("\ufeff")
    whole = _parsed(text, "the input")
    if not isinstance(whole, FactsError):
        return [whole]
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    found = [_parsed(line, f"line {number}") for number, line in lines]
    return found if any(isinstance(one, dict) for one in found) else [whole]


def _parsed(text: str, what: str) -> Any:
    """The JSON value, or a FactsError that says where it breaks off."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as problem:
        return FactsError("", f"{what} is not JSON: {problem.msg} at column {problem.colno}")
    except ValueError as problem:  # NaN and the like, a number of too many digits
        return FactsError("", f"{what} is not JSON: {problem}")
    except RecursionError:
        return FactsError("", f"{what} is nested too deeply")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number of JSON")


def _given(document: Any) -> list[Any]:
    """The facts objects of one document."""
    if isinstance(document, list):
        return document
    if isinstance(document, dict) and "cases" in document:
        cases = document["cases"]
        return cases if isinstance(cases, list) else [FactsError("/cases", "is not a list")]
    return [document]


def _answer(given: Any) -> dict[str, Any]:
    named = isinstance(given, dict) and ("facts" in given or set(given) == {"id"})
    try:
        if isinstance(given, FactsError):
            raise given
        if named and "facts" not in given:
            raise FactsError("", "facts are missing")
        answer = determine(case_from_json(given["facts"] if named else given)).answer
    except FactsError as problem:
        identity = given.get("id") if isinstance(given, dict) else None
        return {"id": identity, "error": {"field": problem.field, "message": problem.message}}
    return {"id": given["id"], **answer} if named and "id" in given else answer
