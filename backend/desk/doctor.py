"""Whether this machine and a data folder are fit to serve: one finding for each thing looked at, and what to do."""

import errno
import shutil
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from backend.config import Config
from backend.errors import ThreadtimeError
from backend.store import integrity, intervals, schema
from backend.store.connection import Connection, DatabaseError, connect, refuse_old_driver
from backend.store.folder import (
    database_path,
    holds_database,
    is_data_folder,
    is_served,
    lock_open,
    refuse_missing_database,
)
from backend.store.keys import audit_path_of, coming_path, key_path, read_key_file, refuse_inside
from backend.store.rotation import Opens, key_state

if TYPE_CHECKING:
    from backend.store.server_state import ServerState

OLDEST_PYTHON = (3, 11)
SPARE_BYTES = 256 * 1024 * 1024
CLOCK_SLACK_MS = 120_000
MOUNTS = Path("/proc/self/mountinfo")
NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "gluster", "lustre", "fuse.")
"""What the names of file systems on other machines begin with; a lock or a log may not hold there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    about: str
    state: Literal["ok", "problem", "unknown"]
    text: str
    """What was found, and what to do about a problem."""


def examine(config: Config, *, now: int) -> Iterator[Finding]:
    """Looks at everything and changes no row, beside a running server too."""
    yield _looked("Python", _python)
    yield _looked("database driver", _driver)
    if config.database is not None:
        yield from _on_server(config, config.database, now)
        yield _looked("port", lambda: _port(config))
        return
    data = config.data
    if not is_data_folder(data):
        yield Finding("data folder", "problem", f"there is none at {data}: create one with init, or say --data")
    else:
        yield _looked("data folder", lambda: _folder(data))
        yield _file_system(data)
        yield _looked("disk", lambda: _disk(data))
        path = key_path(data, config.key_file)
        yield _looked("key", lambda: _key(data, path, "key recover"))
        yield _looked("audit key", lambda: _key(data, audit_path_of(path), "key recover --audit"))
        yield from _database(data, path, now)
        yield _looked("server", lambda: _server(data))
    yield _looked("port", lambda: _port(config))


def _on_server(config: Config, url: str, now: int) -> Iterator[Finding]:
    """The same where PostgreSQL keeps the database: the folder holds little, and the server says how it keeps it."""
    data = config.data
    if not is_data_folder(data):
        yield Finding("data folder", "problem", f"there is none at {data}: create one with init, or say --data")
    else:
        yield _looked("data folder", lambda: _folder(data))
        path = audit_path_of(key_path(data, config.key_file))
        yield _looked("audit key", lambda: _key(data, path, "key recover --audit"))
    states: list[ServerState] = []
    yield _looked("database", lambda: _server_answers(url, states))
    if not states:
        return
    [state] = states
    yield _looked("durability", lambda: _durability(state))
    yield Finding(
        "encryption at rest",
        "unknown",
        "PostgreSQL keeps its files as readable as their disk is: see that it is encrypted, and the backups too",
    )
    yield _looked("schema", lambda: _begun(state))
    yield _looked("clock", lambda: _clock(state.newest_received_at, now))


def _server_answers(url: str, states: "list[ServerState]") -> str:
    from backend.store.server_state import look

    state = look(url)
    states.append(state)
    way = "over TLS" if state.encrypted_way else "on this machine"
    return f"PostgreSQL {state.version} answers, {way}"


def _durability(state: "ServerState") -> str:
    if state.risks:
        raise _ProblemError(f"{' and '.join(state.risks)} in PostgreSQL: a crash may lose what was acknowledged")
    return "a commit is on disk when it returns" + ("" if state.checksums else "; its pages have no checksums")


def _begun(state: "ServerState") -> str:
    if not state.begun:
        raise _ProblemError("there is no practice in it: begin one with init")
    return _versions(bool(state.pending))


class _ProblemError(Exception):
    """What a look found to be wrong, as the finding's text."""


def _looked(about: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(about, "ok", look())
    except _ProblemError as problem:
        return Finding(about, "problem", str(problem))
    except ThreadtimeError as refused:
        return Finding(about, "problem", refused.message)
    except (DatabaseError, OSError) as failed:
        return Finding(about, "problem", f"cannot be looked at: {failed}")


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < OLDEST_PYTHON:
        raise _ProblemError(f"{version}: install Python {'.'.join(map(str, OLDEST_PYTHON))} or later")
    return version


def _driver() -> str:
    return f"sqlcipher3 with SQLite {refuse_old_driver()}"


def _folder(data: Path) -> str:
    mode = stat.S_IMODE(data.stat().st_mode)
    if mode & 0o077:
        raise _ProblemError(f"{data} has mode {mode:04o}, so others may look into it: chmod 700 it")
    return f"{data.resolve()}, for its owner alone"


def _file_system(data: Path) -> Finding:
    kind = _kind_of_mount(data.resolve())
    if kind is None:
        return Finding("file system", "unknown", "this system does not say whether the data folder is on its own disk")
    if kind.startswith(NETWORK):
        advice = "move the data folder to a disk of this machine, for locks and logs may not hold here"
        return Finding("file system", "problem", f"{kind} is on another machine: {advice}")
    return Finding("file system", "ok", f"{kind}, on this machine")


def _kind_of_mount(path: Path) -> str | None:
    """The kind of the file system that `path` lies on, as Linux tells it."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    found = (Path(), "")
    for line in lines:
        mount, _, kind = line.partition(" - ")
        at = Path(mount.split(" ")[4].replace("\\040", " "))
        if path.is_relative_to(at) and len(at.parts) >= len(found[0].parts):  # of two on one place the later hides one
            found = (at, kind.split(" ")[0])
    return found[1] or None


def _disk(data: Path) -> str:
    free = shutil.disk_usage(data).free
    database = database_path(data)
    needed = SPARE_BYTES + (database.stat().st_size if database.exists() else 0)
    text = f"{_mb(free)} free"
    if free < needed:
        raise _ProblemError(f"{text}: make room for {_mb(needed)}, which a key rotation or a restore takes")
    return text


def _mb(size: int) -> str:
    return f"{size // 1_000_000:,} MB"


def _key(data: Path, path: Path, recover: str) -> str:
    refuse_inside(data, path)
    if not path.exists():
        raise _ProblemError(f"there is none at {path}: put it back, or make it of its recovery line with {recover}")
    read_key_file(path)
    return f"{path}, for its owner alone"


def _database(data: Path, path: Path, now: int) -> Iterator[Finding]:
    """Whether the key opens it, and what can then be read in it; nobody restores it or rotates its key meanwhile."""
    try:
        held = lock_open(data)
    except ThreadtimeError as refused:
        yield Finding("database", "unknown", refused.message)
        return
    except OSError as failed:
        yield Finding("database", "problem", f"the data folder cannot be written to ({failed.strerror})")
        return
    with held:
        yield from _contents(data, path, now)


def _contents(data: Path, path: Path, now: int) -> Iterator[Finding]:
    yield _looked("database", lambda: _opens(data, path))
    connection = _connected(data, path) if holds_database(data) else None
    if connection is None:
        for about in ("schema", "integrity", "clock"):
            yield Finding(about, "unknown", "not looked at, for the database cannot be opened")
        return
    try:
        yield _looked("schema", lambda: _schema(connection))
        yield (whole := _looked("integrity", lambda: _integrity(connection)))
        if whole.state == "ok":
            yield _looked("clock", lambda: _clock(intervals.newest_received_at(connection), now))
        else:
            yield Finding("clock", "unknown", "not compared with what is stored, for that is damaged")
    finally:
        connection.close()


def _opens(data: Path, path: Path) -> str:
    refuse_missing_database(data)
    try:
        state, at = key_state(data, path)
    except DatabaseError as error:
        raise _ProblemError(f"it is damaged ({error}): restore a backup, and keep this folder") from None
    if state is Opens.COMING:
        raise _ProblemError(f"a key rotation was cut short; {at} opens it: finish it with key rotate")
    if state is Opens.EARLIER:
        raise _ProblemError(f"an earlier key opens it, {at}, and not {path}: put that one in its place")
    if state is Opens.NONE:
        raise _ProblemError(
            f"no key opens it: {path} is missing or of another data folder, or the file's beginning is damaged; put "
            "the key back, or restore a backup"
        )
    if coming_path(path).exists():
        raise _ProblemError(f"a key rotation was cut short; {path} still opens it: finish it with key rotate")
    return "the key opens it"


def _connected(data: Path, path: Path) -> Connection | None:
    try:
        state, at = key_state(data, path)
        return None if state is Opens.NONE else connect(database_path(data), read_key_file(at))
    except (ThreadtimeError, DatabaseError):
        return None  # the finding about the database has said why


def _schema(connection: Connection) -> str:
    schema.refuse_newer(connection)
    return _versions(schema.is_older(connection))


def _versions(older: bool) -> str:
    if older:
        return "of an earlier version; the next start brings it up to date"
    return "this version's"


def _integrity(connection: Connection) -> str:
    if found := integrity.problems(connection):
        more = f" ({len(found) - 1} more: see verify)" if len(found) > 1 else ""
        raise _ProblemError(f"{found[0]}{more} Restore a backup, and keep this folder")
    return "every page and every row is whole"


def _clock(newest: int | None, now: int) -> str:
    text = f"{_instant(now)} UTC"
    if newest is not None and newest > now + CLOCK_SLACK_MS:
        raise _ProblemError(
            f"{text}, which is before the latest interval came ({_instant(newest)}): set this machine's clock"
        )
    return text


def _instant(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _server(data: Path) -> str:
    return "one serves this folder now" if is_served(data) else "none serves this folder now"


def _port(config: Config) -> str:
    if config.port == 0:
        return "any that is free"
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1" if config.host == "localhost" else config.host, config.port))
        except OSError as failed:
            if failed.errno == errno.EADDRINUSE and is_served(config.data):
                return f"{config.port} is in use, as it is while a server runs"
            if failed.errno == errno.EADDRINUSE:
                text = f"{config.port} is in use by another program: end it, or serve on another --port"
                raise _ProblemError(text) from None
            raise _ProblemError(f"{config.port} cannot be used: {failed.strerror}") from None
    return f"{config.port} is free"
