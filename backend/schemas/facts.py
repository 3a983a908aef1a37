"""One fact as it arrives, flat and in the words of its kind, read into what is stored of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from marshmallow import ValidationError

from backend.billing import reading as r
from backend.billing.reading import FactsError, instant_text
from backend.schemas.intervals import check_id, check_identifier
from backend.schemas.kinds import ABOUT_COLUMNS, Field, Kind
from backend.schemas.wire import IDENTIFIER_LENGTH

LISTED_MAX = 50
"""How many values one field may list."""


@dataclass(frozen=True, slots=True)
class FactRow:
    """`body`: the fields that say something, instants in UTC, people by e-mail address; empty when withdrawn."""

    portal: str | None
    patient: str | None
    thread: str | None
    interval: str | None
    body: dict[str, Any]
    withdrawn: bool
    attested_by: str | None


def fact_row(kind: Kind, raw: object, *, own_group: str) -> FactRow:
    """A row of the kind; FactsError names the field and says what is wrong with it. `own_group`: where none is said.

    A null says the same as a name that is not there. A row that is withdrawn needs no more than its key.
    """
    if not isinstance(raw, dict):
        raise FactsError("", "the row is not an object")
    said = {name: value for name, value in raw.items() if value is not None}
    for name in said:
        if name not in kind.columns:
            raise FactsError(str(name)[:50], f"is not a field of {kind.name}; it has {', '.join(kind.columns)}")
    about = _about(kind, said)
    withdrawn = _read("withdrawn", r.yes_or_no, said["withdrawn"]) if "withdrawn" in said else False
    body = {
        field.name: _read(field.name, _READERS[field.type], said[field.name], field)
        for field in kind.fields
        if field.name in said
    }
    if any(field.name == "group" for field in kind.fields):
        body.setdefault("group", own_group)
    for field in kind.fields:
        if field.needed and field.name not in body and not (withdrawn and field.name not in kind.key):
            raise FactsError(field.name, "is missing")
    if not withdrawn:
        _check_order(body)
        _check_visit_named(kind, body)
    attested_by = _read("attested_by", _address, said["attested_by"]) if "attested_by" in said else None
    return FactRow(body=body, withdrawn=withdrawn, attested_by=attested_by, **about)


def key_of(kind: Kind, body: Mapping[str, Any]) -> str:
    """What tells this fact from others of its kind about the same: by its `id` where it has one."""
    if "id" in body:
        return orjson.dumps({"id": body["id"]}).decode()
    return orjson.dumps([body.get(name) for name in kind.key]).decode()


def _about(kind: Kind, said: Mapping[str, Any]) -> dict[str, str | None]:
    """portal, patient, thread, interval, each None where nothing was said."""
    found: dict[str, str | None] = dict.fromkeys(("portal", "patient", "thread", "interval"))
    for name in ABOUT_COLUMNS[kind.about]:
        if name in said:
            found[name] = _checked(name, check_id if name == "interval" else check_identifier, said[name])
        elif name == kind.about != "portal":
            raise FactsError(name, "is missing")
    return found


def _checked(name: str, check: r.Reader, value: Any) -> str:
    try:
        return str(check(value))
    except ValidationError as problem:
        raise FactsError(name, str(problem.messages[0])) from None


def _read(name: str, reader: r.Reader, value: Any, field: Field | None = None) -> Any:
    try:
        if field is not None and field.choices:
            return r.one_of(*field.choices)(value)
        return reader(value)
    except FactsError as problem:
        raise FactsError(name, problem.message) from None


def _text(value: Any) -> str:
    found = " ".join(r.text(value).split())
    if not found or len(found) > IDENTIFIER_LENGTH or not found.isprintable():
        raise FactsError("", f"is not a text of 1 to {IDENTIFIER_LENGTH} characters")
    return found


def _texts(value: Any) -> list[str]:
    found = [_text(one) for one in r.each(r.text)(value)]
    if len(found) > LISTED_MAX:
        raise FactsError("", f"lists more than {LISTED_MAX} values")
    return found


def _address(value: Any) -> str:
    found = _text(value).lower()
    if "@" not in found:
        raise FactsError("", "is not an e-mail address")
    return found


def _instant(value: Any) -> str:
    found = instant_text(r.instant(value))
    r.instant(found)  # it is stored in UTC, and there it may lie outside the years that can be read again
    return found


def _day(value: Any) -> str:
    return str(r.day(value).isoformat())


def _instant_or_day(value: Any) -> str:
    return _day(value) if isinstance(value, str) and len(value) == len("2026-04-06") else _instant(value)


_READERS: Mapping[str, r.Reader] = {
    "text": _text,
    "texts": _texts,
    "yes_no": r.yes_or_no,
    "instant": _instant,
    "instant or day": _instant_or_day,
    "day": _day,
    "month": r.month,
    "person": _address,
    "number": r.one_of(),
}

_IN_ORDER = (("start", "end"), ("from", "to"), ("started_at", "ended_at"))


def _check_order(body: Mapping[str, Any]) -> None:
    for first, last in _IN_ORDER:
        if first in body and last in body and body[last] < body[first]:
            raise FactsError(last, f"is before {first}")
    times = [name for name in ("clinician", "start", "end") if name in body]
    if "start" in times or "end" in times:
        for name in ("clinician", "start", "end"):
            if name not in times:
                raise FactsError(name, "is missing: time that was used has a clinician, a start and an end")


def _check_visit_named(kind: Kind, body: Mapping[str, Any]) -> None:
    if kind.name == "attested_related" and ("visit_id" in body) == ("visit_at" in body):
        raise FactsError("visit_id", "or visit_at says which visit; exactly one of them")
