"""Recognises the row that nearly every device sends, at a twentieth of the schema's cost.

It accepts only what the schema accepts and returns the same row (a property test holds the two against each other);
whatever it does not recognise is not rejected here but goes to the schema, which has the last word.
"""

import re
from typing import Any

from backend.schemas.wire import ACTIVITIES, ENDED_BY, ID_PATTERN, IDLE_AFTER_SECONDS, INSTANT_MAX, LONGEST_MS

_IS_ID = re.compile(ID_PATTERN).fullmatch
_IS_IDENTIFIER = re.compile(r"[A-Za-z0-9._:/|~+=-]{1,200}").fullmatch
_ACTIVITIES = frozenset(ACTIVITIES)
_ENDED_BY = frozenset(ENDED_BY)
_LEAST_IDLE, _MOST_IDLE = IDLE_AFTER_SECONDS
_NEEDED = frozenset(
    {"id", "portal", "thread", "patient", "activity", "started_at", "ended_at", "ended_by", "idle_after_seconds"}
)
_MORE = frozenset({"entry", "tab"})


def quick_row(raw: object) -> dict[str, Any] | None:
    """The row when it is a plain measured one, else None."""
    if type(raw) is not dict or not raw.keys() >= _NEEDED:
        return None
    if len(raw) > len(_NEEDED) and not (raw.keys() - _NEEDED <= _MORE and _plain(raw)):
        return None
    started_at, ended_at, idle_after = raw["started_at"], raw["ended_at"], raw["idle_after_seconds"]
    thread, patient = raw["thread"], raw["patient"]
    if (
        type(started_at) is int
        and type(ended_at) is int
        and type(idle_after) is int
        and 0 <= started_at < ended_at <= INSTANT_MAX
        and ended_at - started_at <= LONGEST_MS
        and _LEAST_IDLE <= idle_after <= _MOST_IDLE
        and _is(_IS_ID, raw["id"])
        and _is(_IS_IDENTIFIER, raw["portal"])
        and (thread is None or _is(_IS_IDENTIFIER, thread))
        and (patient is None or _is(_IS_IDENTIFIER, patient))
        and not (thread is None and patient is None)
        and _word(raw["activity"], _ACTIVITIES)
        and _word(raw["ended_by"], _ENDED_BY)
    ):
        return raw
    return None


def _plain(raw: dict[str, Any]) -> bool:
    """Whether the optional fields that are there hold what a measured row holds."""
    return raw.get("entry", "measured") == "measured" and ("tab" not in raw or _is(_IS_IDENTIFIER, raw["tab"]))


def _is(matches: Any, value: object) -> bool:
    return type(value) is str and matches(value) is not None


def _word(value: object, words: frozenset[str]) -> bool:
    return type(value) is str and value in words
