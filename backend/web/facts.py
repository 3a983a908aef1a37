"""What is known about an episode, in words: facts by kind with who said them, and what they replaced."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from backend.billing.reading import instant as instant_of
from backend.desk.told import Read, Told, Word
from backend.schemas.kinds import KINDS, LISTS, PASSES_WHEN_EMPTY
from backend.words import (
    CHANNELS,
    FACT_FIELDS,
    FACTS,
    INITIATORS,
    SOURCES,
    VALUES,
    day,
    instant,
    local_time,
    named,
    yes_or_no,
)

SHOWN_AT_ONCE = 4
"""Facts of one kind beside each other; those further from the seven days open with a click."""

_CHOSEN = frozenset(
    {field.name for kind in KINDS.values() for field in kind.fields if field.choices} | {"scope", "specialty"}
)
"""Fields whose values are words of a closed list; those of the others are shown as they were said."""
_VALUES: Mapping[str, dict[str, str]] = {"initiated_by": INITIATORS, "channel": CHANNELS}


@dataclass(frozen=True, slots=True)
class Line:
    """One fact. `said`: who, from where, when. `after_approval`: it came when the answer stood already."""

    value: str
    thread: str | None
    said: str
    after_approval: bool


@dataclass(frozen=True, slots=True)
class Group:
    """The facts of one kind. `read`: (words, said) of the last look through a list."""

    name: str
    read: tuple[str, str] | None
    lines: list[Line]
    more: list[Line]


@dataclass(frozen=True, slots=True)
class Earlier:
    """Words that count no more, and what became of them."""

    name: str
    value: str
    thread: str | None
    said: str
    fate: str


@dataclass(frozen=True, slots=True)
class Known:
    groups: list[Group]
    unread: list[str]  # lists that nobody looked through and of which nothing was said
    earlier: list[Earlier]


def known(told: Sequence[Told], read: Mapping[str, Read], *, zone: ZoneInfo, approved_at: int | None) -> Known:
    groups, unread = [], []
    for kind in dict.fromkeys((*KINDS, *(each.kind for each in told))):
        lines = [_line(each, zone, approved_at) for each in told if each.kind == kind and each.stands]
        looked = _looked(kind, read.get(kind), bool(lines), zone) if kind in LISTS else None
        if lines or looked is not None:
            at_once = len(lines) if len(lines) == SHOWN_AT_ONCE + 1 else SHOWN_AT_ONCE  # nobody clicks for one
            groups.append(Group(named(FACTS, kind), looked, lines[:at_once], lines[at_once:]))
        elif kind in LISTS:
            unread.append(_lowered(named(FACTS, kind)))
    return Known(groups, unread, [one for each in told for one in _earlier(each, zone)])


def _looked(kind: str, read: Read | None, has_lines: bool, zone: ZoneInfo) -> tuple[str, str] | None:
    """What the last look through a list says; None where there was none, and nothing hangs on it."""
    if read is None:
        return ("Not looked through yet: there may be others.", "") if has_lines and kind in PASSES_WHEN_EMPTY else None
    as_of = instant(read.as_of, zone)
    said = _said(read.by, read.source, read.at, zone)
    if not read.counts:
        return f"Looked through as of {as_of}, before these seven days: what came after is not known.", said
    return (f"Looked through as of {as_of}." if has_lines else f"None found, as of {as_of}."), said


def _line(told: Told, zone: ZoneInfo, approved_at: int | None) -> Line:
    word = told.latest
    return Line(
        _value(told.kind, word.body or {}, zone),
        _thread(told),
        _said_of(word, zone),
        approved_at is not None and word.at > approved_at,
    )


def _thread(told: Told) -> str | None:
    if told.of_portal:
        return "for all of the portal"
    return None if told.thread is None else f"thread {told.thread[1]}"


def _earlier(told: Told, zone: ZoneInfo) -> Iterable[Earlier]:
    """Each earlier word with the one that took its place."""
    words = (told.latest, *told.before)
    for after, word in pairwise(words):
        if word.body is not None:
            verb = "withdrawn" if after.body is None else "replaced"
            yield Earlier(
                named(FACTS, told.kind),
                _value(told.kind, word.body, zone),
                _thread(told),
                _said_of(word, zone),
                f"{verb} by {_said_of(after, zone)}",
            )


def _said_of(word: Word, zone: ZoneInfo) -> str:
    return _said(word.speaker, word.source, word.at, zone)


def _said(by: str | None, source: str, at: int, zone: ZoneInfo) -> str:
    return f"{by or 'the command line'}, {named(SOURCES, source)}, {instant(at, zone)}"


def _value(kind: str, body: Mapping[str, Any], zone: ZoneInfo) -> str:
    """`3 April 2026, 09:00; office visit; took place`: the fields in the order of their kind."""
    if kind == "threads":
        return "this patient" if body.get("same_patient") else "another patient"
    if kind == "attested_time" and "started_at" in body:
        length = f"{local_time(body['ended_at'], zone):%H:%M:%S}"
        return f"{instant(body['started_at'], zone)} to {length}; was worked: {yes_or_no(bool(body['attested']))}"
    fields = {each.name: each for each in KINDS[kind].fields} if kind in KINDS else {}
    names = [each for each in dict.fromkeys((*fields, *body)) if body.get(each) is not None and each != "id"]
    parts = [_field(name, fields[name].type if name in fields else "text", body[name], zone) for name in names]
    return "; ".join(parts) or "nothing more was said"


def _field(name: str, type_: str, value: Any, zone: ZoneInfo) -> str:
    label = FACT_FIELDS.get(name, f"{name.replace('_', ' ')}:")
    return f"{label} {_written(name, type_, value, zone)}".strip()


def _written(name: str, type_: str, value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, bool):
        return yes_or_no(value)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or "none"
    text = str(value)
    if type_ == "day" or (type_ == "instant or day" and len(text) == len("2026-04-06")):
        return day(date.fromisoformat(text))
    if type_ in ("instant", "instant or day"):
        return instant(instant_of(text), zone)
    if type_ == "month":
        return f"{date.fromisoformat(f'{text}-01'):%B %Y}"
    return named(_VALUES.get(name, VALUES), text) if name in _CHOSEN else text


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
