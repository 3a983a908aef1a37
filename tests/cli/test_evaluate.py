"""`evaluate`: facts in, determinations out, without a data folder."""

import copy
import json

import pytest

from tests.cli.conftest import ROOT

FACTS = {
    "as_of": "2026-05-06T12:00:00-04:00",
    "practice": {"group": "G1", "timezone": "America/New_York"},
    "payer": {"type": "commercial"},
    "patient": {
        "id": "P1",
        "face_to_face_history": [
            {"date": "2025-09-18", "group": "G1", "specialty": "family_medicine", "face_to_face": True}
        ],
    },
    "clinicians": [{"id": "C1", "type": "MD", "group": "G1", "specialty": "family_medicine"}],
    "inquiry": {
        "at": "2026-04-06T07:30:00-04:00",
        "initiated_by": "patient",
        "channel": "portal",
        "hipaa_compliant": True,
        "evaluative": True,
    },
    "additional_inquiries": [],
    "intervals": [
        {
            "id": "I1",
            "clinician": "C1",
            "thread": "T1",
            "start": "2026-04-06T09:00:00-04:00",
            "end": "2026-04-06T09:06:40-04:00",
            "activity": "review_inquiry",
        }
    ],
    "visits": [],
    "consents": [{"at": "2026-02-05T12:00:00-05:00", "method": "verbal", "scope": "ctbs", "documented": True}],
    "global_periods": [],
    "other_claims": [],
    "other_patient_time": [],
    "prior_evisits": [],
    "documentation": {"permanently_stored": True},
    "enrolments": [],
}
BROKEN = {**FACTS, "inquiry": {**FACTS["inquiry"], "at": "yesterday"}}


def changed(where, value):
    """The facts with another value at a JSON pointer; None takes away what stands there."""
    made = copy.deepcopy(FACTS)
    *path, last = [int(key) if key.isdigit() else key for key in where.split("/")[1:]]
    place = made
    for key in path:
        place = place[key]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return made


def worked(name):
    """The facts of a worked case."""
    cases = json.loads((ROOT / "tests/billing/worked_cases.json").read_text(encoding="utf-8"))["cases"]
    return next(case["facts"] for case in cases if case["id"] == name)


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_one_facts_object_gives_one_line(home, tmp_path):
    file = tmp_path / "facts.json"
    file.write_text(json.dumps(FACTS, indent=2))
    [answer] = lines(home.done("evaluate", str(file)))
    assert (answer["status"], answer["code"], answer["counted_seconds"]) == ("reportable", "99421", 400)
    assert "id" not in answer
    assert not home.data.exists()


def test_standard_input_may_hold_an_array_json_lines_or_cases(home):
    array = json.dumps([FACTS, FACTS])
    json_lines = f"{json.dumps(FACTS)}\n{json.dumps(FACTS)}\n"
    cases = json.dumps({"title": "two", "cases": [{"id": "a", "facts": FACTS}, {"id": "b", "facts": FACTS}]})
    for text in (array, json_lines, cases):
        answers = lines(home.done("evaluate", "-", stdin=text.encode()))
        assert [answer["code"] for answer in answers] == ["99421", "99421"]
    assert [answer["id"] for answer in answers] == ["a", "b"]


def test_facts_that_break_the_schema_give_an_error_in_their_place(home):
    cases = {"cases": [{"id": "bad", "facts": BROKEN}, {"id": "good", "facts": FACTS}]}
    run = home.run("evaluate", "-", stdin=json.dumps(cases).encode())
    bad, good = lines(run.stdout.decode())
    assert run.returncode == 1
    assert (bad["id"], bad["error"]["field"]) == ("bad", "/inquiry/at")
    assert good["status"] == "reportable"
    assert len(run.stderr.decode().splitlines()) == 1


def test_what_is_not_json_is_one_clear_line(home):
    run = home.run("evaluate", "-", stdin=b"\xff not json")
    assert run.returncode == 1
    assert b"Traceback" not in run.stderr
    assert b"defect" not in run.stderr


BAD = {
    "missing field": (changed("/practice", None), "/practice"),
    "missing field deep inside": (changed("/intervals/0/activity", None), "/intervals/0/activity"),
    "unknown enum": (changed("/intervals/0/activity", "resting"), "/intervals/0/activity"),
    "reversed interval": (changed("/intervals/0/end", "2026-04-06T08:00:00-04:00"), "/intervals/0/end"),
    "naive time": (changed("/intervals/0/start", "2026-04-06T09:00:00"), "/intervals/0/start"),
    "unknown zone": (changed("/practice/timezone", "Mars/Olympus"), "/practice/timezone"),
    "empty list for an object": ([], ""),
    "empty list for the practice": (changed("/practice", []), "/practice"),
    "half a character in a field's name": ({**FACTS, "\ud800": 1}, "/?"),
    "half a character in a text": (
        {
            **changed("/clinicians/0/id", "\ud800"),
            "intervals": changed("/intervals/0/clinician", "\ud800")["intervals"],
        },
        "",
    ),
}


@pytest.mark.parametrize("explain", [(), ("--explain",)])
def test_each_bad_one_is_one_clear_line_and_every_good_one_between_is_judged(home, explain):
    cases = [case for name, (facts, _) in BAD.items() for case in ({"id": name, "facts": facts}, FACTS)]
    run = home.run("evaluate", *explain, "-", stdin=json.dumps(cases).encode())
    assert run.returncode == 1
    assert run.stderr.decode().splitlines() == [
        f"Error: {len(BAD)} of them could not be judged: see the error in each one's place."
    ]
    text = run.stdout.decode()
    if explain:
        bad = [line for line in text.splitlines() if ": not judged. " in line]
        assert len(bad) == len(BAD)
        for line, (name, (_, field)) in zip(bad, BAD.items(), strict=True):
            assert line.startswith(f"{name}: not judged. {field}")
        assert text.count(": reportable\n") == len(BAD)
        return
    bad, good = lines(text)[::2], lines(text)[1::2]
    assert [(line["id"], line["error"]["field"]) for line in bad] == [(name, field) for name, (_, field) in BAD.items()]
    assert {"\n" in line["error"]["message"] for line in bad} == {False}
    assert [line["code"] for line in good] == ["99421"] * len(BAD)


@pytest.mark.parametrize("given", ["\ud800", 2**70, ["x"], {"x": 1}])
def test_an_id_that_no_answer_can_carry_is_an_error_and_the_next_is_judged(home, given):
    run = home.run("evaluate", "-", stdin=json.dumps([{"id": given, "facts": FACTS}, FACTS]).encode())
    bad, good = lines(run.stdout.decode())
    assert run.returncode == 1
    assert (bad["id"], "its id is neither" in bad["error"]["message"]) == (None, True)
    assert good["code"] == "99421"


def test_a_hundred_thousand_intervals_are_one_line_and_the_next_is_judged(home):
    first = FACTS["intervals"][0]
    many = {**FACTS, "intervals": [{**first, "id": str(n)} for n in range(100_000)]}
    answer, good = lines(home.done("evaluate", "-", stdin=json.dumps([many, FACTS]).encode()))
    assert (answer["counted_seconds"], answer["excluded"]) == (400, [{"seconds": 400 * 99_999, "reason": "overlap"}])
    assert good["code"] == "99421"


def test_an_empty_list_is_no_error(home):
    assert home.done("evaluate", "-", stdin=b"[]") == ""
    [answer] = lines(home.done("evaluate", "-", stdin=json.dumps({**FACTS, "intervals": []}).encode()))
    assert answer["counted_seconds"] == 0


def test_each_worked_case_gives_its_line(home):
    file = ROOT / "tests/billing/worked_cases.json"
    expected = {case["id"]: case["expected"] for case in json.loads(file.read_text(encoding="utf-8"))["cases"]}
    answers = lines(home.done("evaluate", str(file)))
    assert [answer["id"] for answer in answers] == list(expected)
    for answer in answers:
        wanted = expected[answer["id"]]
        assert (answer["status"], answer["code"]) == (wanted["status"], wanted["code"])
