"""Erasures: the one way in which append-only rows go, and the removal of every row that speaks of a patient."""

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from backend.store import intervals, merged
from backend.store.connection import Connection
from backend.store.patients import Reference

Cause = Literal["patient", "user", "age"]


@contextmanager
def erasing(
    connection: Connection,
    practice_id: int,
    cause: Cause,
    subjects: Iterable[str] = (),
    *,
    reason: str | None = None,
    by: str | None = None,
    at: int,
) -> Iterator[int]:
    """While the block runs, the practice's append-only rows may be deleted in this unit of work; it leaves an erasure.

    `subjects`: the ids of whom is erased; none where rows go by age. Gives the erasure's number.
    """
    number = _next(connection, practice_id)
    connection.execute(
        "INSERT INTO erasure (practice_id, erasure_id, cause, subjects, reason, by, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (practice_id, number, cause, _json(subjects), reason, by, at),
    )
    connection.execute("INSERT INTO erasing (practice_id, erasure_id) VALUES (?, ?)", (practice_id, number))
    yield number
    connection.execute("DELETE FROM erasing WHERE practice_id = ?", (practice_id,))


def of_people(connection: Connection) -> frozenset[tuple[int, str, str]]:
    """(practice, patient or user, id) of everybody who was erased."""
    rows = connection.execute("SELECT practice_id, cause, subjects FROM erasure WHERE cause <> 'age'")
    return frozenset((row[0], row[1], id_) for row in rows for id_ in orjson.loads(row[2]))


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything that a patient is: the rows that go, by their keys.

    `patients`: the patient with the rows that stood in for its threads; `referred`: without these. `threads`: its own.
    `shared`: threads of nobody in particular that also named it. `corrected`: of `intervals`, those of somebody else
    which this patient's rows correct: without their correction they would count again.
    """

    patients: list[str]
    referred: list[str]
    threads: list[Reference]
    shared: list[Reference]
    episodes: list[str]
    intervals: list[str]
    corrected: list[str]
    facts: list[int]


def whole(connection: Connection, practice_id: int, patient_ids: Collection[str]) -> Whole:
    """What there is of these patients; of ids that are not there, nothing."""

    def found(columns: str, table: str, column: str) -> list[Any]:
        return _found(connection, practice_id, columns, table, column, ids)

    ids, own_threads = set(patient_ids), set[Reference]()
    while len(rows := found("portal, reference, stand_in_id", "thread", "patient_id")) > len(own_threads):
        own_threads = {(row[0], row[1]) for row in rows}
        ids |= {row[2] for row in rows}
    named = {(row[0], row[1]) for row in found("portal, thread", "thread_named", "patient_id")}
    intervals = {row[0] for column in ("patient_id", "named_id") for row in found("interval_id", "interval", column)}
    corrected = _corrected(connection, practice_id, intervals)
    said = {row[0] for row in found("fact_id", "fact", "patient_id")}
    for thread in own_threads:
        said |= {
            row[0]
            for row in connection.execute(
                "SELECT fact_id FROM fact WHERE practice_id = ? AND portal = ? AND thread = ?", (practice_id, *thread)
            )
        }
    standing_in = {
        row[2]
        for row in found("portal, reference, stand_in_id", "thread", "stand_in_id")
        if (row[0], row[1]) not in own_threads
    }  # for threads that stay
    there = {row[0]: row[1] for row in found("patient_id, reference", "patient", "patient_id")}
    return Whole(
        patients=sorted(there.keys() - standing_in),
        referred=sorted(id_ for id_, reference in there.items() if reference is not None),
        threads=sorted(own_threads),
        shared=sorted(named - own_threads),
        episodes=sorted(row[0] for row in found("episode_id", "episode", "patient_id")),
        intervals=sorted(intervals | corrected),
        corrected=sorted(corrected),
        facts=sorted(said),
    )


def _corrected(connection: Connection, practice_id: int, intervals: Collection[str]) -> set[str]:
    """The rows that these correct, one after the other; what an approved episode holds stays in it."""
    found: set[str] = set()
    wanted = set(intervals)
    while wanted:
        rows = connection.execute(
            "SELECT first.interval_id FROM interval AS said JOIN interval AS first"
            " ON first.practice_id = said.practice_id AND first.interval_id = said.corrects"
            " WHERE said.practice_id = ?1 AND said.interval_id IN (SELECT value FROM json_each(?2))"
            " AND NOT EXISTS (SELECT 1 FROM episode_interval AS held"
            " JOIN episode ON episode.practice_id = held.practice_id AND episode.episode_id = held.episode_id"
            " WHERE held.practice_id = ?1 AND held.interval_id = first.interval_id"
            " AND episode.approved_at IS NOT NULL)",
            (practice_id, _json(wanted)),
        )
        wanted = {row[0] for row in rows} - found - set(intervals)
        found |= wanted
    return found


def remove(connection: Connection, practice_id: int, gone: Whole, nobody: str | None, at: int) -> None:
    """Deletes all of it, where `erasing` allows it. `nobody`: the new id of a patient without a reference, who takes
    the place in threads that named several, so that what is nobody's stays nobody's."""
    if gone.shared and nobody is not None:
        connection.execute(
            "INSERT INTO patient (practice_id, patient_id, portal, reference, created_at) VALUES (?, ?, ?, NULL, ?)",
            (practice_id, nobody, gone.shared[0][0], at),
        )
        connection.executemany(
            "INSERT INTO thread_named (practice_id, portal, thread, patient_id) VALUES (?, ?, ?, ?)",
            ((practice_id, *thread, nobody) for thread in gone.shared),
        )
    remove_intervals(connection, practice_id, gone.intervals)
    for table, column, keys in (
        ("episode_interval", "episode_id", gone.episodes),
        ("episode_event", "episode_id", gone.episodes),
        ("determination", "episode_id", gone.episodes),
        ("episode", "episode_id", gone.episodes),
        ("thread_named", "patient_id", gone.patients),
    ):
        _delete(connection, practice_id, table, column, keys)
    connection.executemany(
        "DELETE FROM fact WHERE practice_id = ? AND fact_id = ?", [(practice_id, each) for each in gone.facts]
    )
    for portal in {portal for portal, _ in gone.threads}:
        own = [reference for of, reference in gone.threads if of == portal]
        for statement in (
            "DELETE FROM thread_named WHERE practice_id = ? AND portal = ?"
            " AND thread IN (SELECT value FROM json_each(?))",
            "DELETE FROM thread WHERE practice_id = ? AND portal = ? AND reference IN (SELECT value FROM json_each(?))",
            "UPDATE interval SET linked_from = NULL WHERE practice_id = ? AND portal = ?"
            " AND linked_from IN (SELECT value FROM json_each(?))",
        ):
            connection.execute(statement, (practice_id, portal, _json(own)))
    connection.execute(
        "UPDATE hold SET reason = '', lifted_reason = '' WHERE practice_id = ? AND about = 'patient'"
        " AND about_id IN (SELECT value FROM json_each(?))",
        (practice_id, _json(gone.patients)),
    )
    _delete(connection, practice_id, "patient", "patient_id", gone.patients)


def remove_intervals(connection: Connection, practice_id: int, ids: Collection[str]) -> None:
    """Deletes rows, that episodes hold them, and their part of merged time."""
    concerned = intervals.patients_of(connection, practice_id, ids)
    for table in ("episode_interval", "interval"):
        _delete(connection, practice_id, table, "interval_id", ids)
    merged.rebuild(connection, practice_id, concerned)


Claim = tuple[str, int, int, bool]
"""(user_id, started_at, ended_at, whether its clinician had said that it was not the other's)."""


def keep_claims(connection: Connection, practice_id: int, claims: Iterable[Claim]) -> None:
    """Notes time that rows which go claimed, where somebody else's rows claim it too."""
    connection.executemany(
        "INSERT INTO claimed_span (practice_id, user_id, started_at, ended_at, theirs) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (practice_id, user_id, started_at, ended_at, theirs) DO NOTHING",
        ((practice_id, user_id, start, end, int(theirs)) for user_id, start, end, theirs in claims),
    )


def erase_user(connection: Connection, practice_id: int, user_id: str, *, name: str, email: str, now: int) -> None:
    """Leaves of a person's account its id, roles, credential and specialty, under a name that is nobody's."""
    connection.execute(
        "UPDATE user SET name = ?, email = ?, active = 0, password_hash = NULL, totp_secret = NULL,"
        " totp_waiting = NULL, totp_step = NULL, failures = 0, locked_until = NULL"
        " WHERE practice_id = ? AND user_id = ?",
        (name, email, practice_id, user_id),
    )
    connection.execute(
        "UPDATE device SET name = ?, browser = NULL, revoked_at = coalesce(revoked_at, ?)"
        " WHERE practice_id = ? AND user_id = ?",
        (name, now, practice_id, user_id),
    )
    for table in _OF_AN_ACCOUNT:
        _delete(connection, practice_id, table, "user_id", [user_id])
    connection.execute(
        "UPDATE hold SET reason = '', lifted_reason = '' WHERE practice_id = ? AND about = 'user' AND about_id = ?",
        (practice_id, user_id),
    )


_OF_AN_ACCOUNT = (
    *("sign_in_directory", "session", "sign_in_step", "user_link", "recovery_code", "pairing", "pairing_tries"),
    *("user_identity", "provider_step"),
)


def _found(
    connection: Connection, practice_id: int, columns: str, table: str, column: str, keys: Iterable[Any]
) -> list[Any]:
    """Columns of the practice's rows whose `column` is one of the keys."""
    return connection.execute(
        f"SELECT {columns} FROM {table} WHERE practice_id = ?"  # noqa: S608  (our own names)
        f" AND {column} IN (SELECT value FROM json_each(?))",
        (practice_id, _json(keys)),
    ).fetchall()


def _delete(connection: Connection, practice_id: int, table: str, column: str, keys: Iterable[Any]) -> None:
    connection.execute(
        f"DELETE FROM {table} WHERE practice_id = ? AND {column} IN (SELECT value FROM json_each(?))",  # noqa: S608
        (practice_id, _json(keys)),
    )


def _next(connection: Connection, practice_id: int) -> int:
    row = connection.execute(
        "SELECT 1 + coalesce(max(erasure_id), 0) FROM erasure WHERE practice_id = ?", (practice_id,)
    ).fetchone()
    return int(row[0])


def _json(values: Iterable[Any]) -> str:
    return orjson.dumps(sorted(values)).decode()
