"""`make bench`: a table of ratios in one run; rates move from machine to machine, ratios much less.

Both sides of a ratio use the same driver, key, schema and file system, and take turns, so that what else the machine
does hits both.

    python tests/bench/run.py [--rows N] [--rounds N] [--sizes N,N] [--counted N,N]
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from rich.console import Console
from rich.table import Table

from backend.store.connection import Connection, connect
from backend.store.folder import database_path
from tests.bench import accuracy, counting
from tests.server import Server, now, row, uuid7

CONNECTIONS = 8
BATCH = 100
PATIENTS_AT_ONCE = 10
INTERVALS_OF_A_PATIENT = 20
BLOCK = PATIENTS_AT_ONCE * INTERVALS_OF_A_PATIENT
PAGE_TRIES = 30
DAY_MS = 86_400_000

# 1. Durable ingest over HTTP against raw executemany.


class Clinician:
    """One clinician's work: minute after minute, ten patients at a time, 20 intervals each, in mixed order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.made = 0
        self.at = now() - 60 * DAY_MS

    def rows(self, count: int) -> list[dict[str, Any]]:
        """The next rows as a device sends them; a whole number of patients when `count` is a multiple of 200."""
        found = []
        for start in range(0, count, BLOCK):
            several = [index % PATIENTS_AT_ONCE for index in range(min(BLOCK, count - start))]
            random.shuffle(several)
            for one in several:
                patient = f"{self.name}-{self.made // BLOCK}-{one}"
                ended_at = self.at + 55_000
                times = {"started_at": self.at, "ended_at": ended_at}
                found.append(
                    row(id=uuid7(ended_at), thread=f"t-{patient}", patient=f"p-{patient}", tab="tab-1", **times)
                )
                self.at += 60_000
            self.made += len(several)
        return found


def batches_of(clinicians: list[Clinician], count: int) -> list[list[list[dict[str, Any]]]]:
    """By clinician, the batches of `count` rows altogether, BATCH rows each."""
    found = []
    for clinician in clinicians:
        rows = clinician.rows(count // len(clinicians))
        found.append([rows[start : start + BATCH] for start in range(0, len(rows), BATCH)])
    return found


class Devices:
    """As many clinicians as connections, each with a device."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.clinicians = [Clinician(f"c{number}") for number in range(CONNECTIONS)]
        self.tokens = []
        for clinician in self.clinicians:
            server.add_user(f"{clinician.name}@practice.example", "clinician", "--credential", "MD")
            self.tokens.append(server.add_device(f"{clinician.name}@practice.example"))

    def bodies(self, count: int) -> list[list[bytes]]:
        """By device, the bodies of `count` rows altogether."""
        return [
            [json.dumps({"sent_at": now(), "intervals": batch}).encode() for batch in batches]
            for batches in batches_of(self.clinicians, count)
        ]

    def send(self, bodies: list[list[bytes]]) -> float:
        """Rows a second that the devices get acknowledged, all sending at once."""
        accepted = [0] * len(bodies)
        threads = [
            threading.Thread(target=self._send, args=(number, accepted, own)) for number, own in enumerate(bodies)
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begun
        assert sum(accepted) == sum(len(own) for own in bodies) * BATCH, accepted
        return sum(accepted) / seconds

    def _send(self, number: int, accepted: list[int], bodies: list[bytes]) -> None:
        headers = {"Authorization": f"Bearer {self.tokens[number]}", "Content-Type": "application/json"}
        wire = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=600)
        for body in bodies:
            wire.request("POST", "/api/v1/intervals", body, headers)
            answer = wire.getresponse()
            told = json.loads(answer.read())
            assert answer.status == 200, told
            accepted[number] += len(told["accepted"])
        wire.close()


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
        self.clinicians = [Clinician(f"c{number}") for number in range(CONNECTIONS)]

    def batches(self, count: int) -> list[list[dict[str, Any]]]:
        """Batches of rows for the table, the clinicians taking turns; the patients they need are stored."""
        by_clinician = batches_of(self.clinicians, count)
        batches = [batch for turn in zip(*by_clinician, strict=True) for batch in turn]
        patients = sorted({one["patient"] for batch in batches for one in batch})
        self.connection.executemany(
            "INSERT INTO patient (practice_id, patient_id, portal, reference, created_at) VALUES (?, ?, ?, ?, ?)",
            [(self.practice_id, patient, "medplum", patient, 0) for patient in patients],
        )
        return [[self._columns(one) for one in batch] for batch in batches]

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
    devices = Devices(served)
    served.start()
    try:
        devices.send(devices.bodies(BLOCK * CONNECTIONS))  # each thread's first connection to the database
        http_rates, raw_rates = [], []
        for _ in range(rounds):
            bodies, batches = devices.bodies(rows), raw.batches(rows)
            http_rates.append(devices.send(bodies))
            raw_rates.append(raw.rate(batches))
        return http_rates, raw_rates
    finally:
        served.stop()


# 2. The report's page with many intervals stored.


def pages(folder: Path, sizes: list[int]) -> dict[int, float]:
    """Median milliseconds of the list of episodes, by how many intervals are stored."""
    server = new_server(folder / "pages")
    devices = Devices(server)
    server.start()
    times: dict[int, float] = {}
    try:
        stored = 0
        for size in sizes:
            devices.send(devices.bodies(size - stored))
            stored = size
            browser = server.signed_in()
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
    parser.add_argument("--rows", type=int, default=16_000, help="rows a round of ingest, a multiple of 1,600")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sizes", default="9600,99200", help="intervals stored when the page is timed, multiples of 1,600"
    )
    parser.add_argument(
        "--counted", default="10000,100000,1000000", help="intervals counted, multiples of 20; 2,000 or more"
    )
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
        counted = [int(size) for size in chosen.counted.split(",")]
        for found in counting.measure(Path(folder), counted, chosen.rounds):
            table.add_row(*found)
    Console().print(table)
    Console().print(accuracy.table())


if __name__ == "__main__":
    main()
