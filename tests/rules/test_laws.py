"""Laws that hold for all facts: what is unknown stays unknown, and a code is never without its grounds."""

import random

from chance import DAYS, PAYERS, random_facts, random_value
from judges import BASE, FACTS

from shared_rules import engine

BOOK = engine.load()


def cases(number, seed):
    chance = random.Random(seed)
    for _ in range(number):
        rules = BOOK.version(chance.choice(["em", "nonphysician"]), chance.choice(PAYERS), chance.choice(DAYS))
        yield chance, rules, {n: v for n, v in random_facts(chance, FACTS).items() if fits(rules, n, v)}


def fits(rules, name, value):
    try:
        engine.checked_facts(rules, {name: value})
    except engine.FactError:
        return False
    return True


def test_a_reportable_answer_has_a_code_and_waits_for_nothing():
    answers = [engine.evaluate(r, BASE | dict(c.sample(sorted(f.items(), key=str), 3))) for c, r, f in cases(2_000, 1)]
    reportable = [answer for answer in answers if answer["status"] == "reportable"]
    assert reportable
    for answer in reportable:
        assert answer["code"] == answer["projected_code"] is not None
        assert answer["missing"] == answer["blocking"] == []


def test_forgetting_a_fact_never_makes_a_held_or_refused_episode_reportable():
    known = [n for n, spec in FACTS.items() if spec["by"] != "engine"]
    for chance, rules, facts in cases(1_500, 2):
        start = BASE | facts if chance.random() < 0.5 else BASE | dict(chance.sample(sorted(facts.items(), key=str), 3))
        before = engine.evaluate(rules, start)
        forgotten = chance.choice(known)
        after = engine.evaluate(rules, {**start, forgotten: None})
        if before["status"] != "reportable":
            assert after["status"] != "reportable" or has_a_rule_for_silence(before, forgotten)


def has_a_rule_for_silence(answer, forgotten):
    """A claim's draft that nobody has written yet, or a question nobody asked, does not hold an episode; a platform of
    which nothing is declared takes its channel's rule."""
    reasons = {*answer["blocking"], *(m["id"] for m in answer["missing"])}
    silent = {"not-telehealth", "proxy-patient-match", "inquiry-precedes-time"}
    return reasons <= (silent | {"hipaa-platform"} if forgotten == "hipaa_compliant" else silent)


def test_an_unknown_fact_is_asked_for_only_if_some_value_of_it_changes_the_answer():
    """Take a clean episode, forget one fact: if that holds it, some value of the fact gives another answer."""
    chance = random.Random(4)
    rules = BOOK.version("em", "medicare_ffs", "2026-04-06")
    for name in BASE:
        held = engine.evaluate(rules, {**BASE, name: None})
        if held["status"] == "hold":
            values = [random_value(chance, FACTS[name], False) for _ in range(40)]
            answers = {str(verdict(engine.evaluate(rules, {**BASE, name: value}))) for value in values}
            assert len(answers) > 1, name


def verdict(answer):
    return answer["status"], answer["code"], answer["blocking"], [m["id"] for m in answer["missing"]]
