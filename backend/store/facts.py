"""Facts as they were said: rows that nobody changes; what counts is the latest word."""

from typing import Any

import orjson

from backend.store.connection import Connection


def insert(
    connection: Connection,
    practice_id: int,
    *,
    kind: str,
    body: Any,
    patient_id: str | None,
    portal: str | None,
    thread: str | None,
    source: str,
    by: str | None,
    recorded_at: int,
) -> None:
    connection.execute(
        "INSERT INTO fact (practice_id, fact_id, kind, patient_id, portal, thread, body, source, by, recorded_at)"
        " SELECT ?1, 1 + coalesce(max(fact_id), 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM fact WHERE practice_id = ?1",
        (practice_id, kind, patient_id, portal, thread, orjson.dumps(body).decode(), source, by, recorded_at),
    )


def of_patient(connection: Connection, practice_id: int, patient_id: str) -> list[Any]:
    """What was said about the patient, oldest first: kind, body, recorded_at."""
    return connection.execute(
        "SELECT kind, body, recorded_at FROM fact WHERE practice_id = ? AND patient_id = ? AND kind <> 'thread_patient'"
        " ORDER BY fact_id",
        (practice_id, patient_id),
    ).fetchall()


def of_portal(connection: Connection, practice_id: int, portal: str) -> list[Any]:
    """What was said about the portal as a whole, oldest first: kind, body, recorded_at."""
    return connection.execute(
        "SELECT kind, body, recorded_at FROM fact WHERE practice_id = ? AND portal = ? AND patient_id IS NULL"
        " AND thread IS NULL ORDER BY fact_id",
        (practice_id, portal),
    ).fetchall()


def of_threads(connection: Connection, practice_id: int, patient_id: str) -> list[Any]:
    """What was said about the threads that are the patient's now, oldest first: thread, kind, body, recorded_at."""
    return connection.execute(
        "SELECT fact.thread, fact.kind, fact.body, fact.recorded_at FROM thread JOIN fact"
        " ON fact.practice_id = thread.practice_id AND fact.portal = thread.portal AND fact.thread = thread.reference"
        " WHERE thread.practice_id = ? AND thread.patient_id = ? AND fact.kind <> 'thread_patient'"
        " ORDER BY fact.fact_id",
        (practice_id, patient_id),
    ).fetchall()
