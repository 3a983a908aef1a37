"""Every worked case of the rules, judged as `evaluate` judges it."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from backend.billing.evaluate import evaluate

CASES = json.loads((Path(__file__).parent / "worked_cases.json").read_text(encoding="utf-8"))["cases"]
LISTS = {"blocking", "also_acceptable_blocking", "warnings_expected", "missing"}


@pytest.mark.parametrize("case", CASES, ids=[f"{case['id']} {case['title']}" for case in CASES])
def test_a_worked_case_gives_its_answer(case):
    (answer,) = evaluate(json.dumps({"cases": [case]}))
    expected = case["expected"]
    plain = {name: value for name, value in expected.items() if name not in LISTS}
    assert {name: answer[name] for name in plain} == plain
    blocking = set(answer["blocking"])
    assert set(expected["blocking"]) <= blocking <= {*expected["blocking"], *expected["also_acceptable_blocking"]}
    assert set(expected["warnings_expected"]) <= set(answer["warnings"])
    assert {entry["id"] for entry in answer["missing"]} == set(expected.get("missing", []))
    assert answer["id"] == case["id"]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_raw_seconds_are_the_counted_and_the_excluded(case):
    (answer,) = evaluate(json.dumps({"cases": [case]}))
    raw = {i["id"]: i for i in reversed(case["facts"]["intervals"])}
    seconds = sum(seconds_between(i["start"], i["end"]) for i in raw.values())
    assert answer["counted_seconds"] + sum(entry["seconds"] for entry in answer["excluded"]) == seconds


def seconds_between(start, end):

    return int((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds())
