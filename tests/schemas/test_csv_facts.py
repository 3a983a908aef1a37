"""A CSV file's cells come out as they were meant, each row with the line it begins on."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import BadInput
from backend.schemas.csv_facts import csv_lines
from backend.schemas.kinds import KINDS

CELL = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=6).map(str.strip)


def read(kind: str, text: str, **options: Any) -> list[tuple[int, Any]]:
    return [(line.number, line.row) for line in csv_lines(KINDS[kind], io.BytesIO(text.encode()), **options)]


@given(rows=st.lists(st.tuples(CELL, CELL), max_size=5), delimiter=st.sampled_from(",;\t"), blank=st.integers(0, 3))
def test_every_text_comes_back_with_its_line(rows: list[tuple[str, str]], delimiter: str, blank: int) -> None:
    out = io.StringIO(newline="")
    out.write("\r\n" * blank)
    writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(("patient", "state"))
    expected = []
    for cells in rows:
        number = out.getvalue().count("\n") + 1
        writer.writerow(cells)
        said = {name: cell for name, cell in zip(("patient", "state"), cells, strict=True) if cell}
        if said:
            expected.append((number, said))
    assert read("residence", out.getvalue()) == expected


@pytest.mark.parametrize(("cell", "said"), [("YES", True), ("y", True), ("True", True), ("1", True), ("no", False)])
@pytest.mark.parametrize("column", ["covers", "withdrawn"])
def test_yes_and_no_are_read_as_people_write_them(column: str, cell: str, said: bool) -> None:
    assert read("coverage", f"patient,type,{column}\np1,commercial,{cell}\n") == [
        (2, {"patient": "p1", "type": "commercial", column: said})
    ]


def test_what_a_column_does_not_want_stays_text_for_the_rows_own_check() -> None:
    header = "patient,surgery_date,days,specialty,related_to_inquiry\n"
    [(_, row)] = read("global_periods", header + "p1,20 March,ninety,surgery,perhaps\n")
    assert (row["surgery_date"], row["days"], row["related_to_inquiry"]) == ("20 March", "ninety", "perhaps")
    [(_, row)] = read("global_periods", header + "p1,2026-03-20,090,surgery,0\n")
    assert (row["days"], row["related_to_inquiry"]) == (90, False)


def test_a_portal_is_given_to_rows_that_name_none() -> None:
    found = read("residence", "portal,patient,state\nnorth,p1,NY\n,p2,NY\n", portal="south")
    assert [row["portal"] for _, row in found] == ["north", "south"]


@pytest.mark.parametrize("kind", ["coverage", "consents", "threads"])
def test_a_file_that_withdraws_needs_the_key_only(kind: str) -> None:
    key = [*KINDS[kind].key, "patient", "thread"]
    names = [name for name in KINDS[kind].columns if name in key or name == "withdrawn"]
    assert read(kind, ",".join(names) + "\n") == []
    with pytest.raises(BadInput, match="lacks a column"):
        read(kind, ",".join(name for name in names if name not in ("withdrawn", "patient")) + "\n")


def test_an_odd_end_of_line_is_said_by_line() -> None:
    with pytest.raises(BadInput, match="Line 2 cannot be read as CSV"):
        read("residence", "patient,state\np1,N\rY\n")
