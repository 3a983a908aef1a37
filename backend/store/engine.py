"""What the store asks of the database under it, and how the encrypted file answers."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol, TypeVar

from backend.store import integrity
from backend.store.connection import Connection, DatabaseError, connect

Result = TypeVar("Result")

WRITER_CACHE_KIB = 32_000
"""Pages that the writing connection keeps decrypted: a row's patient lies anywhere in an index."""


class Transactions(Protocol):
    """The one connection of a process that writes, one transaction after the other."""

    def begin(self, practice_ids: Collection[int | None]) -> Connection:
        """Opens a transaction in which from its first query on nobody else writes for these practices; None stands for
        all of them. ConnectionLost, here or at that query: the database cannot be reached now.
        """

    def stay_within(self, practice_id: int | None) -> None:
        """The next unit of work sees rows of this practice alone; None: of all."""

    def flush(self) -> None:
        """Raises now what went wrong with the statements of a unit of work that nobody has waited for."""

    def commit(self) -> None:
        """Returns once it is on disk. Interrupted: nothing was kept; UnknownFate: nobody can say now."""

    def take_back(self) -> None:
        """Ends the transaction that failed. Where even that fails, the next `begin` says so to whoever comes next."""

    def close(self) -> None: ...


class Engine(Protocol):
    """A database. Safe for many threads."""

    def transactions(self) -> Transactions: ...

    def read(self) -> AbstractContextManager[Connection]:
        """A connection that sees one state of the database; a thread reads once at a time."""

    def look_up(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` finds out by one query, which needs no transaction; `work` may run twice."""

    def claim(self, practice_id: int) -> AbstractContextManager[bool]:
        """True while the block runs for the only process that does the practice's jobs; False for all others."""

    def problems(self, connection: Connection) -> list[str]:
        """Whether the database is whole: one sentence for each problem."""

    def refuse_damaged(self, connection: Connection) -> None:
        """Damaged, when what a start has the time to read is not whole."""

    def refresh_statistics(self) -> None:
        """Has the query planner know of tables that have grown much since it last looked."""

    def wipe(self) -> None:
        """Has what was removed leave the log as well, as far as nobody reads an older state now."""

    def close(self) -> None:
        """Closes every connection that `read` opened."""


class UnknownFate(Exception):
    """The connection was lost while a commit was under way, and the server cannot be asked what became of it."""


class EncryptedFile:
    """SQLite in the file at `path`, encrypted with `key`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key
        self._local = threading.local()
        self._lock = threading.Lock()
        self._readers: list[Connection] = []

    def transactions(self) -> "Transactions":
        return _OfFile(connect_to_write(self.path, self._key))

    @contextmanager
    def read(self) -> Iterator[Connection]:
        connection = self._reader()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")

    def look_up(self, work: Callable[[Connection], Result]) -> Result:
        return work(self._reader())

    @contextmanager
    def claim(self, practice_id: int) -> Iterator[bool]:
        """One server holds the folder, so its jobs are the only ones."""
        yield True

    def problems(self, connection: Connection) -> list[str]:
        return integrity.problems(connection)

    def refuse_damaged(self, connection: Connection) -> None:
        integrity.refuse_damaged(connection)

    def refresh_statistics(self) -> None:
        """What the planner is told was written down with the tables (statistics.py)."""

    def wipe(self) -> None:
        connection = connect(self.path, self._key)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            connection.close()

    def close(self) -> None:
        with self._lock:
            for connection in self._readers:
                connection.close()
            self._readers.clear()

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self.path, self._key, read_only=True)
            self._local.connection = connection
            with self._lock:
                self._readers.append(connection)
        return connection


def connect_to_write(path: Path, key: bytes) -> Connection:
    """A connection with room for many pages; errors as of `connect`."""
    connection = connect(path, key)
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
    return connection


class _OfFile:
    """SQLite lets one connection write at a time, whatever the practice."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, practice_ids: Collection[int | None]) -> Connection:
        self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def stay_within(self, practice_id: int | None) -> None:
        """SQLite has no such wall: queries name their practice, and the file is one server's."""

    def flush(self) -> None:
        """Each statement has been waited for."""

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def take_back(self) -> None:
        if self._connection.in_transaction:  # type: ignore[attr-defined]
            with suppress(DatabaseError):  # the error that led here is the one that is told
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()
