"""How long the practice keeps what, as it was said; and what has come of age."""

from collections.abc import Collection
from datetime import date
from typing import Any

import orjson

from backend.store.connection import Connection


def insert(
    connection: Connection,
    practice_id: int,
    *,
    kind: str,
    period: str | None,
    from_on: date,
    by: str | None,
    recorded_at: int,
) -> None:
    connection.execute(
        "INSERT INTO retention (practice_id, retention_id, kind, period, from_on, by, recorded_at)"
        " SELECT ?1, 1 + coalesce(max(retention_id), 0), ?2, ?3, ?4, ?5, ?6 FROM retention WHERE practice_id = ?1",
        (practice_id, kind, period, from_on.isoformat(), by, recorded_at),
    )


def of_practice(connection: Connection, practice_id: int) -> list[Any]:
    """What was said, oldest first: kind, period, from_on, by, recorded_at."""
    return connection.execute(
        "SELECT kind, period, from_on, by, recorded_at FROM retention WHERE practice_id = ? ORDER BY retention_id",
        (practice_id,),
    ).fetchall()


def with_old_intervals(connection: Connection, practice_id: int, before: int) -> list[str]:
    """The patients with an interval that ended by then."""
    rows = connection.execute(
        "SELECT DISTINCT patient_id FROM interval WHERE practice_id = ? AND ended_at <= ? ORDER BY patient_id",
        (practice_id, before),
    )
    return [row[0] for row in rows]


def old_intervals(connection: Connection, practice_id: int, patient_id: str, before: int) -> list[Any]:
    """The patient's rows that ended by then, those that count no more too: interval_id, corrects, started_at."""
    return connection.execute(
        "SELECT interval_id, corrects, started_at FROM interval"
        " WHERE practice_id = ? AND patient_id = ? AND ended_at <= ? ORDER BY started_at, interval_id",
        (practice_id, patient_id, before),
    ).fetchall()


def not_touched_since(
    connection: Connection, practice_id: int, at: int, on: date, *, among: Collection[str] | None = None
) -> list[str]:
    """The patients (`among` these) with whom nothing happened since an instant and its day.

    No work, no word but that a list was read, no day of an episode, no approval. Left out is who only stands in where
    somebody else is named.
    """
    narrowed = "" if among is None else " AND patient_id IN (SELECT value FROM json_each(?4))"
    rows = connection.execute(
        "SELECT patient_id FROM patient WHERE practice_id = ?1 AND created_at < ?2"  # noqa: S608  (fixed words)
        " AND NOT EXISTS (SELECT 1 FROM interval AS one WHERE one.practice_id = ?1"
        " AND one.patient_id = patient.patient_id AND (one.ended_at >= ?2 OR one.received_at >= ?2))"
        " AND NOT EXISTS (SELECT 1 FROM fact AS one WHERE one.practice_id = ?1"
        " AND one.patient_id = patient.patient_id AND one.recorded_at >= ?2 AND one.kind <> 'readings')"
        " AND NOT EXISTS (SELECT 1 FROM thread JOIN fact AS one ON one.practice_id = ?1"
        " AND one.portal = thread.portal AND one.thread = thread.reference"
        " WHERE thread.practice_id = ?1 AND thread.patient_id = patient.patient_id AND one.recorded_at >= ?2)"
        " AND NOT EXISTS (SELECT 1 FROM episode AS one WHERE one.practice_id = ?1"
        " AND one.patient_id = patient.patient_id AND (one.window_end >= ?3 OR one.approved_at >= ?2))"
        " AND NOT (reference IS NULL AND (EXISTS (SELECT 1 FROM thread AS one WHERE one.practice_id = ?1"
        " AND one.stand_in_id = patient.patient_id AND one.patient_id <> patient.patient_id)"
        " OR EXISTS (SELECT 1 FROM thread_named AS one WHERE one.practice_id = ?1"
        f" AND one.patient_id = patient.patient_id))){narrowed} ORDER BY patient_id",
        (practice_id, at, on.isoformat(), *([] if among is None else [orjson.dumps(sorted(among)).decode()])),
    )
    return [row[0] for row in rows]


def last_day(connection: Connection, practice_id: int, patient_ids: Collection[str]) -> int | None:
    """The first instant at which anything is stored about these patients."""
    wanted = orjson.dumps(sorted(patient_ids)).decode()
    row = connection.execute(
        "SELECT min(at) FROM (SELECT min(started_at) AS at FROM interval WHERE practice_id = ?1 AND patient_id"
        " IN (SELECT value FROM json_each(?2)) UNION ALL SELECT min(recorded_at) FROM fact WHERE practice_id = ?1"
        " AND patient_id IN (SELECT value FROM json_each(?2)) UNION ALL SELECT min(created_at) FROM patient"
        " WHERE practice_id = ?1 AND patient_id IN (SELECT value FROM json_each(?2))) AS first",
        (practice_id, wanted),
    ).fetchone()
    return None if row[0] is None else int(row[0])


def users_at_work(connection: Connection, practice_id: int, patient_ids: Collection[str]) -> set[str]:
    """Who has an interval with these patients."""
    rows = connection.execute(
        "SELECT DISTINCT user_id FROM interval WHERE practice_id = ?"
        " AND patient_id IN (SELECT value FROM json_each(?))",
        (practice_id, orjson.dumps(sorted(patient_ids)).decode()),
    )
    return {row[0] for row in rows}


def approvals(connection: Connection, practice_id: int, patient_ids: Collection[str]) -> list[Any]:
    """The approved episodes of these patients: window_end, approved_at."""
    return connection.execute(
        "SELECT window_end, approved_at FROM episode WHERE practice_id = ? AND approved_at IS NOT NULL"
        " AND gone_at IS NULL AND patient_id IN (SELECT value FROM json_each(?))",
        (practice_id, orjson.dumps(sorted(patient_ids)).decode()),
    ).fetchall()


def approvals_of(connection: Connection, practice_id: int, user_id: str) -> list[Any]:
    """The same of the approved episodes that a person's time is shared in, or that the person approved."""
    return connection.execute(
        "SELECT window_end, approved_at FROM episode WHERE practice_id = ?1 AND approved_at IS NOT NULL"
        " AND gone_at IS NULL AND (approved_by = ?2 OR EXISTS ("
        "SELECT 1 FROM json_each(shares, '$.clinicians') AS share WHERE share.value ->> 0 = ?2))",
        (practice_id, user_id),
    ).fetchall()
