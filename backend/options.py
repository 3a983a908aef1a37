"""The options that many commands have: the data folder, the practice, the port; and what they open."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backend.config import Config, from_environment
from backend.errors import BadInput

if TYPE_CHECKING:
    from backend.store.database import Store

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULTS = Config()
_DATABASE = "threadtime.database"
_SCHEMES = ("postgresql://", "postgres://")


def in_folder(command: Command) -> Command:
    """Gives a command `--data` and `--database`, which `configured` reads."""
    database = click.option(
        "--database",
        metavar="URL",
        expose_value=False,
        callback=_note_database,
        help="A PostgreSQL database, postgresql://...; THREADTIME_DATABASE, else a file in the folder, without it.",
    )
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The data folder; THREADTIME_DATA, else ./data, without it.",
    )(database(command))


def _note_database(context: click.Context, _: click.Parameter, url: str | None) -> None:
    context.meta[_DATABASE] = url


def in_practice(command: Command) -> Command:
    """Gives a command `--data` and `--practice`."""
    option = click.option("--practice", metavar="KEY", help="Which practice, where the data folder holds several.")
    return in_folder(option(command))


def on_port(command: Command) -> Command:
    """Gives a command `--port`."""
    port = click.IntRange(0, 65535)
    return click.option("--port", type=port, default=DEFAULTS.port, show_default=True, help="0: one that is free.")(
        command
    )


def configured(data: Path | None) -> Config:
    """The settings of the environment, with what `--data` and `--database` say instead where they were given."""
    config = from_environment()
    if data is not None:
        config = replace(config, data=data)
    context = click.get_current_context(silent=True)
    if context is not None and (url := context.meta.get(_DATABASE)):
        config = replace(config, database=url)
    if config.database is not None and not config.database.startswith(_SCHEMES):
        raise BadInput("The address of a database begins with postgresql:// (--database, THREADTIME_DATABASE).")
    return config


@contextmanager
def opened(data: Path | None) -> Iterator["Store"]:
    """The store of a data folder, beside a running server too; what was written is finished at the end."""
    from backend.store.database import open_folder, refuse_missing_database

    config = configured(data)
    refuse_missing_database(config.data, config.database)
    store = open_folder(config.data, config.key_file, database=config.database, now=now())
    try:
        yield store
    finally:
        store.close()


def now() -> int:
    """Milliseconds since the epoch; everything below the command line takes this as an argument."""
    return time.time_ns() // 1_000_000
