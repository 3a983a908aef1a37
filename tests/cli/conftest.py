"""A home of its own for each test: a data folder, a configuration folder, and real processes in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.browser import end_group, start_group, until

ROOT = Path(__file__).parents[2]
ADMIN = "rosa@practice.example"
DOCTOR = "doctor@practice.example"


class Home:
    """Where one person types commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "config"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("THREADTIME_")}
        self.environment = {**kept, "XDG_CONFIG_HOME": str(self.config), "THREADTIME_DATA": str(self.data)}
        self.servers: list[subprocess.Popen[bytes]] = []

    def line(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "backend", *words]

    def run(self, *words: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
        """Runs one command to its end, without a terminal."""
        return subprocess.run(
            self.line(*words),
            input=stdin,
            capture_output=True,
            cwd=ROOT,
            env={**self.environment, **environment},
            timeout=60,
        )

    def done(self, *words: str, **keywords: Any) -> str:
        """What a command prints that has to succeed and to say nothing on standard error."""
        run = self.run(*words, **keywords)
        assert (run.returncode, run.stderr.decode()) == (0, "")
        return run.stdout.decode()

    def refused(self, *words: str, code: int = 1, **keywords: Any) -> str:
        """The one line of a command that has to refuse."""
        run = self.run(*words, **keywords)
        assert run.returncode == code
        assert b"Traceback" not in run.stderr
        lines = run.stderr.decode().splitlines()
        assert len(lines) == 1 or code == 2, lines
        return lines[-1]

    def key_files(self) -> list[Path]:
        return list((self.config / "threadtime").glob("*.key"))

    def set_up(self) -> str:
        """A practice with one doctor; the token of the doctor's device."""
        self.done("init", "--practice", "Riverside", "--timezone", "America/New_York", "--admin", ADMIN)
        self.done("user", "add", "--email", DOCTOR, "--name", "Robin Doe", "--role", "clinician", "--credential", "MD")
        return self.done("device", "add", "--clinician", DOCTOR, "--name", "desk").strip()

    def serve(self, *words: str, command: str = "serve") -> str:
        """Starts a server on a free port and returns its address once it is ready."""
        log = self.folder / f"server-{len(self.servers)}.log"
        with log.open("wb") as out:
            server = start_group(
                self.line(command, "--port", "0", *words), cwd=ROOT, env=self.environment, stdout=out, stderr=out
            )
        self.servers.append(server)

        def address() -> str | None:
            assert server.poll() is None, log.read_text()
            lines = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
            return next((line["address"] for line in lines if line.get("event") == "serving"), None)

        found = until(address, seconds=60, what="the server's address")
        until(lambda: requests.get(f"{found}/readyz", timeout=5).status_code == 200, what="the server ready")
        return str(found)

    def log(self) -> str:
        """What the last server printed."""
        return (self.folder / f"server-{len(self.servers) - 1}.log").read_text()

    def stop(self) -> None:
        for server in self.servers:
            end_group(server)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    found = Home(tmp_path)
    yield found
    found.stop()
