"""A report as JSON: an array of the episodes' objects, one a line, in the report's order."""

from collections.abc import Iterable, Iterator

import orjson

from backend.reports.columns import Row


def json_chunks(rows: Iterable[Row]) -> Iterator[bytes]:
    """The array piece by piece, UTF-8; `[]` when there are no rows."""
    separator = b"[\n"
    for row in rows:
        yield separator + orjson.dumps(row)
        separator = b",\n"
    yield b"\n]\n" if separator == b",\n" else b"[]\n"
