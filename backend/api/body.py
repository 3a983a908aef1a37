"""The body of a request under /api as JSON, read as strictly as an exact answer needs."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson
from flask import Request
from werkzeug.exceptions import (
    BadRequest,
    LengthRequired,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)

from backend.errors import BadInput

_NAMES = re.compile(rb'"[ \t\n\r]*:').findall
_APART = (b" :", b"\t:", b"\n:", b"\r:")


@dataclass(frozen=True, slots=True)
class Body:
    """`content` as parsed; `repeated` says which names stand twice in an object, by the object's path in the body.

    A path is a tuple of names and indexes: ("intervals", 3) is the fourth row. Which of two values was meant nobody
    can know, so whoever reads the object refuses it.
    """

    content: object
    repeated: dict[tuple[str | int, ...], str] = field(default_factory=dict)

    def repeated_in(self, rows: str) -> dict[int, str]:
        """Row index -> the name that stands twice in it, of the list under this name. BadInput (422) when a name
        stands twice outside the rows."""
        found: dict[int, str] = {}
        for path, name in self.repeated.items():
            match path:
                case (str(member), int(index), *_) if member == rows:
                    found.setdefault(index, name)
                case _:
                    raise BadInput(f"The body cannot be used: {name[:50]} stands twice.")
        return found


def read_json(request: Request, *, most: int) -> Body:
    """The body, of at most `most` bytes. Raises 411, 413, 415, or 400 for what is not JSON by RFC 8259 in UTF-8:
    NaN, lone surrogates, nesting beyond all use."""
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("The body must be application/json.")
    if "Transfer-Encoding" in request.headers or request.content_length is None:
        raise LengthRequired("The request must say its length in Content-Length; chunked bodies are not taken.")
    if request.content_length > most:
        raise RequestEntityTooLarge(f"The body is larger than {most} bytes.")
    raw = request.get_data(cache=False)
    if len(raw) != request.content_length:
        raise BadRequest("The body is shorter than its Content-Length.")
    try:
        content = orjson.loads(raw)
        repeated = {} if _count_names(content) == _count_colons(raw) else _repeated(raw)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON in UTF-8.") from None
    return Body(content, repeated)


def _count_colons(raw: bytes) -> int:
    """How many quotation marks of the text a colon follows, at once or behind white space."""
    if any(each in raw for each in _APART):
        return len(_NAMES(raw))
    return raw.count(b'":')  # ten times as fast, and enough for what the extension sends


def _count_names(value: object) -> int:
    """How many members all objects of a parsed value have. Each name in the text is followed by a colon, and so is a
    quotation mark within some text: equal counts prove that no name was dropped as a repetition."""
    count = 0
    inside: Iterable[object] = ()
    if type(value) is dict:
        count, inside = len(value), value.values()
    elif type(value) is list:
        inside = value
    for inner in inside:
        kind = type(inner)  # a plain loop: this runs over every value of every row
        if kind is dict or kind is list:
            count += _count_names(inner)
    return count


class _Members(list[tuple[str, Any]]):
    """An object with all its members, in order."""


def _repeated(raw: bytes) -> dict[tuple[str | int, ...], str]:
    found: dict[tuple[str | int, ...], str] = {}

    def walk(value: object, path: tuple[str | int, ...]) -> None:
        if isinstance(value, _Members):
            seen: set[str] = set()
            for name, inner in value:
                if name in seen:
                    found.setdefault(path, name)
                seen.add(name)
                walk(inner, (*path, name))
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                walk(inner, (*path, index))

    # Numbers stay text: Python refuses to make an int of very many digits, and their value is of no interest here.
    walk(json.loads(raw, object_pairs_hook=_Members, parse_int=str, parse_float=str, parse_constant=_refuse), ())
    return found


def _refuse(_: str) -> NoReturn:
    raise ValueError
