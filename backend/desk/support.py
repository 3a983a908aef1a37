"""What somebody who helps from outside may see: how an installation is made and how it does, nothing of anybody."""

import platform
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import distributions
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import orjson

from backend.config import Config
from backend.desk.doctor import examine
from backend.store import schema
from backend.store.connection import DatabaseError
from backend.store.database import Store

LOG_LINES = 2_000
_KEPT = frozenset(
    ("event", "level", "timestamp", "method", "route", "status", "ms", "id", "error", "at", "said", "logger")
)
"""What the server's log says of itself; a line or a field of anything else is left out."""
_READ_ME = """What a support bundle of Threadtime holds

doctor.txt      what `doctor` says
versions.json   the program's parts and the system's
settings.json   the server's settings, without addresses, accounts and passwords
rows.json       how many rows each table holds, and how long counting them took
metrics.txt     what a running server measured of itself, where one runs
log.jsonl       the last lines of its log, where its file was named

No row of the database is in it: no patient, thread, person, token, key or message. Look through it before you send it.
"""


def bundle(config: Config, store: Store | None, log: Path | None, *, now: int) -> Iterator[tuple[str, bytes]]:
    """The files of a bundle: (name, content). `store`: None where the database does not open; doctor says why."""
    yield "README.txt", _READ_ME.encode()
    findings = [f"{one.state:8} {one.about}: {one.text.rstrip('.')}." for one in examine(config, now=now)]
    home = str(Path.home())
    yield "doctor.txt", "".join(f"{line.replace(home, '~')}\n" for line in findings).encode()
    yield "versions.json", _json(_versions())
    yield "settings.json", _json(_settings(config))
    if store is not None:
        yield "rows.json", _json(_rows(store))
    if (metrics := _metrics(config)) is not None:
        yield "metrics.txt", metrics
    if log is not None:
        yield "log.jsonl", b"".join(_log(log.read_bytes().splitlines()[-LOG_LINES:]))


def _versions() -> dict[str, object]:
    parts = sorted((each.metadata["Name"], each.version) for each in distributions())
    return {"system": platform.platform(), "python": platform.python_version(), "packages": dict(parts)}


def _rows(store: Store) -> dict[str, object]:
    begun = time.perf_counter()
    try:
        with store.read() as connection:
            rows = schema.row_counts(connection)
    except DatabaseError:
        return {"problem": "the rows cannot be counted: see doctor.txt"}
    return {"rows": rows, "seconds": round(time.perf_counter() - begun, 3)}


def _settings(config: Config) -> dict[str, object]:
    names = ("port", "behind_proxy", "queue_limit", "session_idle_seconds", "session_absolute_seconds")
    kind = "file" if config.database is None else "PostgreSQL"
    return {**{name: getattr(config, name) for name in names}, "database": kind, "own_key_file": bool(config.key_file)}


def _metrics(config: Config) -> bytes | None:
    """What the server on this port says; None where none answers."""
    host = f"[{config.host}]" if ":" in config.host else config.host
    try:
        with urlopen(f"http://{host}:{config.port}/metrics", timeout=5) as answer:
            found: bytes = answer.read()
            return found
    except (URLError, OSError):
        return None


def _log(lines: Sequence[bytes]) -> Iterator[bytes]:
    for line in lines:
        try:
            said = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(said, dict) and "event" in said:
            yield _json({name: value for name, value in said.items() if name in _KEPT}, indent=False)


def _json(value: object, *, indent: bool = True) -> bytes:
    return orjson.dumps(value, option=(orjson.OPT_INDENT_2 if indent else 0) | orjson.OPT_APPEND_NEWLINE)
