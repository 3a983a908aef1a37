"""Queries about accounts: what an administrator changes, one-time links, a person's sessions."""

import json
from collections.abc import Iterable
from typing import Any

from backend.store import identities
from backend.store.connection import Connection


def update_user(
    connection: Connection,
    practice_id: int,
    user_id: str,
    *,
    name: str,
    roles: Iterable[str],
    credential: str | None,
    specialty: str | None,
) -> None:
    connection.execute(
        "UPDATE user SET name = ?, roles = ?, credential = ?, specialty = ? WHERE practice_id = ? AND user_id = ?",
        (name, json.dumps(tuple(roles)), credential, specialty, practice_id, user_id),
    )


def set_active(connection: Connection, practice_id: int, user_id: str, *, active: bool) -> None:
    connection.execute(
        "UPDATE user SET active = ? WHERE practice_id = ? AND user_id = ?", (int(active), practice_id, user_id)
    )


def clear_password(connection: Connection, practice_id: int, user_id: str) -> None:
    connection.execute(
        "UPDATE user SET password_hash = NULL WHERE practice_id = ? AND user_id = ?", (practice_id, user_id)
    )


def revoke_devices(connection: Connection, practice_id: int, user_id: str, now: int) -> None:
    connection.execute(
        "UPDATE device SET revoked_at = ? WHERE practice_id = ? AND user_id = ? AND revoked_at IS NULL",
        (now, practice_id, user_id),
    )


def who_can_sign_in(connection: Connection, practice_id: int, role: str, *, by_provider: bool = True) -> set[str]:
    """The user ids of those with a role whose account is active and has a password, or is linked with the
    organisation's provider; `by_provider` False: with a password alone."""
    found = connection.execute(
        "SELECT user_id, roles, password_hash FROM user WHERE practice_id = ? AND active = 1", (practice_id,)
    ).fetchall()
    linked = identities.linked(connection, practice_id) if by_provider else set()
    return {
        row["user_id"]
        for row in found
        if (row["password_hash"] is not None or row["user_id"] in linked) and role in json.loads(row["roles"])
    }


def without_password(connection: Connection, practice_id: int) -> set[str]:
    """The user ids of active accounts that have no password."""
    found = connection.execute(
        "SELECT user_id FROM user WHERE practice_id = ? AND active = 1 AND password_hash IS NULL", (practice_id,)
    )
    return {row["user_id"] for row in found}


# One-time links.


def put_link(
    connection: Connection,
    practice_id: int,
    user_id: str,
    *,
    token_digest: bytes,
    made_by: str | None,
    created_at: int,
    expires_at: int,
) -> None:
    """The person's only link from now on."""
    drop_link(connection, practice_id, user_id)
    connection.execute(
        "INSERT INTO user_link (practice_id, user_id, token_digest, made_by, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (practice_id, user_id, token_digest, made_by, created_at, expires_at),
    )


def find_link(connection: Connection, practice_id: int, token_digest: bytes) -> tuple[str, int] | None:
    """(user id, expires_at) of a link that nobody used, whatever its age."""
    found = connection.execute(
        "SELECT user_id, expires_at FROM user_link WHERE practice_id = ? AND token_digest = ?",
        (practice_id, token_digest),
    ).fetchone()
    return None if found is None else (found["user_id"], found["expires_at"])


def links(connection: Connection, practice_id: int) -> dict[str, int]:
    """User id -> expires_at of every link that nobody used."""
    found = connection.execute("SELECT user_id, expires_at FROM user_link WHERE practice_id = ?", (practice_id,))
    return {row["user_id"]: row["expires_at"] for row in found}


def drop_link(connection: Connection, practice_id: int, user_id: str) -> None:
    connection.execute("DELETE FROM user_link WHERE practice_id = ? AND user_id = ?", (practice_id, user_id))


# A person's sessions.


def sessions_of(connection: Connection, practice_id: int, user_id: str) -> list[Any]:
    """token_digest, browser, created_at, seen_at; the one used last comes first."""
    return connection.execute(
        "SELECT token_digest, browser, created_at, seen_at FROM session WHERE practice_id = ? AND user_id = ?"
        " ORDER BY seen_at DESC, token_digest",
        (practice_id, user_id),
    ).fetchall()


def end_session(connection: Connection, practice_id: int, user_id: str, token_digest: bytes) -> bool:
    """Ends a session if it is this person's; False when there is none such."""
    done = connection.execute(
        "DELETE FROM session WHERE practice_id = ? AND user_id = ? AND token_digest = ?",
        (practice_id, user_id, token_digest),
    )
    return bool(done.rowcount)


def end_sessions(connection: Connection, practice_id: int, user_id: str, *, but: bytes = b"") -> None:
    """Ends every session of a person, also one that waits for a code; `but`: the digest of one that stays."""
    connection.execute(
        "DELETE FROM session WHERE practice_id = ? AND user_id = ? AND token_digest <> ?", (practice_id, user_id, but)
    )
    connection.execute("DELETE FROM sign_in_step WHERE practice_id = ? AND user_id = ?", (practice_id, user_id))
