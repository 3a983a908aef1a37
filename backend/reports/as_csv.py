"""A report as CSV that a spreadsheet opens as it is meant."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from backend.reports.columns import COLUMNS, Row, Value

ROWS_A_CHUNK = 1000

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_chunks(rows: Iterable[Row]) -> Iterator[bytes]:
    """The file piece by piece: UTF-8 with a byte order mark (without it Excel reads another encoding), one header line
    of the columns' keys, lines ended by CR LF. A text that a spreadsheet would run as a formula gets a leading
    apostrophe; numbers stay numbers."""
    yield b"\xef\xbb\xbf" + _lines([[column.key for column in COLUMNS]])
    remaining = iter(rows)
    while chunk := list(islice(remaining, ROWS_A_CHUNK)):
        yield _lines([[_cell(column.value(row)) for column in COLUMNS] for row in chunk])


def _cell(value: Value) -> Value:
    if isinstance(value, str) and value.startswith(_STARTS_A_FORMULA):
        return "'" + value
    return value


def _lines(table: list[list[Value]] | list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    return out.getvalue().encode("utf-8")
