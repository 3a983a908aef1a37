"""The single writer: one thread, one connection, many units of work to a commit.

A durable commit costs one fsync whatever it holds, so everything that waits while one commit runs travels in the
next one together (docs/decisions/004). Each unit of work has its savepoint: one that raises takes only itself back.
If the commit itself fails, the members run again one by one, so that each learns its own fate. A unit is answered
only after the commit that holds it.
"""

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import structlog
from prometheus_client import Counter, Gauge, Histogram

from backend.errors import Busy
from backend.journal import describe
from backend.store.connection import Connection, DatabaseError

Result = TypeVar("Result")

log = structlog.get_logger()

GROUP_LIMIT = 64
"""How many units travel in one commit at most; it bounds how long the first of them waits."""
RETRY_AFTER_SECONDS = 1


COMMIT_SECONDS = Histogram("threadtime_commit_seconds", "One commit with all of its units of work")
UNITS = Counter("threadtime_units_total", "Units of work that were committed or took themselves back", ["outcome"])
WAITING = Gauge("threadtime_units_waiting", "Units of work that waited as the last commit began")


class StoreClosed(RuntimeError):
    """Work came after the store was closed: a mistake of the program, not of a user."""


class _Unit(Generic[Result]):
    """One unit of work and what became of it; `done` is set after its commit or its failure."""

    def __init__(self, work: Callable[[Connection], Result], *, waited_for: bool = True) -> None:
        self.work = work
        self.waited_for = waited_for
        self.done = threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None

    def finish(self) -> None:
        if self.error is not None and not self.waited_for:
            log.error("work failed that nobody waited for", **describe(self.error))
        self.done.set()


def _in_words(error: BaseException) -> BaseException:
    """Busy for a database that another process would not let go of for half a minute; any other error as it is."""
    if isinstance(error, DatabaseError) and "database is locked" in str(error):
        words = "The database is in use by other work; try again in a moment."
        return Busy(words, retry_after_seconds=RETRY_AFTER_SECONDS)
    return error


class Writer:
    """Owns the only connection of this process that writes."""

    def __init__(self, connection: Connection, queue_limit: int) -> None:
        self._connection = connection
        self._waiting: queue.Queue[_Unit[Any] | None] = queue.Queue(queue_limit)
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], Result]) -> Result:
        """Waits until `work` is committed and returns its result, or raises what it raised; Busy when too many wait."""
        if threading.current_thread() is self._thread:
            raise RuntimeError("work that the writer runs cannot wait for the writer")
        unit = _Unit(work)
        self._queue(unit)
        unit.done.wait()
        if unit.error is not None:
            raise unit.error
        return cast(Result, unit.result)

    def _queue(self, unit: _Unit[Any]) -> None:
        with self._closing:
            if self._closed:
                raise StoreClosed("the store is closed")
            try:
                self._waiting.put_nowait(unit)
            except queue.Full:
                raise Busy(
                    "The server has more to store than it can at this moment.", retry_after_seconds=RETRY_AFTER_SECONDS
                ) from None

    def stop(self, last: Callable[[Connection], object] | None = None) -> None:
        """Finishes everything that waits and then `last`, an error of which goes to the log; ends the thread and closes
        the connection. A second call does nothing."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        if last is not None:
            self._waiting.put(_Unit(last, waited_for=False))
        self._waiting.put(None)
        self._thread.join()
        self._connection.close()

    def _run(self) -> None:
        last = False
        while not last:
            first = self._waiting.get()
            if first is None:
                return
            group = [first]
            while len(group) < GROUP_LIMIT:
                try:
                    unit = self._waiting.get_nowait()
                except queue.Empty:
                    break
                if unit is None:
                    last = True
                    break
                group.append(unit)
            self._commit(group)

    def _commit(self, group: list[_Unit[Any]]) -> None:
        WAITING.set(self._waiting.qsize())
        try:
            with COMMIT_SECONDS.time():
                self._together(group)
        except BaseException as failure:
            self._take_back()
            error = _in_words(failure)
            if len(group) == 1 or isinstance(error, Busy):  # one by one, each would wait as long again
                for unit in group:
                    unit.error = error
            else:
                for unit in group:
                    self._commit([unit])
                return
        for unit in group:
            UNITS.labels("done" if unit.error is None else "refused").inc()
            unit.finish()

    def _together(self, group: list[_Unit[Any]]) -> None:
        """One transaction; raises only what concerns all of it."""
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        for unit in group:
            unit.result, unit.error = None, None
            execute("SAVEPOINT unit")
            try:
                unit.result = unit.work(self._connection)
            except Exception as error:
                unit.error = error
                execute("ROLLBACK TO unit")  # raises when the failure ended the whole transaction (disk full)
            execute("RELEASE unit")
        execute("COMMIT")

    def _take_back(self) -> None:
        """Ends the transaction that failed. Where even that fails, the next BEGIN says so to whoever comes next."""
        if self._connection.in_transaction:  # type: ignore[attr-defined]
            with contextlib.suppress(DatabaseError):  # the error that led here is the one that is told
                self._connection.execute("ROLLBACK")
