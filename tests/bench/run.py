"""`make bench`: a table of ratios in one run; rates move from machine to machine, ratios much less.

Both sides of a ratio use the same driver, key, schema and file system, and take turns, so that what else the machine
does hits both.

    python tests/bench/run.py [--rows N] [--rounds N] [--sizes N,N]
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import requests
from rich.console import Console
from rich.table import Table

from backend.store.connection import Connection, connect
from backend.store.folder import database_path
from tests.server import ADMIN, PASSWORD, Server, now, row, uuid7

CONNECTIONS = 8
BATCH = 100
INTERVALS_OF_A_PATIENT = 20
PAGE_TRIES = 30
DAY_MS = 86_400_000

# 1. Durable ingest over HTTP against raw executemany.


def made_rows(count: int, patients: int) -> Iterator[dict[str, Any]]:
    """Rows as devices send them: one-minute intervals of the last 30 days, each patient with one thread."""
    begin = now() - 30 * DAY_MS
    for _ in range(count):
        number = random.randrange(patients)
        started_at = begin + random.randrange(29 * DAY_MS)
        yield row(
            id=uuid7(started_at),
            thread=f"thr-{number:07d}",
            patient=f"p-{number:07d}",
            tab="tab-1",
            started_at=started_at,
            ended_at=started_at + 60_000,
        )


def bodies_of(count: int) -> list[bytes]:
    """The bodies of `count` rows, BATCH rows each."""
    rows = made_rows(count, max(1, count // INTERVALS_OF_A_PATIENT))
    batches = iter(lambda: list(itertools.islice(rows, BATCH)), [])
    return [json.dumps({"sent_at": now(), "intervals": batch}).encode() for batch in batches]


def over_http(server: Server, bodies: list[bytes]) -> float:
    """Rows a second that CONNECTIONS devices get acknowledged."""
    waiting, accepted = iter(bodies), 0
    lock = threading.Lock()
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}

    def device() -> None:
        nonlocal accepted
        wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                break
            wire.request("POST", "/api/v1/intervals", body, headers)
            answer = wire.getresponse()
            told = json.loads(answer.read())
            assert answer.status == 200, told
            with lock:
                accepted += len(told["accepted"])
        wire.close()

    devices = [threading.Thread(target=device) for _ in range(CONNECTIONS)]
    begun = time.perf_counter()
    for one in devices:
        one.start()
    for one in devices:
        one.join()
    seconds = time.perf_counter() - begun
    assert accepted == len(bodies) * BATCH, accepted
    return accepted / seconds


class Raw:
    """The same schema, driver and key without a server: executemany, one commit a batch."""

    def __init__(self, server: Server) -> None:
        key = next((server.data.parent / "config" / "threadtime").glob("*.key")).read_bytes()
        self.connection: Connection = connect(database_path(server.data), key)
        execute = self.connection.execute
        self.practice_id, self.device_id, self.user_id = execute(
            "SELECT practice_id, device_id, user_id FROM device"
        ).fetchone()
        names = [found["name"] for found in execute("PRAGMA table_info(interval)")]
        self.insert = (
            f"INSERT INTO interval ({', '.join(names)}) VALUES ({', '.join(':' + name for name in names)})"
            " ON CONFLICT (practice_id, interval_id) DO NOTHING"
        )
        self.empty = dict.fromkeys(names)

    def prepared(self, count: int) -> list[list[dict[str, Any]]]:
        """Batches of rows for the table, and the patients they need."""
        patients = max(1, count // INTERVALS_OF_A_PATIENT)
        self.connection.executemany(
            "INSERT INTO patient (practice_id, patient_id, portal, reference, created_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            [(self.practice_id, f"p-{number:07d}", "medplum", f"p-{number:07d}", 0) for number in range(patients)],
        )
        rows = [self._columns(one) for one in made_rows(count, patients)]
        return [rows[start : start + BATCH] for start in range(0, count, BATCH)]

    def _columns(self, one: dict[str, Any]) -> dict[str, Any]:
        kept = {name: value for name, value in one.items() if name in self.empty}
        return {
            **self.empty,
            **kept,
            "practice_id": self.practice_id,
            "interval_id": one["id"],
            "user_id": self.user_id,
            "device_id": self.device_id,
            "patient_id": one["patient"],
            "named_id": one["patient"],
            "entry": "measured",
            "recovered": 0,
            "sent_at": 0,
            "received_at": 0,
            "clock_offset_ms": 0,
            "clock_off": 0,
        }

    def rate(self, batches: list[list[dict[str, Any]]]) -> float:
        """Rows a second, each batch durable before the next begins."""
        begun = time.perf_counter()
        for batch in batches:
            self.connection.execute("BEGIN IMMEDIATE")
            self.connection.executemany(self.insert, batch)
            self.connection.execute("COMMIT")
        return len(batches) * BATCH / (time.perf_counter() - begun)


def new_server(folder: Path) -> Server:
    folder.mkdir()
    server = Server(folder)
    server.set_up()
    return server


def ingest(folder: Path, rows: int, rounds: int) -> tuple[list[float], list[float]]:
    """(rates over HTTP, rates of raw executemany), one of each a round."""
    served, raw = new_server(folder / "served"), Raw(new_server(folder / "raw"))
    served.start()
    try:
        over_http(served, bodies_of(BATCH * CONNECTIONS))  # the threads' first connections to the database
        http_rates, raw_rates = [], []
        for _ in range(rounds):
            bodies, batches = bodies_of(rows), raw.prepared(rows)
            http_rates.append(over_http(served, bodies))
            raw_rates.append(raw.rate(batches))
        return http_rates, raw_rates
    finally:
        served.stop()


# 2. The report's page with many intervals stored.


def signed_in(server: Server) -> requests.Session:
    browser = requests.Session()
    page = browser.get(f"{server.url}/sign-in", timeout=60).text
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None
    form = {"email": ADMIN, "password": PASSWORD, "form_token": found[1]}
    answer = browser.post(f"{server.url}/sign-in", data=form, headers={"Origin": server.url}, timeout=60)
    assert answer.status_code == 200, answer.text
    return browser


def pages(folder: Path, sizes: list[int]) -> dict[int, float]:
    """Median milliseconds of the list of episodes, by how many intervals are stored."""
    server = new_server(folder / "pages")
    server.start()
    times: dict[int, float] = {}
    try:
        stored = 0
        for size in sizes:
            over_http(server, bodies_of(size - stored))
            stored = size
            browser = signed_in(server)
            browser.get(f"{server.url}/episodes", timeout=3600)  # computes whatever is still due
            taken = []
            for _ in range(PAGE_TRIES):
                begun = time.perf_counter()
                answer = browser.get(f"{server.url}/episodes", timeout=600)
                taken.append((time.perf_counter() - begun) * 1000)
                assert answer.status_code == 200
            times[size] = statistics.median(taken)
        return times
    finally:
        server.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures ratios of speed on this machine.")
    parser.add_argument("--rows", type=int, default=20_000, help="rows a round of ingest")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", default="10000,100000", help="intervals stored when the page is timed")
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    table = Table(title="Threadtime: ratios on this machine")
    for heading in ("what", "here", "against", "ratio", "target"):
        table.add_column(heading)
    with tempfile.TemporaryDirectory(prefix="threadtime-bench-") as folder:
        http_rates, raw_rates = ingest(Path(folder), chosen.rows, chosen.rounds)
        ratios = [one / other for one, other in zip(http_rates, raw_rates, strict=True)]
        table.add_row(
            f"durable ingest over HTTP, {CONNECTIONS} connections x {BATCH} rows",
            f"{statistics.median(http_rates):,.0f} rows/s",
            f"{statistics.median(raw_rates):,.0f} rows/s (executemany, {BATCH} a commit)",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
            "0.35 or more",
        )
        times = pages(Path(folder), sizes)
        for size in sizes:
            table.add_row(
                f"page of episodes with {size:,} intervals stored",
                f"{times[size]:.1f} ms",
                f"{times[sizes[0]]:.1f} ms ({sizes[0]:,})",
                f"{times[size] / times[sizes[0]]:.2f}",
                "1.5 or less",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
