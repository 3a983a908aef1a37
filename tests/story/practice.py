"""A practice on a real `serve` process and a real database file, worked through the commands that a person types."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from tests.browser import end_group, start_group, until

ADMIN = "admin@practice.example"
CLINICIAN = "doctor@practice.example"


class Practice:
    """One practice with one clinician; `port` is where its server listens while it runs."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.port = free_port()
        self.environment = {
            **os.environ,
            "THREADTIME_DATA": str(self.data),
            "THREADTIME_ADMIN_PASSWORD": "correct horse battery staple",
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONUNBUFFERED": "1",
        }
        self.process: subprocess.Popen[bytes] | None = None

    def set_up(self) -> str:
        """Creates the practice, its clinician and the clinician's device; returns the device token."""
        self.command("init", "--practice", "Riverside", "--timezone", "America/New_York", "--admin", ADMIN)
        self.command(
            "user", "add", "--email", CLINICIAN, "--name", "Robin Doe", "--role", "clinician", "--credential", "MD"
        )
        return self.command("device", "add", "--clinician", CLINICIAN, "--name", "browser").strip()

    def command(self, *words: str) -> str:
        """What one command prints on standard output; an error of its own words when it refuses."""
        done = subprocess.run(
            [sys.executable, "-m", "backend", *words], env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def start(self) -> None:
        """Starts the server and returns once it says that it is ready."""
        with self.log.open("ab") as log:
            self.process = start_group(
                [sys.executable, "-m", "backend", "serve", "--port", str(self.port)],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self._ready, seconds=60, what="the server ready")

    def kill(self) -> None:
        """kill -9 of the server's whole process group."""
        assert self.process is not None
        end_group(self.process, signal.SIGKILL)
        self.process = None

    def stop(self) -> None:
        """Asks the server to end, as a service manager does, and kills what is left of its group."""
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(timeout=30)
        end_group(self.process, signal.SIGKILL)
        self.process = None

    def key_file(self) -> Path:
        """Where `init` put the database's key."""
        [key_file] = (Path(self.environment["XDG_CONFIG_HOME"]) / "threadtime").glob("*.key")
        return key_file

    def intervals(self) -> list[dict[str, Any]]:
        """Every stored interval."""
        return [json.loads(line) for line in self.command("export", "intervals").splitlines()]

    def report(self) -> list[dict[str, Any]]:
        """The manager's report over all time."""
        return json.loads(self.command("report", "--from", "2000-01-01", "--to", "2099-12-31", "--format", "json"))

    def seconds_by_thread(self) -> dict[str, int]:
        """The report's counted seconds of every thread."""
        totals: dict[str, int] = {}
        for row in self.report():
            for one in row["threads"]:
                totals[one["thread"]] = totals.get(one["thread"], 0) + one["seconds"]
        return totals

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.log.read_text()}"
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
