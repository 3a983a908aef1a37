"""Merged time: when each clinician worked on a patient, what several rows hold once.

It is kept up to date in the transaction that stores the rows. Stretches neither overlap nor touch, and none crosses a
midnight in UTC: whatever a new row may touch began at most a day before, so adding it costs the same however much the
patient has. It is what was recorded, before any rule: time at the idle screen and rows that were corrected are left
out. What counts of it is decided when the patient is settled.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

import orjson

from backend.billing.spans import Span, clip, union
from backend.store.connection import Connection

DAY_MS = 86_400_000
_KEPT = "activity <> 'idle'"
"""Which of the standing rows are in it."""


def add(connection: Connection, practice_id: int, user_id: str, spans: Mapping[str, Iterable[Span]]) -> None:
    """Adds the time of new rows of one clinician: by patient, in milliseconds since the epoch."""
    new = {patient_id: union(each) for patient_id, each in spans.items()}
    if not new:
        return
    begin = min(each[0][0] for each in new.values())
    end = max(each[-1][1] for each in new.values())
    rows = connection.execute(
        "SELECT patient_id, started_at, ended_at FROM merged_time WHERE practice_id = ? AND user_id = ?"
        " AND started_at > ? AND started_at <= ? AND ended_at >= ?"
        " AND patient_id IN (SELECT value FROM json_each(?))",
        (practice_id, user_id, begin - DAY_MS, end, begin, orjson.dumps(list(new)).decode()),
    )
    touched: dict[str, set[Span]] = {}
    for patient_id, start, stop in rows:
        touched.setdefault(patient_id, set()).add((start, stop))
    gone: list[tuple[Any, ...]] = []
    fresh: list[tuple[Any, ...]] = []
    for patient_id, spans_ in new.items():
        old = touched.get(patient_id, set())
        stands = set(_by_day(union([*old, *spans_]) if old else spans_))
        gone += ((practice_id, patient_id, user_id, each[0]) for each in sorted(old - stands))
        fresh += ((practice_id, patient_id, user_id, *each) for each in sorted(stands - old))
    if gone:
        connection.executemany(
            "DELETE FROM merged_time WHERE practice_id = ? AND patient_id = ? AND user_id = ? AND started_at = ?", gone
        )
    if fresh:
        _insert(connection, fresh)


def rebuild(connection: Connection, practice_id: int, patient_ids: Iterable[str]) -> None:
    """From all rows of these patients: some were corrected, or belong to another one now."""
    for patient_id in sorted(patient_ids):
        connection.execute(
            "DELETE FROM merged_time WHERE practice_id = ? AND patient_id = ?", (practice_id, patient_id)
        )
        rows = connection.execute(
            "SELECT patient_id, user_id, started_at, ended_at FROM standing_interval"  # noqa: S608  (fixed words)
            f" WHERE practice_id = ? AND patient_id = ? AND {_KEPT} ORDER BY user_id",
            (practice_id, patient_id),
        )
        _insert(connection, [(practice_id, *each) for each in _merged(rows)])


def build(connection: Connection) -> None:
    """From all rows of everybody."""
    for (practice_id,) in connection.execute("SELECT practice_id FROM practice").fetchall():
        _insert(connection, ((practice_id, *each) for each in _merged(_all_rows(connection, practice_id))))


def differences(connection: Connection, practice_id: int) -> Iterator[str]:
    """The patients whose merged time is not what merging all their rows afresh gives."""
    kept = connection.execute(
        "SELECT patient_id, user_id, started_at, ended_at FROM merged_time WHERE practice_id = ?"
        " ORDER BY patient_id, user_id, started_at",
        (practice_id,),
    )
    afresh = dict(_by_patient(_merged(_all_rows(connection, practice_id))))
    stands = dict(_by_patient(tuple(row) for row in kept))
    return (each for each in sorted(afresh.keys() | stands.keys()) if afresh.get(each) != stands.get(each))


def total(connection: Connection, practice_id: int, patient_id: str, start: int, end: int) -> int:
    """Milliseconds recorded for the patient in `[start, end)`, time of several clinicians at once counted once."""
    rows = connection.execute(
        "SELECT started_at, ended_at FROM merged_time WHERE practice_id = ? AND patient_id = ?"
        " AND started_at < ? AND ended_at > ?",
        (practice_id, patient_id, end, start),
    )
    return sum(to_at - from_at for from_at, to_at in clip(((row[0], row[1]) for row in rows), start, end))


def _all_rows(connection: Connection, practice_id: int) -> Iterable[Any]:
    return connection.execute(
        "SELECT patient_id, user_id, started_at, ended_at FROM standing_interval"  # noqa: S608  (fixed words)
        f" WHERE practice_id = ? AND {_KEPT} ORDER BY patient_id, user_id",
        (practice_id,),
    )


def _merged(rows: Iterable[Any]) -> Iterator[tuple[str, str, int, int]]:
    """Of (patient_id, user_id, started_at, ended_at), sorted by the first two, the stretches in the same form."""
    for (patient_id, user_id), own in groupby(rows, key=lambda row: (row[0], row[1])):
        for start, end in _by_day(union((row[2], row[3]) for row in own)):
            yield patient_id, user_id, start, end


def _by_patient(stretches: Iterable[tuple[Any, ...]]) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    for patient_id, own in groupby(stretches, key=lambda each: each[0]):
        yield patient_id, list(own)


def _by_day(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans, cut at each midnight in UTC."""
    for start, end in spans:
        while start // DAY_MS < (end - 1) // DAY_MS:
            midnight = (start // DAY_MS + 1) * DAY_MS
            yield start, midnight
            start = midnight
        yield start, end


def _insert(connection: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    connection.executemany(
        "INSERT INTO merged_time (practice_id, patient_id, user_id, started_at, ended_at) VALUES (?, ?, ?, ?, ?)", rows
    )
