"""Patients and threads, and whose a thread is.

A thread always points at a patient row: the one it was resolved to by a person or a feed, else the only one that any
of its rows ever named, else (nobody named, or several) the row that stands in for it. So whose it is does not depend
on the order in which rows and facts arrived.
"""

import itertools
import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import orjson

from backend.store import merged
from backend.store.connection import Connection, Cursor

DUE_AT_ONCE = 0
"""`due_at` of a patient whose rows changed: before every clock."""

Reference = tuple[str, str]
"""(portal, the portal's own identifier) of a patient or a thread."""
Spoken = tuple[str, str | None, str | None]
"""(portal, thread, patient) that a row names."""


def find(connection: Connection, practice_id: int, patient_id: str) -> Any:
    return connection.execute(
        "SELECT * FROM patient WHERE practice_id = ? AND patient_id = ?", (practice_id, patient_id)
    ).fetchone()


def find_all(connection: Connection, practice_id: int, patient_ids: Collection[str]) -> dict[str, Any]:
    """patient_id -> the patient's row, of those that there are."""
    rows = connection.execute(
        "SELECT * FROM patient WHERE practice_id = ? AND patient_id IN (SELECT value FROM json_each(?))",
        (practice_id, _json(sorted(patient_ids))),
    )
    return {row["patient_id"]: row for row in rows}


class Known:
    """What is known of whom and of what rows speak, each of them (portal, thread, patient).

    All is asked at once and read when it is wanted: on a server that is one way there and back, also for what else is
    asked before that.
    """

    def __init__(self, connection: Connection, practice_id: int, rows: Iterable[Spoken]) -> None:
        people, threads = _references(set(rows))
        self._people = _among(connection, practice_id, _PEOPLE, people)
        self._owners = _among(connection, practice_id, _OWNERS, threads)
        self._named = _among(connection, practice_id, _NAMED, threads)

    @cached_property
    def patient_of(self) -> dict[Reference, str]:
        return dict(_answers(self._people))

    @cached_property
    def owner_of(self) -> dict[Reference, str]:
        return dict(_answers(self._owners))

    @cached_property
    def named(self) -> set[tuple[Reference, str]]:
        """Which threads name which patient_id."""
        return set(_answers(self._named))


def _references(spoken: Iterable[Spoken]) -> tuple[set[Reference], set[Reference]]:
    """Of the patients and of the threads."""
    people = {(portal, patient) for portal, _, patient in spoken if patient is not None}
    threads = {(portal, thread) for portal, thread, _ in spoken if thread is not None}
    return people, threads


def introduce(
    connection: Connection, practice_id: int, rows: Iterable[Spoken], now: int, known: Known | None = None
) -> tuple[dict[Reference, str], dict[Reference, str], set[str]]:
    """Makes known of whom and of what rows speak.

    Who is not known yet gets a row, a new thread also one that stands in for its patient; and a thread of which a row
    names a patient goes to whom it belongs now. Returns the patient_id by patient and by thread, and the patients
    between whom rows moved. `known`: what is known now of these rows, or of more, where it was asked before.
    """
    spoken = set(rows)
    people, threads = _references(spoken)
    known = known or Known(connection, practice_id, spoken)
    patient_of, owner_of, named = dict(known.patient_of), dict(known.owner_of), known.named
    new = {each: _new_id() for each in people if each not in patient_of}
    stand_ins = {each: _new_id() for each in threads if each not in owner_of}
    patient_of |= new
    news: dict[Reference, set[str]] = {}
    for portal, thread, patient in spoken:
        if thread is not None and patient is not None:
            naming = (portal, thread), patient_of[portal, patient]
            if naming not in named:
                news.setdefault(naming[0], set()).add(naming[1])
    for thread_, stand_in in stand_ins.items():
        only = news.get(thread_, set())
        owner_of[thread_] = next(iter(only)) if len(only) == 1 else stand_in
    connection.executemany(
        "INSERT INTO patient (practice_id, patient_id, portal, reference, created_at) VALUES (?, ?, ?, ?, ?)",
        [(practice_id, new[each], *each, now) for each in new]
        + [(practice_id, stand_ins[each], each[0], None, now) for each in stand_ins],
    )
    connection.executemany(
        "INSERT INTO thread (practice_id, portal, reference, patient_id, stand_in_id) VALUES (?, ?, ?, ?, ?)",
        [(practice_id, *each, owner_of[each], stand_ins[each]) for each in stand_ins],
    )
    connection.executemany(
        "INSERT INTO thread_named (practice_id, portal, thread, patient_id) VALUES (?, ?, ?, ?)",
        [(practice_id, *each, patient_id) for each in news for patient_id in sorted(news[each])],
    )
    moved: set[str] = set()
    for thread_ in news.keys() - stand_ins.keys():
        owner_of[thread_], changed = move_thread(connection, practice_id, thread_)
        moved |= changed
    return patient_of, owner_of, moved


_PEOPLE = (
    "SELECT reference, patient_id FROM patient WHERE practice_id = ? AND portal = ?"
    " AND reference IN (SELECT value FROM json_each(?))"
)
_OWNERS = (
    "SELECT reference, patient_id FROM thread WHERE practice_id = ? AND portal = ?"
    " AND reference IN (SELECT value FROM json_each(?))"
)
_NAMED = (
    "SELECT thread, patient_id FROM thread_named WHERE practice_id = ? AND portal = ?"
    " AND thread IN (SELECT value FROM json_each(?))"
)


_RUN, _NUMBERS = secrets.token_hex(8), itertools.count()


def _new_id() -> str:
    """32 hexadecimal digits of which the first 16 are the process's own and the next 8 count, so that who is made known
    one after the other lies side by side in every index: with ids at random a request changes up to four times as many
    pages, each of which is encrypted and written. Nothing in it says when that was."""
    return f"{_RUN}{next(_NUMBERS) & 0xFFFF_FFFF:08x}{secrets.token_hex(4)}"


def _among(
    connection: Connection, practice_id: int, sql: str, references: Iterable[Reference]
) -> list[tuple[str, Cursor]]:
    """By portal, the answer of which nothing was read yet."""
    by_portal: dict[str, list[str]] = defaultdict(list)
    for portal, text in references:
        by_portal[portal].append(text)
    return [(portal, connection.execute(sql, (practice_id, portal, _json(each)))) for portal, each in by_portal.items()]


def _answers(asked: Iterable[tuple[str, Cursor]]) -> Iterator[tuple[Reference, str]]:
    return (((portal, row[0]), row[1]) for portal, cursor in asked for row in cursor)


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


def move_thread(connection: Connection, practice_id: int, thread: Reference) -> tuple[str, set[str]]:
    """Gives the thread, with its rows that name nobody, to whom it belongs now; returns who that is, and the patients
    that changed by it.

    A row that an approved episode holds stays where it is: an approved episode never changes.
    """
    new = owner(connection, practice_id, thread)
    row = connection.execute(
        "SELECT patient_id FROM thread WHERE practice_id = ? AND portal = ? AND reference = ?", (practice_id, *thread)
    ).fetchone()
    old = str(row[0])
    if old == new:
        return new, set()
    connection.execute(
        "UPDATE thread SET patient_id = ? WHERE practice_id = ? AND portal = ? AND reference = ?",
        (new, practice_id, *thread),
    )
    moved = connection.execute(
        "UPDATE interval SET patient_id = ?1 WHERE practice_id = ?2 AND portal = ?3 AND thread = ?4"
        " AND named_id IS NULL AND NOT EXISTS (SELECT 1 FROM episode_interval AS held JOIN episode"
        " ON episode.practice_id = held.practice_id AND episode.episode_id = held.episode_id"
        " WHERE held.practice_id = interval.practice_id AND held.interval_id = interval.interval_id"
        " AND episode.approved_at IS NOT NULL)",
        (new, practice_id, *thread),
    )
    if moved.rowcount:
        merged.rebuild(connection, practice_id, {old, new})
    return new, {old, new}


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
        "UPDATE patient SET due_at = ? WHERE practice_id = ? AND patient_id = ? AND due_at IS DISTINCT FROM ?",
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


def is_anybody_due(connection: Connection, practice_id: int, now: int) -> bool:
    row = connection.execute(
        "SELECT 1 FROM patient WHERE practice_id = ? AND due_at <= ? LIMIT 1", (practice_id, now)
    ).fetchone()
    return row is not None


def count_due(connection: Connection, practice_id: int, now: int) -> int:
    """How many are due."""
    row = connection.execute(
        "SELECT count(*) FROM patient WHERE practice_id = ? AND due_at <= ?", (practice_id, now)
    ).fetchone()
    return int(row[0])


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
        "SELECT patient_id FROM patient WHERE practice_id = ? AND due_at IS DISTINCT FROM ? ORDER BY patient_id",
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


def _json(texts: list[str]) -> str:
    return orjson.dumps(texts).decode()
