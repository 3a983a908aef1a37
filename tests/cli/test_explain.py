"""`evaluate --explain`: how each answer was reached, for people, by the real command in a pipe."""

import copy
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from datetime import datetime, timedelta

from tests.cli.conftest import ROOT
from tests.cli.test_evaluate import BROKEN, FACTS, worked

NOT_TOUCHED = {"id": "I2", "start": "2026-04-06T10:00:00-04:00", "end": "2026-04-06T10:02:00-04:00"}


def explained(home, *cases):
    """What is printed, for cases of (id, facts)."""
    given = json.dumps({"cases": [{"id": name, "facts": facts} for name, facts in cases]})
    return home.done("evaluate", "--explain", "-", stdin=given.encode())


def section(page, heading):
    """The lines under a heading, up to the next empty line."""
    lines = page.splitlines()
    start = lines.index(heading) + 2
    return [line.strip() for line in lines[start : [*lines, ""].index("", start)]]


def flat(page, heading):
    return " ".join(section(page, heading))


def with_intervals(*intervals):
    made = copy.deepcopy(FACTS)
    made["intervals"] = [{**FACTS["intervals"][0], **each} for each in intervals]
    return made


def test_a_reportable_case_says_what_counted_and_that_nothing_would_have_to_be_different(home):
    page = explained(home, ("EV-1", with_intervals({}, {**NOT_TOUCHED, "activity": "idle"})))
    head = page.split("\n\n")[0]
    assert head.splitlines()[0] == "EV-1: reportable"
    for words in (
        "Code                99421, a suggestion that a person confirms",
        "Projected code      99421, by its time alone",
        "Family              physicians and others who report E/M",
        "Seven days          6 to 12 April 2026",
        "Date of service     6 April 2026",
        "Rendering           C1 (MD), suggested",
        "Inquiry             6 April 2026, 07:30, by the patient, through the portal",
    ):
        assert words in head
    assert section(page, "Recorded time, day by day") == [
        "Days and times are in New York time.",
        "Monday 6 April 2026, day 1",
        "09:00:00 – 09:06:40  400 s  C1 (MD)  T1  counted",
        "10:00:00 – 10:02:00  120 s  C1 (MD)  T1  not counted: idle time",
    ]
    assert section(page, "Seconds by reason") == [
        "400 s  6 min 40 s    counted",
        "+ 120 s  2 min 00 s    not counted: idle time",
        "─────────────────────",
        "= 520 s  8 min 40 s    recorded",
    ]
    assert section(page, "What would have to be different")[0] == "Nothing: on these facts 99421 may be reported."
    assert "Source: Threadtime default D15" in section(page, "For information")
    assert flat(page, "Decided by") == "Rules em-2020, with its own settings and no others."


def test_a_case_that_is_not_reportable_names_every_rule_and_which_cannot_be_put_right(home):
    page = explained(home, ("EV-182", worked("EV-182")))
    assert page.startswith("EV-182: not reportable\n")
    assert "  Code                none\n  Projected code      99422, by its time alone\n" in page
    blocks = section(page, "What blocks it")
    assert [line for line in blocks if line in ("patient-initiated", "prior-em-7d", "not-telehealth")] == [
        "patient-initiated",
        "prior-em-7d",
        "not-telehealth",
        "not-telehealth",
    ]
    assert "The practice started this exchange." in blocks
    assert sum(line.startswith("Source: ") for line in blocks) == 4
    different = flat(page, "What would have to be different")
    assert "it stays not reportable: 2 of the 4 rules that block it cannot be put right." in different
    assert "patient-initiated: it cannot be put right." in different
    assert "not-telehealth: it can be put right. The draft without the modifier." in different


def test_a_held_case_says_what_is_asked_of_whom_and_until_when(home):
    page = explained(home, ("running", worked("EV-209")), ("unattested", worked("EV-211")))
    running, unattested = page.split("\n\nunattested: on hold\n")
    assert running.startswith("running: on hold\n")
    assert "Code                none yet" in running
    assert "Hold until          14 April 2026" in running
    asked = "Asked of the clinician, until 12 April 2026: whether the time of the period reaches 5 minutes."
    assert asked in section(running, "What is not known yet")
    assert "hold-until-lookahead" in section(running, "What it waits for")
    different = flat(running, "What would have to be different")
    assert "Nothing blocks it. It is on hold for:" in different
    assert "hold-until-lookahead: only the day itself decides, 14 April 2026; nothing brings it forward." in different
    assert "not counted: entered by hand, not yet confirmed" in unattested
    assert "Asked of the clinician, with no day set" in flat(unattested, "What is not known yet")


def test_an_answer_that_nobody_has_given_is_asked_once_and_no_cure_is_made_up_for_it(home):
    page = explained(home, ("x", {name: value for name, value in FACTS.items() if name != "inquiry"}))
    unknown = section(page, "What is not known yet")
    assert "Not known: by which channel the inquiry came." in unknown
    assert "Asked of the staff, with no day set." in unknown
    assert "Virtual check-in" not in page
    assert "digital-inquiry: an answer from the staff: by which channel the inquiry came." in page


def test_a_bad_one_is_one_line_in_its_place_and_the_others_are_explained(home):
    cases = {"cases": [{"id": "a", "facts": FACTS}, {"id": "bad", "facts": BROKEN}, {"facts": FACTS}]}
    run = home.run("evaluate", "--explain", "-", stdin=json.dumps(cases).encode())
    assert run.returncode == 1
    lines = run.stdout.decode().splitlines()
    first, bad, third = (
        next(index for index, line in enumerate(lines) if line.startswith(start))
        for start in ("a: reportable", "bad: not judged. /inquiry/at: ", "Case 3: reportable")
    )
    assert first < bad < third
    assert lines[bad - 1] == lines[bad + 1] == ""
    assert len(run.stderr.decode().splitlines()) == 1


def test_on_the_day_the_clocks_change_the_times_say_which_clock(home):
    autumn = {
        **with_intervals({"start": "2026-11-01T01:50:00-04:00", "end": "2026-11-01T01:10:00-05:00"}),
        "inquiry": {**FACTS["inquiry"], "at": "2026-10-31T07:30:00-04:00"},
        "as_of": "2026-12-01T12:00:00-05:00",
    }
    assert section(explained(home, ("x", autumn)), "Recorded time, day by day") == [
        "Days and times are in New York time.",
        "Sunday 1 November 2026, day 1; the clocks change: a day of 25 hours",
        "01:50:00 EDT – 01:10:00 EST  1,200 s  C1 (MD)  T1  counted",
    ]


def test_days_are_the_practices_and_work_over_midnight_says_where_it_ends(home):
    page = explained(
        home,
        ("x", with_intervals(
            {"id": "a", "start": "2026-04-07T03:50:00Z", "end": "2026-04-07T04:00:00Z"},
            {"id": "b", "start": "2026-04-07T04:00:00Z", "end": "2026-04-07T04:05:00Z"},
            {"id": "c", "start": "2026-04-13T16:00:00.5Z", "end": "2026-04-13T16:01:00Z"},
        )),
    )  # fmt: skip
    assert section(page, "Recorded time, day by day") == [
        "Days and times are in New York time.",
        "Monday 6 April 2026, day 1",
        "23:50:00.000 – 00:05:00.000 on 7 Apr  900.000 s  C1 (MD)  T1  counted",
        "Monday 13 April 2026, after day 7",
        "12:00:00.500 – 12:01:00.000            59.500 s  C1 (MD)  T1  not counted: after the seventh day",
    ]
    assert section(page, "Seconds by reason")[-1] == "= 959 s  15 min 59 s    recorded"


def test_what_stands_in_no_sum_is_said(home):
    page = explained(home, ("x", with_intervals({}, {}, {**NOT_TOUCHED, "end": NOT_TOUCHED["start"]})))
    assert section(page, "Seconds by reason")[-2:] == [
        "1 of the 3 intervals given repeated the id of an earlier one and is left aside.",
        "1 of the 3 intervals given lasted no time.",
    ]


def test_an_empty_list_says_that_there_is_nothing_to_explain(home):
    assert home.done("evaluate", "--explain", "-", stdin=b"[]").count("\n") == 1
    page = explained(home, ("x", {**FACTS, "intervals": []}))
    assert section(page, "Recorded time, day by day") == ["No time was recorded."]


def test_a_hundred_thousand_intervals_stay_one_readable_page(home):
    begin = datetime.fromisoformat("2026-04-06T09:00:00-04:00")
    times = [begin + timedelta(seconds=5 * n) for n in range(100_000)]  # five days and nineteen hours
    many = with_intervals(
        *(
            {"id": str(n), "start": at.isoformat(), "end": (at + timedelta(seconds=1 + n % 4)).isoformat()}
            for n, at in enumerate(times)
        )
    )
    page = explained(home, ("many", many), ("next", FACTS))
    many, following = page.split("\n\nnext: reportable\n")
    assert len(many.splitlines()) < 120
    *shown, rest = section(many, "Recorded time, day by day")
    assert [line.split("  ")[2:] for line in shown[2:]] == [["C1 (MD)", "T1", "counted"]] * 40
    assert rest == "… and 99,960 more stretches until 12 April 2026: 249,900 s counted, 0 s not counted."
    assert section(many, "Seconds by reason")[-1].startswith("= 250,000 s")
    assert "400 s" in following


def test_settings_that_differ_are_named(home):
    page = explained(home, ("x", {**FACTS, "settings": {"lookback_days": 6}}))
    assert flat(page, "Decided by") == "Rules em-2020, with these settings instead of its own: lookback_days = 6."


def test_every_worked_case_stays_within_a_hundred_columns_and_states_without_urging(home):
    page = home.done("evaluate", "--explain", str(ROOT / "tests/billing/worked_cases.json"))
    lines = page.splitlines()
    assert max(map(len, lines)) == 100
    assert [line for line in lines if not line.isprintable()] == []
    assert sum(line == "═" * 100 for line in lines) == 57
    assert [word for word in ("please", "should", "must") if f" {word} " in page.lower()] == []


def test_what_was_given_cannot_speak_to_the_terminal(home):
    made = with_intervals({"thread": "T\x1b[31m\u202e" + "x" * 300})
    page = explained(home, ("a\x1b[2J\nb\r", made))
    assert "\x1b" not in page
    assert "\u202e" not in page
    assert "\r" not in page
    assert max(map(len, page.splitlines())) <= 100


def test_on_a_terminal_lines_are_as_wide_as_it_is(home, tmp_path):
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(FACTS))
    own, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        environment = {name: value for name, value in home.environment.items() if name not in ("COLUMNS", "LINES")}
        words = home.line("evaluate", "--explain", str(file))
        with subprocess.Popen(words, stdout=theirs, cwd=ROOT, env=environment) as run:
            os.close(theirs)
            lines = read_to_the_end(own).decode().splitlines()
        assert run.returncode == 0
    finally:
        os.close(own)
    assert lines[1] == "═" * 60
    assert max(map(len, lines)) == 60


def read_to_the_end(terminal):
    found = b""
    try:
        while some := os.read(terminal, 1 << 16):
            found += some
    except OSError:  # how Linux says that the other side has closed
        pass
    return found
