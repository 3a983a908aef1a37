"""The clock: one thread of `serve` that settles what is due, each second, and keeps the audit."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from backend.desk.determine import settle
from backend.journal import describe
from backend.store.database import Store

EVERY_SECONDS = 1.0
HEAD_EVERY_SECONDS = 10.0
"""How much of the audit's end could be cut without a trace while the server runs; a stop moves the head, too."""

log = structlog.get_logger()


@contextmanager
def ticking(store: Store, *, work: Callable[[Store, int, Callable[[], bool]], object] | None = None) -> Iterator[None]:
    """Settles every practice while the block runs; its end stops the settling under way between two patients.

    An error is logged and the work tried again at the next second: what is due stays due until it is done.
    """
    due = work or _settle_all
    stopped = threading.Event()
    head = _AuditHead(store)

    def tick() -> None:
        while not stopped.wait(EVERY_SECONDS):
            _tried("settle", lambda: due(store, time.time_ns() // 1_000_000, stopped.is_set))
            _tried("audit", store.write_waiting)
            _tried("audit head", head.move_when_due)

    thread = threading.Thread(target=tick, name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _tried(job: str, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:
        log.error("job failed", job=job, **describe(error))


def _settle_all(store: Store, now: int, stopping: Callable[[], bool]) -> None:
    if settled := settle(store, None, now, stopping=stopping):
        log.info("settled", patients=settled)


class _AuditHead:
    """Moves the head to the end of the audit at intervals; says once which practices' audit lost what it named."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._due = 0.0
        self._said: list[int] = []

    def move_when_due(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + HEAD_EVERY_SECONDS
        lost = self._store.move_audit_heads()
        if lost and lost != self._said:
            log.error("the audit does not hold what its head names; run verify", practices=lost)
        self._said = lost
