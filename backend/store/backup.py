"""A backup: a copy of the whole database in one file, encrypted with the key it had, with a seal at its end.

The seal is one line in plain text: of which data folder the copy is, so that its key can be found; when it was begun;
how long it is and its SHA-256, so that a file that was cut or changed is known without the key.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import IO

import orjson

from backend.errors import BadInput, CannotStart, Conflict, Damaged
from backend.store.connection import DatabaseError, connect
from backend.store.folder import database_path, folder_id, lock_open, refuse_missing_database, sync_folder

FORMAT = 1
SEAL_BYTES = 512
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Seal:
    """What stands at the end of a backup."""

    threadtime_backup: int
    """The format's version."""
    folder: str
    """The id of the data folder."""
    made_at: int
    """ms since the epoch: everything that was acknowledged before is in it."""
    size: int
    """Bytes of the database in front of the seal."""
    sha256: str
    """Of those bytes."""


def make_backup(data: Path, key: bytes, file: Path, *, now: int, replace: bool = False) -> Seal:
    """Writes a backup of the data folder to `file`, beside a running server too; returns its seal.

    It stands under its name only once it is whole and on the disk. Conflict: a file is there already, or another backup
    to it is under way; with `replace`, an older backup gives way, nothing else does. BadInput: the file would lie in
    the data folder. NoDataFolder, WrongKey, FolderInUse as for `open_store`. CannotStart: the disk is full, or the
    database damaged.
    """
    refuse_missing_database(data)
    _refuse_target(data, file, replace)
    with _held(file.with_name(f"{file.name}.partial")) as (partial, opened):
        with lock_open(data):
            _copy_database(database_path(data), key, partial)
        size, sha256 = _digest(opened, partial.stat().st_size)
        seal = Seal(FORMAT, folder_id(data), now, size, sha256)
        _write_seal(opened, seal)
        _refuse_target(data, file, replace)  # it may have come meanwhile
        partial.replace(file)
    sync_folder(file.parent)
    return seal


def read_seal(file: Path) -> Seal:
    """The seal of a backup. Damaged: the file is cut or no backup; CannotStart: a newer Threadtime made it."""
    with file.open("rb") as opened:
        length = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, length - SEAL_BYTES))
        raw = opened.read()
    try:
        seal = Seal(**orjson.loads(raw))
    except (orjson.JSONDecodeError, TypeError):
        raise Damaged(f"{file} is not a backup, or its end is missing.") from None
    if seal.threadtime_backup != FORMAT:
        raise CannotStart(f"A newer Threadtime made the backup {file}: update the program.")
    if seal.size != length - SEAL_BYTES or not re.fullmatch(r"[0-9a-f]{32}", seal.folder):
        raise Damaged(f"The backup {file} is not as long as when it was made.")
    return seal


def read_whole_seal(file: Path) -> Seal:
    """As `read_seal`, and Damaged when a byte of the copy is not the one that was written."""
    seal = read_seal(file)
    with file.open("rb") as opened:
        _, sha256 = _digest(opened, seal.size)
    if sha256 != seal.sha256:
        raise Damaged(f"The backup {file} was changed or damaged since it was made.")
    return seal


def copy_out(file: Path, seal: Seal, to: Path) -> None:
    """Writes the database of a backup to the new file `to`, for its owner alone, durably."""
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as copy, file.open("rb") as opened:
        for chunk in _chunks(opened, seal.size):
            copy.write(chunk)
        copy.flush()
        os.fsync(descriptor)


def _refuse_target(data: Path, file: Path, replace: bool) -> None:
    if file.resolve().is_relative_to(data.resolve()):
        raise BadInput(f"The backup {file} would lie inside the data folder: name a file elsewhere.")
    if not file.exists():
        return
    if not replace:
        raise Conflict(f"There is a file {file} already: name another, or say --force.")
    try:
        read_seal(file)
    except Damaged:
        raise Conflict(f"The file {file} is not a backup, and nothing else is replaced: name another.") from None


@contextmanager
def _held(partial: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    """An empty file for this process alone; what a killed one left behind is taken over. After an error it is gone."""
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as opened:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
            ours = partial.exists() and partial.samefile(f"/dev/fd/{descriptor}")
        except BlockingIOError:
            ours = False
        if not ours:  # another process has it, or had it and gave it its name
            raise Conflict(f"Another backup is being written to {partial}.")
        opened.truncate(0)
        try:
            yield partial, opened
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def _copy_database(database: Path, key: bytes, to: Path) -> None:
    """One state of the database, encrypted with the same key, without free pages."""
    connection = connect(database, key)
    try:
        connection.execute("VACUUM INTO ?", (str(to),))
    except DatabaseError as error:
        raise CannotStart(f"The backup could not be written: {error}.") from None
    finally:
        connection.close()


def _write_seal(opened: IO[bytes], seal: Seal) -> None:
    try:
        opened.write(orjson.dumps(asdict(seal)).ljust(SEAL_BYTES - 1) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
    except OSError as error:
        raise CannotStart(f"The backup could not be written: {error.strerror}.") from error


def _digest(opened: IO[bytes], size: int) -> tuple[int, str]:
    """How many bytes there are, `size` at most, and their SHA-256; the file stands behind them."""
    digest = hashlib.sha256()
    length = 0
    for chunk in _chunks(opened, size):
        digest.update(chunk)
        length += len(chunk)
    return length, digest.hexdigest()


def _chunks(opened: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    while left and (chunk := opened.read(min(left, CHUNK))):
        left -= len(chunk)
        yield chunk
