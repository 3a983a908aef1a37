"""docs/rules.md says what the data says, in words that keep the meaning."""

import copy
import re
import subprocess
import sys

import pytest
from judges import DOCUMENTS, FACTS, SHARED

from shared_rules import describe
from shared_rules.in_words import Wording, dates, table, words

PAGE = SHARED.parent / "docs" / "rules.md"
WORDING = Wording(FACTS, {"kinds": ["a", "b"], "days": 7})


def test_the_page_is_what_the_rules_say_today():
    assert PAGE.read_text() == describe.page(DOCUMENTS, FACTS), "docs/rules.md is out of date: run `make rules-page`"


def test_the_command_prints_the_page():
    run = subprocess.run([sys.executable, "-m", "shared_rules.describe"], cwd=SHARED.parent, capture_output=True)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.decode() == describe.page(DOCUMENTS, FACTS)


def test_every_criterion_parameter_fact_and_code_stands_on_the_page():
    text = describe.page(DOCUMENTS, FACTS)
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    for document in DOCUMENTS:
        for criterion in document["criteria"]:
            assert ": ".join(filter(None, (criterion["id"], criterion.get("variant")))) in headings
            assert criterion["source"] in text
        for name, spec in document["parameters"].items():
            assert f"`{name}`" in text or any(heading.startswith(name) for heading in headings)
            assert spec["meaning"] in text
        for tier in document.get("tiers", []):
            assert tier["code"] in text
    for name, spec in FACTS.items():
        assert f"| `{name}` |" in text and spec["meaning"] in text


def test_every_link_inside_the_page_has_its_heading():
    text = describe.page(DOCUMENTS, FACTS)
    headings = [describe.anchor(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
    assert len(headings) == len(set(headings))
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= set(headings)


def next_year(change):
    """Every open version ended with 2026 and followed by a copy for 2027, which `change` alters."""
    ended = copy.deepcopy(DOCUMENTS)
    still_open = [document for document in ended if document["effective_to"] is None]
    names = {old["version"]: re.sub(r"[0-9]+$", "2027", old["version"]) for old in still_open}
    later = {names[old["version"]]: copy.deepcopy(old) for old in still_open}
    for name, new in later.items():
        new |= {"version": name, "effective_from": "2027-01-01", "verified_to": "2027-12-31"}
        new["includes"] = [names[included] for included in new.get("includes", [])]
    for old in still_open:
        old["effective_to"] = "2026-12-31"
    change(later)
    return [*ended, *later.values()]


def test_what_the_new_year_leaves_alone_is_told_once():
    text = describe.page(next_year(lambda later: None), FACTS)
    assert "2027-12-31" in text
    assert re.findall(r"^### same-day-em.*$", text, re.MULTILINE) == ["### same-day-em"]
    assert "The rules are verified for dates of service until 2027-12-31." in text


def test_what_the_new_year_changes_is_told_for_both_years():
    def other_sentence(later):
        rule = next(c for c in later["blocking-2027"]["criteria"] if c["id"] == "same-day-em")
        rule["because"] = "Another sentence."

    text = describe.page(next_year(other_sentence), FACTS)
    titles = re.findall(r"^### same-day-em \((.*?)[,)]", text, re.MULTILINE)
    assert titles == ["2020-01-01 to 2026-12-31", "from 2027-01-01"]


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"fact": "established", "is": False}, "`established` is no."),
        ({"not": {"fact": "established", "is": True}}, "`established` is no."),
        ({"not": {"known": "consent"}}, "`consent` is not known."),
        ({"not": {"fact": "consent", "is": "none"}}, '`consent` is not "none".'),
        ({"fact": "channel", "in": ["email", "sms"]}, "`channel` is one of email, sms."),
        ({"not": {"fact": "channel", "in": {"param": "kinds"}}}, "`channel` is none of `kinds` (a, b)."),
        ({"fact": "counted_clinicians", "gt": {"param": "days"}}, "`counted_clinicians` is more than 7 (`days`)."),
        ({"not": {"fact": "counted_clinicians", "gt": 1}}, "`counted_clinicians` is at most 1."),
        ({"fact": "window_start", "ge": {"fact": "hold_until"}}, "`window_start` is on or after `hold_until`."),
        ({"not": {"fact": "window_start", "ge": {"param": "other"}}}, "`window_start` is before `other`."),
        ({"has_band": "counted_seconds"}, "`counted_seconds` reach a code."),
        (
            {"not": {"any": [{"known": "consent"}, {"not": {"has_band": "counted_seconds"}}]}},
            "`consent` is not known and `counted_seconds` reach a code.",
        ),
        (
            {"all": [{"known": "channel"}, {"all": [{"fact": "channel", "is": "sms"}, {"known": "channel"}]}]},
            '`channel` is known and "sms".',
        ),
    ],
)  # fmt: skip
def test_a_condition_in_words(condition, said):
    assert WORDING.condition(condition) == [said]


def test_a_condition_with_groups_inside_is_a_list():
    either = {"any": [{"known": "consent"}, {"all": [{"known": "channel"}, {"known": "payer_type"}]}]}
    assert WORDING.condition({"all": [{"fact": "established", "is": True}, either]}) == [
        "all of these are so:",
        "  - `established` is yes",
        "  - one of these is so:",
        "    - `consent` is known",
        "    - `channel` is known and `payer_type` is known",
    ]


def test_a_sentence_keeps_its_numbers_and_names_what_the_episode_brings():
    assert WORDING.sentence("{counted_seconds:duration} in {days} days.") == "*counted seconds* in 7 days."


def test_values_and_dates_in_words():
    assert words([]) == "none"
    assert words([{"a": 1, "b": None}, {"a": True}]) == "a 1, b null; a yes"
    assert [dates("a", "b"), dates("a", None), dates(None, "b"), dates(None, None)] == [
        "a to b", "from a", "until b", "any day"
    ]  # fmt: skip
    assert table(["A"], [["x|y"]]) == ["| A |", "|---|", "| x\\|y |"]
