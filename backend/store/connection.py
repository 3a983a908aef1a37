"""What the store's queries need of a database connection, and how one to the encrypted file is opened.

One driver (docs/decisions/003): sqlcipher3 brings its own SQLite, so the version is known and the file is encrypted
from its first byte. Errors of the driver are its own classes, not the standard library's; they are named here once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from sqlcipher3 import dbapi2

from backend.errors import CannotStart, WrongKey

DatabaseError: type[Exception] = dbapi2.DatabaseError
IntegrityError: type[Exception] = dbapi2.IntegrityError
OperationalError: type[Exception] = dbapi2.OperationalError

BUSY_TIMEOUT_MS = 30_000
"""How long one process waits for another's write transaction (a command beside the running server)."""
OLDEST_SQLITE = (3, 53, 0)
"""Earlier ones can corrupt the file on a WAL reset race."""
OLDEST_SQLITE_TEXT = ".".join(map(str, OLDEST_SQLITE))

Parameters = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    rowcount: int

    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Rows can be read by column name; no transaction is opened or ended behind the caller's back."""

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor: ...
    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor: ...
    def close(self) -> None: ...


def connect(path: Path, key: bytes, *, read_only: bool = False) -> Connection:
    """A connection to the database at `path`, made if it is not there, encrypted with the raw 32-byte `key`.

    WAL, synchronous=FULL and foreign_keys=ON are properties of each connection and are read back. CannotStart: the
    driver's SQLite is too old or a property did not hold. WrongKey: the file is not one that this key opens.
    """
    if tuple(dbapi2.sqlite_version_info) < OLDEST_SQLITE:
        raise CannotStart(
            f"The database driver brings SQLite {dbapi2.sqlite_version}; {OLDEST_SQLITE_TEXT} or later is needed."
        )
    connection: Connection = dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = dbapi2.Row  # type: ignore[attr-defined]
        connection.execute("PRAGMA cipher_log_level = NONE")  # it writes to standard error; what fails raises
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        _refuse_wrong_key(connection, path)
        for pragma, value, holds in (
            ("busy_timeout", BUSY_TIMEOUT_MS, BUSY_TIMEOUT_MS),
            ("journal_mode", "WAL", "wal"),
            ("synchronous", "FULL", 2),
            ("foreign_keys", "ON", 1),
            ("temp_store", "MEMORY", 2),  # nothing of the database in a plain temporary file
        ):
            connection.execute(f"PRAGMA {pragma} = {value}")
            if (found := connection.execute(f"PRAGMA {pragma}").fetchone()[0]) != holds:
                raise CannotStart(f"The database does not keep {pragma} = {value} (it says {found}).")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _refuse_wrong_key(connection: Connection, path: Path) -> None:
    """The first read shows whether the key fits."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except DatabaseError as error:
        if "not a database" in str(error):
            raise WrongKey(f"The key does not open the database {path}: it belongs to another data folder.") from None
        raise
