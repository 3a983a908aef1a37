"""The wire of `POST /api/v1/intervals`, protocol 1: what a device may send, and the sentence for what it may not.

A row is judged by itself, so one bad row never costs its neighbours. What needs the database (is the portal one of the
practice's, is the id known with other content) is the desk's to say.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from backend.errors import BadInput
from backend.schemas.quick import quick_row
from backend.schemas.wire import (
    ACTIVITIES,
    DAY_MS,
    ENDED_BY,
    ENTRIES,
    ID_PATTERN,
    IDENTIFIER_LENGTH,
    IDLE_AFTER_SECONDS,
    INSTANT_MAX,
    REASON_LENGTH,
    ROWS_MAX,
)

Row = dict[str, Any]
Rejected = tuple[str | None, int, str]
"""(id or None when the row has none that can be told, index in the request, reason)."""


class WholeNumber(fields.Integer):
    """An int and nothing else: no bool, no float (2**70 arrives as one), no digits in a string."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Truth(fields.Boolean):
    """true or false, not 1, "yes" or "on"."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> bool:
        if type(value) is not bool:
            raise self.make_error("invalid")
        return value


def _printable(value: str) -> None:
    if not value.isprintable():
        raise ValidationError("holds a character that cannot be printed")


def _opaque(value: str) -> None:
    """A name or an e-mail address is never an identifier."""
    if " " in value:
        raise ValidationError("holds a space, so it is not an identifier")
    if re.search(r".@.", value):
        raise ValidationError("looks like an e-mail address, so it is not an identifier")


_MESSAGES: dict[str, Any] = {"required": "is missing", "null": "is null", "invalid": "is not text"}
_TRUTH_MESSAGES: dict[str, Any] = {"null": "is null", "invalid": "is not true or false"}


def _says_something(value: str) -> None:
    if not value.strip():
        raise ValidationError("is blank")


def _is_list(value: object) -> None:
    if type(value) is not list:
        raise ValidationError("is not a list")


def _text(*checks: Any, longest: int, **options: Any) -> fields.String:
    length = validate.Length(1, longest, error=f"is not between 1 and {longest} characters long")
    return fields.String(validate=[length, _printable, *checks], error_messages=_MESSAGES, **options)


def _identifier(**options: Any) -> fields.String:
    return _text(_opaque, longest=IDENTIFIER_LENGTH, **options)


def _id(**options: Any) -> fields.String:
    pattern = validate.Regexp(f"{ID_PATTERN}\\Z", error="is not a UUIDv7 in lower case")
    options["metadata"] = {**options.get("metadata", {}), "pattern": f"^{ID_PATTERN}$"}  # JSON Schema knows no \\Z
    return fields.String(validate=pattern, error_messages=_MESSAGES, **options)


def _one_of(words: Sequence[str], **options: Any) -> fields.String:
    known = validate.OneOf(words, error="is not one of the words of this protocol")
    return fields.String(validate=known, error_messages=_MESSAGES, **options)


def _number(least: int, most: int, **options: Any) -> WholeNumber:
    bounds = validate.Range(least, most, error=f"is not between {least} and {most}")
    messages: dict[str, Any] = {"required": "is missing", "null": "is null", "invalid": "is not a whole number"}
    return WholeNumber(validate=bounds, error_messages=messages, **options)


def _sent_at() -> WholeNumber:
    return _number(0, INSTANT_MAX, required=True, metadata={"description": "the device's clock at sending"})


class Strict(Schema):
    """Refuses unknown fields in this protocol's words."""

    class Meta:
        unknown = RAISE

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.error_messages["unknown"] = "is not a field of this protocol"


class IntervalRow(Strict):
    """One interval as a device sends it."""

    id = _id(required=True, metadata={"description": "a UUIDv7 made once, where the interval was measured"})
    portal = _identifier(required=True, metadata={"description": "the key of one of the practice's portals"})
    thread = _identifier(allow_none=True, load_default=None, metadata={"description": "the portal's own identifier"})
    patient = _identifier(allow_none=True, load_default=None, metadata={"description": "the portal's own identifier"})
    activity = _one_of(ACTIVITIES, required=True)
    started_at = _number(0, INSTANT_MAX, required=True, metadata={"description": "milliseconds since the epoch"})
    ended_at = _number(0, INSTANT_MAX, required=True, metadata={"description": "started_at + monotonic length"})
    ended_by = _one_of(ENDED_BY, required=True)
    idle_after_seconds = _number(*IDLE_AFTER_SECONDS, required=True)
    entry = _one_of(tuple(ENTRIES), metadata={"description": "absent: measured"})
    tab = _identifier(allow_none=True, metadata={"description": "random per document"})
    linked_from = _identifier(allow_none=True, metadata={"description": "the thread a chart page was opened from"})
    recovered = Truth(error_messages=_TRUTH_MESSAGES, metadata={"description": "closed after a crash"})
    corrects = _id(allow_none=True, metadata={"description": "the interval that this one corrects"})
    reason = _text(
        _says_something,
        longest=REASON_LENGTH,
        allow_none=True,
        metadata={"description": "needed by manual and corrects"},
    )
    problem = _text(_says_something, longest=IDENTIFIER_LENGTH, allow_none=True)

    @validates_schema
    def _makes_sense(self, row: Row, **_: Any) -> None:
        if row["thread"] is None and row["patient"] is None:
            raise ValidationError("and patient are both null", "thread")
        length = row["ended_at"] - row["started_at"]
        if length < 0:
            raise ValidationError("is before started_at", "ended_at")
        if length == 0:
            raise ValidationError("is the same as started_at", "ended_at")
        entry = row.get("entry", "measured")
        if length > ENTRIES[entry]:
            raise ValidationError(f"is more than {ENTRIES[entry] // 1000} s after started_at", "ended_at")
        if row.get("reason") is None and (entry == "manual" or row.get("corrects") is not None):
            raise ValidationError("is missing: a manual row or a correction says why", "reason")
        if row.get("corrects") == row["id"]:
            raise ValidationError("is the row itself", "corrects")


class IntervalsRequest(Strict):
    """The body; its rows are judged one by one, so here they are only counted."""

    sent_at = _sent_at()
    intervals = fields.Raw(required=True, validate=_is_list, error_messages=_MESSAGES)


class IntervalsBody(Schema):
    """The same with its rows, for the description of this interface."""

    sent_at = _sent_at()
    intervals = fields.List(fields.Nested(IntervalRow), required=True, validate=validate.Length(max=ROWS_MAX))


class RejectedRow(Schema):
    id = fields.String(required=True, allow_none=True, metadata={"description": "null when the row has no usable id"})
    index = fields.Integer(required=True, metadata={"description": "the row's place in the request, from 0"})
    reason = fields.String(required=True)


class IntervalsAnswer(Schema):
    """Every row of the request stands in exactly one of the lists."""

    accepted = fields.List(fields.String(), required=True, metadata={"description": "committed to disk"})
    duplicate = fields.List(fields.String(), required=True, metadata={"description": "was on disk already"})
    rejected = fields.List(fields.Nested(RejectedRow), required=True)


_ROW = IntervalRow()
_REQUEST = IntervalsRequest()

check_identifier = _identifier().deserialize
"""A portal's own identifier; ValidationError says what is wrong with it."""
check_id = _id().deserialize
"""The id of an interval; ValidationError likewise."""


def load_request(body: object) -> tuple[int, list[object]]:
    """(sent_at, raw rows) of a parsed body; BadInput says what is wrong with the body as a whole."""
    if type(body) is not dict:
        raise BadInput("The body is not a JSON object with sent_at and intervals.")
    try:
        loaded: Row = _REQUEST.load(body)
    except ValidationError as error:
        raise BadInput(f"The body cannot be used: {_first(error)}.") from None
    return loaded["sent_at"], loaded["intervals"]


def load_rows(
    rows: Sequence[object], *, received_at: int, repeated: Mapping[int, str] | None = None
) -> tuple[list[tuple[int, Row]], list[Rejected]]:
    """Judges each row by itself: [(index, row)] that may be stored, and those rejected.

    A row that may be stored always has `thread` and `patient`; of the optional fields it has those that were sent
    with a value. `repeated` names, by index, a field that stands twice in that row.
    """
    repeated = repeated or {}
    good: list[tuple[int, Row]] = []
    rejected: list[Rejected] = []
    latest = received_at + DAY_MS
    for index, raw in enumerate(rows):
        try:
            if index in repeated:
                raise ValidationError("stands twice in the row", repeated[index])
            row = quick_row(raw) or load_row(raw)
            if row["ended_at"] > latest:
                raise ValidationError("is more than 24 hours ahead of the server's clock", "ended_at")
        except ValidationError as error:
            rejected.append((_told_id(raw), index, _first(error)))
        else:
            good.append((index, row))
    return good, rejected


def load_row(raw: object) -> Row:
    """One row by the schema; ValidationError says why not."""
    if type(raw) is not dict:
        raise ValidationError("is not an object", "the row")
    loaded: Row = _ROW.load(raw)
    return {name: value for name, value in loaded.items() if value is not None or name in ("thread", "patient")}


def _told_id(raw: object) -> str | None:
    """The id to answer with: what was sent, when it is text short enough to be one."""
    told = raw.get("id") if isinstance(raw, dict) else None
    return told if isinstance(told, str) and len(told) <= IDENTIFIER_LENGTH else None


def _first(error: ValidationError) -> str:
    """The first thing that is wrong, as `field says what`."""
    found: Any = error.messages_dict if isinstance(error.messages, dict) else {error.field_name: error.messages}
    name, messages = next(iter(found.items()))
    while isinstance(messages, dict):
        messages = next(iter(messages.values()))
    return f"{str(name)[:50]} {messages[0]}"
