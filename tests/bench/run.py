"""`make bench`: a table of ratios in one run; rates move from machine to machine, ratios much less.

Both sides of a ratio use the same driver, key, schema and file system, and take turns, so that what else the machine
does hits both.

    python tests/bench/run.py [--rows N] [--rounds N] [--sizes N,N] [--counted N,N] [--sessions N]
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import requests
from rich.console import Console
from rich.table import Table

from tests.bench import accuracy, counting, ingest, peer, servers, upkeep
from tests.browser import until
from tests.server import Server
from tests.story.session_browsers import LONG_SESSIONS

PAGE_TRIES = 30


def pages(folder: Path, sizes: list[int]) -> dict[int, float]:
    """Mean milliseconds that the server needs for the list of episodes, by how many intervals are stored."""
    server = ingest.practice(folder, "pages")
    devices = ingest.Devices(server)
    server.start()
    times: dict[int, float] = {}
    try:
        stored = 0
        for size in sizes:
            devices.send(devices.bodies(size - stored))
            stored = size
            settled(server, server.signed_in())
            browser = server.signed_in()  # another session: the first may have ended meanwhile
            assert browser.get(f"{server.url}/episodes", timeout=600).status_code == 200
            before, requests_before = spent(server)
            for _ in range(PAGE_TRIES):
                assert browser.get(f"{server.url}/episodes", timeout=600).status_code == 200
            after, requests_after = spent(server)
            times[size] = (after - before) * 1000 / (requests_after - requests_before)
        return times
    finally:
        server.stop()


def spent(server: Server) -> tuple[float, float]:
    """(seconds, requests) that the server itself counted of the list of episodes so far."""
    said = requests.get(f"{server.url}/metrics", timeout=60).text
    sums = dict(re.findall(r'^threadtime_request_seconds_(sum|count){[^}]*route="/episodes"[^}]*} (\S+)$', said, re.M))
    return float(sums["sum"]), float(sums["count"])


def settled(server: Server, browser: requests.Session) -> None:
    """Waits until everything that was sent has been added up."""
    until(
        lambda: "being added up" not in browser.get(f"{server.url}/episodes", timeout=600).text,
        seconds=3600,
        what="everything added up",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures ratios of speed on this machine.")
    parser.add_argument("--rows", type=int, default=16_000, help="rows a round of ingest, a multiple of 1,600")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--sizes", default="9600,1000000", help="intervals stored when the page is timed, multiples of 1,600"
    )
    parser.add_argument(
        "--counted", default="10000,100000,1000000", help="intervals counted, multiples of 20; 2,000 or more"
    )
    parser.add_argument(
        "--sessions",
        type=int,
        default=len(LONG_SESSIONS),
        help="of three minutes, three at once",
    )
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.sizes.split(",")]
    table = Table(title="Threadtime: ratios on this machine")
    for heading in ("what", "here", "against", "ratio", "target"):
        table.add_column(heading)
    said = Console(stderr=True, soft_wrap=True)

    def add(*line: str) -> None:
        """A line of the table, told at once too, for the whole takes long."""
        table.add_row(*line)
        said.print(" | ".join(line), highlight=False)

    with tempfile.TemporaryDirectory(prefix="threadtime-bench-") as folder:
        http_rates, raw_rates = ingest.against_executemany(Path(folder), chosen.rows, chosen.rounds)
        ratios = [one / other for one, other in zip(http_rates, raw_rates, strict=True)]
        add(
            f"durable ingest over HTTP, {ingest.CONNECTIONS} connections x {ingest.ROWS} rows",
            f"{statistics.median(http_rates):,.0f} rows/s",
            f"{statistics.median(raw_rates):,.0f} rows/s (executemany, {ingest.ROWS} a commit)",
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
            "0.35 or more",
        )
        for room in (ingest, upkeep, peer):
            for line in room.measure(Path(folder), chosen.rounds):
                add(*line)
        times = pages(Path(folder), sizes)
        for size in sizes:
            add(
                f"page of 50 episodes with {size:,} intervals stored, the server's time",
                f"{times[size]:.1f} ms",
                f"{times[sizes[0]]:.1f} ms ({sizes[0]:,})",
                f"{times[size] / times[sizes[0]]:.2f}",
                "1.5 or less",
            )
        for line in servers.measure(Path(folder), chosen.rounds):
            add(*line)
        counted = [int(size) for size in chosen.counted.split(",")]
        for found in counting.measure(Path(folder), counted, chosen.rounds):
            add(*found)
    Console().print(table)
    Console().print(accuracy.table())
    if chosen.sessions:
        with tempfile.TemporaryDirectory(prefix="threadtime-bench-") as folder:
            Console().print(accuracy.sessions_table(Path(folder), LONG_SESSIONS[: chosen.sessions]))


if __name__ == "__main__":
    main()
