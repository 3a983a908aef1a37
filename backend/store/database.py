"""One store: the encrypted database file of a data folder, its single writer, and readers.

Whatever changes a row goes through `write`; whatever only looks goes through `read`.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from backend.audit import SERVER
from backend.errors import Busy, CannotStart, NoDataFolder, WrongKey
from backend.store import audit as chains
from backend.store.audit import Audit
from backend.store.connection import Connection, DatabaseError, connect
from backend.store.folder import FolderLock, database_path, folder_id, lock_open, migration_lock
from backend.store.heads import head_path
from backend.store.keys import audit_key_path, create_audit_key, read_audit_key, read_key
from backend.store.schema import migrate
from backend.store.writer import RETRY_AFTER_SECONDS, StoreClosed, Writer

__all__ = ["Connection", "Store", "open_folder", "open_store"]

Result = TypeVar("Result")

SOON_LIMIT = 10_000
"""How many works may wait to be written soon."""


class Store:
    """Safe for many threads; made by `open_folder`. `audit` adds entries inside a unit of work."""

    def __init__(self, path: Path, key: bytes, audit: Audit, queue_limit: int, held: FolderLock) -> None:
        self.path = path
        self.audit = audit
        self._held = held
        self._key = key
        self._closed = False
        self._soon: list[Callable[[Connection], object]] = []
        self._local = threading.local()
        self._lock = threading.Lock()
        self._readers: list[Connection] = []
        self._writer = Writer(connect(path, key), queue_limit)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """Runs `work` on the writer's thread in its own savepoint; returns its result after COMMIT.

        Raises what `work` raised (nothing of it is kept), or Busy when the queue is full. `work` may run twice: when
        the group it travelled in could not be committed, it runs again by itself; so it changes nothing but the
        database. It must not call `write`.
        """
        return self._writer.submit(work)

    def write_soon(self, work: Callable[[Connection], object]) -> None:
        """Keeps `work` for the next `write_waiting`, for what must not slow whoever asked; `close` writes it at last.

        Busy when that much waits: nothing is dropped.
        """
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            if len(self._soon) >= SOON_LIMIT:
                raise Busy("The server cannot keep its audit at this moment.", retry_after_seconds=RETRY_AFTER_SECONDS)
            self._soon.append(work)

    def write_waiting(self) -> None:
        """Writes in one unit of work what was to be written soon; what cannot be written now goes on waiting."""
        with self._lock:
            waiting, self._soon = self._soon, []
        if not waiting:
            return
        try:
            self.write(lambda connection: _each(waiting, connection))
        except BaseException:
            with self._lock:
                self._soon = waiting + self._soon
            raise

    def move_audit_heads(self) -> list[int]:
        """Writes where the audit ends beside its key; returns the practices where it does not hold what stood there."""
        if self.audit.heads is None:
            return []
        with self.read() as connection:
            return self.audit.move_heads(connection)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database, the same from its first to its last query."""
        if getattr(self._local, "open", False):
            raise RuntimeError("this thread reads already: pass its connection on")
        connection = self._reader()
        self._local.open = True
        try:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("ROLLBACK")
        finally:
            self._local.open = False

    def close(self) -> None:
        """Finishes what is queued, writes the audit's heads, closes every connection; a later `write` raises."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            waiting, self._soon = self._soon, []
        self._writer.stop(lambda connection: _each(waiting, connection))
        try:
            with suppress(DatabaseError):  # of a damaged database the old head stays; verify says what is damaged
                self.move_audit_heads()
        finally:
            with self._lock:
                for connection in self._readers:
                    connection.close()
                self._readers.clear()
            self._held.release()

    def _reader(self) -> Connection:
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(self.path, self._key, read_only=True)
            self._local.connection = connection
            with self._lock:
                self._readers.append(connection)
        return connection


def open_folder(data: Path, key_file: Path | None = None, *, queue_limit: int = 256, now: int) -> Store:
    """Opens a data folder with the keys that lie outside it; commands and the server do it this way.

    A folder from before there was an audit gets the audit's key, and each practice an entry that says where its audit
    begins. NoDataFolder: nobody has created one. WrongKey: a key is missing or does not fit. FolderInUse: it is being
    restored, or its key rotated. CannotStart: the driver is too old, the database newer than the program, or damaged.
    """

    def kept_audit(connection: Connection) -> Audit:
        path = audit_key_path(data, key_file)
        if not path.exists():
            if head_path(path).exists() or not chains.is_empty(connection):
                raise WrongKey(f"The audit's key {path} is missing: put it back from its copy.")
            create_audit_key(data, key_file)
        return Audit(read_audit_key(data, key_file), path)

    store = _open(data, read_key(data, key_file), kept_audit, queue_limit)
    try:
        if _lacks_audit(store):
            store.write(lambda connection: _begin_audit(connection, store.audit, now))
            store.move_audit_heads()
    except BaseException:
        store.close()
        raise
    return store


def open_store(data: Path, key: bytes, *, queue_limit: int = 256) -> Store:
    """The store of a folder whose keys lie nowhere: its audit's key comes from the database key, and it has no head.

    For tests and measurements; errors as of `open_folder`.
    """
    return _open(data, key, lambda _: Audit(hashlib.sha256(b"audit" + key).digest()), queue_limit)


def _open(data: Path, key: bytes, audit: Callable[[Connection], Audit], queue_limit: int) -> Store:
    """Brings the schema up to date and finds the audit's key, both under the folder's lock; starts the writer."""
    folder_id(data)
    path = database_path(data)
    if not path.parent.is_dir():
        raise NoDataFolder(f"There is no data folder at {data}: create one with init.")
    held = lock_open(data)
    try:
        kept = _bring_up_to_date(data, path, key, audit)
        path.chmod(0o600)
        return Store(path, key, kept, queue_limit, held)
    except BaseException as error:
        held.release()
        if isinstance(error, DatabaseError):
            raise CannotStart(f"The database {path} cannot be used: {error}; doctor says more.") from error
        raise


def _bring_up_to_date(data: Path, path: Path, key: bytes, audit: Callable[[Connection], Audit]) -> Audit:
    with migration_lock(data):
        connection = connect(path, key)
        try:
            migrate(connection)
            return audit(connection)
        finally:
            connection.close()


def _lacks_audit(store: Store) -> bool:
    try:
        with store.read() as connection:
            return bool(chains.not_begun(connection))
    except DatabaseError:
        return False  # a damaged database is opened all the same, for verify to say what is damaged


def _each(works: Iterable[Callable[[Connection], object]], connection: Connection) -> None:
    for work in works:
        work(connection)


def _begin_audit(connection: Connection, audit: Audit, now: int) -> None:
    for practice_id in chains.not_begun(connection):
        audit.add(
            connection, practice_id, at=now, actor=SERVER, action="audit_begun", subject=("practice", str(practice_id))
        )
