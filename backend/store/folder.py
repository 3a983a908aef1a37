"""The data folder: its id, the database's name in it, and the locks that keep apart what must not run at once."""

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from backend.errors import FolderInUse, NoDataFolder

DATABASE = "threadtime.db"
_ID = "folder.id"
_SERVER_LOCK = "server.lock"
_OPEN_LOCK = "open.lock"
_MIGRATION_LOCK = "migration.lock"


def create_folder(data: Path) -> str:
    """Makes the folder if it is not there and gives it its id, once; returns the id."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with (data / _ID).open("x", encoding="ascii") as file:
            file.write(uuid.uuid4().hex + "\n")
    except FileExistsError:
        return folder_id(data)
    return folder_id(data)


def is_data_folder(data: Path) -> bool:
    """True where somebody created one."""
    return (data / _ID).exists()


def folder_id(data: Path) -> str:
    """The folder's id; NoDataFolder when nobody has created one here."""
    try:
        return (data / _ID).read_text(encoding="ascii").strip()
    except OSError:
        raise NoDataFolder(f"There is no data folder at {data}: create one with init.") from None


def database_path(data: Path) -> Path:
    return data / DATABASE


def holds_database(data: Path) -> bool:
    """True when there is a database file in the folder; an empty one holds nothing."""
    path = database_path(data)
    return path.exists() and path.stat().st_size > 0


def refuse_missing_database(data: Path) -> None:
    """NoDataFolder where opening would begin an empty database instead of the one that got lost."""
    folder_id(data)
    if not holds_database(data):
        raise NoDataFolder(
            f"There is no database in the data folder {data}: put a backup there with restore, or begin one with init."
        )


def sync_folder(folder: Path) -> None:
    """Makes what was created, renamed or removed in the folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FolderLock:
    """Holds a lock of a data folder until `release` or the end of the process, whichever comes first."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> "FolderLock":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def lock_folder(data: Path) -> FolderLock:
    """Takes the folder for this process; FolderInUse when another process serves it."""
    folder_id(data)
    return _lock(data / _SERVER_LOCK, fcntl.LOCK_EX, f"Another process serves the data folder {data}.")


def lock_open(data: Path) -> FolderLock:
    """Says that this process has the database open, beside others; FolderInUse while somebody has it to himself."""
    return _lock(data / _OPEN_LOCK, fcntl.LOCK_SH, f"The data folder {data} is being restored, or its key rotated.")


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Nobody else has the database open while the block runs; FolderInUse when a server or a command has it now."""
    busy = f"Another command has the database of the data folder {data} open."
    with lock_folder(data), _lock(data / _OPEN_LOCK, fcntl.LOCK_EX, busy):
        yield


def is_served(data: Path) -> bool:
    """True while a server holds the folder."""
    try:
        descriptor = os.open(data / _SERVER_LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def migration_lock(data: Path) -> Iterator[None]:
    """Lets one process at a time look at the schema and bring it up to date; the others wait."""
    descriptor = os.open(data / _MIGRATION_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _lock(path: Path, kind: int, busy: str) -> FolderLock:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FolderInUse(busy) from None
    return FolderLock(descriptor)
