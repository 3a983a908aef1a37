"""Intervals as they were sent. A row is written once; only whose it is (`patient_id`) may change later."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson

from backend.store.connection import Connection, Cursor

_COLUMNS = (
    "practice_id",
    "interval_id",
    "user_id",
    "device_id",
    "patient_id",
    "portal",
    "thread",
    "named_id",
    "activity",
    "started_at",
    "ended_at",
    "ended_by",
    "idle_after_seconds",
    "entry",
    "tab",
    "linked_from",
    "recovered",
    "corrects",
    "reason",
    "problem",
    "sent_at",
    "received_at",
    "clock_offset_ms",
    "clock_off",
)
_INSERT = f"INSERT INTO interval ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608  (column names)
_STANDING = (
    "SELECT interval_id, user_id, thread, activity, started_at, ended_at, device_id, tab, problem, entry, received_at"
    " FROM standing_interval WHERE practice_id = ? AND patient_id = ? ORDER BY started_at, interval_id"
)
WAS_NOBODYS, WAS_THEIRS = "gone", "gone, and theirs"
"""In the place of a patient: rows that are gone claimed the time; the second where its clinician had said that."""
_OF_OTHERS = (
    "SELECT patient_id, started_at, ended_at FROM standing_interval"
    " WHERE practice_id = :practice AND user_id = :user AND patient_id <> :patient AND activity <> 'idle'"
    " AND started_at > :start - 300000 AND started_at < :end AND ended_at > :start UNION "
    "SELECT patient_id, started_at, ended_at FROM standing_interval"
    " WHERE practice_id = :practice AND user_id = :user AND patient_id <> :patient AND activity <> 'idle'"
    " AND ended_at - started_at > 300000 AND started_at > :start - 86400000 AND started_at < :end"
    " AND ended_at > :start UNION "
    "SELECT CASE theirs WHEN 1 THEN 'gone, and theirs' ELSE 'gone' END, started_at, ended_at FROM claimed_span"
    " WHERE practice_id = :practice AND user_id = :user AND started_at > :start - 86400000 AND started_at < :end"
    " AND ended_at > :start ORDER BY 2, 3, 1"
)
"""A measured row is at most 300 s long, any row at most a day: that far back may an overlapping one begin."""


def insert(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """Stores rows, values in the order of the table. IntegrityError: an id is stored already."""
    connection.executemany(_INSERT, rows)


def ask(connection: Connection, practice_id: int, ids: Collection[str]) -> Cursor:
    """The stored rows of these ids, with the patient that each named as `patient`; to be read when it is wanted."""
    return connection.execute(
        "SELECT interval.*, named.reference AS patient FROM interval LEFT JOIN patient AS named"
        " ON named.practice_id = interval.practice_id AND named.patient_id = interval.named_id"
        " WHERE interval.practice_id = ? AND interval.interval_id IN (SELECT value FROM json_each(?))",
        (practice_id, orjson.dumps(list(ids)).decode()),
    )


def known(connection: Connection, practice_id: int, ids: Collection[str]) -> dict[str, Any]:
    """interval_id -> the stored row, as `ask` gives it."""
    return {row["interval_id"]: row for row in ask(connection, practice_id, ids)}


def corrected_by_their_own(connection: Connection, practice_id: int, ids: Collection[str]) -> set[str]:
    """Those of the intervals that the clinician whose they are has corrected, not somebody who answers for them."""
    rows = connection.execute(
        "SELECT interval.corrects FROM interval JOIN device USING (practice_id, device_id)"
        " WHERE interval.practice_id = ? AND interval.corrects IN (SELECT value FROM json_each(?))"
        " AND device.user_id = interval.user_id",
        (practice_id, orjson.dumps(list(ids)).decode()),
    )
    return {row[0] for row in rows}


def standing(connection: Connection, practice_id: int, patient_id: str) -> Iterable[Any]:
    """The patient's rows that count as said last, by start."""
    return connection.execute(_STANDING, (practice_id, patient_id))


def spans(connection: Connection, practice_id: int, patient_ids: Collection[str]) -> Cursor:
    """(patient_id, user_id, started_at, ended_at) of every row of the patients, corrected ones too, in that order."""
    return connection.execute(
        "SELECT patient_id, user_id, started_at, ended_at FROM interval WHERE practice_id = ?"
        " AND patient_id IN (SELECT value FROM json_each(?)) ORDER BY patient_id, user_id, started_at",
        (practice_id, orjson.dumps(sorted(patient_ids)).decode()),
    )


def of_others(connection: Connection, practice_id: int, patient_id: str, user_id: str, start: int, end: int) -> Cursor:
    """The clinician's rows in `[start, end)` that belong to other patients: patient_id, started_at, ended_at.

    With what rows claimed that are gone, of WAS_NOBODYS or WAS_THEIRS.
    """
    return connection.execute(
        _OF_OTHERS,
        {"practice": practice_id, "user": user_id, "patient": patient_id, "start": start, "end": end},
    )


def patients_of(connection: Connection, practice_id: int, ids: Collection[str]) -> set[str]:
    """Whose these intervals are."""
    rows = connection.execute(
        "SELECT DISTINCT patient_id FROM interval"
        " WHERE practice_id = ? AND interval_id IN (SELECT value FROM json_each(?))",
        (practice_id, orjson.dumps(list(ids)).decode()),
    )
    return {row[0] for row in rows}


def worked_on(
    connection: Connection,
    practice_id: int,
    user_id: str,
    portal: str,
    thread: str | None,
    patient_id: str | None,
) -> bool:
    """Whether the clinician has an interval on the thread, or where none is given, of the patient."""
    where, values = ("portal = ? AND thread = ?", (portal, thread)) if thread else ("patient_id = ?", (patient_id,))
    return (
        connection.execute(
            f"SELECT 1 FROM interval WHERE practice_id = ? AND user_id = ? AND {where} LIMIT 1",  # noqa: S608  (fixed words)
            (practice_id, user_id, *values),
        ).fetchone()
        is not None
    )


def after(connection: Connection, practice_id: int, interval_id: str, limit: int) -> list[Any]:
    """The next rows in the order of their ids, with the patient that each named as `patient`."""
    return connection.execute(
        "SELECT interval.*, named.reference AS patient FROM interval LEFT JOIN patient AS named"
        " ON named.practice_id = interval.practice_id AND named.patient_id = interval.named_id"
        " WHERE interval.practice_id = ? AND interval.interval_id > ? ORDER BY interval.interval_id LIMIT ?",
        (practice_id, interval_id, limit),
    ).fetchall()


def misplaced(connection: Connection, practice_id: int) -> Iterator[str]:
    """Ids of rows that name a patient and belong to another, or name none and are not where their thread is."""
    rows = connection.execute(
        "SELECT interval_id FROM interval LEFT JOIN thread ON thread.practice_id = interval.practice_id"
        " AND thread.portal = interval.portal AND thread.reference = interval.thread"
        " WHERE interval.practice_id = ? AND interval.patient_id IS DISTINCT FROM coalesce(named_id, thread.patient_id)"
        " AND NOT EXISTS (SELECT 1 FROM episode_interval AS held JOIN episode"
        " ON episode.practice_id = held.practice_id AND episode.episode_id = held.episode_id"
        " WHERE held.practice_id = interval.practice_id AND held.interval_id = interval.interval_id"
        " AND episode.approved_at IS NOT NULL)",
        (practice_id,),
    )
    return (row[0] for row in rows)


def newest_received_at(connection: Connection) -> int | None:
    """When the latest row of any practice came, by the server's clock; None when there is none. Reads every row."""
    row = connection.execute("SELECT max(received_at) FROM interval").fetchone()
    return None if row[0] is None else int(row[0])
