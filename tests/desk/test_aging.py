"""What has come of age goes, and nothing else changes: not a minute, not a determination, not the audit's chain."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from backend.audit import COMMAND
from backend.desk.aging import Removed, apply_retention
from backend.desk.audit import list_entries
from backend.desk.episodes import approve, get_episode, list_episodes
from backend.desk.erasing import Counts
from backend.desk.holds import lift, place_on_everything, place_on_patient, place_on_user
from backend.desk.retention import before, ends, keep_for, list_retention
from backend.desk.verify import verify
from backend.errors import BadInput, Conflict
from backend.store.connection import IntegrityError
from tests.desk.rows import all_rows, tables_with
from tests.desk.tangle import DAY, START, tangled
from tests.desk.world import World, at, make_reportable

NOW = at("2026-04-20 12:00")
APPROVED = at("2026-05-20 12:00")
A_YEAR_ON = at("2027-06-01 12:00")
OLD = "zq-old-1"


def keep(world: World, kind: str, period: str | None, *, now: int = NOW) -> None:
    keep_for(world.store, world.id, kind=kind, period=period, from_on=None, by=None, now=now)


def apply(world: World, now: int, **others: Any) -> dict[str, Removed]:
    found = apply_retention(world.store, world.id, actor=COMMAND, now=now, **others)
    return {each.kind: each for each in found}


def work(world: World, *, at_: str = "2026-04-06", patient: str = OLD, thread: str = "old") -> None:
    world.send(
        world.row(f"{at_} 09:00", 200, thread=thread, patient=patient),
        world.row(f"{at_} 09:10", 200, thread=thread),
        world.row(f"{at_} 09:30", 40, thread=thread, activity="idle"),
    )
    world.ask(f"{at_} 07:30", thread=thread, now=at(f"{at_} 12:00"))
    make_reportable(world, patient=patient, now=at(f"{at_} 12:00") + 14 * DAY)


def report(world: World, now: int) -> list[dict[str, Any]]:
    return sorted(({**row, "changes": []} for row in world.report(now)), key=lambda row: row["episode_id"])


def test_nothing_goes_unless_the_practice_says_so(riverside: World) -> None:
    work(riverside)
    riverside.report(at("2090-01-01 12:00"))
    stored = all_rows(riverside.store)
    assert apply(riverside, at("2090-01-01 12:00")) == {}
    assert all_rows(riverside.store) == stored
    assert [(each.name, each.period) for each in list_retention(riverside.store, riverside.id, now=NOW)] == [
        ("intervals", None),
        ("records", None),
        ("audit", None),
    ]


@pytest.mark.parametrize(
    ("kind", "period", "said"),
    [
        ("intervals", "364 days", "intervals cannot be kept for less than 1 year: .*42 CFR 424.44"),
        ("records", "71 months", "records cannot be kept for less than 6 years: .*164.316"),
        ("audit", "5 years", "audit cannot be kept for less than 6 years: .*164.316"),
        ("audit", "for ever", "written like 7 years"),
        ("audit", "0 years", "written like 7 years"),
        ("audit", "-7 years", "written like 7 years"),
        ("everything", "7 years", "there are intervals, records, audit"),
    ],
)
def test_what_is_too_short_or_unclear_is_refused(riverside: World, kind: str, period: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        keep(riverside, kind, period)


def test_a_word_is_dated_audited_and_never_changed(riverside: World) -> None:
    keep(riverside, "audit", "6 Years")
    later = date(2026, 6, 1)
    keep_for(riverside.store, riverside.id, kind="audit", period="10 years", from_on=later, by=None, now=NOW)
    [shown] = [each for each in list_retention(riverside.store, riverside.id, now=NOW) if each.name == "audit"]
    assert (shown.period, [(word.period, word.from_on) for word in shown.coming]) == ("6 years", [("10 years", later)])
    [shown] = [each for each in list_retention(riverside.store, riverside.id, now=A_YEAR_ON) if each.name == "audit"]
    assert (shown.period, shown.coming) == ("10 years", ())
    [line] = list_entries(riverside.store, riverside.id, on=None, action="retention_set", now=NOW).lines[1:]
    assert (line.subject, line.detail) == (("retention", "audit"), {"period": "6 years", "from": "2026-04-20"})
    for change in ("UPDATE retention SET period = '1 day'", "DELETE FROM retention"):
        with pytest.raises(IntegrityError):
            riverside.store.write(lambda connection, change=change: (connection.execute(change), _heard(connection)))


def _heard(connection: Any) -> None:
    connection.execute("SELECT 1").fetchone()


def test_old_intervals_go_and_what_they_added_up_to_stays(riverside: World) -> None:
    work(riverside)
    work(riverside, at_="2027-05-20", patient="new", thread="new")
    stands = report(riverside, A_YEAR_ON)
    keep(riverside, "intervals", "1 year")
    removed = apply(riverside, A_YEAR_ON)["intervals"]
    assert removed == Removed("intervals", Counts(intervals=3), at("2026-04-06 09:00"))
    assert report(riverside, A_YEAR_ON) == stands
    assert verify(riverside.store, now=A_YEAR_ON) == []
    with riverside.store.read() as connection:
        left = connection.execute("SELECT count(*) FROM interval").fetchone()[0]
    assert left == 3
    [old] = [row for row in stands if row["patient"] == OLD]
    view = get_episode(riverside.store, riverside.id, old["episode_id"], now=A_YEAR_ON)
    assert (view.closed_at, view.pieces, sum(view.days)) == (A_YEAR_ON, [], 400)
    assert [each.at for each in view.inquiries] == [at("2026-04-06 07:30")]
    assert view.history[-1].event == "closed"
    with pytest.raises(Conflict, match="removed by age"):
        approve(riverside.store, riverside.id, old["episode_id"], by=None, now=A_YEAR_ON)
    [line] = list_entries(riverside.store, riverside.id, on=None, action="retention_applied", now=A_YEAR_ON).lines
    assert line.detail == {"erasure": 1, "intervals": 3}
    assert apply(riverside, A_YEAR_ON)["intervals"] == Removed("intervals")  # and nothing more
    assert len(list_episodes(riverside.store, riverside.id, now=A_YEAR_ON).rows) == 2


def test_work_on_an_old_thread_opens_no_episode_by_its_old_inquiry(riverside: World) -> None:
    """As it would have been without the removal: nobody wrote anew, so it comes after the seven days."""
    work(riverside)
    riverside.send(riverside.row("2026-04-09 09:00", 60, thread="unasked", patient=OLD))
    riverside.report(A_YEAR_ON)
    keep(riverside, "intervals", "1 year")
    apply(riverside, A_YEAR_ON)
    for thread in ("old", "unasked"):
        riverside.send(riverside.row("2027-06-01 09:00", 300, thread=thread, patient=OLD))
    assert len(riverside.report(A_YEAR_ON)) == 1
    riverside.ask("2027-06-01 07:00", thread="old", now=A_YEAR_ON)
    assert len(riverside.report(A_YEAR_ON)) == 2
    assert verify(riverside.store, now=A_YEAR_ON) == []


def test_an_approved_episode_keeps_its_intervals_for_six_years_and_its_determination_after(riverside: World) -> None:
    work(riverside)
    [ready] = riverside.report(APPROVED)
    approve(riverside.store, riverside.id, ready["episode_id"], by=None, now=APPROVED)
    stands = report(riverside, A_YEAR_ON)
    keep(riverside, "intervals", "1 year")
    assert apply(riverside, A_YEAR_ON)["intervals"].counts == Counts()
    assert apply(riverside, at("2032-05-19 12:00"))["intervals"].counts == Counts()
    assert apply(riverside, at("2032-05-21 12:00"))["intervals"].counts == Counts(intervals=3)
    assert report(riverside, at("2032-05-21 12:00")) == stands
    assert verify(riverside.store, now=at("2032-05-21 12:00")) == []


def test_old_patients_go_whole_and_young_ones_stay(riverside: World) -> None:
    work(riverside)
    [ready] = riverside.report(APPROVED)
    approve(riverside.store, riverside.id, ready["episode_id"], by=None, now=APPROVED)
    work(riverside, at_="2027-05-20", patient="new", thread="new")
    keep(riverside, "records", "6 years")
    assert apply(riverside, at("2032-05-19 12:00"))["records"].counts == Counts()
    tried = apply(riverside, at("2032-05-22 12:00"), dry_run=True)
    assert OLD in repr(all_rows(riverside.store))
    removed = apply(riverside, at("2032-05-22 12:00"))
    assert removed == tried
    assert (removed["records"].counts.patients, removed["records"].counts.episodes) == (1, 1)
    assert removed["records"].oldest == at("2026-04-06 09:00")
    assert tables_with(riverside.store, OLD, "'old'") == []
    assert [row["patient"] for row in riverside.report(at("2032-05-22 12:00"))] == ["new"]
    assert verify(riverside.store, now=at("2032-05-22 12:00")) == []


def test_old_details_of_the_audit_go_and_its_chain_stays_whole(riverside: World) -> None:
    work(riverside)
    keep(riverside, "audit", "6 years")
    later = at("2032-05-01 12:00")
    tried = apply(riverside, later, dry_run=True)["audit"]
    removed = apply(riverside, later)["audit"]
    assert removed == tried
    assert removed.counts.details > 10
    assert removed.oldest == at("2026-01-01 09:00")
    assert verify(riverside.store, now=later) == []
    [line] = list_entries(riverside.store, riverside.id, on=None, action="detail_erased", now=later).lines
    assert line.detail is not None
    assert sum(last - first + 1 for first, last in line.detail["ranges"]) == removed.counts.details
    entries = all_rows(riverside.store)["audit_entry"]
    assert len(entries) > removed.counts.details
    assert apply(riverside, later)["audit"].counts == Counts()
    assert apply(riverside, at("2040-01-01 12:00"))["audit"].counts.details > 0
    assert verify(riverside.store, now=at("2040-01-01 12:00")) == []


@pytest.mark.parametrize("whom", ["patient", "user", "all"])
def test_what_is_held_stays_whatever_its_age(riverside: World, whom: str) -> None:
    work(riverside)
    for kind in ("intervals", "records", "audit"):
        keep(riverside, kind, "6 years")
    said: dict[str, Any] = {"reason": "Smith v. Riverside", "by": None, "now": NOW}
    if whom == "patient":
        place_on_patient(riverside.store, riverside.id, portal="medplum", reference=OLD, **said)
    elif whom == "user":
        place_on_user(riverside.store, riverside.id, email="doctor@riverside.example", **said)
    else:
        place_on_everything(riverside.store, riverside.id, **said)
    later = at("2040-01-01 12:00")
    riverside.report(later)
    stored = all_rows(riverside.store)
    assert {each.counts for each in apply(riverside, later).values()} == {Counts()}
    kept = {table: rows for table, rows in all_rows(riverside.store).items() if not table.startswith("audit")}
    assert kept == {table: rows for table, rows in stored.items() if not table.startswith("audit")}
    lift(riverside.store, riverside.id, 1, reason="settled", by=None, now=later)
    removed = apply(riverside, later)
    assert removed["records"].counts.patients == 1
    assert removed["audit"].counts.details > 0
    assert verify(riverside.store, now=later) == []


def test_a_trial_run_says_the_same_and_changes_nothing(riverside: World) -> None:
    for number in range(9):
        work(riverside, patient=f"p{number}", thread=f"t{number}")
    keep(riverside, "intervals", "1 year")
    riverside.report(A_YEAR_ON)
    stored = all_rows(riverside.store)
    tried = apply(riverside, A_YEAR_ON, dry_run=True)
    assert all_rows(riverside.store) != {} and all_rows(riverside.store) == stored
    assert apply(riverside, A_YEAR_ON) == tried
    assert tried["intervals"].counts == Counts(intervals=27)


def test_a_run_that_is_stopped_goes_on_where_it_was(riverside: World) -> None:
    for number in range(9):
        work(riverside, patient=f"p{number}", thread=f"t{number}")
    keep(riverside, "intervals", "1 year")
    riverside.report(A_YEAR_ON)
    asked: list[None] = []

    def stopping() -> bool:
        asked.append(None)
        return len(asked) > 1

    assert apply(riverside, A_YEAR_ON, stopping=stopping)["intervals"].counts.intervals == 12
    assert apply(riverside, A_YEAR_ON)["intervals"].counts.intervals == 15
    assert verify(riverside.store, now=A_YEAR_ON) == []


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_whatever_was_worked_no_answer_changes_as_old_rows_go(riverside: World, seed: int) -> None:
    """Over months around the day that divides old from young."""
    later = START + 465 * DAY
    tangled(riverside, seed, now=later)
    stands = report(riverside, later)
    keep(riverside, "intervals", "1 year")
    tried = apply(riverside, later, dry_run=True)["intervals"].counts.intervals
    # Whether a row goes may hang on another patient's that went before it, which a trial takes back.
    assert abs(apply(riverside, later)["intervals"].counts.intervals - tried) <= 3
    assert verify(riverside.store, now=later) == []
    assert report(riverside, later) == stands
    riverside.store.write(lambda connection: connection.execute("UPDATE patient SET due_at = 0").rowcount)
    assert report(riverside, later) == stands
    assert verify(riverside.store, now=later) == []
    assert tried > 10


@pytest.mark.parametrize(
    ("period", "today", "day"),
    [
        ("6 years", date(2032, 2, 29), date(2026, 2, 28)),
        ("1 month", date(2026, 3, 31), date(2026, 2, 28)),
        ("18 months", date(2026, 1, 15), date(2024, 7, 15)),
        ("400 days", date(2026, 4, 20), date(2025, 3, 16)),
        ("9999 years", date(2026, 4, 20), date.min),
        ("9999 months", date(2026, 4, 20), date(1193, 1, 20)),
    ],
)
def test_a_period_before_a_day(period: str, today: date, day: date) -> None:
    assert before(period, today) == day


@pytest.mark.parametrize("period", ["6 years", "18 months", "1 month", "400 days"])
@pytest.mark.parametrize("first", [date(2024, 2, 29), date(2026, 1, 31), date(2026, 4, 20), date(2026, 12, 31)])
def test_a_period_ends_on_the_first_day_before_which_it_lies(period: str, first: date) -> None:
    last = ends(period, first)
    assert before(period, last) >= first > before(period, date.fromordinal(last.toordinal() - 1))
