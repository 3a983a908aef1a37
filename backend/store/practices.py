"""Queries about practices and their portals."""

from typing import Any

from backend.store.connection import Connection


def insert(connection: Connection, *, key: str, name: str, timezone: str, rules_seen: str, created_at: int) -> int:
    """The new practice's id."""
    row = connection.execute(
        "INSERT INTO practice (key, name, timezone, rules_seen, created_at) VALUES (?, ?, ?, ?, ?)"
        " RETURNING practice_id",
        (key, name, timezone, rules_seen, created_at),
    ).fetchone()
    return int(row[0])


def by_key(connection: Connection, key: str) -> Any:
    return connection.execute("SELECT * FROM practice WHERE key = ?", (key,)).fetchone()


def by_id(connection: Connection, practice_id: int) -> Any:
    return connection.execute("SELECT * FROM practice WHERE practice_id = ?", (practice_id,)).fetchone()


def keys(connection: Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT key FROM practice ORDER BY key")]


def some_ids(connection: Connection, most: int) -> list[int]:
    rows = connection.execute("SELECT practice_id FROM practice ORDER BY practice_id LIMIT ?", (most,))
    return [row[0] for row in rows]


def zones(connection: Connection) -> dict[int, str]:
    """Practice -> the name of its time zone."""
    return dict(connection.execute("SELECT practice_id, timezone FROM practice").fetchall())


def ids(connection: Connection) -> list[int]:
    return [row[0] for row in connection.execute("SELECT practice_id FROM practice ORDER BY practice_id")]


def with_other_rules(connection: Connection, digest: str) -> set[int]:
    """The practices whose patients were last computed by other rules than these."""
    rows = connection.execute("SELECT practice_id FROM practice WHERE rules_seen <> ?", (digest,))
    return {row[0] for row in rows}


def set_rules_seen(connection: Connection, practice_id: int, digest: str) -> None:
    connection.execute("UPDATE practice SET rules_seen = ? WHERE practice_id = ?", (digest, practice_id))


def update(connection: Connection, practice_id: int, *, name: str, timezone: str, setting: str) -> None:
    connection.execute(
        "UPDATE practice SET name = ?, timezone = ?, setting = ? WHERE practice_id = ?",
        (name, timezone, setting, practice_id),
    )


def has_records(connection: Connection, practice_id: int) -> bool:
    """Whether anything has come in: time, or a fact."""
    found = connection.execute(
        "SELECT EXISTS (SELECT 1 FROM interval WHERE practice_id = ?1)"
        " OR EXISTS (SELECT 1 FROM fact WHERE practice_id = ?1)"
        " OR EXISTS (SELECT 1 FROM patient WHERE practice_id = ?1)",
        (practice_id,),
    )
    return bool(found.fetchone()[0])


def portals(connection: Connection, practice_id: int) -> list[Any]:
    """key, kind and origin of each, by key."""
    return connection.execute(
        "SELECT key, kind, origin FROM portal WHERE practice_id = ? ORDER BY key", (practice_id,)
    ).fetchall()


def set_portal_origin(connection: Connection, practice_id: int, key: str, origin: str) -> bool:
    """False when there is no portal of that key."""
    done = connection.execute(
        "UPDATE portal SET origin = ? WHERE practice_id = ? AND key = ?", (origin, practice_id, key)
    )
    return bool(done.rowcount == 1)


def insert_portal(
    connection: Connection, practice_id: int, *, key: str, kind: str, origin: str | None, created_at: int
) -> None:
    connection.execute(
        "INSERT INTO portal (practice_id, key, kind, origin, created_at) VALUES (?, ?, ?, ?, ?)",
        (practice_id, key, kind, origin, created_at),
    )


def portal_keys(connection: Connection, practice_id: int) -> frozenset[str]:
    return frozenset(
        row[0] for row in connection.execute("SELECT key FROM portal WHERE practice_id = ?", (practice_id,))
    )


def people(connection: Connection, practice_id: int) -> dict[str, Any]:
    """user_id -> name, credential and specialty of everybody in the practice."""
    rows = connection.execute(
        "SELECT user_id, name, credential, specialty FROM user WHERE practice_id = ?", (practice_id,)
    )
    return {row["user_id"]: row for row in rows}
