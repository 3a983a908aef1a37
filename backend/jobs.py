"""The clock: one thread of `serve` that settles what has come due, each second."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from backend.desk.determine import settle
from backend.journal import describe
from backend.store.database import Store

EVERY_SECONDS = 1.0

log = structlog.get_logger()


@contextmanager
def ticking(store: Store, *, work: Callable[[Store, int, Callable[[], bool]], object] | None = None) -> Iterator[None]:
    """Settles every practice while the block runs; its end stops the settling under way between two patients.

    An error is logged and the work tried again at the next second: what is due stays due until it is done.
    """
    due = work or _settle_all
    stopped = threading.Event()

    def tick() -> None:
        while not stopped.wait(EVERY_SECONDS):
            try:
                due(store, time.time_ns() // 1_000_000, stopped.is_set)
            except Exception as error:
                log.error("job failed", job="settle", **describe(error))

    thread = threading.Thread(target=tick, name="jobs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _settle_all(store: Store, now: int, stopping: Callable[[], bool]) -> None:
    if settled := settle(store, None, now, stopping=stopping):
        log.info("settled", patients=settled)
