"""One store: the encrypted database file of a data folder, its single writer, and readers.

Whatever changes a row goes through `write`; whatever only looks goes through `read`.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from backend.errors import CannotStart, NoDataFolder
from backend.store.connection import Connection, DatabaseError, connect
from backend.store.folder import FolderLock, database_path, folder_id, lock_open, migration_lock
from backend.store.schema import migrate
from backend.store.writer import Writer

__all__ = ["Connection", "Store", "open_store"]

Result = TypeVar("Result")


class Store:
    """Safe for many threads; made by `open_store`."""

    def __init__(self, path: Path, key: bytes, queue_limit: int, held: FolderLock) -> None:
        self.path = path
        self._held = held
        self._key = key
        self._local = threading.local()
        self._lock = threading.Lock()
        self._readers: list[Connection] = []
        self._writer = Writer(connect(path, key), queue_limit)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Runs `work` on the writer's thread in its own savepoint; returns its result after COMMIT.

        Raises what `work` raised (nothing of it is kept), or Busy when the queue is full. `work` may run twice: when
        the group it travelled in could not be committed, it runs again by itself; so it changes nothing but the
        database. It must not call `write`.
        """
        return self._writer.submit(work)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database, the same from its first to its last query."""
        if getattr(self._local, "open", False):
            raise RuntimeError("this thread reads already: pass its connection on")
        connection = self._reader()
        self._local.open = True
        try:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")
        finally:
            self._local.open = False

    def close(self) -> None:
        """Finishes what is queued, then closes every connection; a later `write` raises."""
        self._writer.stop()
        with self._lock:
            for connection in self._readers:
                connection.close()
            self._readers.clear()
        self._held.release()

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self.path, self._key, read_only=True)
            self._local.connection = connection
            with self._lock:
                self._readers.append(connection)
        return connection


def open_store(data: Path, key: bytes, *, queue_limit: int = 256) -> Store:
    """Opens the database of the data folder, brings its schema up to date under a lock, and starts the writer.

    NoDataFolder: nobody has created one. WrongKey: the key does not fit. FolderInUse: it is being restored, or its key
    rotated. CannotStart: the driver is too old, the database newer than the program, or damaged.
    """
    folder_id(data)
    path = database_path(data)
    if not path.parent.is_dir():
        raise NoDataFolder(f"There is no data folder at {data}: create one with init.")
    held = lock_open(data)
    try:
        _bring_up_to_date(data, path, key)
        path.chmod(0o600)
        return Store(path, key, queue_limit, held)
    except BaseException as error:
        held.release()
        if isinstance(error, DatabaseError):
            raise CannotStart(f"The database {path} cannot be used: {error}; doctor says more.") from error
        raise


def _bring_up_to_date(data: Path, path: Path, key: bytes) -> None:
    with migration_lock(data):
        connection = connect(path, key)
        try:
            migrate(connection)
        finally:
            connection.close()
