"""Facts as they were said: rows that nobody changes; what counts is the latest word about each key."""

from collections.abc import Iterable, Iterator
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


def of_portal(connection: Connection, practice_id: int, portal: str, lists: Iterable[str]) -> list[Any]:
    """What was said about the portal as a whole, oldest first; of the readings of each of the lists only the latest.

    A daily reading of every list makes thousands of rows, of which one a list matters; a reading's key is
    `["list","instant"]`, and instants in UTC are in order as text.
    """
    about = {"practice": practice_id, "portal": portal}
    found = connection.execute(f"{_OF_PORTAL} AND kind <> 'portal_readings' ORDER BY fact_id", about).fetchall()
    for name in lists:
        bounds = {"first": f'["{name}",', "last": f'["{name}"~'}
        for row in _last_of_each_key(connection.execute(_READINGS, about | bounds)):
            if row["body"] != "null":
                found.append(row)
                break
    return found


_OF_PORTAL = (
    f"SELECT {_COLUMNS} FROM fact WHERE practice_id = :practice AND portal = :portal"  # noqa: S608  (fixed words)
    " AND patient_id IS NULL AND thread IS NULL"
)
_READINGS = (
    f"{_OF_PORTAL} AND kind = 'portal_readings' AND key > :first AND key < :last ORDER BY key DESC, fact_id DESC"
)


def _last_of_each_key(rows: Iterable[Any]) -> Iterator[Any]:
    """Of rows in falling order, what was last said of each key."""
    key = None
    for row in rows:
        if row["key"] != key:
            key = row["key"]
            yield row


def of_threads(connection: Connection, practice_id: int, patient_id: str) -> list[Any]:
    """What was said about the threads that are the patient's now, oldest first."""
    return connection.execute(
        "SELECT kind, key, fact.portal, thread, body, source, by, recorded_at FROM thread JOIN fact"
        " ON fact.practice_id = thread.practice_id AND fact.portal = thread.portal AND fact.thread = thread.reference"
        " WHERE thread.practice_id = ? AND thread.patient_id = ? ORDER BY fact.fact_id",
        (practice_id, patient_id),
    ).fetchall()
