"""docs/importing-facts.md says of every kind what its columns are, with an example that can be imported."""

from __future__ import annotations

import io
import re

import pytest

from backend.schemas.csv_facts import csv_lines, needed_columns
from backend.schemas.facts import fact_row
from backend.schemas.kinds import COMMON, KINDS, Kind
from tests.house.tree import ROOT

PAGE = (ROOT / "docs/importing-facts.md").read_text()
WRITTEN = {
    "texts": "texts",
    "yes_no": "yes or no",
    "instant or day": "instant, or day",
    "person": "e-mail address",
}


def part(kind: str) -> str:
    """What the page says under a kind's heading; empty without one."""
    found = re.search(rf"^### {kind}$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def introduction(kind: Kind) -> str:
    """Whom it is about, who may say it, and by what one is told from another."""
    key = " and ".join(f"`{name}`" for name in kind.key) or "nothing else: the latest row counts"
    by_id = ", or by its `id` where it has one" if any(each.name == "id" for each in kind.fields) else ""
    about = f"{kind.about}, told apart by {key}{by_id}"
    return f"{kind.meaning}. For each {about}. May be said by: {', '.join(sorted(kind.said_by))}."


def table(kind: Kind) -> str:
    """Every column, the needed ones bold."""
    fields = {each.name: each for each in kind.fields}
    lines = ["| column | written as | what it says |", "|---|---|---|"]
    for name in kind.columns:
        field = fields.get(name)
        shown = f"**`{name}`**" if name in needed_columns(kind) else f"`{name}`"
        if field is None:
            written, meaning = (
                {"withdrawn": "yes or no", "attested_by": "e-mail address"}.get(name, "text"),
                COMMON[name],
            )
        else:
            choices = ", ".join(f"`{choice}`" for choice in field.choices)
            written, meaning = choices or WRITTEN.get(field.type, field.type), field.meaning
        lines.append(f"| {shown} | {written} | {meaning} |")
    return "\n".join(lines)


def test_the_page_has_the_kinds_in_their_order() -> None:
    kinds = PAGE.partition("\n## The kinds\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (\w+)$", kinds, re.MULTILINE) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_page_says_of_a_kind_what_it_is_and_every_column(kind: Kind) -> None:
    assert introduction(kind) in " ".join(part(kind.name).split())
    assert table(kind) in part(kind.name)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_example_of_a_kind_can_be_imported(kind: Kind) -> None:
    example = re.search(r"((?:^    .+\n)+)", part(kind.name), re.MULTILINE)
    assert example, "no example"
    rows = list(csv_lines(kind, io.BytesIO(re.sub("^    ", "", example[1], flags=re.MULTILINE).encode())))
    assert rows
    for line in rows:
        assert line.problem is None
        fact_row(kind, line.row, own_group="riverside")
