"""Erasing: nothing that names a person is left, nobody else's minutes change, and the audit stays valid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from backend.desk.accounts import reactivate
from backend.desk.audit import list_entries
from backend.desk.episodes import approve
from backend.desk.erasing import Counts, come_back, erase_patient, erase_user
from backend.desk.holds import lift, list_holds, place_on_everything, place_on_patient, place_on_user
from backend.desk.people import user_of
from backend.desk.verify import verify
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, people
from backend.store.connection import IntegrityError
from tests.desk.rows import all_rows, tables_with
from tests.desk.tangle import DAY, PATIENTS, START, tangled
from tests.desk.world import World, at, make_reportable

NOW = at("2026-04-20 12:00")
LATER = at("2026-05-20 12:00")
WHO = "zq-patient-77"
THREADS = ("zq-thread-1", "zq-thread-2")


def work(world: World) -> None:
    """WHO with two threads, facts of many kinds and settled episodes; beside them 123 on t1."""
    world.send(
        world.row("2026-04-06 09:00", 200, thread=THREADS[0], patient=WHO),
        world.row("2026-04-06 09:10", 200, thread=THREADS[0]),
        world.row("2026-04-07 09:00", 200, thread=THREADS[1], patient=WHO, activity="documentation"),
        world.row("2026-04-06 11:00", 200, patient="123"),
        world.row("2026-04-06 11:10", 120, thread=None, patient="123", activity="chart_review", linked_from=THREADS[0]),
    )
    world.ask("2026-04-06 07:30", thread=THREADS[0], now=NOW)
    world.ask("2026-04-06 08:30", now=NOW)
    make_reportable(world, patient=WHO, now=NOW)
    make_reportable(world, patient="123", now=NOW)


def erase(world: World, **others: Any) -> Counts:
    said = {"portal": "medplum", "reference": WHO, "by": None, "now": NOW, **others}
    return erase_patient(world.store, world.id, **said)


def answers(world: World, now: int = LATER) -> dict[str | None, list[dict[str, Any]]]:
    """patient -> the report's objects, without the ids that are made anew."""
    found: dict[str | None, list[dict[str, Any]]] = {}
    for row in world.report(now):
        found.setdefault(row["patient"], []).append({**row, "changes": []})
    return found


def test_a_patient_who_is_erased_is_in_no_row_of_any_table(riverside: World) -> None:
    work(riverside)
    before = answers(riverside)
    assert {"patient", "thread", "interval", "fact"} <= set(tables_with(riverside.store, WHO, *THREADS))
    with riverside.store.read() as connection:
        ids = [row[0] for row in connection.execute("SELECT patient_id FROM patient WHERE reference = ?", (WHO,))]
        ids += [row[0] for row in connection.execute("SELECT episode_id FROM episode JOIN patient USING"
                " (practice_id, patient_id) WHERE reference = ?", (WHO,))]  # fmt: skip
    counts = erase(riverside)
    assert (counts.patients, counts.threads, counts.intervals, counts.episodes) == (1, 2, 3, 1)
    assert tables_with(riverside.store, WHO, *THREADS) == []
    assert set(tables_with(riverside.store, *ids)) <= {"erasure", "audit_entry"}  # random ids that lead nowhere
    assert verify(riverside.store, now=LATER) == []
    after = answers(riverside)
    assert after == {"123": before["123"]}


def test_who_is_erased_and_comes_again_begins_anew(riverside: World) -> None:
    work(riverside)
    erase(riverside)
    riverside.send(riverside.row("2026-05-04 09:00", 100, thread=THREADS[0], patient=WHO))
    [row] = answers(riverside)[WHO]
    assert (row["window_start"], row["counted_seconds"] + sum(each["seconds"] for each in row["excluded"])) == (
        "2026-05-04",
        100,
    )
    assert (row["code"], row["threads"]) == (None, [{"portal": "medplum", "thread": THREADS[0], "seconds": 100}])
    assert verify(riverside.store, now=LATER) == []


def test_time_that_an_erased_patient_shared_still_counts_for_nobody(riverside: World) -> None:
    work(riverside)
    riverside.send(
        riverside.row("2026-04-08 10:00", 300, thread=THREADS[0], patient=WHO),
        riverside.row("2026-04-08 10:02", 300, patient="123"),
        riverside.row("2026-04-08 14:00", 300, thread=THREADS[0], patient=WHO),
        riverside.row("2026-04-08 14:02", 300, patient="123"),
    )
    theirs = {"started_at": "2026-04-08T18:00:00Z", "ended_at": "2026-04-08T18:10:00Z"}
    riverside.say("attested_patient", {"patient": WHO, **theirs}, now=NOW, by="doctor")
    before = answers(riverside)["123"]
    assert {each["reason"] for each in before[0]["excluded"]} >= {"claimed_twice", "credited_elsewhere"}
    erase(riverside)
    assert answers(riverside) == {"123": before}
    assert verify(riverside.store, now=LATER) == []


def test_a_row_that_an_erased_patients_row_corrected_does_not_count_again(riverside: World) -> None:
    work(riverside)
    wrong = riverside.row("2026-04-08 10:00", 300, patient="123")
    riverside.send(wrong)
    moved = {"corrects": wrong["id"], "reason": "the other patient", "entry": "manual"}
    riverside.send(riverside.row("2026-04-08 10:00", 300, thread=THREADS[0], patient=WHO, **moved))
    before = answers(riverside)["123"]
    erase(riverside)
    assert answers(riverside)["123"] == before
    assert verify(riverside.store, now=LATER) == []


def test_a_thread_that_named_several_patients_stays_nobodys(riverside: World) -> None:
    riverside.send(
        riverside.row("2026-04-06 09:00", 100, thread="shared"),
        riverside.row("2026-04-06 09:10", 100, thread="shared", patient=WHO),
        riverside.row("2026-04-06 09:20", 100, thread="shared", patient="123"),
    )
    before = answers(riverside)
    erase(riverside)
    assert answers(riverside) == {name: rows for name, rows in before.items() if name != WHO}
    assert tables_with(riverside.store, WHO) == []
    assert verify(riverside.store, now=LATER) == []


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whoever_is_erased_nobody_elses_minutes_change(riverside: World, seed: int) -> None:
    later = START + 320 * DAY
    tangled(riverside, seed, now=later, close=seed % 2 == 1)
    for who in PATIENTS[:3]:
        before = minutes(riverside, later)
        erase(riverside, reference=who, now=later, despite="a trial")
        assert tables_with(riverside.store, who) == []
        assert verify(riverside.store, now=later) == []
        assert minutes(riverside, later) == {key: value for key, value in before.items() if key[0] != who}


def minutes(world: World, now: int) -> dict[tuple[Any, ...], Any]:
    """What the report says of each episode of a patient who is known."""
    return {
        (row["patient"], row["episode_id"]): (row["status"], row["counted_seconds"], row["excluded"], row["clinicians"])
        for row in world.report(now)
        if row["patient"] is not None
    }


def test_what_proves_a_claim_is_erased_only_with_a_reason(riverside: World) -> None:
    work(riverside)
    [ready] = [row for row in riverside.report(LATER) if row["patient"] == WHO]
    assert ready["status"] == "reportable"
    approve(riverside.store, riverside.id, ready["episode_id"], by=None, now=LATER)
    before = all_rows(riverside.store)
    with pytest.raises(Conflict, match="kept until 2032-05-20"):
        erase(riverside, now=LATER)
    with pytest.raises(BadInput, match="without the reference"):
        erase(riverside, now=LATER, despite=f"a court has {WHO.upper()} erased")
    assert all_rows(riverside.store) == before
    erase(riverside, now=LATER, despite="a court says so")
    assert tables_with(riverside.store, WHO) == []
    assert tables_with(riverside.store, "a court says so") == ["erasure"]
    assert verify(riverside.store, now=LATER) == []


def test_old_proof_is_proof_no_more(riverside: World) -> None:
    work(riverside)
    [ready] = [row for row in riverside.report(LATER) if row["patient"] == WHO]
    approve(riverside.store, riverside.id, ready["episode_id"], by=None, now=LATER)
    with pytest.raises(Conflict):
        erase(riverside, now=at("2032-05-19 12:00"))
    erase(riverside, now=at("2032-05-20 12:00"))
    assert tables_with(riverside.store, WHO) == []


@pytest.mark.parametrize(
    "place",
    [
        lambda world, **said: place_on_patient(world.store, world.id, portal="medplum", reference=WHO, **said),
        lambda world, **said: place_on_user(world.store, world.id, email="doctor@riverside.example", **said),
        lambda world, **said: place_on_everything(world.store, world.id, **said),
    ],
)
def test_what_is_held_is_not_erased_until_the_hold_is_lifted(riverside: World, place: Callable[..., int]) -> None:
    work(riverside)
    number = place(riverside, reason="Smith v. Riverside", by=None, now=NOW)
    before = all_rows(riverside.store)
    for despite in (None, "a reason"):
        with pytest.raises(Conflict, match=f"Hold {number} stands on .*: hold lift {number} ends it"):
            erase(riverside, despite=despite)
    assert all_rows(riverside.store) == before
    lift(riverside.store, riverside.id, number, reason="settled", by=None, now=NOW)
    with pytest.raises(Conflict, match="lifted already"):
        lift(riverside.store, riverside.id, number, reason="settled", by=None, now=NOW)
    erase(riverside)
    assert tables_with(riverside.store, WHO) == []
    [held] = list_holds(riverside.store, riverside.id)
    assert held.lifted_at == NOW
    assert verify(riverside.store, now=LATER) == []


def test_a_hold_is_audited_and_its_reason_stands_with_it_alone(riverside: World) -> None:
    work(riverside)
    number = place_on_patient(
        riverside.store, riverside.id, portal="medplum", reference=WHO, reason="Smith v. Riverside", by=None, now=NOW
    )
    lift(riverside.store, riverside.id, number, reason="settled", by=None, now=NOW)
    lines = list_entries(riverside.store, riverside.id, on=None, now=NOW).lines
    assert [(each.action, each.detail) for each in lines[:2]] == [
        ("hold_lifted", {"hold": 1}),
        ("hold_placed", {"hold": 1}),
    ]
    assert tables_with(riverside.store, "Smith v.") == ["hold"]
    erase(riverside)
    assert tables_with(riverside.store, "Smith v.", "settled") == []
    address = "doctor@riverside.example"
    with pytest.raises(BadInput, match="without the reference"):
        place_on_user(riverside.store, riverside.id, email=address, reason=f"about {address}", by=None, now=NOW)


def test_a_trial_run_says_the_same_and_changes_nothing(riverside: World) -> None:
    work(riverside)
    riverside.report(LATER)
    before = all_rows(riverside.store)
    tried = erase(riverside, now=LATER, dry_run=True)
    erase_user(riverside.store, riverside.id, email="nurse@riverside.example", by=None, now=LATER, dry_run=True)
    assert all_rows(riverside.store) == before
    assert erase(riverside, now=LATER) == tried


def test_nobody_is_erased_who_is_not_there(riverside: World) -> None:
    work(riverside)
    for portal, reference in (("medplum", "nobody"), ("other", WHO)):
        with pytest.raises(NotFound):
            erase(riverside, portal=portal, reference=reference)
    with pytest.raises(BadInput, match="--portal"):
        erase(riverside, portal=None)
    with pytest.raises(NotFound):
        erase_user(riverside.store, riverside.id, email="nobody@riverside.example", by=None, now=NOW)


def test_an_erased_person_leaves_a_random_id_with_the_minutes(riverside: World) -> None:
    work(riverside)
    before = answers(riverside)
    doctor = riverside.devices["doctor"].user_id
    erase_user(riverside.store, riverside.id, email="doctor@riverside.example", by=None, now=LATER)
    assert tables_with(riverside.store, "doctor@riverside.example", "Doctor") == []
    after = answers(riverside)
    for rows in after.values():
        for row in rows:
            assert [(each["id"], each["name"], each["credential"]) for each in row["clinicians"]] == [
                (doctor, f"Erased {doctor[:6]}", "MD")
            ]
            row["clinicians"][0]["name"] = "Doctor"
    assert after == before
    assert verify(riverside.store, now=LATER) == []
    with riverside.store.read() as connection:
        manager = people.find_by_email(connection, "manager@riverside.example")
        assert manager is not None
        assert come_back(connection, {(riverside.id, "user", doctor)}) == []
        assert len(come_back(connection, {(riverside.id, "user", manager.user_id)})) == 1
    with pytest.raises(Conflict, match="erased"):
        reactivate(riverside.store, user_of(manager), doctor, LATER)


def test_whose_time_proves_a_claim_is_erased_only_with_a_reason(riverside: World) -> None:
    work(riverside)
    [ready] = [row for row in riverside.report(LATER) if row["patient"] == WHO]
    approve(riverside.store, riverside.id, ready["episode_id"], by=None, now=LATER)
    said = {"email": "doctor@riverside.example", "by": None, "now": LATER}
    with pytest.raises(Conflict, match="--despite-retention"):
        erase_user(riverside.store, riverside.id, **said)
    with pytest.raises(BadInput, match="without the reference"):
        erase_user(riverside.store, riverside.id, **said, despite="Doctor asked for it")
    erase_user(riverside.store, riverside.id, email="nurse@riverside.example", by=None, now=LATER)
    erase_user(riverside.store, riverside.id, **said, despite="they asked for it")
    assert verify(riverside.store, now=LATER) == []


def test_the_only_administrator_is_not_erased(riverside: World) -> None:
    with pytest.raises(Conflict, match="only administrator"):
        erase_user(riverside.store, riverside.id, email="manager@riverside.example", by=None, now=NOW)


GUARDED = ("fact", "determination", "episode_event", "audit_detail", "interval", "episode", "audit_entry", "erasure",
           "retention", "hold", "practice_setting")  # fmt: skip


def test_nothing_append_only_goes_without_an_erasure(riverside: World) -> None:
    work(riverside)
    riverside.report(LATER)
    riverside.send(riverside.row("2026-04-08 10:00", 300, patient="gone"))
    erase(riverside, reference="gone")
    place_on_everything(riverside.store, riverside.id, reason="a reason", by=None, now=NOW)
    before = all_rows(riverside.store)
    for table in GUARDED:
        if before[table]:
            with pytest.raises(IntegrityError):
                riverside.store.write(lambda connection, table=table: _drop(connection, table))
    assert all_rows(riverside.store) == before


def _drop(connection: Connection, table: str) -> None:
    connection.execute("DELETE FROM episode_interval")  # which may go, and would stand in the way
    connection.execute(f"DELETE FROM {table}")
    connection.execute("SELECT 1").fetchone()  # what a server has to say is heard here


def test_leave_to_remove_lasts_no_longer_than_its_unit_of_work(riverside: World) -> None:
    def leave_open(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO erasure (practice_id, erasure_id, cause, subjects, at) VALUES (?, 1, 'age', '[]', 1)",
            (riverside.id,),
        )
        connection.execute("INSERT INTO erasing (practice_id, erasure_id) VALUES (?, 1)", (riverside.id,))

    def without_erasure(connection: Connection) -> None:
        connection.execute("INSERT INTO erasing (practice_id, erasure_id) VALUES (?, 7)", (riverside.id,))
        connection.execute("DELETE FROM erasing")
        connection.execute("SELECT 1").fetchone()

    before = all_rows(riverside.store)
    for way in (leave_open, without_erasure):
        with pytest.raises(IntegrityError):
            riverside.store.write(way)
    assert all_rows(riverside.store) == before
