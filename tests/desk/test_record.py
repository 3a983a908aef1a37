"""Recording: each row exactly once, whatever is sent, how often, and from where."""

from __future__ import annotations

from backend.desk.devices import add_device, device_of
from backend.desk.export import export_intervals
from backend.desk.record import record
from tests.desk.world import World, at, uuid7

NINE = "2026-04-06 09:00"
CONFLICT = "this id is already stored with other content"


def stored(world: World) -> list[dict]:
    return list(export_intervals(world.store, world.id, now=at(NINE)))


def test_a_new_row_is_accepted_and_comes_out_as_it_came_in(riverside: World) -> None:
    row = riverside.row(
        NINE,
        patient="123",
        entry="manual",
        tab="tab-1",
        linked_from="t0",
        recovered=True,
        reason="a phone call",
        problem="asthma",
    )
    assert riverside.send(row).accepted == [row["id"]]
    assert stored(riverside) == [row]


def test_the_same_batch_again_is_a_duplicate_whatever_the_device(riverside: World) -> None:
    rows = [riverside.row(NINE), riverside.row("2026-04-06 09:05", patient="123")]
    riverside.send(*rows)
    before = riverside.report("2026-04-07 12:00")
    token = add_device(
        riverside.store, riverside.id, clinician_email="doctor@riverside.example", name="laptop", now=at(NINE)
    )
    laptop = device_of(riverside.store, token)
    assert laptop is not None
    riverside.devices["laptop"] = laptop
    outcome = riverside.send(*rows, by="laptop")
    assert (outcome.accepted, outcome.duplicate, outcome.rejected) == ([], [row["id"] for row in rows], [])
    assert stored(riverside) == [{**row, "entry": "measured"} for row in rows]
    assert riverside.report("2026-04-07 12:00") == before


def test_a_default_that_is_said_is_the_same_as_one_that_is_not(riverside: World) -> None:
    row = riverside.row(NINE)
    riverside.send(row)
    assert riverside.send({**row, "entry": "measured", "recovered": False}).duplicate == [row["id"]]


def test_a_known_id_with_other_content_is_rejected_field_by_field(riverside: World) -> None:
    row = riverside.row(NINE, patient="123")
    riverside.send(row)
    for name, other in (
        ("thread", "t2"),
        ("thread", None),
        ("patient", "124"),
        ("patient", None),
        ("portal", "other"),
        ("activity", "develop_plan"),
        ("started_at", row["started_at"] - 1),
        ("ended_at", row["ended_at"] + 1),
        ("ended_by", "idle"),
        ("idle_after_seconds", 61),
        ("entry", "linked_chart"),
        ("tab", "tab-1"),
        ("linked_from", "t0"),
        ("recovered", True),
        ("reason", "because"),
        ("problem", "asthma"),
    ):
        outcome = riverside.send({**row, name: other})
        assert outcome.rejected == [(row["id"], 0, CONFLICT)], name
        assert not outcome.accepted
        assert not outcome.duplicate
    assert stored(riverside) == [{**row, "entry": "measured"}]


def test_another_clinicians_id_is_rejected_even_with_the_same_content(riverside: World) -> None:
    row = riverside.row(NINE)
    riverside.send(row)
    assert riverside.send(row, by="colleague").rejected == [(row["id"], 0, CONFLICT)]


def test_one_bad_row_never_costs_its_neighbours(riverside: World) -> None:
    known = riverside.row(NINE)
    riverside.send(known)
    new, other = riverside.row("2026-04-06 09:05"), riverside.row("2026-04-06 09:10")
    elsewhere = riverside.row("2026-04-06 09:15", portal="unknown")
    outcome = riverside.send(new, {**known, "tab": "x"}, known, elsewhere, other)
    assert outcome.accepted == [new["id"], other["id"]]
    assert outcome.duplicate == [known["id"]]
    assert sorted(outcome.rejected, key=lambda each: each[1]) == [
        (known["id"], 1, CONFLICT),
        (elsewhere["id"], 3, "portal is not one of this practice"),
    ]


def test_of_two_equal_ids_in_one_batch_the_first_is_stored(riverside: World) -> None:
    row = riverside.row(NINE)
    outcome = riverside.send(row, row, {**row, "tab": "x"})
    assert (outcome.accepted, outcome.duplicate) == ([row["id"]], [row["id"]])
    assert outcome.rejected == [(row["id"], 2, CONFLICT)]


def test_what_a_rejected_row_says_about_its_thread_is_not_believed(riverside: World) -> None:
    known = riverside.row(NINE, thread="t9", patient="9")
    riverside.send(known)
    riverside.send(riverside.row("2026-04-06 09:05", seconds=300))
    riverside.send({**known, "thread": "t1"})
    assert {row["patient"] for row in riverside.report("2026-04-07 12:00")} == {"9", None}


def test_a_correction_stands_in_for_the_interval_that_it_names(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 08:00", 200))
    wrong = riverside.row(NINE, 250)
    riverside.send(wrong)
    assert riverside.report("2026-04-06 12:00")[0]["counted_seconds"] == 450
    right = riverside.row(NINE, 100, corrects=wrong["id"], reason="left the desk")
    assert riverside.send(right).accepted == [right["id"]]
    assert riverside.report("2026-04-06 12:00")[0]["counted_seconds"] == 300
    assert {row["id"] for row in stored(riverside)} >= {wrong["id"], right["id"]}, "the original stays"


def test_a_correction_of_what_is_not_this_clinicians_is_rejected(riverside: World) -> None:
    theirs = riverside.row(NINE)
    riverside.send(theirs, by="colleague")
    for target in (theirs["id"], uuid7(at(NINE), 999)):
        row = riverside.row("2026-04-06 10:00", corrects=target, reason="mine")
        assert riverside.send(row).rejected == [(row["id"], 0, "corrects names no interval of this clinician")]


def test_a_correction_may_come_in_the_same_batch_as_what_it_corrects(riverside: World) -> None:
    wrong = riverside.row(NINE)
    right = riverside.row(NINE, 30, corrects=wrong["id"], reason="left the desk")
    assert riverside.send(wrong, right).accepted == [wrong["id"], right["id"]]
    assert riverside.send(wrong, right).duplicate == [wrong["id"], right["id"]]


def test_rows_of_a_device_whose_clock_is_far_off_are_marked(riverside: World) -> None:
    for number, (offset, off) in enumerate(((0, 0), (120_000, 0), (120_001, 1), (-120_001, 1))):
        row = riverside.row(at(NINE) + number * 1000, 1)
        received_at = row["ended_at"]
        record(
            riverside.store,
            riverside.devices["doctor"],
            [(0, row)],
            sent_at=received_at - offset,
            received_at=received_at,
        )
        with riverside.store.read() as connection:
            found = connection.execute(
                "SELECT clock_offset_ms, clock_off FROM interval WHERE interval_id = ?", (row["id"],)
            ).fetchone()
        assert tuple(found) == (offset, off)


def test_patient_123_of_two_portals_stays_two_patients(riverside: World) -> None:
    riverside.send(
        riverside.row(NINE, 200, patient="123"), riverside.row("2026-04-06 10:00", 100, patient="123", portal="other")
    )
    report = riverside.report("2026-04-06 12:00")
    assert sorted((row["patient"], row["threads"][0]["portal"], row["counted_seconds"]) for row in report) == [
        ("123", "medplum", 200),
        ("123", "other", 100),
    ]


def test_a_long_export_comes_in_pieces_and_whole(riverside: World) -> None:
    rows = [riverside.row(at(NINE) + n * 2000, 1) for n in range(1203)]
    for start in range(0, len(rows), 401):
        riverside.send(*rows[start : start + 401])
    assert [row["id"] for row in stored(riverside)] == sorted(row["id"] for row in rows)
