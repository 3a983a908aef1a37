from __future__ import annotations

from backend.desk.episodes import EpisodeView, approve, get_episode, list_episodes
from backend.desk.facts import Speaker, learn
from tests.desk.test_episodes import NOW, ready
from tests.desk.world import World, at

MONDAY = at("2026-04-06 09:00")
SURGERY = {"patient": "123", "surgery_date": "2026-04-01", "days": 10, "specialty": "family_medicine"}


def view_of(world: World, id_: str, now: int = NOW) -> EpisodeView:
    return get_episode(world.store, world.id, id_, now=now)


def bodies(view: EpisodeView, kind: str) -> list[object]:
    return [each.latest.body for each in view.told if each.kind == kind]


def test_every_fact_of_the_episode_says_by_whom_from_where_and_when(riverside: World) -> None:
    id_ = ready(riverside)
    manager = Speaker(riverside.devices["colleague"].user_id, frozenset({"manager"}))
    row = {"portal": "medplum", **SURGERY, "surgeon": "therapist@riverside.example"}
    learn(riverside.store, riverside.id, "global_periods", [row], source="csv", now=NOW + 1, by=manager)
    [surgery] = [each for each in view_of(riverside, id_).told if each.kind == "global_periods"]
    assert (surgery.latest.by, surgery.latest.source, surgery.latest.at) == ("Colleague", "csv", NOW + 1)
    assert surgery.latest.body == {
        "surgery_date": "2026-04-01",
        "days": 10,
        "specialty": "family_medicine",
        "surgeon": "Therapist",
    }
    [payer] = [each for each in view_of(riverside, id_).told if each.kind == "coverage"]
    assert (payer.latest.by, payer.before) == (None, ())


def test_what_was_replaced_or_withdrawn_stays_behind_the_latest_word(riverside: World) -> None:
    id_ = ready(riverside)
    riverside.say("global_periods", SURGERY, now=NOW + 1)
    riverside.say("global_periods", {**SURGERY, "days": 90}, now=NOW + 2)
    riverside.say("global_periods", {**SURGERY, "withdrawn": True}, now=NOW + 3)
    [surgery] = [each for each in view_of(riverside, id_).told if each.kind == "global_periods"]
    assert not surgery.stands
    assert [(each.body or {}).get("days") for each in (surgery.latest, *surgery.before)] == [None, 90, 10]
    assert [each.at for each in surgery.before] == [NOW + 2, NOW + 1]


def test_what_is_about_another_episode_of_the_patient_is_left_out(riverside: World) -> None:
    id_ = ready(riverside)
    riverside.send(riverside.row("2026-05-04 09:00", 200), riverside.row("2026-05-05 09:00", 200, thread="t2"))
    later = at("2026-05-06 12:00")
    riverside.resolve("123", "t2", now=later)
    riverside.ask("2026-05-04 08:00", now=later)
    riverside.say("documentation", {"thread": "t2", "permanently_stored": False}, now=later)
    riverside.say("claim_drafts", {"patient": "123", "on": "2026-05-04", "pos": "11"}, now=later)
    riverside.say("coverage", {"patient": "123", "from": "2026-05-01", "type": "medicaid"}, now=later)
    view = view_of(riverside, id_, later)
    assert bodies(view, "claim_drafts") == []
    assert [each.thread for each in view.told if each.kind == "documentation"] == [("medplum", "t1")]
    assert [body["type"] for body in bodies(view, "coverage") if isinstance(body, dict)] == ["commercial"]
    assert [body["at"][:10] for body in bodies(view, "inquiries") if isinstance(body, dict)] == ["2026-04-06"]
    [other] = [row for row in list_episodes(riverside.store, riverside.id, now=later).rows if row.episode_id != id_]
    shown = view_of(riverside, other.episode_id, later)
    assert [body["type"] for body in bodies(shown, "coverage") if isinstance(body, dict)] == ["medicaid"]
    assert len(bodies(shown, "claim_drafts")) == 1


def test_a_thread_that_was_another_patients_names_nobody(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 200))
    riverside.resolve("secret-7", now=NOW)
    riverside.resolve("123", now=NOW + 1)
    [row] = riverside.report(NOW)
    view = view_of(riverside, row["episode_id"])
    [thread] = [each for each in view.told if each.kind == "threads"]
    assert [each.body for each in (thread.latest, *thread.before)] == [{"same_patient": True}, {"same_patient": False}]
    assert "secret-7" not in repr(view)


def test_a_list_says_when_it_was_looked_through_and_whether_that_counts(riverside: World) -> None:
    id_ = ready(riverside)
    before = {"patient": "123", "list": "notices", "read_at": "2026-04-01T12:00:00Z"}
    riverside.say("readings", before, now=NOW + 1)
    riverside.say("portal_readings", {"list": "prior_evisits", "read_at": "2026-04-14T12:00:00Z"}, now=NOW + 2)
    read = view_of(riverside, id_).read
    assert (read["notices"].counts, read["prior_evisits"].counts, read["visits"].counts) == (False, True, True)
    assert "face_to_face" not in read
    riverside.say("readings", {**before, "withdrawn": True}, now=NOW + 3)
    assert "notices" not in view_of(riverside, id_).read


def test_what_holds_for_the_whole_portal_and_attested_time_are_told_too(riverside: World) -> None:
    call = riverside.row("2026-04-06 10:00", 600, entry="manual", reason="a call", activity="communicate_phone")
    riverside.send(riverside.row("2026-04-06 09:00", 300), call)
    riverside.say("attested_storage", {"permanently_stored": True}, now=NOW)
    riverside.say("attested_time", {"interval": call["id"], "attested": True}, by="doctor", now=NOW)
    [row] = riverside.report(NOW)
    told = {each.kind: each for each in view_of(riverside, row["episode_id"]).told}
    assert told["attested_storage"].of_portal and told["attested_storage"].thread is None
    assert told["attested_time"].latest.by == "Doctor"
    assert told["attested_time"].latest.body == {
        "started_at": call["started_at"],
        "ended_at": call["ended_at"],
        "attested": True,
    }


def test_a_thread_about_a_visit_names_the_visit_by_its_time(riverside: World) -> None:
    id_ = ready(riverside)
    visit = {"patient": "123", "id": "enc-1", "at": "2026-04-03T13:00:00Z", "specialty": "family_medicine"}
    riverside.say("visits", visit, now=NOW)
    for about in ({"visit_id": "enc-1"}, {"visit_id": "enc-2"}):
        riverside.say("attested_related", {"thread": "t1", "related": False, **about}, by="doctor", now=NOW)
    assert bodies(view_of(riverside, id_), "attested_related") == [
        {"visit_at": "2026-04-03T13:00:00.000+00:00", "related": False},
        {"visit_id": "enc-2", "related": False},
    ]


def test_a_change_says_the_sentences_of_its_reasons_and_which_facts_came(riverside: World) -> None:
    id_ = ready(riverside)
    riverside.say("global_periods", {**SURGERY, "days": 90}, now=NOW + 5)
    last = view_of(riverside, id_, NOW + 6).history[-1]
    assert last.event == "judged"
    assert "surgical package" in last.sentences["global-period"]
    assert [(each.kind, each.by) for each in last.came] == [("global_periods", None)]


def test_what_came_after_the_approval_is_told_beside_it(riverside: World) -> None:
    id_ = ready(riverside)
    by = riverside.devices["colleague"].user_id
    approve(riverside.store, riverside.id, id_, by=by, now=NOW + 1)
    riverside.say("global_periods", {**SURGERY, "days": 90}, now=NOW + 5)
    view = view_of(riverside, id_, NOW + 6)
    assert view.flagged
    approved, late = view.history[-2:]
    assert (approved.event, approved.by) == ("approved", "Colleague")
    assert (late.event, [each.kind for each in late.came]) == ("late_data", ["global_periods"])


def test_an_approved_episode_is_counted_and_listed_apart_from_those_that_are_ready(riverside: World) -> None:
    id_ = ready(riverside)
    before = list_episodes(riverside.store, riverside.id, now=NOW, status="reportable")
    assert (before.counts, len(before.rows)) == ({"reportable": 1}, 1)
    approve(riverside.store, riverside.id, id_, by=None, now=NOW)
    for status, shown in (("reportable", []), ("approved", [id_]), (None, [id_])):
        page = list_episodes(riverside.store, riverside.id, now=NOW, status=status)
        assert [row.episode_id for row in page.rows] == shown
        assert page.counts == {"approved": 1}
