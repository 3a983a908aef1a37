"""Facts as they were said: rows that nobody changes; what counts is the latest word about each key."""

from collections.abc import Iterable
from typing import Any

import orjson

from backend.store.connection import Connection

_COLUMNS = "kind, key, portal, thread, body, source, by, recorded_at"


def insert(
    connection: Connection,
    practice_id: int,
    *,
    kind: str,
    key: str,
    body: Any,
    patient_id: str | None,
    portal: str | None,
    thread: str | None,
    source: str,
    by: str | None,
    recorded_at: int,
) -> None:
    """`body` None: what was said about the key before counts no more."""
    connection.execute(
        "INSERT INTO fact (practice_id, fact_id, kind, key, patient_id, portal, thread, body, source, by, recorded_at)"
        " SELECT ?1, 1 + coalesce(max(fact_id), 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10"
        " FROM fact WHERE practice_id = ?1",
        (practice_id, kind, key, patient_id, portal, thread, orjson.dumps(body).decode(), source, by, recorded_at),
    )


def latest(
    connection: Connection,
    practice_id: int,
    *,
    kind: str,
    key: str,
    patient_id: str | None,
    portal: str | None,
    thread: str | None,
) -> Any:
    """The body last said about the key, as text; None where nothing was said."""
    values: tuple[str | None, ...] = (portal,)
    about = "portal = ? AND patient_id IS NULL AND thread IS NULL"
    if thread is not None:
        about, values = "portal = ? AND thread = ?", (portal, thread)
    elif patient_id is not None:
        about, values = "patient_id = ? AND thread IS NULL", (patient_id,)
    row = connection.execute(
        f"SELECT body FROM fact WHERE practice_id = ? AND {about} AND kind = ? AND key = ?"  # noqa: S608  (fixed words)
        " ORDER BY fact_id DESC LIMIT 1",
        (practice_id, *values, kind, key),
    ).fetchone()
    return None if row is None else row[0]


def of_patient(connection: Connection, practice_id: int, patient_id: str) -> list[Any]:
    """What was said about the patient, oldest first."""
    return connection.execute(
        f"SELECT {_COLUMNS} FROM fact WHERE practice_id = ? AND patient_id = ? AND thread IS NULL"  # noqa: S608  (columns)
        " ORDER BY fact_id",
        (practice_id, patient_id),
    ).fetchall()


def of_patients(connection: Connection, practice_id: int, patient_ids: Iterable[str], kind: str) -> list[Any]:
    """What was said of one kind about these patients, oldest first, each with its patient_id."""
    return connection.execute(
        f"SELECT patient_id, {_COLUMNS} FROM fact WHERE practice_id = ? AND kind = ? AND thread IS NULL"  # noqa: S608
        " AND patient_id IN (SELECT value FROM json_each(?)) ORDER BY fact_id",
        (practice_id, kind, orjson.dumps(sorted(patient_ids)).decode()),
    ).fetchall()


def of_portal(connection: Connection, practice_id: int, portal: str) -> list[Any]:
    """What was said about the portal as a whole, oldest first; of the readings of each list only the latest."""
    return connection.execute(_OF_PORTAL, {"practice": practice_id, "portal": portal}).fetchall()


_OF_PORTAL_ROWS = "practice_id = :practice AND portal = :portal AND patient_id IS NULL AND thread IS NULL"
# A daily reading of every list makes thousands of rows, of which one a list matters; a key is ["list", "instant"].
_OF_PORTAL = (
    f"SELECT {_COLUMNS}, fact_id FROM fact WHERE {_OF_PORTAL_ROWS} AND kind <> 'portal_readings'"  # noqa: S608  (fixed words)
    f" UNION ALL SELECT {_COLUMNS}, fact_id FROM (SELECT {_COLUMNS}, fact_id, max(key) FROM fact"
    " WHERE practice_id = :practice AND body <> 'null' AND fact_id IN"
    f" (SELECT max(fact_id) FROM fact WHERE {_OF_PORTAL_ROWS} AND kind = 'portal_readings' GROUP BY key)"
    " GROUP BY json_extract(key, '$[0]')) ORDER BY fact_id"
)


def of_threads(connection: Connection, practice_id: int, patient_id: str) -> list[Any]:
    """What was said about the threads that are the patient's now, oldest first."""
    return connection.execute(
        "SELECT kind, key, fact.portal, thread, body, source, by, recorded_at FROM thread JOIN fact"
        " ON fact.practice_id = thread.practice_id AND fact.portal = thread.portal AND fact.thread = thread.reference"
        " WHERE thread.practice_id = ? AND thread.patient_id = ? ORDER BY fact.fact_id",
        (practice_id, patient_id),
    ).fetchall()
