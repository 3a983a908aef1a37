"""One connection to PostgreSQL that takes the store's SQL and gives its rows, as connection.py promises.

Imported only where `--database` names one: without it nothing of PostgreSQL is loaded.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8Dumper
from psycopg.types.string import StrDumper

from backend.errors import BadInput, CannotStart
from backend.store.connection import ConnectionLost, Cursor, DatabaseError, IntegrityError, Interrupted
from backend.store.dialect import Parameters, query

OLDEST_SERVER = 14
CONNECT_SECONDS = 10
PREPARED = 500
"""How many texts a connection keeps prepared; more than the store has."""
_PLANS = (
    b"SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET enable_hashjoin = off;"
    b" SET enable_mergejoin = off; SET jit = off; SET threadtime.practice = 'every'"
)
"""Every statement finds its rows along an index, so its plan is made once, and as if the tables were large already:
what the planner knows of them comes late (statistics.py says why of SQLite). A transaction may narrow whose rows it
sees (wall.py)."""
_AGAIN = frozenset({"40001", "40P01"})
"""SQLSTATEs of a transaction that gave way to another one."""

Raw = psycopg.Connection[Any]


class Row(tuple[Any, ...]):
    """A row that is read by number and by column name; `_places` says where each name is."""

    __slots__ = ()
    _places: dict[str, int] = {}  # noqa: RUF012  (each shape of row is a class of its own)

    def __getitem__(self, key: Any) -> Any:
        return tuple.__getitem__(self, self._places[key] if type(key) is str else key)

    def keys(self) -> list[str]:
        return list(self._places)


@lru_cache(maxsize=1024)
def _shape(names: tuple[str, ...]) -> type[Row]:
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        places.setdefault(name, place)
    return type("Row", (Row,), {"__slots__": (), "_places": places})


def _rows(cursor: Any) -> Callable[[Sequence[Any]], Any]:
    return _shape(tuple(column.name for column in cursor.description or ()))


class PostgresConnection:
    """The adapter: `raw` is the driver's connection, in autocommit, so that BEGIN and COMMIT are the store's own.

    A statement waits until somebody reads what it gave, and travels with all that wait: most of the time of a statement
    is the way to the server and back. One that writes is on its way at once, but not waited for: the server works on it
    while the program goes on. What went wrong is raised by whatever is read next, at the latest by `flush`.
    """

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        self._waiting: list[_Statement] = []
        self._under_way: list[_Statement] = []
        self._pipeline = ExitStack()  # holds the driver's while statements are under way

    @property
    def in_transaction(self) -> bool:
        return self.raw.info.transaction_status not in (pq.TransactionStatus.IDLE, pq.TransactionStatus.UNKNOWN)

    @property
    def is_lost(self) -> bool:
        return self.raw.closed

    def execute(self, sql: str, parameters: Parameters = (), /) -> Cursor:
        translated = query(sql)
        statement = _Statement(self, translated.text, [translated.values(parameters)])
        if translated.ends and self._took_back(sql):
            return statement
        self._waiting.append(statement)
        if translated.writes:
            self._send()
        elif not translated.waits:
            self.flush()
        return statement

    def executemany(self, sql: str, parameters: Iterable[Parameters], /) -> Cursor:
        translated = query(sql)
        values = [translated.values(each) for each in parameters]
        statement = _Statement(self, translated.text, values)
        if len(values) > 1 and translated.rows is not None:
            together = translated.rows.value([each or () for each in values])
            if together is not None:
                statement = _Statement(self, translated.rows.text, [(together.decode(),)])
        if values:
            self._waiting.append(statement)
            self._send()
        return statement

    def flush(self) -> None:
        """Sends what waits, all at once, and raises what went wrong with anything that is under way."""
        if len(self._waiting) == 1 and not self._under_way:
            under_way = [self._waiting.pop()]
            with told(self.raw):
                under_way[0].send()
        else:
            self._send()
            under_way, self._under_way = self._under_way, []
            with told(self.raw):
                self._pipeline.close()
        for each in under_way:
            each.has_arrived = True

    def _send(self) -> None:
        """Sends what waits and waits for nothing."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        under_way, self._under_way = self._under_way, []
        with told(self.raw), self._pipeline:
            if not under_way:
                self._pipeline.enter_context(self.raw.pipeline())
            for each in waiting:
                each.send()
            self._pipeline = self._pipeline.pop_all()  # all went well so far: it stays open
            self._under_way = under_way + waiting

    def run(self, statements: str) -> list[Any]:
        """Statements without parameters in one round trip; the rows of the last."""
        self.flush()
        with told(self.raw):
            cursor = self.raw.execute(statements.encode())
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    def take_back(self) -> None:
        """Ends the transaction; what waits is never sent."""
        self._forget()
        if self.in_transaction:
            self.run("ROLLBACK")

    def leave(self) -> None:
        """Ends a transaction that only read; after a ROLLBACK the driver forgets every statement it has prepared."""
        self._waiting.clear()
        self.run("COMMIT")

    def close(self) -> None:
        self.raw.close()

    def _took_back(self, rollback: str) -> bool:
        """What waits behind a savepoint that is taken back is never sent; True when the savepoint itself waits too."""
        savepoint = rollback.replace("ROLLBACK TO", "SAVEPOINT")
        for place, each in reversed(list(enumerate(self._waiting))):
            if each.text == savepoint:
                del self._waiting[place + 1 :]
                return True
        self._forget()
        return False

    def _forget(self) -> None:
        """What waits is never sent, and of what is under way nobody wants to know."""
        self._waiting.clear()
        with suppress(DatabaseError):
            self.flush()


class _Statement:
    """A statement on its way, and its cursor once it was sent."""

    def __init__(self, connection: PostgresConnection, text: str, values: list[Sequence[Any] | None]) -> None:
        self._connection = connection
        self.text = text
        self.values = values
        self.has_arrived = False
        self._cursor: Any = None

    def send(self) -> None:
        self._cursor = cursor = self._connection.raw.cursor()
        if len(self.values) == 1:
            cursor.execute(self.text, self.values[0])
        else:
            cursor.executemany(self.text, [each or () for each in self.values])

    @property
    def rowcount(self) -> int:
        """How many rows it changed; 0 of an `executemany` of nothing."""
        return int(self._sent().rowcount) if self.values else 0

    def fetchone(self) -> Any:
        return self._sent().fetchone()

    def fetchall(self) -> list[Any]:
        found: list[Any] = self._sent().fetchall()
        return found

    def __iter__(self) -> Iterator[Any]:
        return iter(self._sent())

    def _sent(self) -> Any:
        if not self.has_arrived:
            self._connection.flush()
        return self._cursor


@contextmanager
def told(raw: Raw) -> Iterator[None]:
    """Raises the driver's errors as the store's, by their first line: what follows it quotes the row."""
    try:
        yield
    except psycopg.Error as error:
        state = error.sqlstate or ""
        said = error.diag.message_primary or type(error).__name__
        lost = state.startswith(("08", "57P")) or (not state and isinstance(error, psycopg.OperationalError))
        if lost or raw.closed:
            raw.close()  # after 57P01 the server has gone or is about to
            raise ConnectionLost(said) from None
        if state in _AGAIN:
            raise Interrupted(said) from None
        if isinstance(error, psycopg.DataError) and not state:  # refused before it was sent
            raise BadInput("A text holds the character NUL, which cannot be stored.") from None
        if isinstance(error, psycopg.IntegrityError):
            raise IntegrityError(said) from None
        raise DatabaseError(said) from None


SETTINGS: dict[str, Any] = {
    "autocommit": True,
    "cursor_factory": psycopg.RawCursor,
    "row_factory": _rows,
    "connect_timeout": CONNECT_SECONDS,
    "application_name": "threadtime",
    # A peer that is gone without a word is noticed within half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
}


def prepare(raw: Raw) -> None:
    """Makes a new connection the store's: texts and numbers go as what the columns are; a commit is on disk.

    CannotStart: the server is too old, does not keep UTF-8, or would be spoken to in plain text over a network.
    """
    if raw.info.server_version < OLDEST_SERVER * 10_000:
        raise CannotStart(f"PostgreSQL {raw.info.server_version // 10_000} is too old: {OLDEST_SERVER} or later.")
    if raw.info.parameter_status("server_encoding") != "UTF8":
        raise CannotStart("The PostgreSQL database does not keep UTF-8: create it with ENCODING 'UTF8'.")
    if not (_is_here(raw.info.host) or raw.pgconn.ssl_in_use):
        raise CannotStart(
            "The connection to PostgreSQL would carry patients' data over the network in plain text: add "
            "sslmode=verify-full to the address, and switch on ssl in the server."
        )
    raw.adapters.register_dumper(str, StrDumper)
    raw.adapters.register_dumper(int, Int8Dumper)
    raw.prepared_max = PREPARED
    raw.prepare_threshold = 2
    raw.execute(_PLANS)
    said = raw.execute("SHOW synchronous_commit").fetchone()
    if said is not None and said[0] in ("off", "local"):
        raw.execute("SET synchronous_commit = on")


def connect(url: str) -> PostgresConnection:
    """A connection of the store's; ConnectionLost while the server cannot be reached, CannotStart as of `prepare`."""
    try:
        raw: Raw = psycopg.connect(url, **SETTINGS)
    except psycopg.Error as error:  # its last line is the server's, or the system's, and quotes no password
        raise ConnectionLost(str(error).strip().rpartition("\n")[2]) from None
    try:
        with told(raw):
            prepare(raw)
    except BaseException:
        raw.close()
        raise
    return PostgresConnection(raw)


def named(url: str) -> str:
    """The database of an address, for people: without the password. CannotStart: it is no address."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise CannotStart("THREADTIME_DATABASE is no address such as postgresql://user@host/database.") from None
    return f"{parts.get('dbname') or parts.get('user') or ''} on {parts.get('host') or 'this machine'}"


def _is_here(host: str) -> bool:
    if not host or host.startswith(("/", "@")) or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
