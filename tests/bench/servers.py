"""PostgreSQL against the file, and several servers against one: durable ingest over HTTP, taken in turns."""

from __future__ import annotations

import http.client
import itertools
import json
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.postgresql import Cluster
from tests.server import CLINICIAN, Server, now, row, uuid7

INTERVALS_OF_A_PATIENT = 20
ROWS = 8000
"""A round: seconds long, so that what comes due meanwhile is settled beside it."""
BEGIN = now() - 3000 * 86_400_000


class Sender:
    """A device with a connection of its own; one patient after the other, minute after minute, no two at one time."""

    minutes = itertools.count()

    def __init__(self, server: Server, token: str) -> None:
        self.token = token
        self.name = uuid7()
        self.made = 0
        self.wire = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)

    def bodies(self, requests: int, batch: int) -> list[bytes]:
        return [
            json.dumps({"sent_at": now(), "intervals": [self.one() for _ in range(batch)]}).encode()
            for _ in range(requests)
        ]

    def one(self) -> dict[str, object]:
        patient = f"{self.name}-{self.made // INTERVALS_OF_A_PATIENT}"
        self.made += 1
        ended_at = BEGIN + next(self.minutes) * 60_000
        return row(
            id=uuid7(), patient=f"p-{patient}", thread=f"t-{patient}", started_at=ended_at - 55_000, ended_at=ended_at
        )

    def send(self, bodies: Sequence[bytes]) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        for body in bodies:
            self.wire.request("POST", "/api/v1/intervals", body, headers)
            answer = self.wire.getresponse()
            told = json.loads(answer.read())
            assert answer.status == 200 and not told["rejected"], told


def rate(senders: Sequence[Sender], requests: int, batch: int) -> float:
    """Rows a second, all sending at once."""
    bodies = [sender.bodies(requests, batch) for sender in senders]
    threads = [threading.Thread(target=sender.send, args=(own,)) for sender, own in zip(senders, bodies, strict=True)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(senders) * requests * batch / (time.perf_counter() - begun)


def measure(folder: Path, rounds: int) -> list[tuple[str, ...]]:
    """Lines of the table: what, here, against, ratio, target."""
    (folder / "file").mkdir()
    cluster = Cluster(durable=True)
    try:
        on_file = Server(folder / "file")
        on_server = Server(folder / "server", cluster.url(cluster.create()))
        second = on_server.beside()
        running: list[Server] = []
        on_server.data.parent.mkdir()
        for server in (on_file, on_server):
            server.set_up()
        try:
            for server in (on_file, on_server, second):
                server.start()
                running.append(server)
            second.token = on_server.add_device(CLINICIAN)
            lines = []
            for batch, connections, target in ((10, 1, "0.75 or more"), (10, 8, ""), (100, 8, "")):
                found = _compared(
                    [Sender(on_server, on_server.token) for _ in range(connections)],
                    [Sender(on_file, on_file.token) for _ in range(connections)],
                    batch,
                    rounds,
                )
                what = f"PostgreSQL, {connections} connection(s) x {batch} rows, against the file"
                lines.append((what, *found, target))
            both = [Sender((on_server, second)[number % 2], on_server.token) for number in range(8)]
            one = [Sender(on_server, on_server.token) for _ in range(8)]
            lines.append(("two servers, one practice, 8 x 10 rows, against one", *_compared(both, one, 10, rounds), ""))
            return lines
        finally:
            for server in running:
                server.stop()
    finally:
        cluster.stop()


def _compared(here: Sequence[Sender], against: Sequence[Sender], batch: int, rounds: int) -> tuple[str, str, str]:
    requests = max(10, ROWS // (batch * len(here)))
    pairs = []
    for each in (here, against):
        rate(each, 5, batch)  # each thread's first connection to the database
    for _ in range(rounds):
        pairs.append((rate(here, requests, batch), rate(against, requests, batch)))
    ratios = [one / other for one, other in pairs]
    return (
        f"{statistics.median(one for one, _ in pairs):,.0f} rows/s",
        f"{statistics.median(other for _, other in pairs):,.0f} rows/s",
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
    )
