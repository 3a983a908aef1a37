"""The clock of `serve`: one thread that settles what is due and keeps the audit, and one that removes what is old."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import structlog

from backend.audit import SERVER
from backend.billing.days import days_of
from backend.desk.aging import apply_retention, is_borne_out
from backend.desk.determine import settle
from backend.desk.erasing import Counts, erase_again, spoken
from backend.journal import describe
from backend.store import practices
from backend.store.database import Store

EVERY_SECONDS = 1.0
HEAD_EVERY_SECONDS = 10.0
"""How much of the audit's end could be cut without a trace while the server runs; a stop moves the head, too."""
RETRY_SECONDS = 600.0
"""After a run that failed, or whose clock nothing bears out yet."""
SOON_SECONDS = 5.0
"""How often is asked whether a practice's day has come; and while another job of the practice is at work, its settling
here or another server's, whether that is over."""

log = structlog.get_logger()


@contextmanager
def ticking(store: Store, *, work: Callable[[Store, int, Callable[[], bool]], object] | None = None) -> Iterator[None]:
    """Settles every practice while the block runs, and removes what has come of age; its end stops both between two
    patients.

    An error is logged and the work tried again at the next second: what is due stays due until it is done.
    """
    due = work or _settle_all
    stopped = threading.Event()
    head = _AuditHead(store)
    age = _Age(store, stopped.is_set)

    def tick() -> None:
        while not stopped.wait(EVERY_SECONDS):
            _tried("settle", lambda: due(store, _now(), stopped.is_set))
            _tried("audit", store.write_waiting)
            _tried("audit head", head.move_when_due)

    def remove() -> None:
        _tried("erase again", lambda: _erase_again(store, _now()))
        while not stopped.wait(SOON_SECONDS):
            _tried("statistics", store.refresh_statistics)
            _tried("retention", lambda: age.remove_when_due(_now()))

    threads = [
        threading.Thread(target=each, name=name, daemon=True) for name, each in (("jobs", tick), ("old", remove))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def _now() -> int:
    return time.time_ns() // 1_000_000


def _tried(job: str, work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:
        log.error("job failed", job=job, **describe(error))


def _settle_all(store: Store, now: int, stopping: Callable[[], bool]) -> None:
    if settled := settle(store, None, now, stopping=stopping, as_job=True):
        log.info("settled", patients=settled)


def _erase_again(store: Store, now: int) -> None:
    if back := erase_again(store, now=now):
        log.warning("erased again, after an older database was put back", people=len(back))


class _Age:
    """Applies each practice's retention once on each of its days, and once after a start, by a clock that is borne out:
    what is gone does not come back with the right time."""

    def __init__(self, store: Store, stopping: Callable[[], bool]) -> None:
        self._store = store
        self._stopping = stopping
        self._done: dict[int, date] = {}
        self._again: dict[int, float] = {}

    def remove_when_due(self, now: int) -> None:
        with self._store.read() as connection:
            today = {each: days_of(zone).date_of(now) for each, zone in practices.zones(connection).items()}
        for practice_id, day in today.items():
            late = time.monotonic() >= self._again.get(practice_id, 0.0)
            if self._done.get(practice_id) != day and late and not self._stopping():
                self._again[practice_id] = time.monotonic() + RETRY_SECONDS
                with self._store.claim(practice_id) as mine:
                    if not mine:
                        del self._again[practice_id]
                    elif is_borne_out(self._store, practice_id, now):
                        self._remove(practice_id, now)
                        self._done[practice_id] = day
                    else:
                        log.info("retention waits until work of another day bears the clock out", practice=practice_id)

    def _remove(self, practice_id: int, now: int) -> None:
        removed = apply_retention(self._store, practice_id, actor=SERVER, now=now, stopping=self._stopping)
        if counts := {each.kind: spoken(each.counts) for each in removed if each.counts != Counts()}:
            log.info("removed by age", practice=practice_id, **counts)


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
