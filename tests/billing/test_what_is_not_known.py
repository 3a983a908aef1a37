"""Unknown is neither yes nor no, and an answer can say what changed since the one before."""

import pytest
from made import REPORTABLE, answer, holds, missing, verdict, visit

from backend.billing.determination import changes

# --- unknown is neither yes nor no ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("absent", "rule"),
    [
        ("visits", "facts-current"),
        ("consents", "consent-annual"),
        ("global_periods", "global-period"),
        ("prior_evisits", "once-per-7-days"),
        ("enrolments", "apcm-bundle"),
        ("other_patient_time", "cross-patient-overlap"),
        ("documentation", "documentation-permanent"),
    ],
)
def test_a_list_that_nobody_has_read_holds_under_the_rule_that_reads_it(absent, rule):
    assert verdict(answer(without=[absent])) == holds(rule)


def test_claims_that_nobody_has_read_hold_under_both_rules_that_read_them():
    assert verdict(answer(without=["other_claims"])) == holds("no-double-count", "apcm-bundle")


def test_a_payer_that_nobody_knows_holds_only_where_medicares_rules_would_change_the_answer():
    unknown = {"payer": {"type": None}}
    assert verdict(answer(**unknown)) == REPORTABLE
    assert "payer-coverage" in answer(**unknown)["warnings"]
    assert verdict(answer(**unknown, consents=[])) == holds("payer-coverage")


def test_an_episode_of_which_nothing_but_time_is_known_is_on_hold():
    nothing = ("payer", "inquiry", "additional_inquiries", "visits", "consents", "global_periods", "other_claims",
               "other_patient_time", "prior_evisits", "documentation", "enrolments")  # fmt: skip
    said = answer(patient={"id": "P1"}, without=nothing)
    assert said["status"] == "hold"
    assert said["blocking"] == []
    assert {"patient-initiated", "evaluative-content", "established-patient", "facts-current"} <= set(missing(said))
    assert (said["counted_seconds"], said["projected_code"]) == (720, "99422")


def test_forgetting_any_field_never_turns_a_hold_or_a_block_into_reportable():
    held = answer(visits=[visit("2026-04-03", related_to_inquiry=None)])
    assert held["status"] == "hold"
    for name in ("payer", "inquiry", "consents", "global_periods", "other_claims", "prior_evisits", "documentation"):
        assert answer(visits=[visit("2026-04-03", related_to_inquiry=None)], without=[name])["status"] != "reportable"
        assert answer(without=[name])["status"] in {"reportable" if name == "payer" else "hold"}


BLOCKS = [
    {"inquiry_initiated_by": "practice"},
    {"inquiry_evaluative": False},
    {"inquiry_channel": "sms"},
    {"visits": [visit("2026-04-03")]},
    {"consents": []},
    {"documentation": {"permanently_stored": False}},
    {"claim_draft": {"pos": "02"}},
    {"practice": {"group": "G1", "timezone": "America/New_York", "setting": "rhc"}},
    {"prior_evisits": [{"window_start": "2026-04-05", "group": "G1", "family": "em", "status": "paid"}]},
    {"other_claims": [{"code": "99091", "month": "2026-04", "same_communication": True}]},
    {"patient": {"id": "P1", "face_to_face_history": []}},
]


@pytest.mark.parametrize("one", BLOCKS)
@pytest.mark.parametrize("other", BLOCKS)
def test_adding_a_blocking_fact_never_removes_another_reason(one, other):
    if set(one) == set(other):
        return
    alone, together = answer(**one), answer(**one, **other)
    assert alone["blocking"]
    assert set(alone["blocking"]) <= set(together["blocking"])


# --- what changed -----------------------------------------------------------------------------------------------------


def test_a_visit_learned_later_explains_the_change():
    before, after = answer(), answer(visits=[visit("2026-04-09")])
    assert changes(None, after) == []
    assert changes(before, before) == []
    found = {entry["field"]: (entry["before"], entry["after"]) for entry in changes(before, after)}
    assert found == {
        "status": ("reportable", "not_reportable"),
        "code": ("99422", None),
        "blocking": ([], ["subsequent-em-7d"]),
    }


def test_the_day_of_release_stands_on_the_answer_while_it_has_not_come():
    assert answer(as_of="2026-04-13T12:00:00-04:00")["hold_until"] == "2026-04-14"
    assert answer(as_of="2026-04-14T00:00:00-04:00")["hold_until"] is None
