"""The tables, as migrations that only go forward.

Every primary key leads with `practice_id`, except the sign-in directory (e-mail -> practice and user) and the pairing
requests, which are of no practice until somebody of one says yes. Instants
`..._at` are integer milliseconds since the epoch in UTC, days are ISO dates in the practice's zone, ids of episodes,
patients, users, devices, facts and determinations are random 32-digit hex strings. Statements are run one by one:
`executescript` would commit the transaction that makes a migration whole.
"""

import re
from collections.abc import Callable
from typing import Any, cast

from sqlite_utils import Database, Migrations

from backend.errors import CannotStart
from backend.store.account_tables import ACCOUNTS
from backend.store.audit_tables import AUDIT
from backend.store.connection import Connection
from backend.store.pairing_tables import PAIRING
from backend.store.statistics import describe
from backend.store.tables import EPISODES, PEOPLE, SETTINGS, WORK

migrations = Migrations("threadtime")

APPEND_ONLY = ("fact", "determination", "episode_event")
"""Tables whose rows nobody changes or removes; the database itself refuses. A later table's own migration says so."""


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
    describe(database.conn)


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
    describe(database.conn)


@migrations()
def practice_settings(database: Database) -> None:
    _run(database, SETTINGS)
    _refuse_changes(database, "practice_setting")
    describe(database.conn)


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
    describe(database.conn)


@migrations()
def rules_seen(database: Database) -> None:
    """By which rules the practice's patients were last computed: other ones have everybody computed again."""
    _run(database, "ALTER TABLE practice ADD COLUMN rules_seen TEXT NOT NULL DEFAULT ''")


@migrations()
def accounts(database: Database) -> None:
    _run(database, ACCOUNTS)
    describe(database.conn)


@migrations()
def pairing(database: Database) -> None:
    """Browsers that ask to be paired by a code, and what the page of devices shows."""
    _run(database, PAIRING)
    describe(database.conn)


@migrations()
def audit(database: Database) -> None:
    _run(database, AUDIT)
    _refuse_changes(database, "audit_entry")
    database.execute(  # REPLACE deletes without asking the trigger above
        "CREATE TRIGGER audit_entry_at_the_end BEFORE INSERT ON audit_entry WHEN NEW.number <>"
        " 1 + coalesce((SELECT max(number) FROM audit_entry WHERE practice_id = NEW.practice_id), 0)"
        " BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END"
    )
    database.execute(
        "CREATE TRIGGER audit_detail_no_update BEFORE UPDATE ON audit_detail"
        " BEGIN SELECT RAISE(ABORT, 'audit_detail is never changed'); END"
    )
    describe(database.conn)


def refuse_newer(connection: Connection) -> None:
    """CannotStart when a newer Threadtime wrote the database: this one would not know what is in it."""
    applied = {each.name for each in migrations.applied(_as_database(connection))}
    if unknown := sorted(applied - _known()):
        raise CannotStart(f"A newer Threadtime wrote this database (it has {', '.join(unknown)}): update the program.")


def is_older(connection: Connection) -> bool:
    """True when `migrate` has something to do."""
    return bool(migrations.pending(_as_database(connection)))


def migrate(connection: Connection) -> None:
    """Brings the database up to date; the caller holds the folder's migration lock. CannotStart: it is a newer one."""
    refuse_newer(connection)
    migrations.apply(_as_database(connection))


def _as_database(connection: Connection) -> Database:
    return Database(cast(Any, connection), recursive_triggers=False, execute_plugins=False)


def _known() -> set[str]:
    """The names of every migration here: in an empty database all are still to do."""
    empty = Database(memory=True)
    try:
        return {each.name for each in migrations.pending(empty)}
    finally:
        empty.close()


def _refuse_changes(database: Database, table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        database.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )


def _run(database: Database, statements: str) -> None:
    execute: Callable[[str], object] = database.execute
    for statement in re.sub(r"--.*", "", statements).split(";"):
        if statement.strip():
            execute(statement)
