"""The options that many commands have: the data folder, the practice, the port; and what they open."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from backend.config import Config, from_environment

if TYPE_CHECKING:
    from backend.store.database import Store

Command = TypeVar("Command", bound=Callable[..., Any])

DEFAULTS = Config()


def in_folder(command: Command) -> Command:
    """Gives a command `--data`."""
    return click.option(
        "--data",
        type=click.Path(path_type=Path),
        metavar="DIR",
        help="The data folder; THREADTIME_DATA, else ./data, without it.",
    )(command)


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
    """The settings of the environment, with `--data` instead of THREADTIME_DATA where it was given."""
    config = from_environment()
    return config if data is None else replace(config, data=data)


@contextmanager
def opened(data: Path | None) -> Iterator["Store"]:
    """The store of a data folder, beside a running server too; what was written is finished at the end."""
    from backend.store.database import open_folder
    from backend.store.folder import refuse_missing_database

    config = configured(data)
    refuse_missing_database(config.data)
    store = open_folder(config.data, config.key_file, now=now())
    try:
        yield store
    finally:
        store.close()


def now() -> int:
    """Milliseconds since the epoch; everything below the command line takes this as an argument."""
    return time.time_ns() // 1_000_000
