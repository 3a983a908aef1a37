"""Facts in, one line of answer each; bad facts get one clear line in their place and stop nobody."""

import copy
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import CLEAN, facts, interval

from backend.billing.evaluate import evaluate
from backend.billing.translate import FactsError, case_from_json

GOOD = facts()
SCHEMA = json.loads((Path(__file__).parent / "case.schema.json").read_text(encoding="utf-8"))


def lines(text):
    return list(evaluate(text))


def error(changed):
    (line,) = lines(json.dumps({"cases": [{"id": "x", "facts": changed}]}))
    assert set(line) == {"id", "error"}
    assert line["id"] == "x"
    return line["error"]["field"], line["error"]["message"]


def test_one_object_an_array_json_lines_and_cases_are_all_read():
    one = lines(json.dumps(GOOD))
    assert [line["code"] for line in one] == ["99422"]
    assert lines(json.dumps([GOOD, GOOD])) == one * 2
    assert lines(f"{json.dumps(GOOD)}\n\n{json.dumps(GOOD)}\n".encode()) == one * 2
    named = lines(json.dumps({"title": "ignored", "cases": [{"id": "a", "facts": GOOD, "why": "ignored"}]}))
    assert named == [{"id": "a", **one[0]}]
    assert next(iter(named[0])) == "id"


def test_an_answer_has_every_field_in_the_order_of_the_contract():
    (line,) = lines(json.dumps(GOOD))
    assert list(line) == [
        "status", "eligible", "code", "projected_code", "family", "blocking", "warnings", "missing", "hold_until",
        "reasons", "window_start", "window_end", "counted_seconds", "counted_minutes", "excluded", "date_of_service",
        "rendering_clinician", "rules_version", "settings", "changes",
    ]  # fmt: skip


def test_an_empty_array_gives_no_line():
    assert lines("[]") == []
    assert lines('{"cases": []}') == []


def test_facts_without_intervals_or_clinicians_are_judged():
    made = {**GOOD, "intervals": [], "clinicians": []}
    (line,) = lines(json.dumps(made))
    assert (line["status"], line["blocking"], line["window_start"]) == ("not_reportable", ["clinician-scope"], None)


def test_bad_facts_do_not_stop_the_others():
    bad = {k: v for k, v in GOOD.items() if k != "practice"}
    found = lines(json.dumps({"cases": [{"id": 1, "facts": bad}, {"id": 2, "facts": GOOD}, {"id": 3}, "nonsense"]}))
    assert [line.get("id") for line in found] == [1, 2, 3, None]
    assert found[0]["error"] == {"field": "/practice", "message": "is missing"}
    assert found[1]["status"] == "reportable"
    assert found[2]["error"] == {"field": "", "message": "facts are missing"}
    assert found[3]["error"] == {"field": "", "message": "is not an object"}


def test_a_line_that_is_not_json_is_named_by_its_number():
    found = lines(f'{json.dumps(GOOD)}\n{{"as_of": \n{json.dumps(GOOD)}')
    assert [("error" in line) for line in found] == [False, True, False]
    assert found[1]["error"]["message"].startswith("line 2 is not JSON")


@pytest.mark.parametrize("text", ["", "nonsense", '{"as_of":\n  NaN}', b"\xff\xfe", "[" * 100_000, '{"a": Infinity}'])
def test_text_that_is_not_json_gives_one_clear_line(text):
    (line,) = lines(text)
    assert line["id"] is None
    assert line["error"]["field"] == ""
    assert "\n" not in line["error"]["message"]


def without(name):
    return {k: v for k, v in GOOD.items() if k != name}


def with_interval(**changed):
    made = copy.deepcopy(GOOD)
    made["intervals"][0] |= changed
    return made


def with_inquiry(**changed):
    return {**GOOD, "inquiry": {**GOOD["inquiry"], **changed}}


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        (without("as_of"), "/as_of", "missing"),
        (without("intervals"), "/intervals", "missing"),
        ({**GOOD, "visits": None}, "/visits", "list"),
        ({**GOOD, "unknown": 1}, "/unknown", "not a field"),
        ({**GOOD, "a/b~c": 1}, "/a~1b~0c", "not a field"),
        ({**GOOD, "practice": {"group": "G1", "timezone": "Mars/Olympus"}}, "/practice/timezone", "time zone"),
        ({**GOOD, "practice": {"group": "G1", "timezone": "../etc/passwd"}}, "/practice/timezone", "time zone"),
        ({**GOOD, "practice": {"group": "G1", "timezone": "America"}}, "/practice/timezone", "time zone"),
        ({**GOOD, "practice": {"group": "G1", "timezone": ""}}, "/practice/timezone", "time zone"),
        (with_interval(activity="resting"), "/intervals/0/activity", "none of"),
        (with_interval(end="2026-04-06T08:00:00-04:00"), "/intervals/0/end", "before start"),
        (with_interval(start="2026-04-06T09:00:00"), "/intervals/0/start", "offset"),
        (with_interval(start="2026-04-31T09:00:00-04:00"), "/intervals/0/start", "calendar"),
        (with_interval(start=1775480400000), "/intervals/0/start", "text"),
        (with_interval(clinician="nobody"), "/intervals/0/clinician", "listed clinician"),
        (with_interval(attested="yes"), "/intervals/0/attested", "true nor false"),
        (with_inquiry(at="yesterday"), "/inquiry/at", "instant"),
        (with_inquiry(at="0001-01-01T00:00:00+00:00"), "/inquiry/at", "years"),
        (with_inquiry(at="9999-12-31T23:59:59-12:00"), "/inquiry/at", "years"),
        (with_inquiry(channel="pigeon"), "/inquiry/channel", "none of"),
        ({**GOOD, "payer": {"type": True}}, "/payer/type", "none of"),
        ({**GOOD, "prior_evisits": [{"window_start": "2026-02-30", "group": "G1", "family": "em"}]},
         "/prior_evisits/0/window_start", "calendar"),
        ({**GOOD, "other_claims": [{"code": "99091", "month": "2026-13"}]}, "/other_claims/0/month", "calendar"),
        ({**GOOD, "global_periods": [{"surgery_date": "2026-01-01", "days": True, "group": "G", "specialty": "s"}]},
         "/global_periods/0/days", "none of"),
        ({**GOOD, "settings": {"lookback_days": 3}}, "/settings/lookback_days", "from 6 to 7"),
        ({**GOOD, "settings": {"lookback": 7}}, "/settings/lookback", "not a setting"),
        ({**GOOD, "settings": []}, "/settings", "object"),
        ([], "", "object"),
        ("text", "", "object"),
        (None, "", "object"),
    ],
)  # fmt: skip
def test_bad_facts_say_where_and_what(changed, field, says):
    where, message = error(changed)
    assert where == field
    assert says in message
    assert "\n" not in message


def test_a_message_never_repeats_what_was_given():
    for changed in (with_interval(clinician="Jane Doe"), with_inquiry(at="Jane Doe"), with_inquiry(channel="Jane Doe")):
        assert "Jane" not in error(changed)[1]


def test_a_hundred_thousand_intervals_are_one_line_and_the_next_case_is_judged():
    many = copy.deepcopy(GOOD)
    many["intervals"] = [
        interval(f"{9 + n % 8:02d}:{n % 60:02d}:{n % 50:02d}", seconds=5, id=str(n), day=f"2026-04-{6 + n % 7:02d}")
        for n in range(100_000)
    ]
    first, second = lines(json.dumps([many, GOOD]))
    assert first["counted_seconds"] + sum(e["seconds"] for e in first["excluded"]) == 500_000
    assert second["code"] == "99422"


def test_a_consent_dated_by_its_day_covers_that_whole_local_day():
    made = {**GOOD, "consents": [{"at": "2026-04-06", "method": "verbal", "scope": "ctbs", "documented": True}]}
    (line,) = lines(json.dumps(made))
    assert (line["status"], line["counted_seconds"]) == ("reportable", 720)


# --- against the schema -----------------------------------------------------------------------------------------------

RICH = {
    **GOOD,
    "additional_inquiries": [{"at": "2026-04-08T08:00:00-04:00", "thread": "TH2", "related_to_first": None}],
    "visits": [
        {"at": "2026-03-03T10:00:00-05:00", "kind": "office_em", "group": "G1", "specialty": "x", "status": "completed"}
    ],
    "other_claims": [{"code": "99491", "month": "2026-04", "same_communication": False, "on": "2026-04-30"}],
    "claim_draft": {"pos": "11", "modifiers": []},
    "enrolments": [{"program": "ccm", "from": "2026-01-01", "to": None}],
    "notices": [{"at": "2026-04-01T10:00:00-04:00"}],
}
CHECKER = jsonschema.Draft202012Validator(SCHEMA)


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from places(child, (*path, key))


def replaced(value, path, new):
    if not path:
        return new
    made = copy.copy(value)
    if new is DROP and len(path) == 1:
        del made[path[0]]
    else:
        made[path[0]] = replaced(value[path[0]], path[1:], new)
    return made


DROP = object()
ANYTHING = st.one_of(
    st.just(DROP), st.none(), st.booleans(), st.integers(-5, 5), st.floats(0, 1), st.text(max_size=3), st.just([]),
    st.just({}), st.just({"x": 1}),
)  # fmt: skip


@given(st.sampled_from([p for p in places(RICH) if p]), ANYTHING)
@settings(max_examples=300)
def test_what_the_schema_refuses_is_refused_and_nothing_ever_breaks(path, new):
    made = replaced(RICH, path, new)
    try:
        case_from_json(made)
    except FactsError as problem:
        assert problem.message
        return
    assert [e.message for e in CHECKER.iter_errors(made)] == []
    (line,) = lines(json.dumps(made))
    assert line["status"] in {"reportable", "not_reportable", "hold"}


def test_what_the_schema_knows_is_read():
    assert list(CHECKER.iter_errors(RICH)) == []
    assert case_from_json(RICH).claim_pos == "11"
    assert {*CLEAN, "intervals"} <= set(SCHEMA["properties"])
