"""How the command line takes words and gives answers: kinds of argument, the error line, progress, output."""

import gc
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from backend.errors import ThreadtimeError

if TYPE_CHECKING:
    from backend.desk.settings import Setting

ROOT = Path(__file__).parent
PAGE_WIDTH = 120  # characters
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Commands(click.Group):
    """Turns what the rooms below raise into one line on standard error and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ThreadtimeError as refused:
            raise click.ClickException(refused.message) from refused
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # click's own ways to end; a broken pipe's reader has had enough
        except OSError as failed:
            place = f"{failed.filename}: " if failed.filename else ""
            raise click.ClickException(f"{place}{failed.strerror or failed}") from failed
        except Exception as error:
            raise click.ClickException(_said_of(error)) from error


def _said_of(error: Exception) -> str:
    from backend.store.trouble import in_words  # a command that needs no database loads no driver

    said = in_words(error)
    return said.message if isinstance(said, ThreadtimeError) else _as_defect(error)


def _as_defect(error: Exception) -> str:
    """A line by which an error that nobody expected can be reported; not its message, which may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(ROOT)]
    place = own[-1] if own else frames[-1]
    return (
        f"This is a defect in Threadtime: {type(error).__name__} at {Path(place.filename).name}:{place.lineno}. "
        "Please report this line."
    )


class Day(click.ParamType[date]):
    """A day such as 2026-04-06."""

    name = "DAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else date.fromisoformat(value)
        except ValueError:
            return self.fail(f"{value!r} is not a day such as 2026-04-06.", param, ctx)


class Instant(click.ParamType[int]):
    """An instant such as 2026-04-06T12:00:00-04:00, as milliseconds since the epoch."""

    name = "INSTANT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            instant = datetime.fromisoformat(value)
            if instant.tzinfo is not None:
                return round((instant - EPOCH).total_seconds() * 1000)
        except ValueError:
            pass  # said below, as for one without an offset
        return self.fail(f"{value!r} is not an instant with its offset, such as 2026-04-06T12:00:00-04:00.", param, ctx)


@contextmanager
def loading() -> Iterator[None]:
    """Looks for no garbage while the block imports the server: nearly all of it stays, and looking again and again took
    a sixth of a start. Nor is it looked through later, as a request waits."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def working(what: str) -> Iterator[None]:
    """Shows on a terminal that something long is under way, and nothing in a pipe."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        progress.add_task(what, total=None)
        yield


def print_table(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> None:
    """Prints a table, as wide as the terminal, else of a page's width."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    Console(width=None if sys.stdout.isatty() else PAGE_WIDTH, highlight=False).print(table)


def setting_lines(setting: "Setting") -> Iterator[tuple[str, str, str, str]]:
    """A setting's lines of the table: name, value, default, meaning; one more for each payer and each coming word."""
    default = written(setting.default, setting.unit)
    yield setting.name, written(setting.value, setting.unit), default, setting.meaning
    for payer, value in setting.of_payers.items():
        yield f"  of {payer}", written(value, setting.unit), "", ""
    for word in setting.coming:
        value = "the default" if word.value is None else written(word.value, setting.unit)
        yield f"  from {word.from_on}" + (f" of {word.payer}" if word.payer else ""), value, "", ""


def written(value: Any, unit: str | None) -> str:
    """A setting's value for people."""
    text = (", ".join(value) or "none") if isinstance(value, list) else str(value)
    return f"{text} {unit}" if unit else text


@contextmanager
def output(file: Path | None) -> Iterator[IO[bytes]]:
    """`file` opened for writing, else standard output."""
    if file is None:
        yield sys.stdout.buffer
    else:
        with file.open("wb") as opened:
            yield opened
