"""`make demo`: a practice on throw-away data, made through the commands and the API that everybody uses.

    python -m tests.demo [--port 8766] [--seed 7]

Nothing here writes an episode or a determination: six clinicians' browsers send what they measured, and the server does
the rest. It serves until Ctrl-C and then deletes its folder.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.demo.history import DAYS, PEOPLE, PORTALS, history

ROOT = Path(__file__).parents[2]
ZONE = "America/New_York"
ADMIN = "manager@riverside.example"
PASSWORD = "river-stone-lantern"
ROWS_A_REQUEST = 100
EPISODES_AT_LEAST = 120
READY_WITHIN_SECONDS = 60


class Demo:
    """A practice in `folder` whose server listens on `port`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.log = folder / "server.log"
        self.environment = {
            **os.environ,
            "THREADTIME_DATA": str(folder / "data"),
            "THREADTIME_KEY_FILE": str(folder / "demo.key"),
            "THREADTIME_ADMIN_PASSWORD": PASSWORD,
            "THREADTIME_USER_PASSWORD": PASSWORD,
        }

    def command(self, *words: str) -> str:
        """What one command prints; ends the demo with the command's own words where it refuses."""
        done = subprocess.run(self._line(*words), env=self.environment, cwd=ROOT, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{' '.join(words[:2])}: {done.stderr.strip()}")
        return done.stdout.strip()

    def start(self) -> subprocess.Popen[bytes]:
        """Starts the server and returns once it is ready."""
        with self.log.open("wb") as log:
            server = subprocess.Popen(
                self._line("serve", "--port", str(self.port)), env=self.environment, cwd=ROOT, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_WITHIN_SECONDS
        while not self._is_ready():
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                sys.exit(f"The server did not start: {self.log.read_text().strip()}")
            time.sleep(0.05)
        return server

    def set_up(self) -> dict[tuple[str, str], str]:
        """Creates the practice with its people; returns each device's token."""
        self.command("init", "--practice", "Riverside Family Practice", "--timezone", ZONE, "--admin", ADMIN)
        self.command("portal", "add", "--key", PORTALS[1], "--kind", "medplum", "--origin", "https://east.example")
        tokens = {}
        for credential, person in PEOPLE.items():
            who = ["--email", person.email, "--name", person.name, "--role", person.role, "--credential", credential]
            self.command("user", "add", *who, *(["--specialty", person.specialty] if person.specialty else []))
            for device in person.devices:
                added = self.command("device", "add", "--clinician", person.email, "--name", device)
                tokens[credential, device] = added
        return tokens

    def send(self, token: str, rows: list[dict[str, Any]]) -> None:
        """Sends a device's rows as its browser would."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        for start in range(0, len(rows), ROWS_A_REQUEST):
            batch = {"sent_at": _now(), "intervals": rows[start : start + ROWS_A_REQUEST]}
            connection.request("POST", "/api/v1/intervals", json.dumps(batch), headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            if answer.status != 200 or said["rejected"]:
                sys.exit(f"The server refused rows: {answer.status} {said}")
        connection.close()

    def _is_ready(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _line(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "backend", *words]


def _now() -> int:
    return time.time_ns() // 1_000_000


def _free_port(wanted: int) -> int:
    """`wanted` where nothing listens on it, else a port that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end(*_: object) -> None:
    raise KeyboardInterrupt


def run(folder: Path, *, port: int, seed: int) -> None:
    """Fills `folder`, prints how to look at it, and serves until the process is asked to end."""
    demo = Demo(folder, port)
    print("Making a practice of six clinicians and their last thirty days ...", flush=True)
    tokens = demo.set_up()
    server = demo.start()
    try:
        today = datetime.now(ZoneInfo(ZONE)).date()
        for device, rows in history(seed=seed, today=today, zone=ZoneInfo(ZONE), now=_now()).items():
            demo.send(tokens[device], rows)
        start, end = today - timedelta(days=DAYS), today
        episodes = json.loads(demo.command("report", "--from", str(start), "--to", str(end), "--format", "json"))
        if len(episodes) < EPISODES_AT_LEAST:
            sys.exit(f"The demo has {len(episodes)} episodes; it should have at least {EPISODES_AT_LEAST}.")
        print(_welcome(demo.port, episodes), flush=True)
        server.wait()
        sys.exit(f"The server ended: {demo.log.read_text().strip()}")
    finally:
        server.terminate()
        server.wait(timeout=30)


def _welcome(port: int, episodes: list[dict[str, Any]]) -> str:
    statuses = Counter(episode["status"].replace("_", " ") for episode in episodes)
    counted = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    people = "\n".join(f"  {person.email:36}{person.name}, {credential}" for credential, person in PEOPLE.items())
    return f"""
{len(episodes)} episodes: {counted}

Open http://127.0.0.1:{port} and sign in with the password {PASSWORD}
  {ADMIN:36}manager and administrator
{people}

The data is deleted when you press Ctrl-C.
"""


def main() -> None:
    """Reads the command line and runs the demo in a folder that ends with it."""
    parser = argparse.ArgumentParser(prog="python -m tests.demo", description="Threadtime on throw-away data.")
    parser.add_argument("--port", type=int, default=8766, help="0, or a port in use: one that is free (default: 8766)")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another thirty days (default: 7)")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    with suppress(KeyboardInterrupt), tempfile.TemporaryDirectory(prefix="threadtime-demo-") as folder:
        run(Path(folder), port=_free_port(asked.port), seed=asked.seed)


if __name__ == "__main__":
    main()
