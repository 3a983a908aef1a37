"""ActivityWatch's server, the closest thing that others run: its events a second beside our rows, in the same batches.

It neither asks who sends nor checks what came, and its events hold less; the line says where one stands, no more.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.ingest import Line, practice
from tests.bench.servers import Sender, rate
from tests.browser import until
from tests.server import free_port

COMMAND = "aw-server"
EVENTS = 600
BUCKET = "/api/0/buckets/bench"
HEADERS = {"Content-Type": "application/json"}


def measure(folder: Path, rounds: int) -> list[Line]:
    """A line for each size of batch; one that says how to get it, where it is not installed."""
    command = shutil.which(COMMAND)
    if command is None:
        how = (
            "not on this machine: install aw-server with peewee<4 in an environment of its own, and put it on the PATH"
        )
        return [("rows a second beside aw-server's events", "", how, "", "none")]
    ours = practice(folder, "beside-a-peer")
    ours.start()
    try:
        with serving(command, folder / "peer") as port:
            sender = Sender(ours, ours.token)
            rate([sender], 2, 10)
            return [_compared(sender, port, batch, rounds) for batch in (1, 10, 100)]
    finally:
        ours.stop()


def _compared(sender: Sender, port: int, batch: int, rounds: int) -> Line:
    requests = max(4, EVENTS // batch)
    pairs = [(rate([sender], requests, batch), _events(port, requests, batch)) for _ in range(rounds)]
    ratios = [one / other for one, other in pairs]
    here, there = (statistics.median(column) for column in zip(*pairs, strict=True))
    shown = f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    what = f"rows a second, 1 connection x {batch}, beside aw-server's events"
    return (what, f"{here:,.0f} rows/s", f"{there:,.0f} events/s", shown, "none")


@contextmanager
def serving(command: str, home: Path) -> Iterator[int]:
    """The peer's server with an empty database and one bucket; gives its port."""
    home.mkdir()
    port = free_port()
    folders = {f"XDG_{name}_HOME": str(home / name) for name in ("DATA", "CONFIG", "CACHE", "STATE")}
    environment = os.environ | folders | {"HOME": str(home)}
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([command, "--port", str(port)], env=environment, stdout=log, stderr=log)
    try:
        until(lambda: _ask(port, "GET", "/api/0/info", None) == 200, seconds=30, what=COMMAND)
        bucket = {"client": "bench", "type": "bench", "hostname": "bench"}
        assert _ask(port, "POST", BUCKET, bucket) == 200
        yield port
    finally:
        process.kill()
        process.wait()


def _ask(port: int, method: str, path: str, body: object) -> int | None:
    """The status; None while nobody answers."""
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        wire.request(method, path, None if body is None else json.dumps(body), HEADERS)
        return wire.getresponse().status
    except ConnectionRefusedError:
        return None
    finally:
        wire.close()


def _events(port: int, requests: int, batch: int) -> float:
    """Events a second over one connection."""
    begin = time.time() - 86_400
    bodies = []
    for number in range(requests):
        instants = (datetime.fromtimestamp(begin + 60 * (number * batch + each), UTC) for each in range(batch))
        data = {"thread": "thr-aaaa-0001", "patient": "123", "activity": "review_inquiry"}
        events = [{"timestamp": at.isoformat(), "duration": 55, "data": data} for at in instants]
        bodies.append(json.dumps(events))
    wire = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.perf_counter()
    for body in bodies:
        wire.request("POST", f"{BUCKET}/events", body, HEADERS)
        answer = wire.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
    seconds = time.perf_counter() - begun
    wire.close()
    return requests * batch / seconds
