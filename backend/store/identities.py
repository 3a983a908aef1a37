"""Queries about the organisation's own provider, who somebody is there, and browsers that were sent to it."""

from dataclasses import dataclass, field
from typing import Any, Literal

from backend.store.connection import Connection

Purpose = Literal["sign in", "link", "join"]


@dataclass(frozen=True, slots=True)
class ProviderRow:
    """`address`: scheme, name and port by which browsers find this server."""

    practice_id: int
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    address: str
    set_at: int


@dataclass(frozen=True, slots=True)
class StepRow:
    """A browser that was sent to the provider. `user_id`: whose account is to be linked; `link_digest`: of the one-time
    link by which somebody joins; `after`: the page that was asked for."""

    browser_digest: bytes
    purpose: Purpose
    user_id: str | None
    link_digest: bytes | None
    after: str | None
    created_at: int


def provider(connection: Connection, practice_id: int) -> ProviderRow | None:
    found = connection.execute("SELECT * FROM identity_provider WHERE practice_id = ?", (practice_id,)).fetchone()
    return None if found is None else ProviderRow(**{name: found[name] for name in ProviderRow.__slots__})


def put_provider(connection: Connection, row: ProviderRow) -> None:
    """The practice's only provider from now on; no browser that was sent to the one before may come back."""
    drop_provider(connection, row.practice_id)
    connection.execute(
        "INSERT INTO identity_provider (practice_id, issuer, client_id, client_secret, name, address, set_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (row.practice_id, row.issuer, row.client_id, row.client_secret, row.name, row.address, row.set_at),
    )


def drop_provider(connection: Connection, practice_id: int) -> None:
    connection.execute("DELETE FROM provider_step WHERE practice_id = ?", (practice_id,))
    connection.execute("DELETE FROM identity_provider WHERE practice_id = ?", (practice_id,))


# Who somebody is at the provider.


def user_by_identity(connection: Connection, practice_id: int, issuer: str, subject: str) -> str | None:
    """The user id."""
    found = connection.execute(
        "SELECT user_id FROM user_identity WHERE practice_id = ? AND issuer = ? AND subject = ?",
        (practice_id, issuer, subject),
    ).fetchone()
    return None if found is None else str(found["user_id"])


def linked(connection: Connection, practice_id: int) -> set[str]:
    """The user ids of those who may sign in by the provider that is set now."""
    found = connection.execute(
        "SELECT user_id FROM user_identity JOIN identity_provider USING (practice_id, issuer)"
        " WHERE user_identity.practice_id = ?",
        (practice_id,),
    )
    return {row["user_id"] for row in found}


def linked_at(connection: Connection, practice_id: int, user_id: str, issuer: str) -> int | None:
    found = connection.execute(
        "SELECT linked_at FROM user_identity WHERE practice_id = ? AND user_id = ? AND issuer = ?",
        (practice_id, user_id, issuer),
    ).fetchone()
    return None if found is None else int(found["linked_at"])


def put_identity(
    connection: Connection, practice_id: int, *, issuer: str, subject: str, user_id: str, linked_at: int
) -> None:
    """The person's only identity at that issuer from now on."""
    drop_identity(connection, practice_id, user_id, issuer)
    connection.execute(
        "INSERT INTO user_identity (practice_id, issuer, subject, user_id, linked_at) VALUES (?, ?, ?, ?, ?)",
        (practice_id, issuer, subject, user_id, linked_at),
    )


def drop_identity(connection: Connection, practice_id: int, user_id: str, issuer: str) -> bool:
    """False when there is none."""
    done = connection.execute(
        "DELETE FROM user_identity WHERE practice_id = ? AND user_id = ? AND issuer = ?", (practice_id, user_id, issuer)
    )
    return bool(done.rowcount)


# Browsers that were sent to the provider.


def put_step(connection: Connection, practice_id: int, state_digest: bytes, step: StepRow, *, over_before: int) -> None:
    """Keeps the step, and forgets those that were begun before `over_before`."""
    connection.execute("DELETE FROM provider_step WHERE practice_id = ? AND created_at < ?", (practice_id, over_before))
    connection.execute(
        "INSERT INTO provider_step (practice_id, state_digest, browser_digest, purpose, user_id, link_digest, after,"
        " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            practice_id,
            state_digest,
            step.browser_digest,
            step.purpose,
            step.user_id,
            step.link_digest,
            step.after,
            step.created_at,
        ),
    )


def take_step(connection: Connection, practice_id: int, state_digest: bytes, browser_digest: bytes) -> StepRow | None:
    """Removes and returns the step that this browser began, whatever its age."""
    found: Any = connection.execute(
        "SELECT * FROM provider_step WHERE practice_id = ? AND state_digest = ? AND browser_digest = ?",
        (practice_id, state_digest, browser_digest),
    ).fetchone()
    if found is None:
        return None
    connection.execute(
        "DELETE FROM provider_step WHERE practice_id = ? AND state_digest = ?", (practice_id, state_digest)
    )
    return StepRow(**{name: found[name] for name in StepRow.__slots__})
