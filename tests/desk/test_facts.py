"""Facts: said row by row by somebody, never overwritten, and each change decides the episodes it touches afresh."""

from __future__ import annotations

from typing import Any

import pytest

from backend.billing.reading import instant_text
from backend.desk.episodes import approve, get_episode
from backend.desk.facts import Heard, Speaker, learn
from backend.errors import BadInput, NotAllowed
from backend.schemas.kinds import KINDS
from tests.desk.world import World, at, make_reportable

NOW = at("2026-04-20 12:00")
VISIT = {"patient": "123", "at": "2026-04-10T15:00:00-04:00", "kind": "office_em", "specialty": "family_medicine"}


def hear(world: World, kind: str, *rows: Any, by: Speaker | None = None, dry_run: bool = False) -> list[Heard]:
    return learn(world.store, world.id, kind, rows, source="test", now=NOW, by=by, dry_run=dry_run)


def outcomes(heard: list[Heard]) -> list[str]:
    return [each.outcome for each in heard]


def stored(world: World) -> list[Any]:
    with world.store.read() as connection:
        rows = connection.execute("SELECT kind, body, source, by, recorded_at FROM fact ORDER BY fact_id").fetchall()
        return [tuple(row) for row in rows]


def ready(world: World) -> dict[str, Any]:
    """A reportable episode of patient 123, as the report has it."""
    world.send(world.row("2026-04-06 09:00", 200, patient="123"), world.row("2026-04-06 09:10", 200, patient="123"))
    world.ask("2026-04-06 07:30", now=NOW)
    make_reportable(world, patient="123", now=NOW)
    [row] = world.report(NOW)
    assert (row["status"], row["code"]) == ("reportable", "99421")
    return row


def missing(world: World) -> list[str]:
    [row] = world.report(NOW)
    return [each["id"] for each in row["missing"]]


class TestSaying:
    def test_the_same_word_is_known_and_another_one_changes_it_and_both_stay(self, riverside: World) -> None:
        visit = {**VISIT, "portal": "medplum", "status": "scheduled"}
        elsewhere = {**visit, "at": "2026-04-10T19:00:00Z"}
        assert outcomes(hear(riverside, "visits", visit, elsewhere)) == ["new", "known"]
        [changed] = hear(riverside, "visits", {**visit, "status": "completed"})
        assert changed.outcome == "changed"
        assert changed.changes == [{"field": "status", "before": "scheduled", "after": "completed"}]
        assert outcomes(hear(riverside, "visits", {**visit, "status": "completed"})) == ["known"]
        assert [(kind, source, by, at_) for kind, _, source, by, at_ in stored(riverside)] == [
            ("visits", "test", None, NOW),
            ("visits", "test", None, NOW),
        ]

    def test_a_record_with_an_id_may_move_and_one_without_is_another(self, riverside: World) -> None:
        moved = {"at": "2026-04-11T15:00:00-04:00"}
        named = {**VISIT, "portal": "medplum", "id": "enc-1"}
        unnamed = {**VISIT, "portal": "medplum"}
        assert outcomes(hear(riverside, "visits", named, {**named, **moved})) == ["new", "changed"]
        assert outcomes(hear(riverside, "visits", unnamed, {**unnamed, **moved})) == ["new", "new"]

    def test_each_bad_row_gets_its_reason_and_costs_no_other(self, riverside: World) -> None:
        about = {"portal": "medplum", "patient": "123"}
        rows = {
            "the row is not an object": "nonsense",
            "patient is missing": {"portal": "medplum", "type": "commercial"},
            "type is missing": about,
            "type is none of medicare_ffs, medicare_advantage, commercial, medicaid, self_pay": {
                **about,
                "type": "barter",
            },
            "covers is neither true nor false": {**about, "type": "commercial", "covers": "often"},
            "from is not a day such as 2026-04-06": {**about, "type": "commercial", "from": "April"},
            "price is not a field of coverage; it has portal, patient, from, type, covers, withdrawn": {
                **about,
                "price": 3,
            },
            "portal is missing; there are medplum, other": {"patient": "123", "type": "commercial"},
            "portal is not one of this practice's; there are medplum, other": {
                "portal": "else",
                "patient": "123",
                "type": "commercial",
            },
            "patient looks like an e-mail address, so it is not an identifier": {
                "portal": "medplum",
                "patient": "ann@home.example",
                "type": "commercial",
            },
        }
        heard = hear(riverside, "coverage", *rows.values(), {**about, "type": "commercial"})
        assert [each.reason for each in heard] == [*rows, None]
        assert outcomes(heard) == ["refused"] * len(rows) + ["new"]
        assert len(stored(riverside)) == 1
        with riverside.store.read() as connection:
            assert [tuple(row) for row in connection.execute("SELECT reference FROM patient")] == [("123",)]

    @pytest.mark.parametrize(
        ("kind", "row", "reason"),
        [
            ("visits", {**VISIT, "at": "2026-04-10T15:00:00"}, "at has no offset from UTC"),
            ("other_claims", {"patient": "1", "code": "99457", "start": "2026-04-06T09:00:00Z"}, "clinician is"),
            ("enrolments", {"patient": "1", "program": "apcm", "from": "2026-04-06", "to": "2026-01-01"}, "to is"),
            ("global_periods", {"patient": "1", "surgery_date": "2026-04-06", "days": 30, "specialty": "x"}, "days is"),
            ("face_to_face", {"patient": "1", "date": "2025-01-01", "specialty": "x", "face_to_face": True,
                              "clinician": "nobody@else.example"}, "clinician is nobody's"),
            ("attested_related", {"thread": "t1", "related": True, "attested_by": "doctor@riverside.example"},
             "visit_id or visit_at says which"),
            ("attested_evaluative", {"thread": "t1", "evaluative": True}, "attested_by is missing"),
            ("attested_time", {"interval": "019d62e5-7c60-7aaa-8c1d-3f2b5e6d7a90", "attested": True,
                               "attested_by": "doctor@riverside.example"}, "interval is not known"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_said(self, riverside: World, kind: str, row: dict[str, Any], reason: str) -> None:
        place = {} if "interval" in row else {"portal": "medplum"}
        [heard] = hear(riverside, kind, {**place, **row})
        assert heard.outcome == "refused" and (heard.reason or "").startswith(reason), heard
        assert stored(riverside) == []

    def test_an_unknown_kind_names_those_there_are(self, riverside: World) -> None:
        with pytest.raises(BadInput, match="visits"):
            hear(riverside, "unheard_of", {})

    def test_a_trial_answers_the_same_and_keeps_nothing(self, riverside: World) -> None:
        rows = [{"portal": "medplum", "patient": f"p{n % 150}", "type": "commercial"} for n in range(400)]
        tried = hear(riverside, "coverage", *rows, dry_run=True)
        assert stored(riverside) == []
        assert outcomes(tried) == ["new"] * 150 + ["known"] * 250
        assert outcomes(hear(riverside, "coverage", *rows)) == outcomes(tried)

    def test_what_was_said_in_error_is_withdrawn_and_may_be_said_again(self, riverside: World) -> None:
        draft = {"portal": "medplum", "patient": "123", "on": "2026-04-06", "pos": "02"}
        ready(riverside)
        hear(riverside, "claim_drafts", draft)
        [row] = riverside.report(NOW)
        assert row["blocking"] == ["not-telehealth"]
        assert outcomes(hear(riverside, "claim_drafts", {**draft, "withdrawn": True})) == ["changed"]
        assert outcomes(hear(riverside, "claim_drafts", {**draft, "withdrawn": True})) == ["known"]
        assert riverside.report(NOW)[0]["status"] == "reportable"
        assert outcomes(hear(riverside, "claim_drafts", draft)) == ["new"]
        assert riverside.report(NOW)[0]["blocking"] == ["not-telehealth"]


class TestWhoMaySayWhat:
    def test_a_role_says_its_own_kinds(self, riverside: World) -> None:
        nurse = Speaker(riverside.devices["nurse"].user_id, frozenset({"staff"}))
        row = {"portal": "medplum", "patient": "123"}
        assert outcomes(hear(riverside, "visits", {**row, **VISIT}, by=nurse)) == ["new"]
        with pytest.raises(NotAllowed):
            hear(riverside, "coverage", {**row, "type": "commercial"}, by=nurse)
        assert stored(riverside)[0][3] == nurse.user_id
        for kind in KINDS.values():
            if kind.attests:
                with pytest.raises(NotAllowed):
                    hear(riverside, kind.name, {}, by=Speaker(nurse.user_id, frozenset({"staff", "manager"})))

    def test_a_clinician_says_it_of_work_that_is_theirs(self, riverside: World) -> None:
        call = riverside.row("2026-04-06 10:00", 600, entry="manual", reason="a call", activity="communicate_phone")
        riverside.send(riverside.row("2026-04-06 09:00", 300), call)
        about = {"portal": "medplum", "thread": "t1", "evaluative": True}
        doctor, colleague = (
            Speaker(riverside.devices[name].user_id, frozenset({"clinician"})) for name in ("doctor", "colleague")
        )
        assert outcomes(hear(riverside, "attested_evaluative", about, by=doctor)) == ["new"]
        [other] = hear(riverside, "attested_evaluative", about, by=colleague)
        assert other.reason == "you have recorded no time there, so this is not yours to say"
        [other] = hear(riverside, "attested_time", {"interval": call["id"], "attested": True}, by=colleague)
        assert other.reason == "interval is another clinician's; only its own can say this"
        address = "colleague@riverside.example"
        [other] = hear(riverside, "attested_evaluative", {**about, "attested_by": address}, by=doctor)
        assert other.reason == (
            "attested_by is another person; everybody attests for themselves, and for a colleague who has named them"
        )
        assert riverside.report(NOW)[0]["counted_seconds"] == 300
        assert outcomes(hear(riverside, "attested_time", {"interval": call["id"], "attested": True}, by=doctor)) == [
            "new"
        ]
        assert riverside.report(NOW)[0]["counted_seconds"] == 900

    def test_a_file_may_attest_time_that_has_not_come_yet_in_its_clinicians_name(self, riverside: World) -> None:
        call = riverside.row("2026-04-06 10:00", 600, entry="manual", reason="a call", activity="communicate_phone")
        said = {"portal": "medplum", "thread": "t1", "interval": call["id"], "attested": True}
        assert outcomes(hear(riverside, "attested_time", {**said, "attested_by": "colleague@riverside.example"})) == [
            "new"
        ]
        riverside.send(call)
        assert riverside.report(NOW) == [], "another clinician's word"
        assert outcomes(hear(riverside, "attested_time", {**said, "attested_by": "doctor@riverside.example"})) == [
            "new"
        ]
        assert riverside.report(NOW)[0]["counted_seconds"] == 600


class TestWhatIsKnown:
    def test_rows_alone_do_not_say_that_there_are_no_others(self, riverside: World) -> None:
        riverside.send(riverside.row("2026-04-06 09:00", 400, patient="123"))
        for kind, row in (
            ("global_periods", {"surgery_date": "2020-01-01", "days": 90, "specialty": "surgery"}),
            ("other_claims", {"code": "99457", "month": "2026-01", "same_communication": False}),
            ("enrolments", {"program": "rpm", "from": "2020-01-01", "to": "2020-02-01"}),
        ):
            rule = {"global_periods": "global-period", "other_claims": "no-double-count", "enrolments": "apcm-bundle"}
            riverside.say("coverage", {"patient": "123", "type": "medicare_ffs"}, now=NOW)
            riverside.say(kind, {"patient": "123", **row}, now=NOW)
            assert rule[kind] in missing(riverside)
            riverside.say("readings", {"patient": "123", "list": kind, "read_at": instant_text(NOW)}, now=NOW)
            if kind == "enrolments":
                assert rule[kind] not in missing(riverside)

    def test_what_rows_show_blocks_without_a_reading(self, riverside: World) -> None:
        ready(riverside)
        riverside.say("enrolments", {"patient": "123", "program": "apcm", "from": "2026-01-01"}, now=NOW)
        riverside.say("coverage", {"patient": "123", "type": "medicare_ffs"}, now=NOW)
        assert "apcm-bundle" in riverside.report(NOW)[0]["blocking"]

    def test_single_visits_do_not_say_that_the_schedule_was_read(self, riverside: World) -> None:
        ready(riverside)
        reading = {"patient": "123", "list": "visits", "read_at": instant_text(NOW)}
        riverside.say("readings", {**reading, "withdrawn": True}, now=NOW)
        assert missing(riverside) == ["facts-current"]
        riverside.say("visits", {**VISIT, "status": "cancelled"}, now=NOW)
        assert missing(riverside) == ["facts-current"]
        riverside.say("portal_readings", {"list": "visits", "read_at": "2026-04-13T23:00:00-04:00"}, now=NOW)
        assert missing(riverside) == ["facts-current"], "day 8"
        riverside.say("portal_readings", {"list": "visits", "read_at": "2026-04-14T00:00:00-04:00"}, now=NOW)
        assert riverside.report(NOW)[0]["status"] == "reportable"

    def test_a_reading_before_day_one_says_nothing_about_the_episode(self, riverside: World) -> None:
        ready(riverside)
        reading = {"patient": "123", "list": "enrolments", "read_at": instant_text(NOW)}
        riverside.say("coverage", {"patient": "123", "type": "medicare_ffs"}, now=NOW)
        assert "apcm-bundle" not in missing(riverside)
        riverside.say("readings", {**reading, "withdrawn": True}, now=NOW)
        riverside.say("portal_readings", {"list": "enrolments", "read_at": "2026-04-05T23:59:59-04:00"}, now=NOW)
        assert "apcm-bundle" in missing(riverside)
        riverside.say("portal_readings", {"list": "enrolments", "read_at": "2026-04-06T00:00:00-04:00"}, now=NOW)
        riverside.say("portal_readings", {"list": "enrolments", "read_at": "2026-04-01T00:00:00-04:00"}, now=NOW)
        assert "apcm-bundle" not in missing(riverside), "the latest counts, whatever came last"

    def test_the_coverage_of_the_first_day_counts(self, riverside: World) -> None:
        ready(riverside)
        riverside.say("coverage", {"patient": "123", "type": "medicare_ffs", "from": "2026-04-07"}, now=NOW)
        assert riverside.report(NOW)[0]["status"] == "reportable"
        riverside.say("coverage", {"patient": "123", "type": "medicare_ffs", "from": "2026-04-06"}, now=NOW)
        assert riverside.report(NOW)[0]["blocking"] == ["consent-annual"]

    def test_a_specialty_that_nobody_has_said_may_be_any(self, riverside: World) -> None:
        ready(riverside)
        riverside.store.write(lambda connection: connection.execute("UPDATE user SET specialty = NULL"))
        riverside.say("visits", {**VISIT, "at": "2026-03-01T09:00:00-05:00", "status": "cancelled"}, now=NOW)
        [row] = riverside.report(NOW)
        assert (row["blocking"], [each["id"] for each in row["missing"]]) == ([], ["established-patient"])
        surgery = {"surgery_date": "2026-04-01", "days": 10, "specialty": "surgery"}
        riverside.say("global_periods", {"patient": "123", **surgery}, now=NOW)
        assert "global-period" in missing(riverside)
        riverside.say("attested_related", {"thread": "t1", "visit_id": "e", "related": False}, by="doctor", now=NOW)
        riverside.say("visits", {**VISIT, "id": "e", "specialty": "dermatology", "status": "completed"}, now=NOW)
        assert "subsequent-em-7d" in missing(riverside)

    def test_the_order_in_which_facts_come_does_not_matter(self, riverside: World) -> None:
        """What was said first of a patient that nobody knew holds once the work comes."""
        make_reportable(riverside, patient="123", now=NOW)
        riverside.say("documentation", {"thread": "t1", "permanently_stored": True, "content_attested": True}, now=NOW)
        riverside.ask("2026-04-06 07:30", now=NOW)
        assert riverside.report(NOW) == []
        riverside.send(riverside.row("2026-04-06 09:00", 300), riverside.row("2026-04-06 09:10", 100, patient="123"))
        [row] = riverside.report(NOW)
        assert (row["status"], row["counted_seconds"]) == ("reportable", 400)


class TestSharedTime:
    def test_its_clinician_says_whose_it_was_and_what_is_said_of_both_counts_for_neither(
        self, riverside: World
    ) -> None:
        riverside.send(riverside.row("2026-04-06 09:00", 300, patient="1"))
        riverside.send(riverside.row("2026-04-06 09:02", 300, thread="t2", patient="2"))
        shared = {"started_at": "2026-04-06T09:02:00-04:00", "ended_at": "2026-04-06T09:05:00-04:00"}

        def counted() -> dict[str, tuple[int, list[dict[str, Any]]]]:
            return {row["patient"]: (row["counted_seconds"], row["excluded"]) for row in riverside.report(NOW)}

        twice = [{"seconds": 180, "reason": "claimed_twice"}]
        assert counted() == {"1": (120, twice), "2": (120, twice)}
        riverside.say("attested_patient", {"patient": "1", **shared}, by="doctor", now=NOW)
        assert counted() == {"1": (300, []), "2": (120, [{"seconds": 180, "reason": "credited_elsewhere"}])}
        riverside.say("attested_patient", {"patient": "2", **shared}, by="doctor", now=NOW)
        assert counted() == {"1": (120, twice), "2": (120, twice)}
        riverside.say("attested_patient", {"patient": "1", **shared, "withdrawn": True}, by="doctor", now=NOW)
        assert counted() == {"1": (120, [{"seconds": 180, "reason": "credited_elsewhere"}]), "2": (300, [])}
        half = {**shared, "started_at": "2026-04-06T09:04:00-04:00"}
        riverside.say("attested_patient", {"patient": "2", **shared, "withdrawn": True}, by="doctor", now=NOW)
        riverside.say("attested_patient", {"patient": "2", **half}, by="doctor", now=NOW)
        assert counted()["2"] == (180, [{"seconds": 120, "reason": "claimed_twice"}])
        left_out = {patient: sum(each["seconds"] for each in excluded) for patient, (_, excluded) in counted().items()}
        assert left_out == {"1": 180, "2": 120}

    def test_another_clinicians_word_is_nothing_to_it(self, riverside: World) -> None:
        riverside.send(riverside.row("2026-04-06 09:00", 300, patient="1"))
        riverside.send(riverside.row("2026-04-06 09:00", 300, thread="t2", patient="2"))
        riverside.send(riverside.row("2026-04-06 12:00", 60, patient="1"), by="colleague")
        shared = {"started_at": "2026-04-06T09:00:00-04:00", "ended_at": "2026-04-06T09:05:00-04:00"}
        riverside.say("attested_patient", {"patient": "1", **shared}, by="colleague", now=NOW)
        assert {row["patient"]: row["counted_seconds"] for row in riverside.report(NOW)} == {"1": 60, "2": 0}


class TestLateFacts:
    def test_a_late_visit_turns_it_round_and_says_what_changed(self, riverside: World) -> None:
        before = ready(riverside)
        riverside.say("visits", {**VISIT, "status": "completed"}, now=NOW)
        [row] = riverside.report(NOW)
        assert (row["status"], row["code"], row["blocking"]) == ("not_reportable", None, ["subsequent-em-7d"])
        changed = {each["field"]: (each["before"], each["after"]) for each in row["changes"]}
        assert changed["status"] == ("reportable", "not_reportable")
        assert changed["blocking"] == ([], ["subsequent-em-7d"])
        view = get_episode(riverside.store, riverside.id, before["episode_id"], now=NOW)
        assert [each.event for each in view.history][-1] == "judged"

    def test_what_was_approved_stays_under_a_flag(self, riverside: World) -> None:
        episode_id = ready(riverside)["episode_id"]
        approve(riverside.store, riverside.id, episode_id, by=None, now=NOW)
        riverside.say("visits", {**VISIT, "status": "completed"}, now=NOW)
        view = get_episode(riverside.store, riverside.id, episode_id, now=NOW)
        assert (view.determination["status"], view.determination["code"], view.flagged) == ("reportable", "99421", True)
        assert [each.event for each in view.history][-1] == "late_data"
        riverside.say("visits", {**VISIT, "status": "cancelled"}, now=NOW)
        assert not get_episode(riverside.store, riverside.id, episode_id, now=NOW).flagged


class TestRelatedVisits:
    def test_a_thread_that_is_about_a_visit_before_it_is_left_out_beside_one_that_is_not(
        self, riverside: World
    ) -> None:
        riverside.send(riverside.row("2026-04-06 09:00", 300, patient="123"))
        riverside.send(riverside.row("2026-04-07 09:00", 400, thread="t2", patient="123"))
        riverside.ask("2026-04-06 07:30", now=NOW)
        riverside.ask("2026-04-07 07:30", "t2", now=NOW)
        make_reportable(riverside, patient="123", now=NOW)
        earlier = "2026-04-03T15:00:00-04:00"
        riverside.say("visits", {**VISIT, "at": earlier, "status": "completed", "id": "enc-9"}, now=NOW)
        assert missing(riverside) == ["prior-em-7d"]
        riverside.say("attested_related", {"thread": "t1", "visit_id": "enc-9", "related": True}, by="doctor", now=NOW)
        riverside.say("attested_related", {"thread": "t2", "visit_at": earlier, "related": False}, by="doctor", now=NOW)
        [row] = riverside.report(NOW)
        assert (row["status"], row["code"], row["window_start"]) == ("reportable", "99421", "2026-04-07")
        assert (row["counted_seconds"], row["excluded"]) == (400, [{"seconds": 300, "reason": "before_inquiry"}])
        view = get_episode(riverside.store, riverside.id, row["episode_id"], now=NOW)
        assert view.window_start.isoformat() == row["window_start"]
