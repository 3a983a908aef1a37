"""Patients and threads, and whose a thread is.

A thread always points at a patient row: the one it was resolved to by a person or a feed, else the only one that any
of its rows ever named, else (nobody named, or several) the row that stands in for it. So whose it is does not depend
on the order in which rows and facts arrived.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import orjson

from backend.store.connection import Connection

DUE_AT_ONCE = 0
"""`due_at` of a patient whose rows changed: before every clock."""

Reference = tuple[str, str]
"""(portal, the portal's own identifier) of a patient or a thread."""


def find(connection: Connection, practice_id: int, patient_id: str) -> Any:
    return connection.execute(
        "SELECT * FROM patient WHERE practice_id = ? AND patient_id = ?", (practice_id, patient_id)
    ).fetchone()


def patient_ids(
    connection: Connection, practice_id: int, references: Collection[Reference], now: int
) -> dict[Reference, str]:
    """The row of each patient; who is not known yet gets one."""
    found: dict[Reference, str] = {}
    for portal, texts in _by_portal(references).items():
        rows = connection.execute(
            "SELECT reference, patient_id FROM patient WHERE practice_id = ? AND portal = ?"
            " AND reference IN (SELECT value FROM json_each(?))",
            (practice_id, portal, _json(texts)),
        )
        found.update(((portal, row[0]), row[1]) for row in rows)
    new = {each: uuid.uuid4().hex for each in references if each not in found}
    _insert(connection, ((practice_id, new[each], each[0], each[1], now) for each in new))
    return found | new


def known(connection: Connection, practice_id: int, reference: Reference) -> str | None:
    """The row of the patient; None where there is none."""
    row = connection.execute(
        "SELECT patient_id FROM patient WHERE practice_id = ? AND portal = ? AND reference = ?",
        (practice_id, *reference),
    ).fetchone()
    return None if row is None else str(row[0])


def of_thread(connection: Connection, practice_id: int, thread: Reference) -> str | None:
    """Whose the thread is; None where there is none."""
    row = connection.execute(
        "SELECT patient_id FROM thread WHERE practice_id = ? AND portal = ? AND reference = ?", (practice_id, *thread)
    ).fetchone()
    return None if row is None else str(row[0])


def thread_patients(
    connection: Connection, practice_id: int, threads: Collection[Reference], now: int
) -> dict[Reference, str]:
    """Whose each thread is; one that is not known yet gets a row and a stand-in."""
    found: dict[Reference, str] = {}
    for portal, texts in _by_portal(threads).items():
        rows = connection.execute(
            "SELECT reference, patient_id FROM thread WHERE practice_id = ? AND portal = ?"
            " AND reference IN (SELECT value FROM json_each(?))",
            (practice_id, portal, _json(texts)),
        )
        found.update(((portal, row[0]), row[1]) for row in rows)
    new = {each: uuid.uuid4().hex for each in threads if each not in found}
    _insert(connection, ((practice_id, new[each], each[0], None, now) for each in new))
    connection.executemany(
        "INSERT INTO thread (practice_id, portal, reference, patient_id, stand_in_id) VALUES (?, ?, ?, ?, ?)",
        ((practice_id, *each, new[each], new[each]) for each in new),
    )
    return found | new


def name_threads(connection: Connection, practice_id: int, named: Collection[tuple[Reference, str]]) -> set[Reference]:
    """Notes that rows of a thread named a patient (its id); returns the threads for which that was news."""
    cursor = connection.executemany(_NAME, ((practice_id, *thread, patient_id) for thread, patient_id in named))
    if not cursor.rowcount:
        return set()
    return {thread for thread, _ in named}


_NAME = (
    "INSERT INTO thread_named (practice_id, portal, thread, patient_id) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (practice_id, portal, thread, patient_id) DO NOTHING"
)


def owner(connection: Connection, practice_id: int, thread: Reference) -> str:
    """Whose the thread is by what was resolved and named."""
    resolved = connection.execute(
        "SELECT patient_id FROM fact WHERE practice_id = ? AND portal = ? AND thread = ? AND kind = 'threads'"
        " ORDER BY fact_id DESC LIMIT 1",
        (practice_id, *thread),
    ).fetchone()
    if resolved is not None and resolved[0] is not None:
        return str(resolved[0])
    named = connection.execute(
        "SELECT patient_id FROM thread_named WHERE practice_id = ? AND portal = ? AND thread = ? LIMIT 2",
        (practice_id, *thread),
    ).fetchall()
    if len(named) == 1:
        return str(named[0][0])
    row = connection.execute(
        "SELECT stand_in_id FROM thread WHERE practice_id = ? AND portal = ? AND reference = ?", (practice_id, *thread)
    ).fetchone()
    return str(row[0])


def move_thread(connection: Connection, practice_id: int, thread: Reference) -> set[str]:
    """Gives the thread, with its rows that name nobody, to whom it belongs now; returns the patients that changed.

    A row that an approved episode holds stays where it is: an approved episode never changes.
    """
    new = owner(connection, practice_id, thread)
    row = connection.execute(
        "SELECT patient_id FROM thread WHERE practice_id = ? AND portal = ? AND reference = ?", (practice_id, *thread)
    ).fetchone()
    old = str(row[0])
    if old == new:
        return set()
    connection.execute(
        "UPDATE thread SET patient_id = ? WHERE practice_id = ? AND portal = ? AND reference = ?",
        (new, practice_id, *thread),
    )
    connection.execute(
        "UPDATE interval SET patient_id = ?1 WHERE practice_id = ?2 AND portal = ?3 AND thread = ?4"
        " AND named_id IS NULL AND NOT EXISTS (SELECT 1 FROM episode_interval AS held JOIN episode"
        " ON episode.practice_id = held.practice_id AND episode.episode_id = held.episode_id"
        " WHERE held.practice_id = interval.practice_id AND held.interval_id = interval.interval_id"
        " AND episode.approved_at IS NOT NULL)",
        (new, practice_id, *thread),
    )
    return {old, new}


def threads_of(connection: Connection, practice_id: int, patient_id: str) -> list[Reference]:
    return [
        (row[0], row[1])
        for row in connection.execute(
            "SELECT portal, reference FROM thread WHERE practice_id = ? AND patient_id = ? ORDER BY portal, reference",
            (practice_id, patient_id),
        )
    ]


def mark_due(connection: Connection, practice_id: int, changed: Iterable[str]) -> None:
    """Has the patients computed again at the next settling."""
    connection.executemany(
        "UPDATE patient SET due_at = ? WHERE practice_id = ? AND patient_id = ? AND due_at IS NOT ?",
        ((DUE_AT_ONCE, practice_id, patient_id, DUE_AT_ONCE) for patient_id in changed),
    )


def set_due(connection: Connection, practice_id: int, due: Mapping[str, int | None]) -> None:
    connection.executemany(
        "UPDATE patient SET due_at = ? WHERE practice_id = ? AND patient_id = ?",
        ((due_at, practice_id, patient_id) for patient_id, due_at in due.items()),
    )


def due(connection: Connection, practice_id: int, now: int) -> dict[str, int]:
    """patient_id -> due_at of everybody who is due, those whose rows changed first."""
    return dict(
        connection.execute(
            "SELECT patient_id, due_at FROM patient WHERE practice_id = ? AND due_at <= ? ORDER BY due_at, patient_id",
            (practice_id, now),
        ).fetchall()
    )


def due_among(connection: Connection, practice_id: int, wanted: Collection[str], now: int) -> dict[str, int]:
    """patient_id -> due_at of those of the patients who are due."""
    return dict(
        connection.execute(
            "SELECT patient_id, due_at FROM patient WHERE practice_id = ? AND due_at <= ?"
            " AND patient_id IN (SELECT value FROM json_each(?)) ORDER BY patient_id",
            (practice_id, now, _json(list(wanted))),
        ).fetchall()
    )


def settled(connection: Connection, practice_id: int) -> list[str]:
    """Everybody whose rows have not changed since they were last computed."""
    rows = connection.execute(
        "SELECT patient_id FROM patient WHERE practice_id = ? AND due_at IS NOT ? ORDER BY patient_id",
        (practice_id, DUE_AT_ONCE),
    )
    return [row[0] for row in rows]


def mark_portal_due(connection: Connection, practice_id: int, portal: str) -> None:
    """Has every patient of the portal computed again."""
    connection.execute(
        "UPDATE patient SET due_at = ? WHERE practice_id = ? AND portal = ?", (DUE_AT_ONCE, practice_id, portal)
    )


def mark_practice_due(connection: Connection, practice_id: int) -> None:
    """Has every patient of the practice computed again."""
    connection.execute("UPDATE patient SET due_at = ? WHERE practice_id = ?", (DUE_AT_ONCE, practice_id))


def _insert(connection: Connection, rows: Iterable[tuple[int, str, str, str | None, int]]) -> None:
    connection.executemany(
        "INSERT INTO patient (practice_id, patient_id, portal, reference, created_at) VALUES (?, ?, ?, ?, ?)", rows
    )


def _by_portal(references: Iterable[Reference]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for portal, text in references:
        grouped[portal].append(text)
    return grouped


def _json(texts: list[str]) -> str:
    return orjson.dumps(texts).decode()
