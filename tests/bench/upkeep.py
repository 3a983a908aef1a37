"""What the audit's entry and the merged time cost: processor time of storing with them and without, taken in turns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from backend.desk.devices import device_of
from backend.desk.record import record
from backend.store import merged
from backend.store.audit import Audit
from backend.store.database import open_folder
from tests.bench.ingest import ROWS, Line, compared, practice
from tests.server import Server, now, row, uuid7

EPISODE_DAYS = 7
DAY_MS = 86_400_000
ROWS_A_ROUND = 4_000
TARGETS = {20: "1.70 or less", 1000: "1.50 or less"}


class Practice:
    """A store without a server; one clinician, whose patients each get their intervals within seven days."""

    def __init__(self, server: Server, intervals: int) -> None:
        key = next((server.data.parent / "config" / "threadtime").glob("*.key"))
        self.store = open_folder(server.data, key, queue_limit=64, now=now())
        device = device_of(self.store, server.token)
        assert device is not None
        self.device = device
        self.at_once = ROWS_A_ROUND // intervals
        self.every = EPISODE_DAYS * DAY_MS // intervals
        self.intervals = intervals
        self.begin = now() - 3000 * DAY_MS

    def rows(self) -> list[dict[str, Any]]:
        """A round: so many patients that all of them together have ROWS_A_ROUND intervals, in the order of time."""
        name = uuid7()
        self.begin += EPISODE_DAYS * DAY_MS
        found = []
        for number in range(self.intervals):
            for one in range(self.at_once):
                start = self.begin + number * self.every + one * 1000
                times = {"started_at": start, "ended_at": start + 55_000}
                found.append(row(id=uuid7(start), thread=f"t-{name}-{one}", patient=f"p-{name}-{one}", **times))
        return found

    def microseconds(self) -> float:
        """Processor time a row, stored a hundred rows a request."""
        rows = self.rows()
        batches = [list(enumerate(rows[start : start + ROWS])) for start in range(0, len(rows), ROWS)]
        begun = time.process_time()
        for batch in batches:
            outcome = record(self.store, self.device, batch, sent_at=now(), received_at=now())
            assert len(outcome.accepted) == ROWS, outcome
        return (time.process_time() - begun) * 1e6 / len(rows)


@contextmanager
def without() -> Iterator[None]:
    """Neither audit nor merged time."""
    with patch.object(Audit, "add", lambda *_, **__: 0), patch.object(merged, "add", lambda *_: None):
        yield


def measure(folder: Path, rounds: int) -> list[Line]:
    """A line of the table for each size of an episode."""
    lines = []
    for intervals, target in TARGETS.items():
        kept, plain = (
            Practice(practice(folder, f"{name}-{intervals}"), intervals) for name in ("upkeep", "without-upkeep")
        )

        def bare(plain: Practice = plain) -> float:
            with without():
                return plain.microseconds()

        try:
            kept.microseconds(), bare()
            found = compared(kept.microseconds, bare, rounds, "us/row")
        finally:
            kept.store.close()
            plain.store.close()
        what = f"processor time with audit and merged time, {intervals:,} intervals an episode, against without"
        lines.append((what, *found, target))
    return lines
