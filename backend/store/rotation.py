"""A new key for the database of a data folder, in steps after each of which the process may be killed.

1. The new key is written beside the one in use (`NAME.new`).
2. The database is encrypted anew, in one transaction.
3. The key in use is kept as an earlier one (`NAME.until-...`).
4. The new key takes its place.

Before the commit of 2 the key in use opens the database, after it the new one does. `rotate_key` takes up again what
was cut short, wherever that was; `key_state` says what opens the database now.
"""

import os
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path

from backend.errors import WrongKey
from backend.store.connection import opens, rekey
from backend.store.folder import alone, database_path, refuse_missing_database, sync_folder
from backend.store.keys import (
    KEY_BYTES,
    coming_path,
    earlier_path,
    earlier_paths,
    key_path,
    read_key_file,
    refuse_inside,
    write_key,
)


class Opens(Enum):
    """Which of the keys that lie beside each other opens the database."""

    IN_USE = "the key in use"
    COMING = "the key of an unfinished rotation"
    EARLIER = "an earlier key"
    NONE = "no key"


def rotate_key(data: Path, key_file: Path | None, *, now: int) -> Path | None:
    """Gives the database a new key, which then lies where the old one did; returns where the old one is kept.

    None: somebody had taken the old one away after an earlier run was cut short.

    FolderInUse: a server or a command has it open. NoDataFolder, WrongKey: there is no database, or no key that opens
    it. CannotStart: the disk is full.
    """
    refuse_missing_database(data)
    path = key_path(data, key_file).resolve()
    refuse_inside(data, path)
    with alone(data):
        for step in steps(data, path, now=now):
            step()
    return next(iter(earlier_paths(path)), None)


def steps(data: Path, path: Path, *, now: int) -> Iterator[Callable[[], None]]:
    """What is left to do, in order; each may be the last that happens. The caller is alone with the folder."""
    database, coming = database_path(data), coming_path(path)
    state, _ = key_state(data, path)
    if state is Opens.IN_USE:
        yield lambda: _write_coming(coming)
        yield lambda: rekey(database, read_key_file(path), read_key_file(coming))
    elif state is not Opens.COMING:
        raise WrongKey(f"The key {path} does not open the database {database}; doctor says more.")
    yield lambda: _keep_earlier(path, now)
    yield lambda: _take_place(coming, path)


def key_state(data: Path, path: Path) -> tuple[Opens, Path]:
    """What opens the database of the folder, of the keys at and beside `path`; and the file where that key lies."""
    database = database_path(data)
    coming = coming_path(path)
    for state, each in (
        (Opens.IN_USE, path),
        (Opens.COMING, coming),
        *((Opens.EARLIER, earlier) for earlier in earlier_paths(path)),
    ):
        if each.exists() and each.stat().st_size == KEY_BYTES and opens(database, read_key_file(each)):
            return state, each
    return Opens.NONE, path


def _write_coming(coming: Path) -> None:
    """One that an interrupted rotation left behind opens nothing: it serves, or goes if it was not finished."""
    if coming.exists() and coming.stat().st_size != KEY_BYTES:
        coming.unlink()
    if not coming.exists():
        write_key(coming, os.urandom(KEY_BYTES))


def _keep_earlier(path: Path, now: int) -> None:
    if not path.exists():  # somebody took it away; the database opens with the coming one
        return
    key = read_key_file(path)
    if key not in (read_key_file(earlier) for earlier in earlier_paths(path)):
        write_key(earlier_path(path, now), key)


def _take_place(coming: Path, path: Path) -> None:
    coming.replace(path)
    sync_folder(path.parent)
