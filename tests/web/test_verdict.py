from datetime import date

import pytest

from backend.web.verdict import chip, headline, reasons, tiles, waiting
from backend.words import BLOCKED, WAITS, clock, days, duration, number, short_days, zone_name
from shared_rules.engine import load

MONDAY = date(2026, 4, 6)


def answer(**changes):
    return {
        "status": "hold",
        "code": None,
        "blocking": [],
        "missing": [],
        "reasons": [],
        "hold_until": "2026-04-14",
        "window_start": "2026-04-06",
        "window_end": "2026-04-12",
        **changes,
    }


def reason(id_, severity, **changes):
    return {"id": id_, "severity": severity, "message": f"{id_}.", "source": "S", "remedy": None, **changes}


def asked(id_, asks, of="staff", until=None):
    return {"id": id_, "asks": asks, "of": of, "until": until}


@pytest.mark.parametrize(
    ("today", "says"),
    [
        (date(2026, 4, 6), "Day 1 of 7, open"),
        (date(2026, 4, 12), "Day 7 of 7, open"),
        (date(2026, 4, 13), "Hold until 14 Apr"),
        (date(2026, 4, 14), "Who began it? And 1 more"),
    ],
)
def test_an_episode_on_hold_says_what_it_waits_for_today(today, says):
    missing = ["evaluative-content", "patient-initiated"]
    assert chip(answer(missing=missing), today).text == says


def test_an_episode_without_its_days_says_what_is_missing():
    bare = answer(window_start=None, window_end=None, hold_until=None, missing=["clinician-scope"])
    assert chip(bare, MONDAY).text == "First review?"
    assert chip({**bare, "missing": []}, MONDAY).text == "On hold"


def test_a_reportable_episode_says_its_code_and_an_approved_one_that_it_is():
    ready = answer(status="reportable", code="99422")
    assert chip(ready, MONDAY).text == "Ready: 99422"
    assert chip(ready, MONDAY, approved=True).text == "Approved: 99422"


def test_a_blocked_episode_says_its_first_reason_and_how_many_more():
    blocked = answer(
        status="not_reportable",
        blocking=["same-day-em", "time-min-5"],
    )
    assert chip(blocked, MONDAY).text == "Visit on the same day, and 1 more"


def test_every_chip_has_a_mark_beside_its_words():
    for status in ("reportable", "not_reportable", "hold"):
        made = chip(answer(status=status), MONDAY)
        assert made.mark and made.text


def test_what_decides_stands_first_and_what_nobody_has_said_stands_apart():
    judged = answer(
        reasons=[
            reason("i", "info"),
            reason("w", "warn"),
            reason("h", "hold", message="Not known: who.", remedy="Ask."),
            reason("m", "hold", message="The schedule was not read."),
            reason("b", "block"),
            reason("own", "hold", message="Two patients claim it."),
        ],
        missing=[
            asked("h", "who", until="2026-04-14"),
            asked("m", "which visits took place"),
            asked("z", "whether it was seen", of="feed"),
        ],
    )
    assert [each["id"] for each in reasons(judged)] == ["b", "own", "w", "i"]
    assert [(each["asks"], each["from"], each["remedy"], each["source"]) for each in waiting(judged)] == [
        ("who", "asked of the staff, until 14 Apr", "Ask.", "S"),
        ("which visits took place", "asked of the staff", "The schedule was not read.", "S"),
        ("whether it was seen", "asked of the record system", None, None),
    ]


@pytest.mark.parametrize(
    ("counts", "status", "title"),
    [
        ({}, None, "No episode is ready to bill"),
        ({"reportable": 1}, None, "One episode is ready to bill"),
        ({"reportable": 9}, None, "Nine episodes are ready to bill"),
        ({"reportable": 1204}, "reportable", "1,204 episodes are ready to bill"),
        ({"reportable": 1, "approved": 3}, None, "One episode is ready to bill"),
        ({"reportable": 1, "approved": 3}, "approved", "Three episodes are approved"),
        ({"hold": 2}, "hold", "Two episodes are on hold"),
        ({"not_reportable": 13}, "not_reportable", "13 episodes are not reportable"),
    ],
)
def test_the_title_of_the_list_is_the_answer(counts, status, title):
    assert headline(counts, status)[0] == title


def test_with_nothing_ready_the_sentence_below_says_where_the_others_stand():
    assert headline({"hold": 14, "not_reportable": 1}, None)[1] == "14 on hold and 1 not reportable."
    assert headline({"hold": 2, "approved": 3, "not_reportable": 1}, None)[1] == (
        "2 on hold, 3 approved and 1 not reportable."
    )
    assert headline({}, None)[1] == "Nothing has been recorded yet."


def test_over_all_episodes_the_sentence_says_where_the_others_stand_and_over_the_ready_ones_why_they_are():
    counts = {"reportable": 48, "hold": 46, "not_reportable": 72}
    assert headline(counts, None) == ("48 episodes are ready to bill", "The others: 46 on hold and 72 not reportable.")
    assert headline(counts, "reportable")[1].startswith("Nothing blocks them")
    assert headline({"reportable": 2}, None)[1].startswith("Nothing blocks them")


def test_the_tiles_add_up():
    *parts, whole = tiles({"reportable": 2, "approved": 5, "hold": 3, "not_reportable": 4})
    assert whole.count == sum(each.count for each in parts) == 14


def test_durations_and_days_are_written_for_people():
    assert (clock(0), clock(65), clock(3785)) == ("0:00", "1:05", "63:05")
    assert duration(720) == "12 min 00 s"
    assert (number(12), number(13)) == ("Twelve", "13")
    assert days(date(2026, 4, 6), date(2026, 4, 12)) == "6 to 12 April 2026"
    assert days(date(2026, 3, 30), date(2026, 4, 5)) == "30 March to 5 April 2026"
    assert days(date(2026, 12, 29), date(2027, 1, 4)) == "29 December 2026 to 4 January 2027"
    assert short_days(date(2026, 3, 30), date(2026, 4, 5), today=MONDAY) == "30 Mar to 5 Apr"
    assert short_days(date(2025, 4, 6), date(2025, 4, 12), today=MONDAY) == "6 to 12 Apr 2025"
    assert zone_name("America/Argentina/Buenos_Aires") == "Buenos Aires time"
    assert zone_name("UTC") == "UTC"


def test_a_list_says_every_blocking_rule_in_a_few_words_and_asks_every_open_question_so():
    criteria = [criterion for version in load().versions for criterion in version["criteria"]]
    assert set(BLOCKED) == {each["id"] for each in criteria if each["severity"] == "block"}
    assert set(WAITS) >= {each["id"] for each in criteria if each["severity"] == "hold" or "missing" in each}
    assert all(len(words) <= 32 for words in (*BLOCKED.values(), *WAITS.values()))
    blocked = answer(status="not_reportable", blocking=["time-min-5"])
    assert chip(blocked, MONDAY).text == "Too little time"
    open_ = answer(missing=["established-patient", "proxy-patient-match"])
    assert chip(open_, date(2026, 4, 14)).text == "Whose thread? And 1 more"
