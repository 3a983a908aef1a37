"""`make demo`: a practice on throw-away data, made through the commands and the API that everybody uses.

    python -m tests.demo [--port 8766] [--seed 7]

Nothing here writes an episode or a determination: files say what the EHR knows, six clinicians' browsers send what they
measured, and the server does the rest. One visit becomes known late, so that a verdict changes. It serves until Ctrl-C
and then deletes its folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from tests.demo.facts import facts, late_visit
from tests.demo.history import DAYS, PEOPLE, PORTALS, Device, Person, history

Answer = TypeVar("Answer")

ROOT = Path(__file__).parents[2]
ZONE = "America/New_York"
ZONE_INFO = ZoneInfo(ZONE)
ADMIN = "manager@riverside.example"
PASSWORD = "river-stone-lantern"
ROWS_A_REQUEST = 100
EPISODES_AT_LEAST = 120
READY_WITHIN_SECONDS = 60
COMMANDS_AT_ONCE = 4

# (status, the id of a reason): of each the welcome names an episode.
SHOWN = (
    ("reportable", "time-bands"),
    ("reportable", "consent-partial"),
    ("reportable", "same-diagnosis"),
    ("hold", "hold-until-lookahead"),
    ("hold", "prior-em-7d"),
    ("hold", "evaluative-content"),
    ("hold", "facts-current"),
    ("hold", "manual-time-attestation"),
    ("not_reportable", "time-min-5"),
    ("not_reportable", "prior-em-7d"),
    ("not_reportable", "once-per-7-days"),
    ("not_reportable", "consent-annual"),
)


class Demo:
    """A practice in `folder` whose server listens on `port`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self.log = folder / "server.log"
        self.files = folder / "facts"
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

    def set_up(self) -> dict[Device, str]:
        """Creates the practice with its people; returns each device's token."""
        self.command("init", "--practice", "Riverside Family Practice", "--timezone", ZONE, "--admin", ADMIN)
        self.command("portal", "add", "--key", PORTALS[1], "--kind", "medplum", "--origin", "https://east.example")
        _at_once(self._add, PEOPLE, PEOPLE.values())
        devices = [(credential, device) for credential, person in PEOPLE.items() for device in person.devices]
        return dict(zip(devices, _at_once(self._device, devices), strict=True))

    def import_facts(self, files: dict[str, list[dict[str, Any]]]) -> None:
        """Writes a file for each kind and takes it in."""
        self.files.mkdir()
        _at_once(self.import_file, files, files, files.values())

    def import_file(self, name: str, kind: str, rows: list[dict[str, Any]]) -> None:
        """Writes the rows into a file of that name and takes it in."""
        file = self.files / f"{name}.csv"
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, dict.fromkeys(column for row in rows for column in row))
            writer.writeheader()
            writer.writerows(rows)
        self.command("import", "csv", kind, str(file))

    def report(self, today: date) -> list[dict[str, Any]]:
        """Every episode of the thirty days, as `report` gives it."""
        days = ["--from", str(today - timedelta(days=DAYS)), "--to", str(today)]
        episodes: list[dict[str, Any]] = json.loads(self.command("report", *days, "--format", "json"))
        return episodes

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

    def _add(self, credential: str, person: Person) -> None:
        who = ["--email", person.email, "--name", person.name, "--role", person.role, "--credential", credential]
        self.command("user", "add", *who, *(["--specialty", person.specialty] if person.specialty else []))

    def _device(self, device: Device) -> str:
        credential, name = device
        return self.command("device", "add", "--clinician", PEOPLE[credential].email, "--name", name)

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


def _at_once(command: Callable[..., Answer], *arguments: Iterable[Any]) -> list[Answer]:
    """The answers in order, of some commands at a time; if one fails or the demo is ended, no other begins."""
    pool = ThreadPoolExecutor(COMMANDS_AT_ONCE)
    try:
        return list(pool.map(command, *arguments))
    finally:
        pool.shutdown(cancel_futures=True)


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
    today = datetime.now(ZONE_INFO).date()
    worked = history(seed=seed, today=today, zone=ZONE_INFO, now=_now())
    tokens = demo.set_up()
    demo.import_facts(facts(worked, seed=seed, today=today, zone=ZONE_INFO))
    server = demo.start()
    try:
        for device, rows in worked.items():
            demo.send(tokens[device], rows)
        late = _changing(demo.report(today))
        demo.import_file("visits-late", "visits", [late_visit(late, ZONE_INFO)])
        episodes = demo.report(today)
        if len(episodes) < EPISODES_AT_LEAST:
            sys.exit(f"The demo has {len(episodes)} episodes; it should have at least {EPISODES_AT_LEAST}.")
        print(_welcome(demo, episodes, late), flush=True)
        server.wait()
        sys.exit(f"The server ended: {demo.log.read_text().strip()}")
    finally:
        server.terminate()
        server.wait(timeout=30)


def _changing(episodes: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """A reportable episode of a physician, on which a visit will become known."""
    fitting = [each for each in episodes if each["status"] == "reportable" and each["family"] == "em"]
    return min(fitting, key=lambda each: (len(each["warnings"]), each["patient"]))


def _welcome(demo: Demo, episodes: list[dict[str, Any]], late: dict[str, Any]) -> str:
    statuses = Counter(_words(episode["status"]) for episode in episodes)
    counted = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    people = "\n".join(f"  {person.email:36}{person.name}, {credential}" for credential, person in PEOPLE.items())
    shown = "\n".join(
        f"  {_words(status):18}{reason:26}{_example(episodes, status, reason)}" for status, reason in SHOWN
    )
    return f"""
{len(episodes)} episodes: {counted}

Open http://127.0.0.1:{demo.port} and sign in with the password {PASSWORD}
  {ADMIN:36}manager and administrator
{people}

Some to look at; the page finds a patient by its number:
  {"status":18}{"reason":26}patient
{shown}
  {"not reportable":18}{"subsequent-em-7d":26}{late["patient"]}, reportable until a late visit came: see its history

What the EHR said, one file a kind: {demo.files}

The data is deleted when you press Ctrl-C.
"""


def _example(episodes: Iterable[dict[str, Any]], status: str, reason: str) -> str:
    """The patient of an episode with this status and reason, and with little else to read."""
    fitting = [
        each
        for each in episodes
        if each["status"] == status and each["patient"] and reason in (one["id"] for one in each["reasons"])
    ]
    if not fitting:
        return "none with this seed"
    return str(min(fitting, key=lambda each: (len(each["reasons"]), each["patient"]))["patient"])


def _words(status: str) -> str:
    return status.replace("_", " ")


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
