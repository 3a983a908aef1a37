"""No statement of the daily work reads a whole table to find somebody's rows; those of a request travel together."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.desk.determine import settle
from backend.desk.devices import add_device, device_of
from backend.desk.episodes import get_episode, list_episodes
from backend.store import engine
from backend.store.connection import Connection, connect
from backend.store.postgresql import PostgresConnection
from tests.desk.world import World, at, world

LARGE = (
    "interval",
    "merged_time",
    "fact",
    "thread",
    "thread_named",
    "patient",
    "episode",
    "determination",
    "episode_event",
)
FINE = (
    "max(fact_id)",
    "ORDER BY window_start DESC, episode.episode_id DESC LIMIT",
    "SET due_at = 0 WHERE practice_id = 1 AND portal =",
)
"""Statements that go along an index from its end, so that the practice alone is their place in it; and what is said of
a whole portal, which has all its patients computed again."""
OF_EVERYBODY = "UPDATE patient SET due_at = 0 WHERE practice_id = 1"
BY_PRACTICE_ALONE = re.compile(r"^(SEARCH|SCAN) (\w+).*\(practice_id=\?\)$")


def test_every_statement_searches_by_more_than_the_practice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, None] = {}

    def traced(path: Path, key: bytes, *, read_only: bool = False) -> Connection:
        connection = connect(path, key, read_only=read_only)
        connection.set_trace_callback(lambda sql: seen.setdefault(sql))  # type: ignore[attr-defined]
        return connection

    monkeypatch.setattr(engine, "connect", traced)
    with world(tmp_path) as riverside:
        seen.clear()
        now = at("2026-04-08 12:00")
        first = riverside.row("2026-04-06 09:00")
        riverside.send(first, riverside.row("2026-04-06 09:30", patient="p1"), riverside.row("2026-04-06 10:00"))
        riverside.send(first, riverside.row("2026-04-06 09:00", thread="t2", patient="p2"), by="nurse")
        riverside.send(riverside.row("2026-04-06 09:00", corrects=first["id"], reason="mistaken"))
        riverside.resolve("p3", now=now)
        riverside.ask("2026-04-06 08:00", now=now)
        riverside.say("attested_evaluative", {"thread": "t1", "evaluative": True}, by="doctor", now=now)
        riverside.say("visits", {"patient": "p3", "at": "2026-04-01T09:00:00Z", "specialty": "x"}, now=now)
        riverside.say("portal_readings", {"list": "visits", "read_at": "2026-04-08T09:00:00Z"}, now=now)
        settle(riverside.store, riverside.id, now)
        [shown, *_] = list_episodes(riverside.store, riverside.id, now=now).rows
        for status in ("reportable", "approved", "hold"):
            list_episodes(riverside.store, riverside.id, now=now, status=status)
        get_episode(riverside.store, riverside.id, shown.episode_id, now=now)
        statements = list(seen)
        with riverside.store.read() as connection:
            plans = {sql: plan_of(connection, sql) for sql in statements if not sql.startswith("--")}
    assert len(plans) > 30
    found = [
        (step, sql)
        for sql, plan in plans.items()
        if sql != OF_EVERYBODY
        for step in plan
        if (whole := BY_PRACTICE_ALONE.match(step)) and whole[2] in LARGE and not any(part in sql for part in FINE)
    ]
    assert found == []


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_request_takes_four_ways_to_a_server(riverside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for its token and three for its rows; each further one is a twentieth of the time that it takes."""
    now = at("2026-04-06 12:00")
    known, *new = [riverside.row(f"2026-04-06 09:{minute:02}", patient="p1") for minute in range(10)]
    token = add_device(riverside.store, riverside.id, clinician_email="doctor@riverside.example", name="A", now=now)
    riverside.send(known)
    ways = ways_of(monkeypatch)
    device = device_of(riverside.store, token)
    assert device is not None
    riverside.devices["laptop"] = device
    assert len(riverside.send(*new, by="laptop").accepted) == 9
    assert len(ways) == 4, ways


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_four_patients_are_settled_in_as_many_ways_as_one(riverside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """First for the first time, and then again, when each has an episode that changes."""
    now, ways = at("2026-04-06 12:00"), ways_of(monkeypatch)

    def ways_to_settle(patients: int, minute: int) -> int:
        for patient in range(patients):
            thread, name = f"{patients}t{patient}", f"{patients}p{patient}"
            riverside.send(riverside.row(f"2026-04-06 1{patient}:{minute:02}", thread=thread, patient=name))
        ways.clear()
        assert settle(riverside.store, riverside.id, now) == patients
        return len(ways)

    assert ways_to_settle(4, 0) == ways_to_settle(1, 10) <= 14, ways
    assert ways_to_settle(4, 30) == ways_to_settle(1, 40) <= 17, ways


def ways_of(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The statements that somebody waits for, each list of them on one way to the server and back."""
    ways: list[list[str]] = []
    flush, run = PostgresConnection.flush, PostgresConnection.run

    def flushed(self: PostgresConnection) -> None:
        if sent := [each.text for each in (*self._under_way, *self._waiting)]:
            ways.append(sent)
        flush(self)

    def ran(self: PostgresConnection, statements: str) -> list[object]:
        ways.append([statements])
        return run(self, statements)

    monkeypatch.setattr(PostgresConnection, "flush", flushed)
    monkeypatch.setattr(PostgresConnection, "run", ran)
    return ways


def plan_of(connection: Connection, sql: str) -> list[str]:
    """The steps that the database takes for a statement that reads or writes rows."""
    if not re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", sql):
        return []
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
