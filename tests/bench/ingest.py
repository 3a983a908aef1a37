"""Durable ingest against raw executemany, and against itself without HTTP, without group commit, and in plain text.

Each pair takes turns, so that what else the machine does hits both.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil

from backend.desk.devices import device_of
from backend.desk.record import record
from backend.store.connection import Connection, connect
from backend.store.database import open_folder
from backend.store.folder import database_path
from tests.bench.servers import Sender, rate
from tests.server import Server, now, row, uuid7

MANY = 32
BATCH = 10
REQUESTS = 25
"""Of each connection, a round."""

EACH_ITS_OWN = ("-m", "tests.bench.each_its_own")
PLAIN_TEXT = (
    "-c",
    "import backend.store.connection as it; "
    "it._give_key = lambda connection, key: setattr(connection, 'row_factory', it.dbapi2.Row); "
    "from backend.cli import cli; cli(prog_name='python -m backend')",
)

CONNECTIONS = 8
ROWS = 100
PATIENTS_AT_ONCE = 10
INTERVALS_OF_A_PATIENT = 20
BLOCK = PATIENTS_AT_ONCE * INTERVALS_OF_A_PATIENT
DAY_MS = 86_400_000

Line = tuple[str, ...]


class Clinician:
    """One clinician's work: minute after minute, ten patients at a time, 20 intervals each, in mixed order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.made = 0
        self.at = now() - 400 * DAY_MS

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
    """By clinician, the batches of `count` rows altogether, ROWS rows each."""
    found = []
    for clinician in clinicians:
        rows = clinician.rows(count // len(clinicians))
        found.append([rows[start : start + ROWS] for start in range(0, len(rows), ROWS)])
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
        assert sum(accepted) == sum(len(own) for own in bodies) * ROWS, accepted
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
        return len(batches) * ROWS / (time.perf_counter() - begun)


def against_executemany(folder: Path, rows: int, rounds: int) -> tuple[list[float], list[float]]:
    """(rates over HTTP, rates of raw executemany), one of each a round."""
    served, raw = practice(folder, "served"), Raw(practice(folder, "raw"))
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


def practice(folder: Path, name: str, program: tuple[str, ...] | None = None) -> Server:
    """A new practice, on the program as it is or on another one."""
    (folder / name).mkdir()
    server = Server(folder / name)
    if program is not None:
        server.program = program
    server.set_up()
    return server


def compared(
    here: Callable[[], float], against: Callable[[], float], rounds: int, unit: str = "rows/s"
) -> tuple[str, str, str]:
    """(median here, median against, ratio with its range) of measurements in turns."""
    pairs = [(here(), against()) for _ in range(rounds)]
    ratios = [one / other for one, other in pairs]
    middle = [statistics.median(column) for column in zip(*pairs, strict=True)]
    shown = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    return f"{middle[0]:,.0f} {unit}", f"{middle[1]:,.0f} {unit}", shown


def nothing(senders: Sequence[Sender]) -> float:
    """Requests a second of the route that does nothing, over the same connections."""

    def ask(sender: Sender) -> None:
        for _ in range(REQUESTS):
            sender.wire.request("GET", "/healthz")
            answer = sender.wire.getresponse()
            assert (answer.status, answer.read()) == (200, b"ok\n")

    with ThreadPoolExecutor(len(senders)) as threads:
        begun = time.perf_counter()
        list(threads.map(ask, senders))
    return len(senders) * REQUESTS / (time.perf_counter() - begun)


def slowest(senders: Sequence[Sender]) -> float:
    """Milliseconds of which 99 % of the requests need less, all sending at once."""
    taken: list[float] = []

    def send(sender: Sender) -> None:
        for body in sender.bodies(REQUESTS, BATCH):
            begun = time.perf_counter()
            sender.send([body])
            taken.append((time.perf_counter() - begun) * 1000)

    with ThreadPoolExecutor(len(senders)) as threads:
        list(threads.map(send, senders))
    return statistics.quantiles(taken, n=100)[-1]


def over_http(folder: Path, rounds: int) -> list[Line]:
    """The served program against itself without group commit and without encryption."""
    made = [
        practice(folder, "whole"),
        practice(folder, "each-its-own", EACH_ITS_OWN),
        practice(folder, "plain", PLAIN_TEXT),
    ]
    running: list[Server] = []
    try:
        ready = start_time(made[0], rounds)
        for server in made:
            server.start()
            running.append(server)
            assert server.process is not None
            memory = psutil.Process(server.process.pid).memory_info().rss / 2**20
        whole, alone, plain = ([Sender(server, server.token) for _ in range(MANY)] for server in made)
        for senders in (whole, alone, plain):
            rate(senders, 2, BATCH)  # each thread's first connection to the database
        many = f"{MANY} connections x {BATCH} rows"
        return [
            (f"requests, {many}, against the empty route",
             *compared(lambda: rate(whole, REQUESTS, BATCH) / BATCH, lambda: nothing(whole), rounds, "requests/s"),
             "0.20 or more"),
            (f"99 % of requests, {many}, against a commit by each request",
             *compared(lambda: slowest(whole), lambda: slowest(alone), rounds, "ms"), "0.20 or less"),
            ("rows, 8 connections x 100, encrypted against plain text",
             *compared(lambda: rate(whole[:8], 8, 100), lambda: rate(plain[:8], 8, 100), rounds), "0.65 or more"),
            ("ready after its start, not its first", f"{ready:.2f} s", "", "", "about 1 s"),
            ("memory of an idle server", f"{memory:.0f} MB", "", "", "120 MB or less"),
        ]  # fmt: skip
    finally:
        for server in running:
            server.stop()


def start_time(server: Server, rounds: int) -> float:
    """Seconds until the server is ready, the middle of several starts after one in which Python keeps what it compiled,
    as an installation does."""
    server.environment.pop("PYTHONDONTWRITEBYTECODE", None)
    server.environment["PYTHONPYCACHEPREFIX"] = str(server.data.parent / "compiled")
    times = []
    for _ in range(1 + rounds):
        begun = time.perf_counter()
        server.start()
        times.append(time.perf_counter() - begun)
        server.stop()
    return statistics.median(times[1:])


class Storage:
    """The store without HTTP: 32 threads at once hand in a hundred rows each."""

    def __init__(self, server: Server) -> None:
        key = next((server.data.parent / "config" / "threadtime").glob("*.key"))
        self.store = open_folder(server.data, key, queue_limit=1024, now=now())
        device = device_of(self.store, server.token)
        assert device is not None
        self.device = device
        self.senders = [Sender(server, server.token) for _ in range(MANY)]

    def rate(self, batches: int) -> float:
        """Rows a second, each batch durable before its thread's next."""
        rows = [[self._rows(sender) for _ in range(batches)] for sender in self.senders]
        threads = [threading.Thread(target=self._hand_in, args=(own,)) for own in rows]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return MANY * batches * ROWS / (time.perf_counter() - begun)

    def _rows(self, sender: Sender) -> list[tuple[int, dict[str, Any]]]:
        return list(zip(itertools.count(), (sender.one() for _ in range(ROWS)), strict=False))

    def _hand_in(self, batches: list[list[tuple[int, dict[str, Any]]]]) -> None:
        for batch in batches:
            at = now()
            outcome = record(self.store, self.device, batch, sent_at=at, received_at=at)
            assert len(outcome.accepted) == ROWS, outcome


def storage(folder: Path, rounds: int) -> Line:
    """The store with 32 writers against executemany, both a hundred rows at a time."""
    stored, raw = Storage(practice(folder, "store")), Raw(practice(folder, "executemany"))
    try:
        stored.rate(2)
        found = compared(lambda: stored.rate(4), lambda: raw.rate(raw.batches(MANY * 4 * ROWS)), rounds)
        return (f"durable storage, {MANY} writers x {ROWS} rows, against executemany", *found, "0.70 or more")
    finally:
        stored.store.close()
        raw.connection.close()


def measure(folder: Path, rounds: int) -> list[Line]:
    """Lines of the table: what, here, against, ratio, target."""
    return [storage(folder, rounds), *over_http(folder, rounds)]
