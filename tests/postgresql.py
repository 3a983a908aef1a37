"""A PostgreSQL of the tests' own: a cluster in a temporary folder, reached by a Unix socket, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg

SYSTEM_USER = "postgres"
"""Who runs it where the tests are run by root, for whom it would not start."""
ROLE = "threadtime"
"""Who owns the databases: no superuser, as in a practice."""


def program(name: str) -> Path:
    """One of PostgreSQL's programs, of the newest version that is installed; an error names what is missing."""
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = beside[-1] if beside else shutil.which(name)
    assert found, f"PostgreSQL's {name} is not installed: run tests/machine"
    return Path(found)


class Cluster:
    """`durable`: whether it survives a power cut, as one of a practice must; without, tests are faster."""

    def __init__(self, *, durable: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tt-pg-"))
        self.made = 0
        self._process: subprocess.Popen[bytes] | None = None
        as_root = os.geteuid() == 0
        self._who = {"user": SYSTEM_USER, "group": SYSTEM_USER, "extra_groups": []} if as_root else {}
        self._superuser = SYSTEM_USER if as_root else pwd.getpwuid(os.geteuid()).pw_name
        if as_root:
            shutil.chown(self.folder, SYSTEM_USER, SYSTEM_USER)
        self._data = self.folder / "data"
        subprocess.run(
            [program("initdb"), "-D", self._data, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
            check=True,
            capture_output=True,
            cwd="/",
            **self._who,
        )
        self._settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "log_min_messages": "fatal",
        }
        if not durable:
            self._settings |= {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        self.start()
        with self.superuser() as connection:
            connection.execute(f"CREATE ROLE {ROLE} LOGIN CREATEDB")

    def start(self) -> None:
        """Starts it, after `kill` too; returns once it takes connections."""
        command = [str(program("postgres")), "-D", str(self._data)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **self._who
        )
        ready = [program("pg_isready"), "-q", "-h", self.folder, "-d", "postgres", "-t", "1"]
        while subprocess.run(ready, check=False).returncode:
            assert self._process.poll() is None, "PostgreSQL ended"

    def kill(self) -> None:
        """As a crash would end it: no process of it lives on, nothing is finished."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # so that it starts nothing while its processes are looked up
        every = [*psutil.Process(self._process.pid).children(recursive=True), psutil.Process(self._process.pid)]
        for process in every:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        _, alive = psutil.wait_procs(every, timeout=10)
        assert not alive

    def stop(self) -> None:
        """Ends it and removes the folder."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder)

    def url(self, database: str, user: str = ROLE) -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    @contextmanager
    def superuser(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        with psycopg.connect(self.url(database, self._superuser), autocommit=True) as connection:
            yield connection

    def create(self, *, template: str = "template0") -> str:
        """The name of a new database."""
        self.made += 1
        name = f"practice_{self.made}"
        with self.superuser() as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {ROLE} STRATEGY file_copy")
        return name

    def drop(self, name: str) -> None:
        with self.superuser() as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
