"""The rule book: which version holds, whose family, which settings, which codes."""

from datetime import date

import pytest
from judges import BASE, DOCUMENTS, FACTS, by_python, job, through_node

from shared_rules import engine

BOOK = engine.load()


def test_a_version_is_chosen_by_family_payer_and_day():
    assert BOOK.version("em", "medicare_ffs", date(2026, 4, 6))["version"] == "em-2020"
    assert BOOK.version("nonphysician", "medicare_ffs", date(2020, 12, 31))["version"] == "nonphysician-medicare-2020"
    assert BOOK.version("nonphysician", None, "2020-12-31")["version"] == "nonphysician-2020"
    assert BOOK.version("nonphysician", "commercial", "2021-01-01")["version"] == "nonphysician-2021"


def test_before_the_first_version_the_first_one_judges():
    assert BOOK.version("nonphysician", "medicare_advantage", "2019-12-31")["version"] == "nonphysician-medicare-2020"


def test_an_unknown_family_is_refused():
    with pytest.raises(engine.RulesError, match="no rules for family dentist"):
        BOOK.version("dentist", None, "2026-01-01")


@pytest.mark.parametrize(
    ("credential", "family"),
    [("MD", "em"), ("CNM", "em"), ("OD", "em"), ("LPC", "nonphysician"), ("PT", "nonphysician"), ("RN", "staff"),
     ("RESIDENT", "staff"), ("PHARMACIST", "staff"), ("ASTROLOGER", "staff")],
)  # fmt: skip
def test_a_credential_has_one_family(credential, family):
    assert BOOK.family_of(credential) == family


def test_no_credential_stands_in_two_families():
    seen = {v["family"]: set(v["credentials"]) for v in BOOK.versions}
    staff = set(BOOK.versions[0]["parameters"]["staff_credentials"])
    assert not seen["em"] & seen["nonphysician"] and not staff & (seen["em"] | seen["nonphysician"])


def test_a_setting_changes_its_parameter_in_a_copy_and_is_shown():
    rules = BOOK.version("em", "commercial", "2026-04-06")
    changed = engine.with_settings(rules, {"consent_required_payers": ["commercial"]})
    assert rules["parameters"]["consent_required_payers"] == ["medicare_ffs", "medicare_advantage"]
    answer = engine.evaluate(changed, BASE | {"payer_type": "commercial", "consent": "none"})
    assert answer["blocking"] == ["consent-annual"]
    assert answer["settings"] == {"consent_required_payers": ["commercial"]}


def test_a_setting_equal_to_the_rule_is_not_shown():
    rules = engine.with_settings(BOOK.version("em", None, "2026-04-06"), {"consent_covers": "time_under_consent"})
    assert rules["changed_settings"] == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"period_days": 9}, "period_days is not a setting; settings are "),
        ({"release_after_days": 7}, "release_after_days is a whole number from 8 to 31"),
        ({"release_after_days": True}, "release_after_days is a whole number from 8 to 31"),
        ({"consent_covers": "both"}, "consent_covers is one of time_under_consent, whole_period"),
        ({"consent_covers": 1}, "consent_covers is a text"),
        ({"counted_activities": "documentation"}, "counted_activities is a list of texts"),
        ({"counted_activities": ["idle"]}, "counted_activities is one of review_inquiry"),
    ],
)
def test_a_bad_setting_is_refused_by_name(settings, message):
    with pytest.raises(engine.SettingError, match=message):
        engine.with_settings(BOOK.version("em", None, "2026-04-06"), settings)


CODES = [("98016", "2025-01-01", True), ("98016", "2024-12-31", False), ("G2012", "2024-12-31", True),
         ("G2012", "2025-01-01", False), ("G2251", "2026-01-01", True), ("G2253", "2026-01-01", False),
         ("G22510", "2026-01-01", False), ("98016", None, True)]  # fmt: skip


def test_a_code_is_listed_inside_its_range_and_its_days_in_both_engines():
    entries = BOOK.version("em", None, "2026-04-06")["parameters"]["ctbs_codes"]
    assert [engine.in_codes(entries, code, day) for code, day, _ in CODES] == [listed for *_, listed in CODES]
    import json

    lines = [json.dumps({"codes": code, "entries": entries, "on": day}) for code, day, _ in CODES]
    assert through_node(lines) == [[listed] for *_, listed in CODES]


def test_an_inclusion_that_is_not_there_is_refused():
    with pytest.raises(engine.RulesError, match="includes parameters-2020, which is not there"):
        engine.load([d for d in DOCUMENTS if d["version"] != "parameters-2020"], FACTS)


def test_facts_of_the_caller_stay_as_they_were():
    given = dict(BASE)
    by_python([job([given], family="em", payer_type=None, on="2026-04-06")])
    assert given == BASE


def test_knowing_nothing_never_gives_a_code():
    answer = engine.evaluate(BOOK.version("em", None, "2026-04-06"), {})
    assert (answer["status"], answer["code"], answer["blocking"]) == ("hold", None, [])
