"""The tables, as migrations that only go forward.

Every primary key leads with `practice_id`, except the sign-in directory (e-mail -> practice and user) and the pairing
requests, which are of no practice until somebody of one says yes. Instants
`..._at` are integer milliseconds since the epoch in UTC, days are ISO dates in the practice's zone, ids of episodes,
patients, users, devices, facts and determinations are random 32-digit hex strings. Statements are run one by one:
`executescript` would commit the transaction that makes a migration whole.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, cast

from sqlite_utils import Database, Migrations

from backend.errors import CannotStart
from backend.store import dialect, merged, wall
from backend.store.account_tables import ACCOUNTS
from backend.store.audit_tables import AUDIT
from backend.store.connection import Connection
from backend.store.count_tables import COUNTED, COUNTS, keeping_counts
from backend.store.delegation_tables import DELEGATIONS
from backend.store.episodes import sum_up
from backend.store.identity_tables import IDENTITIES
from backend.store.keeping_tables import GUARDED, KEEPING, KEPT_FOR_GOOD
from backend.store.pairing_tables import PAIRING
from backend.store.statistics import describe
from backend.store.tables import EPISODES, MERGED, PEOPLE, SETTINGS, WORK

migrations = Migrations("threadtime")

APPEND_ONLY = ("fact", "determination", "episode_event")
"""Tables whose rows nobody changes or removes; the database itself refuses. A later table's own migration says so."""


OF_NO_PRACTICE = {"sign_in_directory", "pairing"}
"""Tables that are looked in before it is known whose practice somebody is of."""


def row_counts(connection: Connection) -> dict[str, int]:
    """How many rows each table holds."""
    names = _tables(
        *(PEOPLE, WORK, EPISODES, SETTINGS, AUDIT, ACCOUNTS, PAIRING, MERGED, IDENTITIES, DELEGATIONS, KEEPING, COUNTS)
    )
    counted = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in names}  # noqa: S608  (ours)
    return {name: int(row[0]) for name, row in counted.items()}


@migrations()
def people(database: Database) -> None:
    _run(database, PEOPLE)


@migrations()
def work(database: Database) -> None:
    _run(database, WORK)


@migrations()
def episodes(database: Database) -> None:
    _run(database, EPISODES)


@migrations()
def append_only(database: Database) -> None:
    for table in APPEND_ONLY:
        _refuse_changes(database, table)


@migrations()
def statistics(database: Database) -> None:
    """Again in each later migration that makes an index."""
    _describe(database)


@migrations()
def facts_by_key(database: Database) -> None:
    """What tells one fact from another of its kind about the same: the latest word about a key counts."""
    _run(
        database,
        """
        ALTER TABLE fact ADD COLUMN key TEXT NOT NULL DEFAULT '[]';
        DROP INDEX fact_portal;
        CREATE INDEX fact_portal ON fact (practice_id, portal, kind, key)
          WHERE patient_id IS NULL AND thread IS NULL;
        """,
    )
    _describe(database)


@migrations()
def practice_settings(database: Database) -> None:
    _run(database, SETTINGS)
    _refuse_changes(database, "practice_setting")
    _describe(database)


@migrations()
def episodes_approved(database: Database) -> None:
    """What is approved piles up over the years; the list shows and counts it apart from what is ready."""
    _run(
        database,
        """
        CREATE INDEX episode_approved ON episode (practice_id, window_start, episode_id)
          WHERE gone_at IS NULL AND approved_at IS NOT NULL;
        CREATE INDEX episode_open ON episode (practice_id, status, window_start, episode_id)
          WHERE gone_at IS NULL AND approved_at IS NULL;
        """,
    )
    _describe(database)


@migrations()
def rules_seen(database: Database) -> None:
    """By which rules the practice's patients were last computed: other ones have everybody computed again."""
    _run(database, "ALTER TABLE practice ADD COLUMN rules_seen TEXT NOT NULL DEFAULT ''")


@migrations()
def accounts(database: Database) -> None:
    _run(database, ACCOUNTS)
    _describe(database)


@migrations()
def pairing(database: Database) -> None:
    """Browsers that ask to be paired by a code, and what the page of devices shows."""
    _run(database, PAIRING)
    _describe(database)


@migrations()
def audit(database: Database) -> None:
    _run(database, AUDIT)
    _refuse_changes(database, "audit_entry")
    # REPLACE deletes without asking the trigger above.
    last = "coalesce((SELECT max(number) FROM audit_entry WHERE practice_id = NEW.practice_id), 0)"
    _refuse(database, "audit_entry", "INSERT", "audit_entry is append-only", f"NEW.number <> 1 + {last}")
    _refuse(database, "audit_detail", "UPDATE", "audit_detail is never changed")
    _describe(database)


@migrations()
def second_wall(database: Database) -> None:
    """Again, with its own tables, in each later migration that makes some."""
    _wall_off(database, PEOPLE, WORK, EPISODES, SETTINGS, AUDIT, ACCOUNTS, PAIRING)


@migrations()
def merged_time(database: Database) -> None:
    """Kept from now on with each row that comes; of the rows that are there it is made here."""
    _run(database, MERGED)
    _wall_off(database, MERGED)
    merged.build(cast(Connection, database.conn))
    _describe(database)


@migrations()
def identities(database: Database) -> None:
    """The organisation's own provider, and who somebody is there."""
    _run(database, IDENTITIES)
    _describe(database)
    _wall_off(database, IDENTITIES)


@migrations()
def delegations(database: Database) -> None:
    """Who may answer for a colleague, and for whom a fact was said."""
    _run(database, DELEGATIONS)
    _refuse_changes(database, "delegation")
    _wall_off(database, DELEGATIONS)
    _describe(database)


@migrations()
def keeping(database: Database) -> None:
    """How long what is kept, holds, and the one way in which what is append-only may go."""
    _run(database, KEEPING)
    for table in KEPT_FOR_GOOD:
        _refuse_changes(database, table)
    _refuse(database, "hold", "DELETE", "a hold is lifted, never removed")
    for table in GUARDED:
        if table in APPEND_ONLY:
            _allow(database, table, "DELETE")
        said = f"{table} is append-only: rows go by an erasure alone"
        _refuse(database, table, "DELETE", said, f"NOT {_ERASING}")
    _wall_off(database, KEEPING)
    _describe(database)


@migrations()
def summaries(database: Database) -> None:
    """What a list says of an episode stands beside it, so that a page of fifty reads no determination."""
    _run(database, "ALTER TABLE episode ADD COLUMN summary TEXT NOT NULL DEFAULT '{}'")
    sum_up(cast(Connection, database.conn))


@migrations()
def episode_counts(database: Database) -> None:
    """Kept from now on by the database; of the episodes that are there it is counted here."""
    _run(database, COUNTS)
    _wall_off(database, COUNTS)
    database.conn.execute(f"INSERT INTO episode_count (practice_id, status, episodes) {COUNTED}")
    for statement in keeping_counts(on_server=not isinstance(database, Database)):
        database.conn.execute(statement)


_ERASING = "EXISTS (SELECT 1 FROM erasing WHERE erasing.practice_id = OLD.practice_id)"


def refuse_newer(connection: Connection) -> None:
    """CannotStart when a newer Threadtime wrote the database: this one would not know what is in it."""
    _refuse_unknown({each.name for each in migrations.applied(_as_database(connection))})


def is_older(connection: Connection) -> bool:
    """True when `migrate` has something to do."""
    return bool(migrations.pending(_as_database(connection)))


def migrate(connection: Connection) -> None:
    """Brings the database up to date; the caller holds the folder's migration lock. CannotStart: it is a newer one."""
    refuse_newer(connection)
    migrations.apply(_as_database(connection))


def is_begun(connection: Connection) -> bool:
    """Whether a PostgreSQL database holds a practice's tables."""
    return connection.execute("SELECT to_regclass('migration') IS NOT NULL").fetchone()[0] is True


def pending_on_server(connection: Connection) -> list[str]:
    """The names of what `migrate_server` has to do. CannotStart: a newer Threadtime wrote the database."""
    applied: set[str] = set()
    if is_begun(connection):
        applied = {row[0] for row in connection.execute("SELECT name FROM migration")}
    _refuse_unknown(applied)
    return [name for name in _known() if name not in applied]


def migrate_server(connection: Connection) -> None:
    """Brings a PostgreSQL database up to date by the same migrations, each with its note in a transaction of its own.

    The caller holds the schema's lock; errors as of `migrate`.
    """
    pending = pending_on_server(connection)
    if not is_begun(connection):
        connection.execute("BEGIN")
        for statement in (*dialect.FUNCTIONS, "CREATE TABLE migration (name text PRIMARY KEY, applied_at timestamptz)"):
            connection.execute(statement)
        connection.execute("COMMIT")
    database = cast(Database, _OnServer(connection))
    for name in pending:
        connection.execute("BEGIN")
        connection.execute(wall.said(None))
        _known()[name](database)
        connection.execute("INSERT INTO migration (name, applied_at) VALUES (?, now())", (name,))
        connection.execute("COMMIT")


class _OnServer:
    """What a migration does to a database, done to PostgreSQL."""

    def __init__(self, connection: Connection) -> None:
        self.conn = connection

    def execute(self, statement: str) -> object:
        return self.conn.execute(dialect.table(statement))


def _refuse_unknown(applied: set[str]) -> None:
    if unknown := sorted(applied - _known().keys()):
        raise CannotStart(f"A newer Threadtime wrote this database (it has {', '.join(unknown)}): update the program.")


def _as_database(connection: Connection) -> Database:
    return Database(cast(Any, connection), recursive_triggers=False, execute_plugins=False)


@cache
def _known() -> dict[str, Callable[[Database], None]]:
    """Every migration here by its name, in order: in an empty database all are still to do."""
    empty = Database(memory=True)
    try:
        return {each.name: each.fn for each in migrations.pending(empty)}
    finally:
        empty.close()


def _describe(database: Database) -> None:
    """The planner's statistics, where nobody gathers them: PostgreSQL does by itself."""
    if isinstance(database, Database):
        describe(database.conn)


def _tables(*texts: str) -> list[str]:
    return [name for text in texts for name in re.findall(r"CREATE TABLE (\w+)", text)]


def _wall_off(database: "Database | _OnServer", *texts: str) -> None:
    """PostgreSQL shows a transaction the rows of its own practice alone."""
    if isinstance(database, _OnServer):
        for table in set(_tables(*texts)) - OF_NO_PRACTICE:
            for statement in wall.raised_on(table):
                database.execute(statement)


def _refuse_changes(database: Database, table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        _refuse(database, table, verb, f"{table} is append-only")


def _refuse(database: "Database | _OnServer", table: str, verb: str, said: str, when: str = "") -> None:
    """Has the database itself refuse a verb on the table's rows, where `when` holds of NEW, or of OLD for DELETE."""
    if isinstance(database, _OnServer):
        for statement in dialect.refusal(table, verb, said, when):
            database.conn.execute(statement)
        return
    condition = f" WHEN {when}" if when else ""
    name = f"{table}_at_the_end" if verb == "INSERT" else f"{table}_no_{verb.lower()}"
    database.execute(
        f"CREATE TRIGGER {name} BEFORE {verb} ON {table}{condition} BEGIN SELECT RAISE(ABORT, '{said}'); END"
    )


def _allow(database: "Database | _OnServer", table: str, verb: str) -> None:
    """Takes a refusal without a condition back."""
    if isinstance(database, _OnServer):
        for statement in dialect.no_refusal(table, verb):
            database.conn.execute(statement)
        return
    database.execute(f"DROP TRIGGER {table}_no_{verb.lower()}")


def _run(database: Database, statements: str) -> None:
    execute: Callable[[str], object] = database.execute
    for statement in re.sub(r"--.*", "", statements).split(";"):
        if statement.strip():
            execute(statement)
