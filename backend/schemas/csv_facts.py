"""A CSV file of facts: its header, and each of its lines as a row of its kind (`schemas.kinds`)."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any

from backend.errors import BadInput
from backend.schemas.kinds import Kind

DELIMITERS = ",;\t"
"""What may stand between cells: the comma, and what Excel writes where the comma is a decimal point or as text."""
NAMES_SHOWN = 5
"""How many of a header's wrong names are said: a file without a header has a row of data there."""

_YES_NO = {**dict.fromkeys(("yes", "y", "true", "1"), True), **dict.fromkeys(("no", "n", "false", "0"), False)}
_IDENTIFIERS = frozenset({"patient", "thread", "id", "visit_id"})
# What a spreadsheet makes of a long number. Two patients' identifiers may become the same text.
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """`number`: the line of the file, from 1, on which the row begins. `row`: JSON values by the names of the kind's
    columns, without the empty cells; None where `problem` says why it cannot be one."""

    number: int
    row: dict[str, Any] | None
    problem: str | None = None


def template(kind: Kind) -> str:
    """The header of a file of this kind, with every column."""
    return ",".join(kind.columns)


def csv_lines(kind: Kind, file: IO[bytes], *, portal: str | None = None) -> Iterator[Line]:
    """Every line of the file that says something, one at a time. `portal`: that of rows that name none.

    `file` can be read again from its start, and is read twice, so that nothing is kept of one that breaks off. BadInput
    says in one sentence what the whole file is refused for: it is not UTF-8 text or not CSV, it is empty, or its header
    does not fit the kind. A cell that is not what its column wants stays text: the row's own check says so.
    """
    records = _records(file)
    _, header = next(records, (0, []))
    if not header:
        raise BadInput(f"The file is empty. {_columns_of(kind)}")
    names = _checked_header(kind, header, portal)
    for _ in records:
        pass
    return _lines(kind, names, file, portal)


def _lines(kind: Kind, names: Sequence[str], file: IO[bytes], portal: str | None) -> Iterator[Line]:
    types = {"withdrawn": "yes_no", **{field.name: field.type for field in kind.fields}}
    readers = [_READERS.get(types.get(name, "text"), str) for name in names]
    given = {} if portal is None else {"portal": portal}
    records = _records(file)
    next(records)
    for number, cells in records:
        if len(cells) > len(names):
            yield Line(number, None, f"has {len(cells)} cells, but the header has {len(names)}")
            continue
        shortened = [name for name, cell in zip(names, cells, strict=False) if _is_shortened(name, cell)]
        if shortened:
            yield Line(
                number, None, f"{shortened[0]} was shortened by a spreadsheet; have its column formatted as text"
            )
            continue
        said = {name: read(cell) for name, read, cell in zip(names, readers, cells, strict=False) if cell}
        yield Line(number, {**given, **said})


def _records(file: IO[bytes]) -> Iterator[tuple[int, list[str]]]:
    """The line on which it begins, and the cells without trailing empty ones, of all that is not blank."""
    file.seek(0)
    texts = _text_lines(file)
    above = 0
    first = next(texts, "")
    while first and not first.strip():
        above += 1
        first = next(texts, "")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], texts), delimiter=delimiter, skipinitialspace=True, strict=True)
    number = above + 1
    try:
        for cells in reader:
            found = [cell.strip() for cell in cells]
            while found and not found[-1]:
                found.pop()
            if found:
                yield number, found
            number = above + reader.line_num + 1
    except csv.Error:
        raise BadInput(
            f"Line {number} cannot be read as CSV: a quotation mark is not closed, or the line ends in an odd way."
        ) from None


def _text_lines(file: IO[bytes]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        try:
            text = line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise _not_text(number) from None
        if "\0" in text:
            raise _not_text(number)
        yield text


def _not_text(number: int) -> BadInput:
    return BadInput(f'Line {number} is not UTF-8 text; save the file as "CSV UTF-8 (comma delimited)".')


def _checked_header(kind: Kind, header: Sequence[str], portal: str | None) -> list[str]:
    names = [name.lower() for name in header]
    for what, wrong in (
        (f"has names that are no columns of {kind.name}", [name for name in names if name not in kind.columns]),
        ("names a column twice", [name for name in dict.fromkeys(names) if names.count(name) > 1]),
        ("lacks a column that is needed", [name for name in _needed(kind, names, portal) if name not in names]),
    ):
        if wrong:
            shown = ", ".join(_quoted(name) for name in wrong[:NAMES_SHOWN])
            more = f" and {len(wrong) - NAMES_SHOWN} more" if len(wrong) > NAMES_SHOWN else ""
            raise BadInput(f"The file's first line {what}: {shown}{more}. {_columns_of(kind)}")
    return names


def _quoted(name: str) -> str:
    """A name of somebody else's making, cut and quoted for a line."""
    return repr(name[:40])


def needed_columns(kind: Kind) -> tuple[str, ...]:
    """The columns without which no row of the kind can be used."""
    needed = {kind.about, *(field.name for field in kind.fields if field.needed)} - {"portal"}
    return tuple(name for name in kind.columns if name in needed or (kind.attests and name == "attested_by"))


def _needed(kind: Kind, names: Sequence[str], portal: str | None) -> Iterator[str]:
    optional = {"portal"} if portal is not None else set()
    if "withdrawn" in names:  # a row that is withdrawn needs its key only; the row's own check sees to the others
        optional |= {field.name for field in kind.fields if field.name not in kind.key}
    return (name for name in needed_columns(kind) if name not in optional)


def _columns_of(kind: Kind) -> str:
    return f"The columns are {', '.join(kind.columns)}; needed are {', '.join(needed_columns(kind))}."


def _is_shortened(name: str, cell: str) -> bool:
    return name in _IDENTIFIERS and _SHORTENED.fullmatch(cell) is not None


def _yes_no(cell: str) -> Any:
    return _YES_NO.get(cell.lower(), cell)


def _texts(cell: str) -> list[str]:
    return [text for text in re.split(r"[\s,;]+", cell) if text]


def _number(cell: str) -> Any:
    return int(cell) if re.fullmatch(r"\d{1,9}", cell, re.ASCII) else cell


_READERS: Mapping[str, Callable[[str], Any]] = {"yes_no": _yes_no, "texts": _texts, "number": _number}
