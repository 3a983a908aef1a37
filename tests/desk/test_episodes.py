"""Episodes as people see them: they keep their ids, say what happened to them, and are listed page by page."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from backend.billing.determination import summary
from backend.desk import episodes as desk_episodes
from backend.desk.determine import settle
from backend.desk.episodes import approve, find_episodes, get_episode, list_episodes
from backend.desk.verify import verify
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, open_store
from tests.desk.world import KEY, World, at, make_reportable

NOW = at("2026-04-20 12:00")


def events(world: World, episode_id: str) -> list[str]:
    return [each.event for each in get_episode(world.store, world.id, episode_id, now=NOW).history]


def ready(world: World) -> str:
    """A reportable episode of patient 123, counted 400 s; its id."""
    world.send(world.row("2026-04-06 09:00", 200), world.row("2026-04-06 09:10", 200))
    world.resolve("123", now=NOW)
    world.ask("2026-04-06 07:30", now=NOW)
    make_reportable(world, patient="123", now=NOW)
    [row] = world.report(NOW)
    assert row["status"] == "reportable"
    return row["episode_id"]


def test_without_facts_an_episode_is_on_hold_and_never_reportable(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 300, patient="123"))
    for day in ("2026-04-06 18:00", "2026-04-14 00:00", "2027-04-06 12:00"):
        [row] = riverside.report(day)
        assert (row["status"], row["code"], row["projected_code"]) == ("hold", None, "99421")


def test_overlapping_threads_of_one_patient_count_once_and_the_shares_add_up(riverside: World) -> None:
    first = riverside.row("2026-04-06 09:00", 300, patient="123")
    second = riverside.row("2026-04-06 09:02", 300, patient="123", thread="t2")
    riverside.send(first, second)
    [row] = riverside.report(NOW)
    assert row["counted_seconds"] == 420
    assert row["threads"] == [
        {"portal": "medplum", "thread": "t1", "seconds": 300},
        {"portal": "medplum", "thread": "t2", "seconds": 120},
    ]
    assert row["excluded"] == [{"seconds": 180, "reason": "overlap"}]


def test_a_second_that_two_patients_claim_counts_for_neither_until_one_is_known_for_both(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 300, patient="123"))
    riverside.report(NOW)
    riverside.send(riverside.row("2026-04-06 09:02", 300, thread="t2"))
    assert [row["counted_seconds"] for row in riverside.report(NOW)] == [120, 120]
    riverside.resolve("123", thread="t2", now=NOW)
    assert [row["counted_seconds"] for row in riverside.report(NOW)] == [420]


def test_an_episode_keeps_its_id_when_its_thread_finds_its_patient(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 300))
    [before] = riverside.report(NOW)
    riverside.resolve("123", now=NOW)
    [after] = riverside.report(NOW)
    assert (before["patient"], after["patient"]) == (None, "123")
    assert after["episode_id"] == before["episode_id"]
    assert "patient_learned" in events(riverside, after["episode_id"])


def test_a_row_that_names_the_patient_says_whose_its_thread_is(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 200))
    riverside.send(riverside.row("2026-04-06 09:10", 100, patient="123"))
    [row] = riverside.report(NOW)
    assert (row["patient"], row["counted_seconds"]) == ("123", 300)


def test_a_thread_that_two_patients_are_named_on_stands_for_itself_until_somebody_says(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 100))
    riverside.send(riverside.row("2026-04-06 09:10", 100, patient="123"))
    riverside.send(riverside.row("2026-04-06 09:20", 100, patient="124"))
    assert {row["patient"]: row["counted_seconds"] for row in riverside.report(NOW)} == {
        None: 100,
        "123": 100,
        "124": 100,
    }
    riverside.resolve("124", now=NOW)
    assert {row["patient"]: row["counted_seconds"] for row in riverside.report(NOW)} == {"123": 100, "124": 200}


def test_a_late_earlier_interval_moves_the_anchor_and_the_id_stays(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-08 09:00", 100, patient="123"))
    [before] = riverside.report(NOW)
    riverside.send(riverside.row("2026-04-06 09:00", 100, patient="123"), now=NOW)
    [after] = riverside.report(NOW)
    assert (before["window_start"], after["window_start"]) == ("2026-04-08", "2026-04-06")
    assert after["episode_id"] == before["episode_id"]
    assert events(riverside, after["episode_id"]) == ["opened", "moved", "judged"]


def test_two_episodes_that_become_one_keep_the_earlier_ones_id(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 100, patient="123"))
    riverside.send(riverside.row("2026-04-07 09:00", 100, thread="t2"))
    first, second = (row["episode_id"] for row in riverside.report(NOW))
    riverside.resolve("123", thread="t2", now=NOW)
    [row] = riverside.report(NOW)
    assert (row["episode_id"], row["counted_seconds"]) == (first, 200)
    assert second != first
    with pytest.raises(NotFound):
        get_episode(riverside.store, riverside.id, second, now=NOW)


def test_an_inquiry_that_is_learned_takes_away_the_time_before_it(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 100), riverside.row("2026-04-06 11:00", 200))
    riverside.ask("2026-04-06 10:00", now=NOW)
    [row] = riverside.report(NOW)
    assert (row["counted_seconds"], row["excluded"]) == (200, [{"seconds": 100, "reason": "before_inquiry"}])
    view = get_episode(riverside.store, riverside.id, row["episode_id"], now=NOW)
    assert [(each.at, each.thread) for each in view.inquiries] == [(at("2026-04-06 10:00"), ("medplum", "t1"))]


def test_the_latest_word_about_an_inquiry_counts_and_the_earlier_one_is_kept(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 11:00", 300, patient="123"))
    riverside.ask("2026-04-06 10:00", evaluative=None, now=NOW)
    assert "evaluative-content" in [each["id"] for each in riverside.report(NOW)[0]["missing"]]
    riverside.ask("2026-04-06 10:00", evaluative=True, now=NOW)
    assert "evaluative-content" not in [each["id"] for each in riverside.report(NOW)[0]["missing"]]
    with riverside.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM fact WHERE kind = 'inquiries'").fetchone()[0] == 2


def test_a_determination_is_stored_when_the_answer_changes_and_not_otherwise(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 100, patient="123"))
    answers = []
    for day in range(6, 20):
        riverside.report(at(f"2026-04-{day:02} 12:00"))
        with riverside.store.read() as connection:
            answers.append(connection.execute("SELECT count(*) FROM determination").fetchone()[0])
    assert answers == sorted(answers)
    assert answers[-1] <= 4, "a day that changes nothing stores nothing"
    riverside.send(riverside.row("2026-04-07 09:00", 200, patient="123"), now=NOW)
    [row] = riverside.report(NOW)
    assert {"field": "counted_seconds", "before": 100, "after": 300} in row["changes"]


class TestApproval:
    def test_a_reportable_episode_is_approved_once(self, riverside: World) -> None:
        id_ = ready(riverside)
        approve(riverside.store, riverside.id, id_, by=None, now=NOW)
        assert get_episode(riverside.store, riverside.id, id_, now=NOW).approved_at == NOW
        with pytest.raises(Conflict, match="already"):
            approve(riverside.store, riverside.id, id_, by=None, now=NOW)

    def test_one_on_hold_is_refused(self, riverside: World) -> None:
        riverside.send(riverside.row("2026-04-06 09:00", 300, patient="123"))
        [row] = riverside.report(NOW)
        with pytest.raises(Conflict, match="reportable"):
            approve(riverside.store, riverside.id, row["episode_id"], by=None, now=NOW)

    def test_time_that_another_patient_claims_meanwhile_is_not_frozen(self, riverside: World) -> None:
        id_ = ready(riverside)
        riverside.send(riverside.row("2026-04-06 09:00", 200, thread="t9", patient="999"), now=NOW)
        with pytest.raises(Conflict, match="reportable"):
            approve(riverside.store, riverside.id, id_, by=None, now=NOW)
        view = get_episode(riverside.store, riverside.id, id_, now=NOW)
        assert (sum(view.days), view.approved_at) == (200, None)

    def test_late_data_raises_a_flag_beside_an_answer_that_stays(self, riverside: World) -> None:
        id_ = ready(riverside)
        approve(riverside.store, riverside.id, id_, by=None, now=NOW)
        [before] = riverside.report(NOW)
        riverside.send(riverside.row("2026-04-07 09:00", 280), now=NOW)
        assert riverside.report(NOW) == [before]
        view = get_episode(riverside.store, riverside.id, id_, now=NOW)
        assert view.flagged
        assert view.history[-1].event == "late_data"
        assert {"field": "code", "before": "99421", "after": "99422"} in view.history[-1].detail["changes"]

    def test_time_that_it_counted_does_not_leave_with_its_thread(self, riverside: World) -> None:
        id_ = ready(riverside)
        approve(riverside.store, riverside.id, id_, by=None, now=NOW)
        riverside.resolve("999", now=NOW)
        rows = riverside.report(NOW)
        assert [(row["episode_id"], row["patient"], row["counted_seconds"]) for row in rows] == [(id_, "123", 400)]

    def test_work_close_to_it_is_no_second_report(self, riverside: World) -> None:
        id_ = ready(riverside)
        approve(riverside.store, riverside.id, id_, by=None, now=NOW)
        riverside.send(riverside.row("2026-04-03 09:00", 300, thread="t2", patient="123"), now=NOW)
        others = [row for row in riverside.report(NOW) if row["episode_id"] != id_]
        assert all(row["status"] != "reportable" for row in others)


class TestTheList:
    def test_it_is_newest_first_page_by_page_and_every_episode_stands_once(self, riverside: World) -> None:
        rows = [riverside.row(at(f"2026-04-{1 + n % 9:02} 09:00") + n * 400_000, 60, thread=f"t{n}") for n in range(23)]
        riverside.send(*rows, now=NOW)
        seen, after, pages = [], None, 0
        while True:
            page = list_episodes(riverside.store, riverside.id, now=NOW, after=after, limit=5)
            seen += page.rows
            pages += 1
            if page.next is None:
                break
            after = page.next
        assert pages == 5
        assert len({row.episode_id for row in seen}) == len(seen) == sum(page.counts.values()) == 23
        assert [row.window_start for row in seen] == sorted((row.window_start for row in seen), reverse=True)

    def test_a_status_filters_and_the_counts_stay_whole(self, riverside: World) -> None:
        ready(riverside)
        riverside.send(riverside.row("2026-04-08 15:00", 60, thread="t2"), now=NOW)
        page = list_episodes(riverside.store, riverside.id, now=NOW, status="reportable")
        assert [row.patient for row in page.rows] == ["123"]
        assert page.counts["reportable"] == 1
        assert sum(page.counts.values()) == 2

    def test_a_place_that_no_page_named_is_refused(self, riverside: World) -> None:
        for after in ("", "x", "2026-04-06", "yesterday.1"):
            with pytest.raises(BadInput):
                list_episodes(riverside.store, riverside.id, now=NOW, after=after)

    def test_a_day_of_the_window_has_its_own_seconds(self, riverside: World) -> None:
        riverside.send(riverside.row("2026-04-06 23:58", 240, patient="123"))
        riverside.send(riverside.row("2026-04-12 09:00", 30, patient="123"))
        [row] = list_episodes(riverside.store, riverside.id, now=NOW).rows
        assert row.days == [120, 120, 0, 0, 0, 0, 30]
        assert (row.window_start, row.window_end) == (date(2026, 4, 6), date(2026, 4, 12))

    def test_it_waits_a_moment_for_what_is_due_and_then_says_what_was_recorded(
        self, riverside: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        riverside.send(riverside.row("2026-04-06 09:00", 60, patient="123"))
        [settled] = list_episodes(riverside.store, riverside.id, now=NOW).rows
        monkeypatch.setattr(desk_episodes, "PATIENCE_SECONDS", -1)
        riverside.send(riverside.row("2026-04-06 09:10", 30, patient="123"), now=NOW)
        riverside.send(riverside.row("2026-04-20 09:10", 30, patient="123"), now=NOW)
        for found in (
            list_episodes(riverside.store, riverside.id, now=NOW),
            find_episodes(riverside.store, riverside.id, "123", now=NOW),
        ):
            [row] = found.rows
            assert (found.waiting, row.recorded_seconds) == (1, 90)
            assert row.summary == settled.summary
        view = get_episode(riverside.store, riverside.id, row.episode_id, now=NOW)
        assert (view.recorded_seconds, sum(view.days)) == (None, 90)
        found = list_episodes(riverside.store, riverside.id, now=NOW)
        assert (found.waiting, {row.recorded_seconds for row in found.rows}) == (0, {None})

    def test_its_lines_say_what_the_determinations_say_and_a_search_finds_the_same_ones(self, riverside: World) -> None:
        ready(riverside)
        riverside.send(riverside.row("2026-04-08 15:00", 60, thread="t2"), now=NOW)
        page = list_episodes(riverside.store, riverside.id, now=NOW)
        views = [get_episode(riverside.store, riverside.id, row.episode_id, now=NOW) for row in page.rows]
        assert [row.summary for row in page.rows] == [summary(view.determination) for view in views]
        assert {row.summary["code"] for row in page.rows} == {"99421", None}
        for words, found in (("99421", page.rows[1:]), ("doctor", page.rows), ("12", page.rows[1:])):
            assert find_episodes(riverside.store, riverside.id, words, now=NOW).rows == found


def test_a_database_from_before_there_were_summaries_has_them_after_a_start(
    riverside: World, database: str | None, tmp_path: Path
) -> None:
    ready(riverside)
    riverside.send(riverside.row("2026-04-08 15:00", 60, thread="t2"), now=NOW)
    assert riverside.report(NOW)

    def as_before(connection: Connection) -> None:
        connection.execute("ALTER TABLE episode DROP COLUMN summary")
        applied = "_sqlite_migrations" if database is None else "migration"
        connection.execute(f"DELETE FROM {applied} WHERE name = 'summaries'")

    riverside.store.write(as_before)
    riverside.store.close()
    store = open_store(tmp_path / "data", KEY, database=database)
    try:
        assert verify(store) == []
    finally:
        store.close()


def test_reading_settled_episodes_computes_nothing(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 60))
    assert settle(riverside.store, riverside.id, NOW) == 1
    assert settle(riverside.store, riverside.id, NOW) == 0


def test_after_an_update_of_the_rules_everybody_is_computed_again(riverside: World) -> None:
    for patient in ("1", "2"):
        riverside.send(riverside.row("2026-04-06 09:00", 60, thread=f"t{patient}", patient=patient))
    assert settle(riverside.store, riverside.id, NOW) == 2
    assert settle(riverside.store, riverside.id, NOW) == 0
    with riverside.store.read() as connection:
        [everybody] = connection.execute("SELECT count(*) FROM patient").fetchone()
    # What an update leaves: answers by rules that are not these.
    riverside.store.write(lambda connection: connection.execute("UPDATE practice SET rules_seen = 'older'"))
    assert verify(riverside.store) == [], "they wait, so nobody says that they stand"
    assert settle(riverside.store, riverside.id, NOW) == everybody
    assert settle(riverside.store, riverside.id, NOW) == 0


def test_as_of_an_earlier_instant_the_episode_is_still_on_hold(riverside: World) -> None:
    ready(riverside)
    [then] = riverside.report(NOW, as_of=at("2026-04-08 12:00"))
    assert (then["status"], then["hold_until"], then["counted_seconds"]) == ("hold", "2026-04-14", 400)
    assert [row["status"] for row in riverside.report(NOW)] == ["reportable"]


def test_storage_attested_once_holds_for_every_patient_of_the_portal(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 300, patient="1"))
    riverside.send(riverside.row("2026-04-06 10:00", 300, patient="2", thread="t2"))
    riverside.report(NOW)
    riverside.say("attested_storage", {"permanently_stored": True}, now=NOW)
    for row in riverside.report(NOW):
        assert "documentation-permanent" not in [each["id"] for each in row["missing"]]


def test_time_entered_by_hand_counts_once_its_clinician_says_so(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 300))
    call = riverside.row("2026-04-06 10:00", 600, entry="manual", reason="a phone call", activity="communicate_phone")
    riverside.send(call)
    assert riverside.report(NOW)[0]["counted_seconds"] == 300
    riverside.say("attested_time", {"interval": call["id"], "attested": True}, by="doctor", now=NOW)
    assert riverside.report(NOW)[0]["counted_seconds"] == 900
