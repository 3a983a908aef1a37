"""A practice says what differs from the rules' defaults, and sees it."""

import pytest


@pytest.fixture
def practice(home):
    home.done("init", "--practice", "Riverside", "--timezone", "America/New_York")
    return home


def line_of(practice, name):
    """The table's first line about a setting."""
    return next(line for line in practice.done("setting", "list").splitlines() if line.startswith(name + " "))


def test_the_list_shows_value_default_and_meaning(practice):
    assert practice.done("setting", "list").splitlines()[0].split() == ["name", "today", "default", "meaning"]
    assert line_of(practice, "lookback_days").split()[1:5] == ["7", "days", "7", "days"]


def test_what_is_set_holds_today_and_can_be_withdrawn(practice):
    assert "lookback_days is set" in practice.done("setting", "set", "lookback_days", "6")
    assert line_of(practice, "lookback_days").split()[1:5] == ["6", "days", "7", "days"]
    assert "default again" in practice.done("setting", "set", "lookback_days", "--default")
    assert line_of(practice, "lookback_days").split()[1:5] == ["7", "days", "7", "days"]


def test_a_day_to_come_and_a_payer_are_shown_below(practice):
    practice.done("setting", "set", "aggregate_by", "specialty", "--from", "2099-01-01")
    practice.done("setting", "set", "telehealth_pos", "02,11", "--payer", "commercial", "--from", "2026-01-01")
    lines = practice.done("setting", "list").splitlines()
    assert any(line.split() == ["from", "2099-01-01", "specialty"] for line in lines)
    assert any(line.split() == ["of", "commercial", "02,", "11"] for line in lines)
    assert line_of(practice, "aggregate_by").split()[1:3] == ["group", "group"]


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (("lookback", "6"), "aggregate_by"),
        (("lookback_days", "3"), "from 6 to 7"),
        (("aggregate_by", "thread"), "group, specialty"),
        (("aggregate_by", "group", "--payer", "commercial"), "telehealth_pos"),
        (("telehealth_pos", "02", "--payer", "moon"), "medicare_ffs"),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(practice, words, allowed):
    assert allowed in practice.refused("setting", "set", *words)


@pytest.mark.parametrize(
    "words", [("lookback_days",), ("lookback_days", "6", "--default"), ("lookback_days", "6", "--from", "soon")]
)
def test_a_value_and_a_day_are_asked_for_as_usage(practice, words):
    practice.refused("setting", "set", *words, code=2)
