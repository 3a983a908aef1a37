"""One store: the encrypted database file of a data folder or a PostgreSQL server, its single writer, and readers.

Whatever changes a row goes through `write`, and a trial of it through `attempt`; whatever only looks, through `read`.
"""

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import NoReturn, cast

from backend.audit import SERVER
from backend.errors import Busy, CannotStart, NoDataFolder, WrongKey
from backend.store import audit as chains
from backend.store import schema
from backend.store.audit import Audit
from backend.store.connection import Connection, DatabaseError
from backend.store.engine import EncryptedFile, Engine, Result, connect_to_write
from backend.store.folder import FolderLock, database_path, folder_id, lock_open, migration_lock
from backend.store.folder import refuse_missing_database as refuse_missing_file
from backend.store.heads import head_path
from backend.store.keys import audit_key_path, create_audit_key, read_audit_key, read_key
from backend.store.writer import RETRY_AFTER_SECONDS, StoreClosed, Writer

__all__ = ["Connection", "Store", "open_folder", "open_store"]

SOON_LIMIT = 10_000
"""How many works may wait to be written soon."""


class _TakenBack(Exception):
    """Ends an attempt's unit of work, so that the writer takes it back; it did not fail."""

    def __init__(self, result: object) -> None:
        super().__init__()
        self.result = result


class Store:
    """Safe for many threads; made by `open_folder`. `audit` adds entries inside a unit of work."""

    def __init__(self, engine: Engine, audit: Audit, queue_limit: int, held: FolderLock | None = None) -> None:
        self.engine = engine
        self.audit = audit
        self._held = held
        self._closed = False
        self._soon: list[tuple[int | None, Callable[[Connection], object]]] = []
        self._local = threading.local()
        self._lock = threading.Lock()
        self._writer = Writer(engine.transactions(), queue_limit)

    def write(self, work: Callable[[Connection], Result], practice_id: int | None = None) -> Result:
        """Runs `work` on the writer's thread in its own savepoint; returns its result after COMMIT.

        Raises what `work` raised (nothing of it is kept), or Busy when the queue is full or the database server away.
        `work` may run twice: when the group it travelled in could not be committed, it runs again; so it changes
        nothing but the database. It must not call `write`. `practice_id`: `work` reads and writes rows of this practice
        alone, so that on a server those of other practices need not wait for it.
        """
        return self._writer.submit(work, practice_id)

    def attempt(self, work: Callable[[Connection], Result], practice_id: int | None = None) -> Result:
        """What `write` would return, or raises what it would raise; nothing is kept."""

        def tried(connection: Connection) -> NoReturn:
            raise _TakenBack(work(connection))

        try:
            self.write(tried, practice_id)
        except _TakenBack as done:
            return cast(Result, done.result)

    def write_soon(self, work: Callable[[Connection], object], practice_id: int | None = None) -> None:
        """Keeps `work` for the next `write_waiting`, for what must not slow whoever asked; `close` writes it at last.

        Busy when that much waits: nothing is dropped. `practice_id`: as of `write`.
        """
        with self._lock:
            if self._closed:
                raise StoreClosed("the store is closed")
            if len(self._soon) >= SOON_LIMIT:
                raise Busy("The server cannot keep its audit at this moment.", retry_after_seconds=RETRY_AFTER_SECONDS)
            self._soon.append((practice_id, work))

    def write_waiting(self) -> None:
        """Writes what was to be written soon, a unit of work a practice; what cannot be written now goes on waiting."""
        with self._lock:
            waiting, self._soon = self._soon, []
        try:
            while waiting:
                practice_id = waiting[0][0]
                works = [work for of, work in waiting if of == practice_id]
                self.write(partial(_each, works), practice_id)
                waiting = [each for each in waiting if each[0] != practice_id]
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
        self._local.open = True
        try:
            with self.engine.read() as connection:
                yield connection
        finally:
            self._local.open = False

    def look_up(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` finds out by one query: whose a token or a session is, before which no practice is known, so that
        it may see every practice's rows. `work` may run twice. Busy when the database server is away."""
        return self.engine.look_up(work)

    def problems(self) -> list[str]:
        """Whether the database is whole: one sentence for each problem."""
        with self.read() as connection:
            return self.engine.problems(connection)

    def refuse_damaged(self) -> None:
        """Damaged, when what a start has the time to read is not whole."""
        with self.read() as connection:
            self.engine.refuse_damaged(connection)

    def refresh_statistics(self) -> None:
        """Has the query planner know of tables that have grown much since it last looked."""
        self.engine.refresh_statistics()

    def claim(self, practice_id: int) -> AbstractContextManager[bool]:
        """True while the block runs for the only process that does the practice's jobs; False for all others."""
        return self.engine.claim(practice_id)

    def close(self) -> None:
        """Finishes what is queued, writes the audit's heads, closes every connection; a later `write` raises."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            waiting, self._soon = self._soon, []
        self._writer.stop(partial(_each, [work for _, work in waiting]))
        try:
            with suppress(DatabaseError, Busy):  # of a damaged database the old head stays; verify says what is damaged
                self.move_audit_heads()
        finally:
            self.engine.close()
            if self._held is not None:
                self._held.release()


def open_folder(
    data: Path, key_file: Path | None = None, *, database: str | None = None, queue_limit: int = 256, now: int
) -> Store:
    """Opens a data folder with the keys that lie outside it; commands and the server do it this way.

    `database`: the address of the PostgreSQL database that serves instead of the folder's file. A folder from before
    there was an audit gets the audit's key, and each practice an entry that says where its audit begins. NoDataFolder:
    nobody has created one. WrongKey: a key is missing or does not fit. FolderInUse: it is being restored, or its key
    rotated. CannotStart: the driver is too old, the database newer than the program, damaged, or out of reach.
    """

    def kept_audit(connection: Connection) -> Audit:
        path = audit_key_path(data, key_file)
        if not path.exists():
            if head_path(path).exists() or not chains.is_empty(connection):
                raise WrongKey(f"The audit's key {path} is missing: put it back from its copy.")
            create_audit_key(data, key_file)
        key = read_audit_key(data, key_file)
        if database is not None and not chains.is_sealed_with(connection, key):  # another machine's folder
            raise WrongKey(f"The audit's key {path} is not the one that this database's audit is sealed with.")
        return Audit(key, path)

    if database is None:
        store = _open(data, read_key(data, key_file), kept_audit, queue_limit)
    else:
        store = _open_server(data, database, kept_audit, queue_limit)
    try:
        if _lacks_audit(store):
            store.write(lambda connection: _begin_audit(connection, store.audit, now))
            store.move_audit_heads()
    except BaseException:
        store.close()
        raise
    return store


def open_store(data: Path, key: bytes, *, database: str | None = None, queue_limit: int = 256) -> Store:
    """The store of a folder whose keys lie nowhere: its audit's key comes from the database key, and it has no head.

    For tests and measurements; errors as of `open_folder`.
    """

    def audit(connection: Connection) -> Audit:
        return Audit(hashlib.sha256(b"audit" + key).digest())

    if database is None:
        return _open(data, key, audit, queue_limit)
    return _open_server(data, database, audit, queue_limit)


def refuse_missing_database(data: Path, database: str | None = None) -> None:
    """NoDataFolder where opening would begin an empty database instead of the one that is meant."""
    if database is None:
        refuse_missing_file(data)
        return
    from backend.store.server import schema_lock

    folder_id(data)
    with schema_lock(database) as connection:
        if not schema.is_begun(connection):
            raise NoDataFolder("There is no practice in the PostgreSQL database: begin one with init.")


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
        return Store(EncryptedFile(path, key), kept, queue_limit, held)
    except BaseException as error:
        held.release()
        if isinstance(error, DatabaseError):
            raise CannotStart(f"The database {path} cannot be used: {error}; doctor says more.") from error
        raise


def _open_server(data: Path, url: str, audit: Callable[[Connection], Audit], queue_limit: int) -> Store:
    """The same on PostgreSQL, where other processes have it open as well."""
    from backend.store.server import Server, schema_lock

    folder_id(data)
    try:
        with schema_lock(url) as connection:
            schema.migrate_server(connection)
            kept = audit(connection)
    except DatabaseError as error:
        raise CannotStart(f"The PostgreSQL database cannot be used: {error}; doctor says more.") from error
    return Store(Server(url), kept, queue_limit)


def _bring_up_to_date(data: Path, path: Path, key: bytes, audit: Callable[[Connection], Audit]) -> Audit:
    with migration_lock(data):
        connection = connect_to_write(path, key)
        try:
            schema.migrate(connection)
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
