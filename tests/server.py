"""A practice on a real `serve` process over a real database file, worked through commands and HTTP as its users do."""

from __future__ import annotations

import copy
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from backend.store import postgresql
from backend.store.connection import Connection, connect
from backend.store.folder import database_path
from tests.browser import end_group, start_group, until

ADMIN = "admin@practice.example"
CLINICIAN = "doctor@practice.example"
PASSWORD = "correct horse battery staple"


class Server:
    """One practice with one clinician in a folder of its own; `port` is where its server listens while it runs."""

    program: tuple[str, ...] = ("-m", "backend")
    """What runs it: a measurement may alter the program first."""

    def __init__(self, folder: Path, database: str | None = None) -> None:
        self.database = database
        self.data = folder / "data"
        self.log = folder / "server.log"
        self.port = free_port()
        self.environment = {
            **os.environ,
            "THREADTIME_DATA": str(self.data),
            "THREADTIME_ADMIN_PASSWORD": PASSWORD,
            "THREADTIME_USER_PASSWORD": PASSWORD,
            "XDG_CONFIG_HOME": str(folder / "config"),
            "PYTHONUNBUFFERED": "1",
        }
        for name in ("THREADTIME_KEY_FILE", "THREADTIME_DATABASE"):
            self.environment.pop(name, None)
        if database is not None:
            self.environment["THREADTIME_DATABASE"] = database
        self.process: subprocess.Popen[bytes] | None = None
        self.token = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def beside(self) -> Server:
        """Another server of the same practice and data folder, on a port of its own."""
        other = copy.copy(self)
        other.port, other.process = free_port(), None
        other.log = self.log.with_name(f"server-{other.port}.log")
        return other

    def live(self, offset: str) -> None:
        """What starts from now on lives at another time, such as `-3d`; `+0`: now. A running server goes with it."""
        at = self.data.parent / "offset"
        at.write_text(offset)
        [library, *_] = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.environment |= {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(at),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    # Commands, as a person types them.

    def set_up(self) -> None:
        """Creates the practice, its clinician and the clinician's device, whose token is `token`."""
        self.command("init", "--practice", "Riverside", "--timezone", "America/New_York", "--admin", ADMIN)
        self.add_user(CLINICIAN, "clinician", "--credential", "MD")
        self.token = self.add_device(CLINICIAN)

    def add_user(self, email: str, role: str, *more: str) -> None:
        self.command("user", "add", "--email", email, "--name", "Robin Doe", "--role", role, *more)

    def add_device(self, email: str) -> str:
        """The token of a new device of this clinician."""
        return self.command("device", "add", "--clinician", email, "--name", "browser").strip()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, however it ends."""
        command = [sys.executable, *self.program, *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=120)

    def command(self, *words: str) -> str:
        """What one command that is done prints on standard output."""
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def stored(self) -> list[dict[str, Any]]:
        """Every stored interval, as `export intervals` prints it."""
        return [json.loads(line) for line in self.command("export", "intervals").splitlines()]

    def report(self) -> list[dict[str, Any]]:
        """The manager's report over all time."""
        return json.loads(self.command("report", "--from", "2000-01-01", "--to", "2099-12-31", "--format", "json"))

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows straight from the database, which may be in use: what no command prints."""
        if self.database is not None:
            server = postgresql.connect(self.database)
            try:
                return [dict(found) for found in server.execute(sql)]
            finally:
                server.close()
        with self.file(read_only=True) as connection:
            return [dict(found) for found in connection.execute(sql)]

    @contextmanager
    def file(self, *, read_only: bool = False) -> Iterator[Connection]:
        """A connection of another program to the database file, beside the server's."""
        key = next((self.data.parent / "config" / "threadtime").glob("*.key")).read_bytes()
        connection = connect(database_path(self.data), key, read_only=read_only)
        try:
            yield connection
        finally:
            connection.close()

    # The process.

    def start(self, *options: str) -> None:
        """Starts the server and returns once it says that it is ready."""
        with self.log.open("ab") as log:
            self.process = start_group(
                [sys.executable, *self.program, "serve", "--port", str(self.port), *options],
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self.is_ready, seconds=60, what="the server ready")

    def is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended: {self.log.read_text()}"
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def kill(self) -> None:
        """kill -9 of the server's process group; nothing of it may be left."""
        assert self.process is not None
        group = members_of(self.process.pid)
        end_group(self.process, signal.SIGKILL)
        self.process = None
        _, alive = psutil.wait_procs(group, timeout=10)
        assert not alive, f"the server left {alive}"

    def stop(self) -> None:
        """Asks the server to end, as a service manager does; it must do so by itself, with nothing left behind."""
        if self.process is None:
            return
        process, self.process = self.process, None
        group = members_of(process.pid)
        process.terminate()
        try:
            assert process.wait(timeout=30) == 0, self.log.read_text()
            _, alive = psutil.wait_procs(group, timeout=5)
            assert not alive, f"the server left {alive}"
        finally:
            end_group(process, signal.SIGKILL)

    def log_lines(self) -> list[dict[str, Any]]:
        """What the server logged so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    # Requests.

    def signed_in(self) -> requests.Session:
        """A browser in which the manager is signed in."""
        browser = requests.Session()
        page = browser.get(f"{self.url}/sign-in", timeout=60).text
        found = re.search(r'name="form_token" value="([^"]+)"', page)
        assert found is not None
        form = {"email": ADMIN, "password": PASSWORD, "form_token": found[1]}
        answer = browser.post(f"{self.url}/sign-in", data=form, headers={"Origin": self.url}, timeout=60)
        assert answer.status_code == 200, answer.text
        return browser

    def post(self, *rows: object, token: str | None = None, sent_at: int | None = None) -> requests.Response:
        """Sends rows as a device does."""
        body = {"sent_at": now() if sent_at is None else sent_at, "intervals": list(rows)}
        return self.send(json.dumps(body).encode(), token=token)

    def say(self, kind: str, *rows: object, token: str | None = None) -> requests.Response:
        """Says facts of one kind."""
        return self.send(json.dumps({"facts": list(rows)}).encode(), token=token, to=f"/api/v1/facts/{kind}")

    def send(
        self, body: Any, *, token: str | None = None, to: str = "/api/v1/intervals", **headers: str | None
    ) -> requests.Response:
        """Sends a body of any kind; `Content_Type="text/plain"` changes a header, None leaves it out."""
        named = {
            "Authorization": f"Bearer {self.token if token is None else token}",
            "Content-Type": "application/json",
            "Threadtime-Protocol": "1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        sent = {name: value for name, value in named.items() if value is not None}
        return requests.post(self.url + to, data=body, headers=sent, timeout=60)


def members_of(group: int) -> list[psutil.Process]:
    """The processes of a process group."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group:
                found.append(process)
        except ProcessLookupError:
            continue  # ended meanwhile
    return found


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def uuid7(at: int | None = None) -> str:
    """A new UUIDv7 of a moment, in lower case."""
    noise = f"7{secrets.randbits(12):03x}{8 | secrets.randbits(2):x}{secrets.randbits(60):015x}"
    text = f"{now() if at is None else at:012x}{noise}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def row(**changes: object) -> dict[str, Any]:
    """A row that a device could send: one minute, an hour ago, with a new id. A change to ... leaves the field out."""
    started_at = now() - 3_600_000
    whole = {
        "id": uuid7(),
        "portal": "medplum",
        "thread": "thr-aaaa-0001",
        "patient": "123",
        "activity": "review_inquiry",
        "started_at": started_at,
        "ended_at": started_at + 60_000,
        "ended_by": "hidden",
        "idle_after_seconds": 60,
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not ...}
