"""Two engines, one answer: on the shipped rules with random facts, and on random rules with random facts."""

import json
import random

import pytest
from chance import FACTS_PER_RULES, made_up_job, real_job
from judges import by_javascript, by_python

SEED = 20260406


def test_both_answer_alike_on_two_thousand_random_pairs():
    assert_alike(2_000, SEED)


@pytest.mark.soak
def test_both_answer_alike_on_a_hundred_thousand_random_pairs():
    for part in range(10):
        assert_alike(10_000, SEED + part)


def assert_alike(pairs, seed):
    chance = random.Random(seed)
    rounds = pairs // FACTS_PER_RULES
    jobs = [real_job(chance) if chance.random() < 0.5 else made_up_job(chance) for _ in range(rounds)]
    python, javascript = by_python(jobs), by_javascript(jobs)
    assert sum(map(len, python)) == sum(map(len, javascript)) == pairs
    # As text, for True equals 1 in Python.
    differing = [
        (one, a, b)
        for one, a, b in zip(jobs, python, javascript, strict=True)
        if json.dumps(a, sort_keys=True) != json.dumps(b, sort_keys=True)
    ]
    assert differing == []
    statuses = {answer.get("status", "error") for answers in python for answer in answers}
    assert statuses == {"reportable", "not_reportable", "hold", "error"}, "the pairs no longer reach every answer"
