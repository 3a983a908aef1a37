"""One case, judged: the answer of design 3.3 and the pieces of time that it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from backend.billing.case import Case
from backend.billing.counted import Counted, count
from backend.billing.counting import Piece
from backend.billing.days import MS_A_SECOND
from backend.billing.facts import facts_of
from shared_rules import engine

__all__ = ["Determination", "Piece", "changes", "determine", "judge", "seconds_by", "summary"]


@dataclass(frozen=True, slots=True)
class Determination:
    """`answer`: the object of design 3.3 without `id`; `pieces`: every raw millisecond of the case exactly once."""

    answer: dict[str, Any]
    pieces: tuple[Piece, ...]


def determine(case: Case) -> Determination:
    """Judges one case by the rules in force on its date of service; the same case always gives the same answer.

    SettingError (a ValueError) for a setting that the rules do not allow, ValueError for an unknown time zone.
    """
    counted = count(case)
    return Determination(judge(counted), tuple(counted.pieces))


def judge(counted: Counted) -> dict[str, Any]:
    """The answer on facts that are counted already."""
    said = engine.evaluate(counted.rules, facts_of(counted))
    period = counted.opening.period
    release = counted.hold_until()
    rendering = counted.work.rendering
    return {
        "status": said["status"],
        "eligible": said["eligible"],
        "code": said["code"],
        "projected_code": said["projected_code"],
        "family": None if period is None else said["family"],
        "blocking": said["blocking"],
        "warnings": said["warnings"],
        "missing": said["missing"],
        "hold_until": release if said["status"] == "hold" else None,
        "reasons": said["reasons"],
        "window_start": None if period is None else period.window_start.isoformat(),
        "window_end": None if period is None else period.window_end.isoformat(),
        "counted_seconds": counted.counted_seconds,
        "counted_minutes": said["counted_minutes"],
        "excluded": [{"seconds": seconds, "reason": reason} for reason, seconds in counted.excluded.items()],
        "date_of_service": None if period is None else period.window_start.isoformat(),
        "rendering_clinician": None if rendering is None else rendering.id,
        "rules_version": said["rules_version"],
        "settings": said["settings"],
        "changes": [],
    }


# What a list says of an answer.
_SUMMED_UP = (
    "status",
    "code",
    "projected_code",
    "blocking",
    "hold_until",
    "window_start",
    "window_end",
    "counted_seconds",
    "rendering_clinician",
)


def summary(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an answer that a list of many shows, a fifteenth of it: of what blocks and what is missing the ids of
    the rules, in the answer's order; sentences and sources stay in the answer."""
    return {**{name: answer[name] for name in _SUMMED_UP}, "missing": [each["id"] for each in answer["missing"]]}


# What a reader sees change, in this order; sentences and minutes follow from these.
_COMPARED = (
    "status",
    "code",
    "projected_code",
    "family",
    "blocking",
    "warnings",
    "missing",
    "hold_until",
    "window_start",
    "window_end",
    "counted_seconds",
    "excluded",
    "date_of_service",
    "rendering_clinician",
    "rules_version",
    "settings",
)


def changes(previous: Mapping[str, Any] | None, answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What differs from the answer before: `[{"field", "before", "after"}]`, empty without a previous one.

    Lists of rules are compared by their ids, whatever their order.
    """
    if previous is None:
        return []
    found = []
    for field in _COMPARED:
        before, after = _plain(previous.get(field)), _plain(answer.get(field))
        if before != after:
            found.append({"field": field, "before": before, "after": after})
    return found


def _plain(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if value and isinstance(value[0], Mapping) and "id" in value[0]:
        value = [item["id"] for item in value]
    return sorted(value) if all(isinstance(item, str) for item in value) else value


def seconds_by(pieces: Iterable[Piece], key: str) -> dict[str | None, int]:
    """Counted seconds by `thread` or `clinician` of the pieces; they add up to `counted_seconds`.

    The rest of a second goes to the next in order of first appearance, so that nothing is lost to rounding.
    """
    times: dict[str | None, int] = {}
    for piece in pieces:
        if piece.counted:
            name = getattr(piece, key)
            times[name] = times.get(name, 0) + piece.ended_at - piece.started_at
    seconds: dict[str | None, int] = {}
    carried = 0
    for name, time in times.items():
        seconds[name], carried = divmod(time + carried, MS_A_SECOND)
    return seconds
