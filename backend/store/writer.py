"""The single writer: one thread, one connection, many units of work to a commit.

A durable commit costs one fsync whatever it holds, so everything that waits while one commit runs travels in the
next one together (docs/decisions/004). Each of several has its savepoint: one that raises takes only itself back.
If the commit itself fails, the members run again one by one, so that each learns its own fate; where it gave way to
another process's or the database server went away, the whole group runs again. A unit is answered only after the
commit that holds it.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, cast

import structlog
from prometheus_client import Counter, Gauge, Histogram

from backend.errors import Busy
from backend.journal import describe
from backend.store import wall
from backend.store.connection import Connection, Interrupted
from backend.store.engine import Result, Transactions, UnknownFate
from backend.store.trouble import in_words

log = structlog.get_logger()

GROUP_LIMIT = 64
"""How many units travel in one commit at most; it bounds how long the first of them waits."""
RETRY_AFTER_SECONDS = 1
PATIENCE_SECONDS = 10.0
"""How long a group is tried again while the database server is away."""
AGAIN_SECONDS = 0.05
"""The pause before the second try; each further one doubles it, up to a second."""


COMMIT_SECONDS = Histogram("threadtime_commit_seconds", "One commit with all of its units of work")
UNITS = Counter("threadtime_units_total", "Units of work that were committed or took themselves back", ["outcome"])
AGAIN = Counter("threadtime_commits_again_total", "Commits tried again: another's stood in the way, or no database")
WAITING = Gauge("threadtime_units_waiting", "Units of work that waited as the last commit began")


class StoreClosed(RuntimeError):
    """Work came after the store was closed: a mistake of the program, not of a user."""


class _Unit(Generic[Result]):
    """One unit of work and what became of it; `done` is set after its commit or its failure."""

    def __init__(
        self, work: Callable[[Connection], Result], practice_id: int | None, *, waited_for: bool = True
    ) -> None:
        self.work = work
        self.practice_id = practice_id
        self.within = practice_id if practice_id is not None else wall.practice()
        self.waited_for = waited_for
        self.done = threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None

    def finish(self) -> None:
        if self.error is not None and not self.waited_for:
            log.error("work failed that nobody waited for", **describe(self.error))
        self.done.set()


class Writer:
    """Owns the only connection of this process that writes."""

    def __init__(self, transactions: Transactions, queue_limit: int) -> None:
        self._transactions = transactions
        self._waiting: queue.Queue[_Unit[Any] | None] = queue.Queue(queue_limit)
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], Result], practice_id: int | None = None) -> Result:
        """Waits until `work` is committed and returns its result, or raises what it raised.

        Busy: too many wait, or the database server went away.
        """
        if threading.current_thread() is self._thread:
            raise RuntimeError("work that the writer runs cannot wait for the writer")
        unit = _Unit(work, practice_id)
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
            self._waiting.put(_Unit(last, None, waited_for=False))
        self._waiting.put(None)
        self._thread.join()
        self._transactions.close()

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
                self._persistently(group)
        except BaseException as failure:
            error = in_words(failure)
            if error is not failure:
                log.error("the database refuses", said=str(error), **describe(failure))
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

    def _persistently(self, group: list[_Unit[Any]]) -> None:
        """The group's transaction, again and again while what stands in its way may go away. Busy: it did not."""
        until = time.monotonic() + PATIENCE_SECONDS
        pause = AGAIN_SECONDS
        while True:
            try:
                return self._together(group)
            except Interrupted as error:
                self._transactions.take_back()
                if self._closed or time.monotonic() + pause > until:
                    log.error("the database cannot be reached", **describe(error))
                    raise Busy(
                        "The database cannot be reached at this moment.", retry_after_seconds=RETRY_AFTER_SECONDS
                    ) from None
            except UnknownFate as error:
                log.error("the database went away during a commit", **describe(error))
                raise Busy(
                    "The database went away, and whether this was stored is not known: look before you do it again.",
                    retry_after_seconds=RETRY_AFTER_SECONDS,
                ) from None
            except BaseException:
                self._transactions.take_back()
                raise
            AGAIN.inc()
            threading.Event().wait(pause)
            pause = min(2 * pause, 1.0)

    def _together(self, group: list[_Unit[Any]]) -> None:
        """One transaction; raises only what concerns all of it."""
        connection = self._transactions.begin({unit.practice_id for unit in group})
        execute = connection.execute
        for unit in group:
            unit.result, unit.error = None, None
            self._transactions.stay_within(unit.within)
            if len(group) == 1:  # it fails as a whole, with its commit
                unit.result = unit.work(connection)
                continue
            execute("SAVEPOINT unit")
            try:
                unit.result = unit.work(connection)
                self._transactions.flush()
            except Interrupted:
                raise
            except Exception as error:
                unit.error = error
                execute("ROLLBACK TO unit")  # raises when the failure ended the whole transaction (disk full)
            execute("RELEASE unit")
        self._transactions.commit()
