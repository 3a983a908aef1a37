"""Facts as they were said: rows that nobody changes; what counts is the latest word about each key."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson

from backend.store.connection import Connection
from backend.store.delegations import said_within

_COLUMNS = "kind, key, portal, thread, body, source, by, said_for, recorded_at"
_WITHIN = said_within()
"""What was said for a colleague outside the dates of their delegation counts for nothing."""


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
    said_for: str | None = None,
    recorded_at: int,
) -> None:
    """`body` None: what was said about the key before counts no more. `said_for`: the colleague whose word it is, where
    somebody answers for them."""
    connection.execute(
        "INSERT INTO fact (practice_id, fact_id, kind, key, patient_id, portal, thread, body, source, by,"
        " said_for, recorded_at)"
        " SELECT ?1, 1 + coalesce(max(fact_id), 0), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"
        " FROM fact WHERE practice_id = ?1",
        (
            practice_id,
            kind,
            key,
            patient_id,
            portal,
            thread,
            orjson.dumps(body).decode(),
            source,
            by,
            said_for,
            recorded_at,
        ),
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
    """The body last said about the key, as text, and `said_for`; None where nothing was said."""
    values: tuple[str | None, ...] = (portal,)
    about = "portal = ? AND patient_id IS NULL AND thread IS NULL"
    if thread is not None:
        about, values = "portal = ? AND thread = ?", (portal, thread)
    elif patient_id is not None:
        about, values = "patient_id = ? AND thread IS NULL", (patient_id,)
    return connection.execute(
        f"SELECT body, said_for FROM fact WHERE practice_id = ? AND {about} AND kind = ? AND key = ?"  # noqa: S608  (fixed words)
        " ORDER BY fact_id DESC LIMIT 1",
        (practice_id, *values, kind, key),
    ).fetchone()


def of_patient(connection: Connection, practice_id: int, patient_id: str) -> Iterable[Any]:
    """What was said about the patient, oldest first."""
    return connection.execute(
        f"SELECT {_COLUMNS} FROM fact WHERE practice_id = ? AND patient_id = ? AND thread IS NULL"  # noqa: S608  (columns)
        f" AND {_WITHIN} ORDER BY fact_id",
        (practice_id, patient_id),
    )


def of_patients(connection: Connection, practice_id: int, patient_ids: Iterable[str], kind: str) -> list[Any]:
    """What was said of one kind about these patients, oldest first, each with its patient_id."""
    return connection.execute(
        f"SELECT patient_id, {_COLUMNS} FROM fact WHERE practice_id = ? AND kind = ? AND thread IS NULL"  # noqa: S608
        f" AND patient_id IN (SELECT value FROM json_each(?)) AND {_WITHIN} ORDER BY fact_id",
        (practice_id, kind, orjson.dumps(sorted(patient_ids)).decode()),
    ).fetchall()


def of_portal(connection: Connection, practice_id: int, portal: str, lists: Iterable[str]) -> list[Any]:
    """What was said about the portal as a whole, oldest first; of the readings of each of the lists only the latest.

    A daily reading of every list makes thousands of rows, of which one a list matters; a reading's key is
    `["list","instant"]`, and instants in UTC are in order as text.
    """
    about: dict[str, Any] = {"practice": practice_id, "portal": portal}
    found = connection.execute(f"{_OF_PORTAL} AND kind <> 'portal_readings' ORDER BY fact_id", about)
    readings = []
    for number, name in enumerate(lists):
        readings.append(_latest_reading(number))
        about |= {f"first{number}": f'["{name}",', f"last{number}": f'["{name}"~'}
    latest_readings = connection.execute(" UNION ALL ".join(readings), about)
    return [*found, *latest_readings]


_OF_PORTAL = (
    f"SELECT {_COLUMNS} FROM fact WHERE practice_id = :practice AND portal = :portal"  # noqa: S608  (fixed words)
    " AND patient_id IS NULL AND thread IS NULL"
)


@cache
def _latest_reading(number: int) -> str:
    """The latest reading between `:first` and `:last` of that number which was not withdrawn."""
    return (
        f"SELECT * FROM (SELECT {_COLUMNS} FROM fact AS said"  # noqa: S608  (fixed words)
        " WHERE practice_id = :practice AND portal = :portal AND patient_id IS NULL AND thread IS NULL"
        " AND kind = 'portal_readings'"
        f" AND key > :first{number} AND key < :last{number} AND body <> 'null' AND NOT EXISTS (SELECT 1"
        " FROM fact AS later WHERE later.practice_id = said.practice_id AND later.portal = said.portal"
        " AND later.patient_id IS NULL AND later.thread IS NULL AND later.kind = said.kind AND later.key = said.key"
        f" AND later.fact_id > said.fact_id) ORDER BY key DESC LIMIT 1) AS latest{number}"
    )


def of_threads(connection: Connection, practice_id: int, patient_id: str) -> Iterable[Any]:
    """What was said about the threads that are the patient's now, oldest first."""
    return connection.execute(
        "SELECT kind, key, fact.portal, thread, body, source, by, said_for, recorded_at FROM thread JOIN fact"  # noqa: S608
        " ON fact.practice_id = thread.practice_id AND fact.portal = thread.portal AND fact.thread = thread.reference"
        f" WHERE thread.practice_id = ? AND thread.patient_id = ? AND {_WITHIN} ORDER BY fact.fact_id",
        (practice_id, patient_id),
    )
