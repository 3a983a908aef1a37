"""The engine over a PostgreSQL server: readers from a pool, a writer that outlives a lost connection, locks.

Many processes write at once, on one machine or on many. What the single writer is to one process, a lock is to all of
them (docs/decisions/008): a unit of work that names its practice waits for others of that practice, one that names none
for everybody. So within a practice everything happens one after the other, as it does in the file.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from psycopg_pool import ConnectionPool, PoolTimeout

from backend.errors import Busy, CannotStart
from backend.store import server_state, wall
from backend.store.connection import Connection, ConnectionLost, Cursor, DatabaseError
from backend.store.engine import Result, Transactions, UnknownFate
from backend.store.postgresql import SETTINGS, PostgresConnection, connect, prepare

READERS = 20
"""Connections that read at most; more than the server has threads."""
PATIENCE_SECONDS = 10.0
"""How long a request waits for a database server that went away, before it is told to come again."""
RETRY_AFTER_SECONDS = 5
EVERY_PRACTICE, PRACTICE, JOBS, SCHEMA = range(0x5454_0001, 0x5454_0005)
"""What is locked, as the first number of a lock; the second is the practice's."""
_ID = 0x7FFF_FFFF


class Server:
    """PostgreSQL at `url`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool: ConnectionPool[Any] = ConnectionPool(
            url,
            kwargs=SETTINGS,
            configure=prepare,
            min_size=1,
            max_size=READERS,
            timeout=PATIENCE_SECONDS,
            reconnect_timeout=PATIENCE_SECONDS,
            name="readers",
            open=True,
        )

    def transactions(self) -> Transactions:
        return _OnServer(self._url)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Busy when the server cannot be reached, or went away meanwhile."""
        connection = self._begun()
        try:
            yield connection
        except ConnectionLost:
            raise _away() from None
        finally:
            with suppress(DatabaseError):
                connection.leave()
            self._pool.putconn(connection.raw)

    def look_up(self, work: Callable[[Connection], Result]) -> Result:
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            raw = self._raw(max(0.1, until - time.monotonic()))
            try:
                return work(PostgresConnection(raw))
            except ConnectionLost:
                if time.monotonic() >= until:
                    raise _away() from None
            finally:
                self._pool.putconn(raw)

    def _begun(self) -> PostgresConnection:
        """A connection out of the pool in a transaction that only reads; those that died while they lay there go."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            connection = PostgresConnection(self._raw(max(0.1, until - time.monotonic())))
            try:
                connection.run(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {wall.said(wall.practice())}")
            except ConnectionLost:
                self._pool.putconn(connection.raw)
                if time.monotonic() >= until:
                    raise _away() from None
            else:
                return connection

    @contextmanager
    def claim(self, practice_id: int) -> Iterator[bool]:
        connection = PostgresConnection(self._raw(PATIENCE_SECONDS))
        lock = f"({JOBS}, {_number(practice_id)})"
        try:
            mine = bool(connection.run(f"SELECT pg_try_advisory_lock{lock}")[0][0])
            try:
                yield mine
            finally:
                if mine:
                    with suppress(ConnectionLost):  # with the connection, the lock is gone
                        connection.run(f"SELECT pg_advisory_unlock{lock}")
        finally:
            self._pool.putconn(connection.raw)

    def _raw(self, seconds: float) -> Any:
        try:
            return self._pool.getconn(seconds)
        except PoolTimeout:
            raise _away() from None

    def problems(self, connection: Connection) -> list[str]:
        return server_state.problems(connection)

    def refuse_damaged(self, connection: Connection) -> None:
        """The server looks after its files by itself, as it starts and by their checksums."""

    def refresh_statistics(self) -> None:
        """Busy when the server cannot be reached. It does so by itself, but not before minutes; until then it looks
        for a row by its practice alone, also for each foreign key, and so reads a whole table that began empty."""
        connection = PostgresConnection(self._raw(PATIENCE_SECONDS))
        try:
            if grown := server_state.grown(connection):
                connection.run(f"ANALYZE (SKIP_LOCKED) {', '.join(grown)}")
        except ConnectionLost:
            raise _away() from None
        finally:
            self._pool.putconn(connection.raw)

    def wipe(self) -> None:
        """The server's own VACUUM sees to it; its archives and standbys are its keeper's."""

    def close(self) -> None:
        self._pool.close()


@contextmanager
def schema_lock(url: str) -> Iterator[PostgresConnection]:
    """A connection while whose block nobody else looks at the schema to change it. CannotStart: no server."""
    try:
        connection = connect(url)
    except ConnectionLost as lost:
        raise CannotStart(f"PostgreSQL cannot be reached: {str(lost).rstrip('.')}.") from None
    try:
        connection.run(f"SELECT pg_advisory_lock({SCHEMA}, 0)")
        yield connection
    finally:
        connection.close()


class _OnServer:
    """Transactions of the writer's thread; a lost connection is made again by the next `begin`."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: PostgresConnection | None = None
        self._numbered: Cursor | None = None
        self._within: int | None = None

    def begin(self, practice_ids: Collection[int | None]) -> Connection:
        if self._connection is None or self._connection.is_lost:
            self._connection = connect(self._url)
        # None of it is waited for: it travels with the first query.
        self._connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        everybody = None in practice_ids
        self._numbered = self._connection.execute(_NUMBER_AND_LOCK if everybody else _NUMBER_AND_SHARE)
        self._within = None
        if not everybody:
            # In one order, so that no two wait for each other.
            for practice_id in sorted((each for each in practice_ids if each is not None), key=_number):
                self._connection.execute(_ENTER, (_number(practice_id), wall.name(practice_id)))
                self._within = practice_id
        return self._connection

    def stay_within(self, practice_id: int | None) -> None:
        assert self._connection is not None, "begun before"  # noqa: S101
        if practice_id != self._within:
            self._connection.execute(wall.said(practice_id))
            self._within = practice_id

    def flush(self) -> None:
        assert self._connection is not None, "begun before"  # noqa: S101
        self._connection.flush()

    def commit(self) -> None:
        assert self._connection is not None and self._numbered is not None, "begun before"  # noqa: S101
        number = self._numbered.fetchone()[0]  # before the COMMIT goes: by it the server says later what became of it
        try:
            self._connection.execute("COMMIT")
        except ConnectionLost:
            if not self._was_committed(number):
                raise

    def take_back(self) -> None:
        if self._connection is not None:
            with suppress(DatabaseError):  # the error that led here is the one that is told
                self._connection.take_back()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _was_committed(self, number: str) -> bool:
        """What became of the transaction of that number, whose COMMIT was on its way: the server knows, even after a
        crash of its own.

        Where its process still waits for a COMMIT that never came, it is ended. UnknownFate: nobody answers.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        wait = threading.Event().wait
        while time.monotonic() < until:
            try:
                self._connection = connect(self._url)
                self._connection.execute(_END, (number,)).fetchall()
                state = self._connection.execute(_FATE, (number,)).fetchone()[0]
            except DatabaseError:
                state = "in progress"
            if state != "in progress":
                return bool(state == "committed")
            wait(0.1)
        raise UnknownFate


_END = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE backend_xid = ?::xid8::xid"
_FATE = "SELECT pg_xact_status(?::xid8)"


_NUMBER_AND_LOCK = f"SELECT pg_current_xact_id(), pg_advisory_xact_lock({EVERY_PRACTICE}, 0)"
_NUMBER_AND_SHARE = f"SELECT pg_current_xact_id(), pg_advisory_xact_lock_shared({EVERY_PRACTICE}, 0)"
_ENTER = f"SELECT pg_advisory_xact_lock({PRACTICE}, ?::int), set_config('{wall.SETTING}', ?, true)"
"""Locks a practice and stays within it."""


def _number(practice_id: int) -> int:
    """What a practice is called among the locks."""
    return practice_id & _ID


def _away() -> Busy:
    return Busy("The database cannot be reached at this moment.", retry_after_seconds=RETRY_AFTER_SECONDS)
