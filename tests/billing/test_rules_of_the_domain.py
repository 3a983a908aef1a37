"""The rules at their edges, through the facts of a case: what blocks, what holds, what only warns."""

import pytest
from made import REPORTABLE, answer, blocks, facts, holds, interval, verdict, visit

from backend.billing.determination import determine
from backend.billing.translate import case_from_json

# --- a review ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [("2026-04-13T23:59:59-04:00", holds("clinician-scope")), ("2026-04-14T00:00:00-04:00", blocks("clinician-scope"))],
)
def test_a_message_that_nobody_opened_waits_seven_days(as_of, expected):
    said = determine(case_from_json({**facts(as_of=as_of), "intervals": []})).answer
    assert verdict(said) == expected
    assert (said["family"], said["window_start"], said["counted_seconds"]) == (None, None, 0)


def test_staff_alone_block_at_once():
    said = answer(interval("09:00:00", 12, clinician="N1"), as_of="2026-04-06T12:00:00-04:00")
    assert said["blocking"] == ["clinician-scope"]


def test_three_seconds_anchor():
    said = answer(interval("09:00:00", 0, seconds=3, id="a"), interval("09:00:00", 12, day="2026-04-08"))
    assert (said["window_start"], said["counted_seconds"]) == ("2026-04-06", 723)


def test_a_physicians_work_decides_the_family_and_a_therapists_is_chosen_by_asking():
    both = (interval("09:00:00", 12, id="a"), interval("10:00:00", 21, id="b", clinician="T1"))
    assert (answer(*both)["family"], answer(*both)["code"]) == ("em", "99422")
    said = answer(*both, evaluate_family="nonphysician")
    assert (said["family"], said["code"]) == ("nonphysician", "98972")
    assert "cross-family-overlap" in said["warnings"]


# --- visits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on", "related", "expected"),
    [
        ("2026-03-29", True, REPORTABLE),
        ("2026-03-30", True, blocks("prior-em-7d")),
        ("2026-03-30", None, holds("prior-em-7d")),
        ("2026-03-30", False, REPORTABLE),
        ("2026-04-13", False, blocks("subsequent-em-7d")),
        ("2026-04-14", True, REPORTABLE),
    ],
)
def test_a_visit_near_the_exchange(on, related, expected):
    assert verdict(answer(visits=[visit(on, related_to_inquiry=related)])) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"status": "cancelled"}, REPORTABLE),
        ({"status": "no_show"}, REPORTABLE),
        ({"status": None}, holds("subsequent-em-7d")),
        ({"status": "scheduled"}, holds("facts-current")),
        ({"kind": None}, holds("subsequent-em-7d")),
        ({"kind": "therapy_or_assessment"}, REPORTABLE),
        ({"specialty": "cardiology", "related_to_inquiry": True}, blocks("subsequent-em-7d")),
        ({"specialty": "cardiology", "related_to_inquiry": None}, holds("subsequent-em-7d")),
        ({"specialty": "cardiology", "related_to_inquiry": False}, REPORTABLE),
        ({"group": "G2"}, REPORTABLE),
    ],
)
def test_a_visit_on_day_four(more, expected):
    said = answer(visits=[visit("2026-04-09", **more)])
    assert verdict(said) == expected
    assert ("visit-other-group" in said["warnings"]) == (more.get("group") == "G2")


def test_a_visit_on_day_one_blocks_whatever_its_specialty_or_problem():
    said = answer(visits=[visit("2026-04-06", "15:00:00", specialty="cardiology", related_to_inquiry=False)])
    assert said["blocking"] == ["same-day-em"]


def test_a_scheduled_visit_in_the_look_back_holds_only_where_it_would_decide():
    past = visit("2026-04-03", status="scheduled")
    assert verdict(answer(visits=[past])) == holds("facts-current")
    assert verdict(answer(visits=[past | {"related_to_inquiry": False}])) == REPORTABLE


def test_a_schedule_read_before_day_nine_holds_from_day_nine_on():
    early = {"visits_read_at": "2026-04-13T23:00:00-04:00"}
    assert verdict(answer(**early)) == holds("facts-current")
    assert verdict(answer(**early, as_of="2026-04-13T23:30:00-04:00")) == holds()


def test_a_telephone_claim_is_a_visit_where_its_time_starts():
    ranges = [{"clinician": "C1", "start": "2026-04-09T10:00:00-04:00", "end": "2026-04-09T10:10:00-04:00"}]
    said = answer(other_claims=[{"code": "98012", "same_communication": False, "time_ranges": ranges}])
    assert said["blocking"] == ["subsequent-em-7d"]
    ended = answer(other_claims=[{"code": "99441", "same_communication": False, "time_ranges": ranges}])
    assert ended["blocking"] == []  # the code ended with 2024


def test_a_telephone_claim_without_a_time_only_warns():
    said = answer(other_claims=[{"code": "98012", "month": "2026-04", "same_communication": True}])
    assert (said["status"], "visit-claim-undated" in said["warnings"]) == ("reportable", True)
    therapists = answer(other_claims=[{"code": "98966", "month": "2026-04"}])
    assert "visit-claim-undated" not in therapists["warnings"]


def test_the_same_diagnosis_under_an_unrelated_visit_warns():
    said = answer(
        visits=[visit("2026-04-03", related_to_inquiry=False, diagnoses=["J45"])], inquiry_diagnoses=["J45", "E11"]
    )
    assert (said["status"], "same-diagnosis" in said["warnings"]) == ("reportable", True)


# --- several inquiries ------------------------------------------------------------------------------------------------

FIRST = interval("09:00:00", 6, id="a")
SECOND = interval("09:00:00", 6, id="b", thread="TH2", day="2026-04-08")


def second_inquiry(**more):
    return {
        "at": "2026-04-08T08:00:00-04:00", "thread": "TH2", "initiated_by": "patient", "channel": "portal",
        "evaluative": True, "problem": "B", "related_to_prior_visit": False, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({}, 720),
        ({"evaluative": False}, 360),
        ({"initiated_by": "practice"}, 360),
        ({"channel": "sms"}, 360),
        ({"hipaa_compliant": False}, 360),
        ({"related_to_prior_visit": True}, 360),
    ],
)
def test_a_later_inquiry_that_stands_out_is_left_out_with_its_thread(more, seconds):
    said = answer(FIRST, SECOND, inquiry_thread="TH1", additional_inquiries=[second_inquiry(**more)])
    assert (said["status"], said["counted_seconds"], said["window_start"]) == ("reportable", seconds, "2026-04-06")


def test_a_later_inquiry_is_asked_about_only_where_its_time_decides_the_code():
    unknown = second_inquiry(evaluative=None)
    assert verdict(answer(FIRST, SECOND, inquiry_thread="TH1", additional_inquiries=[unknown])) == holds(
        "evaluative-content"
    )
    longer = interval("09:00:00", 12, id="a")
    brief = interval("09:00:00", 2, id="b", thread="TH2", day="2026-04-08")
    assert verdict(answer(longer, brief, inquiry_thread="TH1", additional_inquiries=[unknown])) == REPORTABLE


def test_if_all_inquiries_stand_out_none_is_left_out_and_the_first_ones_reasons_block():
    said = answer(
        FIRST,
        SECOND,
        inquiry_thread="TH1",
        inquiry_evaluative=False,
        additional_inquiries=[second_inquiry(initiated_by="practice")],
    )
    assert (said["blocking"], said["counted_seconds"]) == (["evaluative-content"], 720)


def test_a_first_inquiry_that_stands_out_gives_the_period_to_the_second():
    said = answer(
        FIRST, SECOND, inquiry_thread="TH1", inquiry_initiated_by="practice", additional_inquiries=[second_inquiry()]
    )
    assert (said["status"], said["window_start"], said["counted_seconds"]) == ("reportable", "2026-04-08", 360)


def test_a_field_that_a_later_inquiry_leaves_absent_is_the_first_ones():
    later = {"at": "2026-04-08T08:00:00-04:00", "thread": "TH2"}
    said = answer(FIRST, SECOND, inquiry_thread="TH1", additional_inquiries=[later])
    assert (said["status"], said["counted_seconds"]) == ("reportable", 720)


# --- consent ----------------------------------------------------------------------------------------------------------


def consent(on, **more):
    return {"at": f"{on}T12:00:00-04:00", "method": "verbal", "scope": "ctbs", "documented": True, **more}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([consent("2025-04-07")], REPORTABLE),
        ([consent("2025-04-06")], blocks("consent-annual")),
        ([consent("2026-04-01", scope="surgery")], blocks("consent-annual")),
        ([consent("2026-04-01", documented=False)], blocks("consent-annual")),
        ([consent("2026-04-01", documented=None)], holds("consent-annual")),
        ([consent("2026-04-01", revoked_at="2026-04-05T12:00:00-04:00")], blocks("consent-annual")),
        ([consent("2026-04-01", revoked_at="2026-04-07T12:00:00-04:00")], REPORTABLE),
    ],
)
def test_a_consent_lasts_to_the_day_before_its_anniversary(given, expected):
    assert verdict(answer(consents=given)) == expected


def test_an_unnoted_consent_that_changes_no_code_is_not_asked_for():
    given = [consent("2026-02-01"), consent("2026-04-01", documented=None)]
    assert verdict(answer(consents=given)) == REPORTABLE


def test_a_consent_of_29_february_ends_before_28_february():
    seen = {"date": "2024-01-01", "group": "G1", "specialty": "family_medicine", "face_to_face": True}
    made = {
        "inquiry_at": "2025-02-27T08:00:00-05:00",
        "as_of": "2025-04-01T12:00:00-04:00",
        "patient": {"id": "P1", "face_to_face_history": [seen]},
    }
    on_the_last_day = interval("10:00:00", 12, day="2025-02-27")
    leap = [consent("2024-02-29")]
    assert answer(on_the_last_day, consents=leap, **made)["status"] == "reportable"
    made["inquiry_at"] = "2025-02-28T08:00:00-05:00"
    assert answer(interval("10:00:00", 12, day="2025-02-28"), consents=leap, **made)["blocking"] == ["consent-annual"]


def test_a_consent_inside_the_period_covers_all_of_it_where_a_practice_sets_that():
    late = {"consents": [consent("2026-04-08")]}
    assert answer(**late)["blocking"] == ["consent-annual"]
    assert answer(**late, settings={"consent_covers": "whole_period"})["status"] == "reportable"


# --- other services ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "status", "expected"),
    [
        ("2026-03-31", "billed", blocks("once-per-7-days")),
        ("2026-04-12", "paid", blocks("once-per-7-days")),
        ("2026-03-31", "draft", REPORTABLE),
        ("2026-03-30", "billed", REPORTABLE),
        ("2026-03-29", "billed", REPORTABLE),
    ],
)
def test_another_online_visit_near_day_one(start, status, expected):
    other = {"window_start": start, "group": "G1", "family": "em", "status": status}
    said = answer(prior_evisits=[other])
    assert verdict(said) == expected
    assert ("adjacent-episode" in said["warnings"]) == (start == "2026-03-30")
    assert verdict(answer(prior_evisits=[{**other, "family": "nonphysician"}])) == REPORTABLE


@pytest.mark.parametrize(
    ("surgery", "days", "expected"),
    [
        ("2026-01-06", 90, blocks("global-period")),
        ("2026-01-05", 90, REPORTABLE),
        ("2026-04-07", 90, blocks("global-period")),
        ("2026-03-27", 10, blocks("global-period")),
        ("2026-03-26", 10, REPORTABLE),
        ("2026-04-06", 0, REPORTABLE),
    ],
)
def test_a_surgical_package_binds_its_days(surgery, days, expected):
    package = {"surgery_date": surgery, "days": days, "group": "G1", "specialty": "family_medicine"}
    assert verdict(answer(global_periods=[package])) == expected
    assert verdict(answer(global_periods=[package | {"specialty": "orthopedics"}])) == REPORTABLE


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ({"code": "99091", "month": "2026-04", "same_communication": None}, holds("no-double-count")),
        ({"code": "99091", "month": "2026-02", "same_communication": None}, REPORTABLE),
        ({"code": "98016", "on": "2026-04-07", "same_communication": True}, blocks("no-double-count")),
        ({"code": "98016", "on": "2026-04-07", "same_communication": False}, REPORTABLE),
        ({"code": "93792", "month": "2026-04", "same_communication": True}, blocks("no-double-count")),
        ({"code": "99457", "month": "2026-04", "same_communication": True}, REPORTABLE),
        ({"code": "G0557", "month": "2026-04"}, blocks("apcm-bundle")),
        ({"code": "G0557", "month": "2026-03"}, REPORTABLE),
    ],
)
def test_another_service_of_the_month(claim, expected):
    assert verdict(answer(other_claims=[claim])) == expected


def test_time_ranges_answer_for_a_listed_service_what_nobody_else_has():
    ranges = [{"clinician": "C1", "start": "2026-04-06T09:10:00-04:00", "end": "2026-04-06T09:12:00-04:00"}]
    said = answer(other_claims=[{"code": "99491", "month": "2026-04", "time_ranges": ranges}])
    assert (verdict(said), said["counted_seconds"]) == (REPORTABLE, 600)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"from": "2026-04-30"}, blocks("apcm-bundle")),
        ({"from": "2026-05-01"}, REPORTABLE),
        ({"from": "2025-01-01", "to": "2026-04-01"}, blocks("apcm-bundle")),
        ({"from": "2025-01-01", "to": "2026-03-31"}, REPORTABLE),
    ],
)
def test_an_enrolment_covers_a_month_in_which_it_is_active_on_any_day(period, expected):
    assert verdict(answer(enrolments=[{"program": "apcm", **period}])) == expected
    assert verdict(answer(enrolments=[{"program": "apcm", **period}], payer={"type": "commercial"})) == REPORTABLE


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({"date": "2023-04-07"}, REPORTABLE),
        ({"date": "2023-04-06"}, blocks("established-patient")),
        ({"date": "2025-01-01", "specialty": "cardiology"}, blocks("established-patient")),
        ({"date": "2025-01-01", "face_to_face": False}, blocks("established-patient")),
        ({"date": "2025-01-01", "group": "G9", "clinician": "C1"}, REPORTABLE),
        ({"date": "2026-04-06"}, blocks("established-patient")),
    ],
)
def test_an_established_patient_was_seen_in_the_three_years_before_day_one(seen, expected):
    service = {"group": "G1", "specialty": "family_medicine", "clinician": None, "face_to_face": True, **seen}
    assert verdict(answer(patient={"id": "P1", "face_to_face_history": [service]})) == expected
