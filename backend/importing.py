"""The commands under `import`: facts that come in files."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from backend.console import Instant, working
from backend.errors import BadInput
from backend.options import in_practice, now, opened
from backend.schemas.kinds import KINDS, LISTS, Kind

if TYPE_CHECKING:
    from backend.desk.facts import Heard
    from backend.schemas.csv_facts import Line
    from backend.store.database import Store

SOURCE = "csv"
"""How these facts are marked in the database."""


@click.group("import")
def facts_in() -> None:
    """Facts from elsewhere, such as the EHR."""


@facts_in.command("csv")
@in_practice
@click.argument("kind_name", metavar="KIND", type=click.Choice(tuple(KINDS)))
@click.argument("file", type=click.File("rb"), required=False)
@click.option("--dry-run", is_flag=True, help="Say what would become of each row, and keep nothing.")
@click.option("--template", "only_header", is_flag=True, help="Print the header of a file of this KIND instead.")
@click.option(
    "--read-at",
    type=Instant(),
    help="The file holds the whole list as of this instant, for every patient of the portal.",
)
@click.option("--portal", metavar="KEY", help="The portal of rows that name none.")
@click.pass_context
def import_csv(
    context: click.Context,
    data: Path | None,
    practice: str | None,
    kind_name: str,
    file: IO[bytes] | None,
    dry_run: bool,
    only_header: bool,
    read_at: int | None,
    portal: str | None,
) -> None:
    """Take in the facts of one kind from a CSV file.

    FILE (or - for standard input) has one fact a line under a header. Each changed row is told; each refused row gives
    a line on standard error and the exit code 1, and the others are kept. docs/importing-facts.md has the kinds.
    """
    from backend.desk.practices import get_practice
    from backend.schemas.csv_facts import csv_lines, template

    kind, at = KINDS[kind_name], now()
    if only_header:
        click.echo(template(kind))
        return
    if file is None:
        raise click.UsageError("FILE is missing; - is standard input.")
    if read_at is not None and kind_name not in LISTS:
        raise click.UsageError(f"--read-at is for lists: {', '.join(LISTS)}.")
    if read_at is not None and read_at > at:
        raise click.UsageError("--read-at lies in the future.")
    with opened(data) as store, working(f"Taking in {kind_name}"):
        to = _Import(store, get_practice(store, practice).practice_id, kind, portal, at, dry_run)
        if read_at is not None:
            to.check_reading(read_at)
        to.take_in(csv_lines(kind, _twice_readable(file), portal=portal))
        if read_at is not None:
            to.say_read(read_at)
    to.tell()
    if to.refused:
        context.exit(1)


def _twice_readable(file: IO[bytes]) -> IO[bytes]:
    return file if file.seekable() else io.BytesIO(file.read())


@dataclass(slots=True)
class _Import:
    """One file on its way in, and what became of it: by the number of a row's line, and as lines for people."""

    store: "Store"
    practice_id: int
    kind: Kind
    portal: str | None
    now: int
    dry_run: bool
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("new", "changed", "known"), 0))
    changed: list[tuple[int, str]] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)
    reading: str | None = None

    def take_in(self, lines: Iterator["Line"]) -> None:
        taken: list[tuple[int, bool]] = []  # number of the line, whether it is withdrawn

        def rows() -> Iterator[dict[str, Any]]:
            for line in lines:
                if line.row is None:
                    self.refused.append((line.number, str(line.problem)))
                else:
                    taken.append((line.number, line.row.get("withdrawn") is True))
                    yield line.row

        for heard, (number, withdrawn) in zip(self._learn(self.kind.name, rows()), taken, strict=True):
            self._count(number, heard, withdrawn)
        self.refused.sort()

    def check_reading(self, read_at: int) -> None:
        """BadInput: nobody could say that this list was read. Said before anything of the file is kept."""
        [heard] = self._learn("portal_readings", iter([self._reading(read_at)]), dry_run=True)
        if heard.outcome == "refused":
            raise BadInput(f"--read-at: {heard.reason}.")

    def say_read(self, read_at: int) -> None:
        """Says it unless a row was refused: what such a row holds would count as not there."""
        if self.refused:
            self.reading = f"{self.kind.name}: not said to be read, for what was refused is missing"
            return
        self._learn("portal_readings", iter([self._reading(read_at)]))
        words = "would be said" if self.dry_run else "is said"
        self.reading = f"{self.kind.name}: the list {words} to be whole, for every patient of the portal"

    def tell(self) -> None:
        """Prints what became of the file: changes and the count on standard output, refusals on standard error."""
        for number, text in self.changed:
            click.echo(f"line {number}: {text}")
        for number, text in self.refused:
            click.echo(f"line {number}: {text}", err=True)
        if self.reading is not None:
            click.echo(self.reading, err=bool(self.refused))
        new, changed, known = self.outcomes.values()
        would_be = "would be " if self.dry_run else ""
        click.echo(
            f"{self.kind.name}: {new} {would_be}new, {changed} {would_be}changed, {known} known,"
            f" {len(self.refused)} refused"
        )

    def _learn(self, kind: str, rows: Iterator[dict[str, Any]], *, dry_run: bool | None = None) -> list["Heard"]:
        from backend.desk.facts import learn

        dry = self.dry_run if dry_run is None else dry_run
        return learn(self.store, self.practice_id, kind, rows, source=SOURCE, now=self.now, dry_run=dry)

    def _reading(self, read_at: int) -> dict[str, Any]:
        from backend.billing.reading import instant_text

        said = {"list": self.kind.name, "read_at": instant_text(read_at)}
        return said if self.portal is None else {**said, "portal": self.portal}

    def _count(self, number: int, heard: "Heard", withdrawn: bool) -> None:
        if heard.outcome == "refused":
            self.refused.append((number, str(heard.reason)))
            return
        self.outcomes[heard.outcome] += 1
        if heard.outcome == "changed":
            text = "withdrawn" if withdrawn else _change_in_words(self.kind, heard.changes)
            self.changed.append((number, text))


def _change_in_words(kind: Kind, changes: list[dict[str, Any]]) -> str:
    """`status: scheduled -> completed; problem: not said -> knee`. Who a person is, is not told."""
    shown = {each.name for each in kind.fields if each.type != "person" and each.name != "patient"}
    return "; ".join(
        f"{change['field']}: {_value(change['before'])} -> {_value(change['after'])}"
        if change["field"] in shown
        else f"{change['field'].removesuffix('_id')}: changed"
        for change in changes
    )


def _value(value: Any) -> str:
    if value is None:
        return "not said"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " ".join(value) if isinstance(value, list) else str(value)
