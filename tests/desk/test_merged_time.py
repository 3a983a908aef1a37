"""Merged time is, after every request, what merging all stored rows afresh gives."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from backend.desk.verify import verify
from backend.store import merged
from tests.desk.world import MINUTE, World, at

MONDAY = at("2026-04-06 00:00")
DAY = 24 * 60 * MINUTE


def by_hand(world: World) -> dict[tuple[str, str], set[int]]:
    """(patient, clinician) -> the seconds that any standing row holds; every row of these tests is of whole seconds."""
    found: dict[tuple[str, str], set[int]] = {}
    with world.store.read() as connection:
        rows = connection.execute("SELECT * FROM interval ORDER BY interval_id").fetchall()
    corrected = {row["corrects"]: row["interval_id"] for row in rows if row["corrects"]}
    for row in rows:
        stands = corrected.get(row["corrects"] or row["interval_id"], row["interval_id"]) == row["interval_id"]
        if stands and row["interval_id"] not in corrected and row["activity"] != "idle":
            seconds = found.setdefault((row["patient_id"], row["user_id"]), set())
            seconds.update(range(row["started_at"] // 1000, row["ended_at"] // 1000))
    return found


def kept(world: World) -> dict[tuple[str, str], set[int]]:
    found: dict[tuple[str, str], set[int]] = {}
    with world.store.read() as connection:
        for row in connection.execute("SELECT * FROM merged_time").fetchall():
            seconds = found.setdefault((row["patient_id"], row["user_id"]), set())
            stretch = set(range(row["started_at"] // 1000, row["ended_at"] // 1000))
            assert not seconds & stretch, "stretches overlap"
            seconds |= stretch
    return found


def some(world: World, chance: Random, sent: list[dict[str, Any]]) -> dict[str, Any]:
    """A row that overlaps, touches, repeats or corrects another, or crosses a midnight, now and then."""
    start = MONDAY + chance.choice([0, DAY, 3 * DAY]) + chance.randrange(-8, 8) * 30_000
    made = world.row(start, chance.choice([30, 60, 90, 300]), thread=chance.choice(["t1", "t2", "t3"]))
    made["patient"] = chance.choice([None, None, "p1", "p2"])
    made["activity"] = chance.choice(["review_inquiry", "communicate_online", "idle"])
    if sent and chance.random() < 0.15:
        made |= {"corrects": chance.choice(sent)["id"], "reason": "mistaken"}
    return made


@pytest.mark.parametrize("seed", range(8))
def test_it_is_right_after_every_request(riverside: World, seed: int) -> None:
    chance = Random(seed)
    sent: dict[str, list[dict[str, Any]]] = {"doctor": [], "colleague": []}
    for number in range(25):
        by = chance.choice(list(sent))
        rows = [some(riverside, chance, sent[by]) for _ in range(chance.randrange(1, 6))]
        if sent[by] and chance.random() < 0.3:
            rows.append(chance.choice(sent[by]))
        done = riverside.send(*rows, by=by, now=MONDAY + 5 * DAY)
        sent[by] += [row for row in rows if row["id"] in done.accepted]
        if number == 15:
            riverside.resolve("p1", "t3", now=MONDAY + 5 * DAY)
        assert kept(riverside) == by_hand(riverside)
        with riverside.store.read() as connection:
            assert list(merged.differences(connection, riverside.id)) == []


def test_several_clinicians_at_once_are_recorded_once(riverside: World) -> None:
    nine = at("2026-04-06 09:00")
    riverside.send(riverside.row(nine, 120, patient="p1"))
    riverside.send(riverside.row(nine + MINUTE, 120, patient="p1"), by="colleague")
    with riverside.store.read() as connection:
        [patient_id] = {row["patient_id"] for row in connection.execute("SELECT * FROM merged_time")}
        assert merged.total(connection, riverside.id, patient_id, 0, nine + DAY) == 3 * MINUTE
        assert merged.total(connection, riverside.id, patient_id, nine + MINUTE, nine + 2 * MINUTE) == MINUTE


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE merged_time SET ended_at = ended_at + 1",
        "DELETE FROM merged_time",
        "UPDATE merged_time SET user_id = 'somebody'",
        "INSERT INTO merged_time SELECT practice_id, 'nobody', user_id, started_at, ended_at FROM merged_time",
    ],
)
def test_verify_finds_what_was_changed_by_hand(riverside: World, change: str) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", patient="p1"))
    now = at("2026-04-06 10:00")
    assert verify(riverside.store, now=now) == []
    riverside.store.write(lambda connection: connection.execute(change))
    [problem] = verify(riverside.store, now=now)
    assert problem.startswith("The merged time of the patient ")


def test_what_a_new_row_may_touch_is_looked_up_within_a_day(riverside: World) -> None:
    """The cost does not grow with the patient: what does not touch is not even read, however much there is."""
    riverside.send(*(riverside.row(MONDAY - each * 30 * MINUTE, patient="p1") for each in range(1, 500)))
    riverside.send(riverside.row(MONDAY - MINUTE // 2, 30, patient="p1"), riverside.row(MONDAY + MINUTE, patient="p1"))
    read: list[int] = []

    class Counting:
        def __init__(self, connection: Any) -> None:
            self.connection = connection

        def execute(self, sql: str, parameters: Any = ()) -> Any:
            rows = self.connection.execute(sql, parameters).fetchall()
            read.append(len(rows))
            return rows

        def executemany(self, sql: str, rows: Any) -> Any:
            return self.connection.executemany(sql, rows)

    def work(connection: Any) -> None:
        row = connection.execute("SELECT patient_id, user_id FROM merged_time").fetchone()
        merged.add(Counting(connection), riverside.id, row["user_id"], {row["patient_id"]: [(MONDAY, MONDAY + MINUTE)]})  # type: ignore[arg-type]
        connection.execute("DELETE FROM merged_time WHERE started_at = ?", (MONDAY,))

    riverside.store.write(work)
    assert read == [2]
