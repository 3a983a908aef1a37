"""What the store's queries need of a database connection, and how one to the encrypted file is opened.

One driver for the file (docs/decisions/003): sqlcipher3 brings its own SQLite, so the version is known and the file is
encrypted from its first byte. Errors of the driver are its own classes, not the standard library's; they are named here
once, and PostgreSQL's (postgresql.py) are raised as the same ones.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from sqlcipher3 import dbapi2

from backend.errors import CannotStart, WrongKey

DatabaseError: type[Exception] = dbapi2.DatabaseError
IntegrityError: type[Exception] = dbapi2.IntegrityError
OperationalError: type[Exception] = dbapi2.OperationalError


class Interrupted(dbapi2.OperationalError):  # type: ignore[misc]
    """Nothing of the transaction was kept, and the same again may succeed: two of them stood in each other's way."""


class ConnectionLost(Interrupted):
    """The database server, or the way to it, went away; what was not yet committed is not kept."""


BUSY_TIMEOUT_MS = 30_000
"""How long one process waits for another's write transaction (a command beside the running server)."""
OLDEST_SQLITE = (3, 53, 0)
"""Earlier ones can corrupt the file on a WAL reset race."""
OLDEST_SQLITE_TEXT = ".".join(map(str, OLDEST_SQLITE))

Parameters = Sequence[Any] | Mapping[str, Any]


class Cursor(Protocol):
    @property
    def rowcount(self) -> int: ...
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
    refuse_old_driver()
    connection: Connection = dbapi2.connect(str(path), isolation_level=None, check_same_thread=False)
    try:
        _give_key(connection, key)
        _refuse_wrong_key(connection, path)
        for pragma, value, holds in (
            ("busy_timeout", BUSY_TIMEOUT_MS, BUSY_TIMEOUT_MS),
            ("journal_mode", "WAL", "wal"),
            ("synchronous", "FULL", 2),
            ("foreign_keys", "ON", 1),
            ("secure_delete", "ON", 1),  # what is removed is overwritten, not only forgotten
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


def refuse_old_driver() -> str:
    """The version of the driver's SQLite; CannotStart when it is too old."""
    version = str(dbapi2.sqlite_version)
    if tuple(dbapi2.sqlite_version_info) < OLDEST_SQLITE:
        raise CannotStart(f"The database driver brings SQLite {version}; {OLDEST_SQLITE_TEXT} or later is needed.")
    return version


def connect_unchanging(path: Path, key: bytes) -> Connection:
    """A connection to a file that nobody changes meanwhile; nothing beside it is read or made. WrongKey as above."""
    refuse_old_driver()
    address = f"{path.absolute().as_uri()}?immutable=1&mode=ro"
    connection: Connection = dbapi2.connect(address, uri=True, isolation_level=None)
    try:
        _give_key(connection, key)
        _refuse_wrong_key(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def opens(path: Path, key: bytes) -> bool:
    """Whether the key opens the database at `path`, which is there; what waits in its log counts."""
    try:
        connect(path, key).close()
    except WrongKey:
        return False
    return True


def rekey(path: Path, key: bytes, new: bytes) -> None:
    """Encrypts the database anew, in one transaction: until its commit the old key opens it, from then on the new one.

    Nobody else may have it open. CannotStart: the disk is full, or the file damaged; the old key stays.
    """
    connection = connect(path, key)
    try:
        # Which key opens the database says what became of it: an error is about something else, or comes not at all.
        with suppress(DatabaseError):
            connection.execute(f"PRAGMA rekey = \"x'{new.hex()}'\"")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # nothing under the old key stays on the disk
    finally:
        connection.close()
    if not opens(path, new):
        raise CannotStart(
            f"The database {path} could not be encrypted anew, and its key stays: the disk is full or the file is "
            "damaged; doctor says more."
        )


def _give_key(connection: Connection, key: bytes) -> None:
    connection.row_factory = dbapi2.Row  # type: ignore[attr-defined]
    connection.execute("PRAGMA cipher_log_level = NONE")  # it writes to standard error; what fails raises
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")


def _refuse_wrong_key(connection: Connection, path: Path) -> None:
    """The first read shows whether the key fits."""
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except DatabaseError as error:
        if "not a database" in str(error):
            raise WrongKey(
                f"The key does not open the database {path}: it belongs to another data folder, or the file's "
                "beginning is damaged; doctor says more."
            ) from None
        raise
