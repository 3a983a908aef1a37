"""The data folder: its id, the database's name in it, and the locks that keep two servers or two migrations apart."""

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


def folder_id(data: Path) -> str:
    """The folder's id; NoDataFolder when nobody has created one here."""
    try:
        return (data / _ID).read_text(encoding="ascii").strip()
    except OSError:
        raise NoDataFolder(f"There is no data folder at {data}: create one with init.") from None


def database_path(data: Path) -> Path:
    return data / DATABASE


class FolderLock:
    """Holds a data folder for one serving process until `release` or the end of the process, whichever comes first."""

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
    descriptor = os.open(data / _SERVER_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise FolderInUse(f"Another process serves the data folder {data}.") from None
    return FolderLock(descriptor)


@contextmanager
def migration_lock(data: Path) -> Iterator[None]:
    """Lets one process at a time look at the schema and bring it up to date; the others wait."""
    descriptor = os.open(data / _MIGRATION_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
