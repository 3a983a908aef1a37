"""What a clinician is told of their own episodes: whose they are, what is asked, and that an answer settles it."""

from __future__ import annotations

from typing import Any

import pytest

from backend.desk.episodes import approve
from backend.desk.own_episodes import own_episodes
from backend.errors import NotAllowed
from tests.desk.world import MINUTE, World, at, make_reportable, uuid7
from tests.rules.judges import by_javascript, job

SAID = ("status", "code", "projected_code", "blocking", "missing", "warnings", "reasons", "rules_version", "settings")
DAY = 1440 * MINUTE
NOW = at("2026-04-08 10:42")
FIRST = "2026-04-06 09:00"


def told(
    world: World, *, by: str = "doctor", thread: str | None = "t1", patient: str | None = None, now: int = NOW
) -> Any:
    return own_episodes(world.store, world.devices[by], portal="medplum", thread=thread, patient=patient, now=now)


def only(world: World, **about: Any) -> dict[str, Any]:
    """The only episode; the rules on a device say the same of its facts as the server does."""
    [episode] = told(world, **about)["episodes"]
    if not episode["approved"]:
        rules = episode["rules"]
        asked = job([episode["facts"]], family=rules["family"], payer_type=rules["payer_type"], on=rules["day"],
                    settings=episode["settings"])  # fmt: skip
        [[said]] = by_javascript([asked])
        assert {name: episode["answer"][name] for name in SAID} == {name: said[name] for name in SAID}
    return episode


def say(world: World, facts: list[dict[str, Any]], *, by: str = "doctor", now: int = NOW) -> None:
    assert facts
    for each in facts:
        [heard] = world.say(each["kind"], each["row"], now=now, by=by)
        assert heard.outcome == "new"


def ids(episode: dict[str, Any]) -> list[str]:
    return [each["id"] for each in episode["questions"]]


def test_an_episode_as_it_stands(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.send(riverside.row("2026-04-07 09:00", 320, patient="123"), by="colleague")
    riverside.ask("2026-04-06 08:00", now=NOW)
    answer = told(riverside)
    assert (answer["as_of"], answer["timezone"]) == (NOW, "America/New_York")
    [episode] = answer["episodes"]
    assert (episode["window_start"], episode["window_end"], episode["threads"]) == ("2026-04-06", "2026-04-12", ["t1"])
    assert (episode["own_seconds"], episode["approved"]) == (400, False)
    assert [each["minutes"] for each in episode["steps"]] == [5, 11, 21]
    assert episode["rules"]["family"] == "em"
    assert episode["answer"]["status"] == "hold"
    [mine] = episode["intervals"]
    assert (mine["activity"], mine["recorded_activity"], mine["corrected_by"]) == (
        "review_inquiry",
        "review_inquiry",
        None,
    )
    assert (mine["counted"], mine["patient"]) == (True, "123")


def test_nobody_is_told_of_work_that_is_not_theirs(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    assert told(riverside, by="colleague")["episodes"] == []
    assert told(riverside, thread="t2")["episodes"] == []
    assert told(riverside, thread=None, patient="124")["episodes"] == []
    assert len(told(riverside, thread=None, patient="123")["episodes"]) == 1


def test_at_most_the_three_newest_newest_first(riverside: World) -> None:
    for weeks in range(5):
        begin = at(FIRST) + weeks * 10 * DAY
        riverside.send(riverside.row(begin, 400, patient="123"))
        riverside.ask(begin - 60 * MINUTE, now=begin)
    starts = [each["window_start"] for each in told(riverside, now=at("2026-06-01 09:00"))["episodes"]]
    assert starts == ["2026-05-16", "2026-05-06", "2026-04-26"]


def test_whether_a_problem_was_evaluated_is_asked_once(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    asked = only(riverside)["questions"]
    assert [each["id"] for each in asked] == ["evaluative:t1"]
    assert [each["label"] for each in asked[0]["options"]] == ["Yes", "No", "Both", "Not sure"]
    assert asked[0]["options"][-1]["facts"] == []
    say(riverside, asked[0]["options"][0]["facts"])
    episode = only(riverside)
    assert (ids(episode), episode["facts"]["evaluative"]) == ([], True)
    assert "evaluative-content" not in {each["id"] for each in episode["answer"]["missing"]}
    riverside.ask("2026-04-06 08:00", evaluative=None, now=NOW)  # the inquiry comes later, and the answer fills it in
    episode = only(riverside)
    assert (ids(episode), episode["facts"]["evaluative"]) == ([], True)


def test_where_nothing_was_evaluated_the_episode_is_not_reportable_before_the_inquiry_is_known(
    riverside: World,
) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    say(riverside, only(riverside)["questions"][0]["options"][1]["facts"])
    assert [each["answer"]["status"] for each in told(riverside)["episodes"]] in ([], ["not_reportable"])


@pytest.mark.parametrize(("label", "related"), [("Same", True), ("New", False), ("Both", True)])
def test_whether_a_thread_is_about_a_visit(riverside: World, label: str, related: bool) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    visit = {"patient": "123", "at": "2026-04-03T14:00:00Z", "kind": "office_em", "status": "completed"}
    riverside.say("visits", {**visit, "specialty": "family_medicine"}, now=NOW)
    [question] = only(riverside)["questions"]
    assert question["text"] == "Office visit on 3 April: is this thread about the same problem?"
    [option] = [each for each in question["options"] if each["label"] == label]
    say(riverside, option["facts"])
    episode = only(riverside)
    assert (ids(episode), episode["facts"]["prior_em_related"]) == ([], related)


def test_a_visit_after_the_inquiry_is_asked_of_where_another_specialty_saw_the_patient(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    visit = {"patient": "123", "kind": "office_em", "status": "completed"}
    riverside.say(
        "visits",
        {**visit, "at": "2026-04-07T14:00:00Z", "specialty": "family_medicine"},
        {**visit, "at": "2026-04-07T18:00:00Z", "specialty": "dermatology"},
        now=NOW,
    )
    [question] = only(riverside)["questions"]
    assert question["options"][0]["facts"][0]["row"]["visit_at"] == "2026-04-07T18:00:00.000+00:00"
    say(riverside, question["options"][1]["facts"])
    assert ids(only(riverside)) == []


@pytest.mark.parametrize(("label", "seconds"), [("Yes", 1300), ("No", 400)])
def test_whether_entered_time_was_worked(riverside: World, label: str, seconds: int) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    called = riverside.row("2026-04-06 15:00", 900, patient="123", entry="manual", activity="communicate_phone",
                           ended_by="manual", reason="call with the patient")  # fmt: skip
    riverside.send(called)
    [question] = only(riverside)["questions"]
    assert question["text"] == "15 min 00 s entered by hand for 6 April, 15:00: did you do this work yourself?"
    [option] = [each for each in question["options"] if each["label"] == label]
    say(riverside, option["facts"])
    episode = only(riverside)
    assert (ids(episode), episode["counted_seconds"]) == ([], seconds)


def test_time_in_the_chart_is_asked_of_by_the_day(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    chart = {"patient": "123", "entry": "linked_chart", "linked_from": "t1", "activity": "review_records"}
    minutes = [riverside.row(at("2026-04-06 10:00") + n * 2 * MINUTE, 60, **chart) for n in range(22)]
    riverside.send(*minutes, riverside.row("2026-04-07 10:00", 60, **chart))
    texts = [each["text"] for each in only(riverside)["questions"]]
    assert [text.partition(",")[0] for text in texts] == [
        "20 min 00 s in the chart on 6 April",
        "2 min 00 s in the chart on 6 April",
        "1 min 00 s in the chart on 7 April",
    ]
    for _ in texts:
        say(riverside, only(riverside)["questions"][0]["options"][0]["facts"])
    episode = only(riverside)
    assert (ids(episode), episode["counted_seconds"]) == ([], 400 + 23 * 60)


@pytest.mark.parametrize(
    ("label", "here", "there"), [("This patient’s", 400, 200), ("The other’s", 300, 300), ("Both", 300, 200)]
)
def test_whose_shared_seconds_were(riverside: World, label: str, here: int, there: int) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.send(riverside.row(at(FIRST) + 300_000, 300, patient="124", thread="t2"))
    for thread in ("t1", "t2"):
        riverside.ask("2026-04-06 08:00", thread, now=NOW)
    [question] = only(riverside)["questions"]
    assert question["text"].startswith("1 min 40 s from 6 April, 09:05:00")
    [option] = [each for each in question["options"] if each["label"] == label]
    say(riverside, option["facts"])
    one, other = only(riverside), only(riverside, thread="t2")
    assert (one["counted_seconds"], other["counted_seconds"]) == (here, there)
    assert ids(one) == []


def test_staff_are_told_and_asked_nothing(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.send(riverside.row("2026-04-06 10:00", 60, patient="123"), by="nurse")
    staff = riverside.devices["nurse"]
    told_ = own_episodes(
        riverside.store,
        type(staff)(staff.practice_id, staff.device_id, staff.user_id, staff.name, frozenset({"staff"})),
        portal="medplum", thread="t1", patient=None, now=NOW,
    )  # fmt: skip
    assert told_["episodes"][0]["questions"] == []
    with pytest.raises(NotAllowed, match="of their own"):
        own_episodes(
            riverside.store,
            type(staff)(staff.practice_id, staff.device_id, staff.user_id, staff.name, frozenset({"biller"})),
            portal="medplum", thread="t1", patient=None, now=NOW,
        )  # fmt: skip


def test_i_was_reading_is_the_clinicians_word(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    reading = riverside.row("2026-04-06 09:10", 120, patient="123", entry="attested_reading", ended_by="idle")
    assert riverside.send(reading).accepted == [reading["id"]]
    episode = only(riverside)
    assert (ids(episode), episode["counted_seconds"]) == ([], 520)
    assert riverside.send(reading).duplicate == [reading["id"]]
    with riverside.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM fact WHERE kind = 'attested_time'").fetchone()[0] == 1
    say_no = [{"kind": "attested_time", "row": {"interval": reading["id"], "attested": False}}]
    [heard] = riverside.say(say_no[0]["kind"], say_no[0]["row"], now=NOW, by="doctor")
    assert heard.outcome == "changed"
    assert only(riverside)["counted_seconds"] == 400
    riverside.send(correction(reading, "refill_admin", 1), now=NOW)
    riverside.send(correction(reading, "review_inquiry", 2), now=NOW)
    assert only(riverside)["counted_seconds"] == 400  # the word was no, and stays so


def test_a_word_that_came_before_its_reading_stands(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    reading = riverside.row("2026-04-06 09:10", 120, patient="123", entry="attested_reading", ended_by="idle")
    no = {"interval": reading["id"], "thread": "t1", "portal": "medplum", "attested": False}
    riverside.say("attested_time", {**no, "attested_by": "doctor@riverside.example"}, now=NOW)
    riverside.send(reading)
    assert only(riverside)["counted_seconds"] == 400


def correction(of: dict[str, Any], activity: str, moments: int) -> dict[str, Any]:
    """Said `moments` after NOW: the last word about an interval counts, by its id."""
    return {**of, "id": uuid7(NOW + moments, 0), "activity": activity, "corrects": of["id"], "reason": "said so"}


def test_a_mark_and_its_undo_are_corrections_of_what_stays(riverside: World) -> None:
    work = riverside.row(FIRST, 400, patient="123")
    riverside.send(work, riverside.row("2026-04-06 11:00", 30, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    mark = correction(work, "refill_admin", 1)
    riverside.send(mark, now=NOW)
    _, mine = only(riverside)["intervals"]
    assert (mine["id"], mine["activity"], mine["recorded_activity"]) == (work["id"], "refill_admin", "review_inquiry")
    assert (mine["counted"], mine["reason"], mine["corrected_by"]) == (False, "activity", mark["id"])
    undo = correction(work, "review_inquiry", 2)
    assert riverside.send(undo, now=NOW).accepted == riverside.send(undo, now=NOW).duplicate == [undo["id"]]
    _, mine = only(riverside)["intervals"]
    assert (mine["activity"], mine["counted"], mine["corrected_by"]) == ("review_inquiry", True, undo["id"])
    with riverside.store.read() as connection:
        stored = connection.execute("SELECT interval_id, activity FROM interval").fetchall()
    assert {row[0]: row[1] for row in stored}[work["id"]] == "review_inquiry"
    assert len(stored) == 4


def test_nobody_corrects_what_is_not_theirs(riverside: World) -> None:
    work = riverside.row(FIRST, 400, patient="123")
    riverside.send(work)
    outcome = riverside.send(correction(work, "refill_admin", 1), by="colleague", now=NOW)
    assert [reason for _, _, reason in outcome.rejected] == ["corrects names no interval of this clinician"]


def test_what_is_approved_stands_and_asks_nothing(riverside: World) -> None:
    riverside.send(riverside.row(FIRST, 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    later = at("2026-04-20 09:00")
    make_reportable(riverside, patient="123", now=later)
    [row] = riverside.report(later)
    approve(riverside.store, riverside.id, row["episode_id"], by=None, now=later)
    riverside.send(riverside.row("2026-04-07 09:00", 900, patient="123", entry="manual", reason="late"), now=later)
    episode = only(riverside, now=later)
    assert (episode["approved"], episode["counted_seconds"], episode["facts"]) == (True, 400, None)
    assert episode["questions"] == []
    assert episode["answer"]["status"] == "reportable"
