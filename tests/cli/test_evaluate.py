"""`evaluate`: facts in, determinations out, without a data folder."""

import json

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
