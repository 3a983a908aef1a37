"""How a PostgreSQL server keeps the database: what doctor says of it, whether what it holds can be read, and of which
tables the planner knows too little."""

from dataclasses import dataclass

from backend.errors import CannotStart
from backend.store import intervals, schema
from backend.store.connection import Connection, ConnectionLost, DatabaseError
from backend.store.postgresql import connect

_DURABLE = ("fsync", "full_page_writes")


@dataclass(frozen=True, slots=True)
class ServerState:
    """`risks`: settings by which a crash of the machine would lose or break what was acknowledged."""

    version: str
    encrypted_way: bool
    here: bool
    risks: list[str]
    checksums: bool
    begun: bool
    pending: list[str]
    """The migrations still to do."""
    newest_received_at: int | None
    """When the latest interval came, by the server's clock."""


def look(url: str) -> ServerState:
    """CannotStart: it cannot be reached, or not be used, or a newer Threadtime wrote it."""
    try:
        connection = connect(url)
    except ConnectionLost as lost:
        raise CannotStart(f"PostgreSQL cannot be reached: {str(lost).rstrip('.')}.") from None
    try:
        info = connection.raw.info
        begun = schema.is_begun(connection)
        pending = schema.pending_on_server(connection)
        return ServerState(
            str(_shown(connection, "server_version")),
            bool(connection.raw.pgconn.ssl_in_use),
            info.host.startswith("/"),
            [f"{name} = off" for name in _DURABLE if _shown(connection, name) != "on"],
            _shown(connection, "data_checksums") == "on",
            begun,
            pending,
            intervals.newest_received_at(connection) if begun and not pending else None,
        )
    finally:
        connection.close()


def problems(connection: Connection) -> list[str]:
    """One sentence for each problem: what cannot be read, an index that is not whole, a guard that is switched off."""
    found = []
    try:
        found += [f"The index {row[0]} is not whole: REINDEX it." for row in connection.execute(_INDEXES)]
        found += [f"The trigger {row[0]} on the table {row[1]} is switched off." for row in connection.execute(_OFF)]
        failures = connection.execute(_FAILURES).fetchone()[0]
        if failures:
            found.append(f"PostgreSQL found {failures} damaged pages by their checksums.")
        for row in connection.execute(_OURS).fetchall():
            connection.execute(f'SELECT sum(length(one::text)) FROM "{row[0]}" AS one').fetchone()  # noqa: S608  (ours)
    except DatabaseError as error:
        found.append(f"The database cannot be read to its end: {error}.")
    return found


def grown(connection: Connection) -> list[str]:
    """The tables, quoted, of which twice as many rows were written as there were when the planner last looked."""
    return [f'"{row[0]}"' for row in connection.execute(_GROWN)]


_HERE = "(SELECT relnamespace FROM pg_class WHERE oid = to_regclass('migration'))"
_OURS = f"SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = {_HERE} ORDER BY relname"  # noqa: S608
_INDEXES = (
    "SELECT relname FROM pg_index JOIN pg_class ON oid = indexrelid"  # noqa: S608  (fixed words)
    f" WHERE NOT (indisvalid AND indisready) AND relnamespace = {_HERE} ORDER BY relname"
)
_OFF = (
    "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"  # noqa: S608  (fixed words)
    f" WHERE tgenabled = 'D' AND relnamespace = {_HERE} ORDER BY tgname, relname"
)
_GROWN = (
    "SELECT relname FROM pg_class JOIN pg_stat_user_tables AS seen USING (relname) WHERE seen.relid = pg_class.oid"  # noqa: S608
    f" AND n_mod_since_analyze > 50 + reltuples AND reltuples < 1000000 AND relnamespace = {_HERE} ORDER BY relname"
)
_FAILURES = "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"


def _shown(connection: Connection, setting: str) -> object:
    return connection.execute(f"SHOW {setting}").fetchone()[0]
