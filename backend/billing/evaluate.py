"""Facts in, determinations out: the what-if tool behind `python -m backend evaluate`."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from backend.billing.case import Case
from backend.billing.counting import Piece
from backend.billing.determination import determine
from backend.billing.translate import FactsError, case_from_json


@dataclass(frozen=True, slots=True)
class Judged:
    """One facts object's answer, with the case and the pieces of time that it rests on.

    `case` is None where the answer is an error.
    """

    answer: dict[str, Any]
    case: Case | None = None
    pieces: tuple[Piece, ...] = ()


def evaluate(text: str | bytes) -> Iterator[dict[str, Any]]:
    """The answers of `judged`, alone."""
    return (each.answer for each in judged(text))


def judged(text: str | bytes) -> Iterator[Judged]:
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
            yield _judge(given)


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


def _judge(given: Any) -> Judged:
    named = isinstance(given, dict) and ("facts" in given or set(given) == {"id"})
    identity = given.get("id") if isinstance(given, dict) else None
    try:
        if isinstance(given, FactsError):
            raise given
        if not _is_identity(identity):
            identity = None
            raise FactsError("", "its id is neither a text nor a number that JSON can carry")
        if named and "facts" not in given:
            raise FactsError("", "facts are missing")
        case = case_from_json(given["facts"] if named else given)
        found = determine(case)
        if not _can_be_written(found.answer):
            raise FactsError("", "a text in it holds half a character (a lone surrogate)")
        answer = {"id": identity, **found.answer} if named and "id" in given else found.answer
        return Judged(answer, case, found.pieces)
    except FactsError as problem:
        return Judged({"id": identity, "error": {"field": _written(problem.field), "message": problem.message}})


def _is_identity(value: Any) -> bool:
    """Whether the answer can carry it back: no list or object, and no number of more than 64 bits."""
    if isinstance(value, list | dict):
        return False
    if isinstance(value, int):
        return -(2**63) <= value < 2**64
    return _can_be_written(value)


def _can_be_written(value: Any) -> bool:
    """Whether it is UTF-8 once it is written: JSON's escapes can spell half a character."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _written(text: str) -> str:
    """The text with a question mark for each half of a character."""
    return text.encode(errors="replace").decode()
