"""Queries about delegations: who may answer for whom, now and when something was said."""

from dataclasses import dataclass
from typing import Any

from backend.store.connection import Connection


@dataclass(frozen=True, slots=True)
class DelegationRow:
    """`to_user` None: nobody from then on. `until`: the first instant at which it holds no more, or None."""

    user_id: str
    to_user: str | None
    since: int
    until: int | None
    reason: str
    made_by: str


def holds(at: str) -> str:
    """A condition, in SQL: the row `held` of the table counts at an instant, which is itself a piece of SQL."""
    return (
        f"held.since <= {at} AND (held.until IS NULL OR {at} < held.until) AND NOT EXISTS ("  # noqa: S608  (ours)
        " SELECT 1 FROM delegation AS later WHERE later.practice_id = held.practice_id"
        f" AND later.user_id = held.user_id AND later.number > held.number AND later.since <= {at})"
    )


def said_within() -> str:
    """A condition, in SQL, over the table `fact`: it is one's own word, or was said for a colleague while that held."""
    return (
        "(fact.said_for IS NULL OR EXISTS (SELECT 1 FROM delegation AS held"  # noqa: S608  (ours)
        " WHERE held.practice_id = fact.practice_id AND held.user_id = fact.said_for AND held.to_user = fact.by"
        f" AND {holds('fact.recorded_at')}))"
    )


def insert(connection: Connection, practice_id: int, row: DelegationRow) -> None:
    """What counts for this clinician from now on. It begins no earlier than the one before it."""
    last = connection.execute(
        "SELECT number, since FROM delegation WHERE practice_id = ? AND user_id = ? ORDER BY number DESC LIMIT 1",
        (practice_id, row.user_id),
    ).fetchone()
    number, since = (1, row.since) if last is None else (last["number"] + 1, max(row.since, last["since"]))
    connection.execute(
        "INSERT INTO delegation (practice_id, user_id, number, to_user, since, until, reason, made_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (practice_id, row.user_id, number, row.to_user, since, row.until, row.reason, row.made_by),
    )


def of_user(connection: Connection, practice_id: int, user_id: str, at: int) -> DelegationRow | None:
    """Who may answer for this clinician at that instant."""
    found = _held(connection, practice_id, "held.user_id = :user", user_id, at)
    return found[0] if found else None


def to_user(connection: Connection, practice_id: int, user_id: str, at: int) -> list[DelegationRow]:
    """For whom this clinician may answer at that instant."""
    return _held(connection, practice_id, "held.to_user = :user", user_id, at)


def away(connection: Connection, practice_id: int, at: int) -> set[str]:
    """The user ids of those for whom somebody else may answer at that instant."""
    return {each.user_id for each in _held(connection, practice_id, "true", "", at)}


def _held(connection: Connection, practice_id: int, whose: str, user_id: str, at: int) -> list[DelegationRow]:
    found: list[Any] = connection.execute(
        "SELECT user_id, to_user, since, until, reason, made_by FROM delegation AS held"  # noqa: S608  (fixed words)
        f" WHERE held.practice_id = :practice AND {whose} AND held.to_user IS NOT NULL AND {holds(':at')}"
        " ORDER BY held.user_id",
        {"practice": practice_id, "user": user_id, "at": at},
    ).fetchall()
    return [DelegationRow(**dict(row)) for row in found]
