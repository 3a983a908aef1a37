"""Small readers that check one JSON value each and say what is wrong with it, and where.

A reader takes a value and gives what it means, or raises `FactsError` with a JSON pointer relative to that value; the
readers of objects and lists put their key in front. Messages never quote the value: it may be about a patient.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from backend.billing.case import Instant

Reader = Callable[[Any], Any]

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
FIRST_YEAR, LAST_YEAR = 1900, 2999  # a slip of the keyboard, not a date; and every reckoning stays inside a calendar


class FactsError(Exception):
    """Facts that cannot be judged. `field` is a JSON pointer to what is wrong, `message` one sentence."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field or '/'}: {message}")
        self.field = field
        self.message = message


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise FactsError("", "is not a text")
    return value


def yes_or_no(value: Any) -> bool:
    if value is not True and value is not False:
        raise FactsError("", "is neither true nor false")
    return value


def one_of(*choices: str | int) -> Reader:
    """A reader of one of these texts or whole numbers."""

    def read(value: Any) -> Any:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, str | int) or value not in choices:
            raise FactsError("", f"is none of {', '.join(map(str, choices))}")
        return value

    return read


def nullable(reader: Reader) -> Reader:
    """A reader that lets null through."""
    return lambda value: None if value is None else reader(value)


def instant(value: Any) -> Instant:
    """An ISO 8601 instant with an offset, in milliseconds since the epoch; finer parts are dropped."""
    if not isinstance(value, str):
        raise FactsError("", "is not a text such as 2026-04-06T09:00:00-04:00")
    if not _INSTANT.fullmatch(value):
        if _NAIVE.fullmatch(value):
            raise FactsError("", "has no offset from UTC; write it as 2026-04-06T09:00:00-04:00")
        raise FactsError("", "is not an instant such as 2026-04-06T09:00:00-04:00")
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise FactsError("", "is not an instant of the calendar") from None
    _check_year(moment.year)
    return (moment - _EPOCH) // _MILLISECOND


def instant_text(at: Instant) -> str:
    """Milliseconds since the epoch as the case schema writes an instant, in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def day(value: Any) -> date:
    """An ISO date."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise FactsError("", "is not a day such as 2026-04-06")
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise FactsError("", "is not a day of the calendar") from None
    _check_year(found.year)
    return found


def month(value: Any) -> str:
    """YYYY-MM."""
    if not isinstance(value, str) or not _DAY.fullmatch(f"{value}-01"):
        raise FactsError("", "is not a month such as 2026-04")
    try:
        found = date.fromisoformat(f"{value}-01")
    except ValueError:
        raise FactsError("", "is not a month of the calendar") from None
    _check_year(found.year)
    return value


def _check_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise FactsError("", f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}")


def each(reader: Reader) -> Reader:
    """A reader of a list whose items this one reads; a tuple."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise FactsError("", "is not a list")
        found = []
        for index, item in enumerate(value):
            try:
                found.append(reader(item))
            except FactsError as problem:
                raise FactsError(f"/{index}{problem.field}", problem.message) from None
        return tuple(found)

    return read


def members(required: Mapping[str, Reader], optional: Mapping[str, Reader] | None = None) -> Reader:
    """A reader of an object with these members and no others; a dict of those that are there."""
    readers = {**required, **(optional or {})}

    def read(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise FactsError("", "is not an object")
        for name in required:
            if name not in value:
                raise FactsError(f"/{name}", "is missing")
        found = {}
        for name, item in value.items():
            reader = readers.get(name)
            if reader is None:
                raise FactsError(f"/{_escaped(name)}", "is not a field of this object")
            try:
                found[name] = reader(item)
            except FactsError as problem:
                raise FactsError(f"/{name}{problem.field}", problem.message) from None
        return found

    return read


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def span(start: str, end: str, reader: Reader) -> Reader:
    """A reader whose object has an end that is not before its start."""

    def read(value: Any) -> dict[str, Any]:
        found: dict[str, Any] = reader(value)
        if found[end] < found[start]:
            raise FactsError(f"/{end}", f"is before {start}")
        return found

    return read
