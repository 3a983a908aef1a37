"""One case, judged: the answer of design 3.3 and the pieces of time that it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.billing.case import Case, Instant


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one interval that has one fate: counted, or excluded for one reason."""

    interval_id: str
    clinician: str
    thread: str | None
    started_at: Instant
    ended_at: Instant
    counted: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Determination:
    """`answer`: the object of design 3.3 without `id`; `pieces`: every raw millisecond of the case exactly once."""

    answer: dict[str, Any]
    pieces: tuple[Piece, ...]


def determine(case: Case) -> Determination:
    """Judges one case by the rules in force on its date of service; the same case always gives the same answer."""
    raise NotImplementedError


def changes(previous: Mapping[str, Any] | None, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs between two answers, for people: `[{"field", "before", "after"}]`, empty without a previous one."""
    raise NotImplementedError
