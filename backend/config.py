"""Every setting of the server: its name in the environment, its default, what it means and in which unit.

Settings of a practice (N, time zone, the defaults D1-D20) are data of that practice, not of the server.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    data: Path = Path("data")
    """THREADTIME_DATA: the folder that holds the database."""
    key_file: Path | None = None
    """THREADTIME_KEY_FILE: 32 raw bytes, mode 0600; without it the file `threadtime/<id of the data folder>.key` under
    the user's configuration folder (XDG_CONFIG_HOME)."""
    database: str | None = None
    """THREADTIME_DATABASE: the address of a PostgreSQL database, postgresql://..., that serves instead of a file in the
    data folder; several servers may share one."""
    host: str = "127.0.0.1"
    port: int = 8765
    behind_proxy: bool = False
    """True: a TLS proxy on this machine stands in front; cookies are Secure, its X-Forwarded-* headers are believed."""
    queue_limit: int = 256
    """How many units of work may wait for the writer before a request is answered 503."""
    session_idle_seconds: int = 15 * 60
    session_absolute_seconds: int = 12 * 3600
    sign_in_tries_per_minute: int = 10
    """Sign-in attempts a minute from one address before 429."""
    pairing_tries_per_minute: int = 10
    """Pairings begun, and codes typed, a minute from one address before 429."""


def from_environment() -> Config:
    """The defaults, with what the environment says instead."""
    config = Config()
    if data := os.environ.get("THREADTIME_DATA"):
        config = replace(config, data=Path(data))
    if key_file := os.environ.get("THREADTIME_KEY_FILE"):
        config = replace(config, key_file=Path(key_file))
    if database := os.environ.get("THREADTIME_DATABASE"):
        config = replace(config, database=database)
    return config
