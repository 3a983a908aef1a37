"""Both engines give every worked answer."""

import pytest
from judges import BASE, by_javascript, by_python, job, vectors

VECTORS = vectors()


def _jobs():
    return [job([{**BASE, **vector["facts"]}], **vector["rules"]) for _, vector in VECTORS]


@pytest.fixture(scope="module")
def python_answers():
    return [answers[0] for answers in by_python(_jobs())]


@pytest.fixture(scope="module")
def javascript_answers():
    return [answers[0] for answers in by_javascript(_jobs())]


NAMES = [f"{stem}: {vector['name']}" for stem, vector in VECTORS]


@pytest.mark.parametrize("index", range(len(VECTORS)), ids=NAMES)
def test_python_gives_the_worked_answer(index, python_answers):
    assert_as_expected(VECTORS[index][1], python_answers[index])


@pytest.mark.parametrize("index", range(len(VECTORS)), ids=NAMES)
def test_javascript_gives_the_worked_answer(index, javascript_answers):
    assert_as_expected(VECTORS[index][1], javascript_answers[index])


def assert_as_expected(vector, answer):
    expected = dict(vector["expect"])
    says, silent = expected.pop("says", {}), expected.pop("silent", [])
    told = [(reason["id"], reason["message"]) for reason in answer.get("reasons", [])]
    seen = {**answer, "missing": [entry["id"] for entry in answer.get("missing", [])]}
    assert {key: seen.get(key) for key in expected} == expected, f"catches: {vector['catches']}"
    for rule, message in says.items():
        assert (rule, message) in told
    assert not [rule for rule, _ in told if rule in silent and vector.get("about", "").split("/")[0] == rule], told
