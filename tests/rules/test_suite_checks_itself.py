"""The rules, the facts and the vectors are what their descriptions say, and nothing is without a worked answer."""

import itertools
import json
import re
from datetime import date, timedelta

import pytest
from jsonschema import Draft202012Validator
from judges import BASE, DOCUMENTS, FACTS, SHARED, VECTOR_FILES, by_python, job, vectors

from shared_rules import engine
from shared_rules.conditions import truth

BOOK = engine.load()
PAYERS = ["medicare_ffs", "medicare_advantage", "commercial", "medicaid", "self_pay", None]
VECTORS = vectors()


def key_of(criterion):
    return "/".join(part for part in (criterion["id"], criterion.get("variant")) if part)


CRITERIA = {key_of(c): (rules, c) for rules in BOOK.versions for c in rules["criteria"]}


def validator(kind):
    schema = json.loads((SHARED / "schemas" / f"{kind}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def leaves(condition):
    """Every comparison, `known`, `has_band` and `same_band` inside a condition."""
    for word in ("all", "any"):
        if word in condition:
            for part in condition[word]:
                yield from leaves(part)
            return
    if "not" in condition:
        yield from leaves(condition["not"])
    else:
        yield condition


def names(condition):
    """(facts, parameters) that a condition reads."""
    facts, parameters = set(), set()
    for leaf in leaves(condition):
        facts.update(leaf.get("same_band", []), *[[leaf[word]] for word in ("known", "has_band") if word in leaf])
        for operand in (leaf, *leaf.values()):
            if isinstance(operand, dict):
                facts.update([operand["fact"]] if "fact" in operand else [])
                parameters.update([operand["param"]] if "param" in operand else [])
    return facts, parameters


def placeholders(criterion):
    texts = [criterion["because"], criterion["remedy"] or "", criterion.get("missing", {}).get("asks", "")]
    return [match for text in texts for match in re.findall(r"\{([^}:]*)(?::([^}]*))?\}", text)]


# --- the files follow their schemas -----------------------------------------------------------------------------------


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document["version"])
def test_a_rules_file_follows_its_schema(document):
    assert [error.message for error in validator("rules").iter_errors(document)] == []


def test_a_rules_file_is_named_after_its_version():
    stems = {path.stem for path in (SHARED / "rules").glob("*.json")}
    assert stems == {document["version"] for document in DOCUMENTS}


def test_the_dictionary_of_facts_follows_its_schema():
    dictionary = json.loads((SHARED / "facts.json").read_text())
    assert [error.message for error in validator("facts").iter_errors(dictionary)] == []


@pytest.mark.parametrize("path", [SHARED / "vectors" / "base.json", *VECTOR_FILES], ids=lambda path: path.stem)
def test_vectors_follow_their_schema(path):
    assert [error.message for error in validator("vectors").iter_errors(json.loads(path.read_text()))] == []


def test_every_answer_follows_its_schema():
    jobs = [job([{**BASE, **vector["facts"]}], **vector["rules"]) for _, vector in VECTORS]
    answers = [answers[0] for answers in by_python(jobs)]
    bad = [
        (vector["name"], error.message)
        for (_, vector), answer in zip(VECTORS, answers, strict=True)
        if "error" not in vector["expect"]
        for error in validator("answer").iter_errors(answer)
    ]
    assert bad == []


# --- the rules hang together ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", CRITERIA)
def test_a_criterion_reads_only_facts_and_parameters_that_exist(key):
    rules, criterion = CRITERIA[key]
    facts, parameters = names(criterion["when"])
    assert facts <= set(FACTS)
    assert parameters <= set(rules["parameters"])
    until = criterion.get("missing", {}).get("until")
    assert until is None or FACTS[until]["type"] == "date"


@pytest.mark.parametrize("key", CRITERIA)
def test_a_criterion_compares_like_with_like(key):
    rules, criterion = CRITERIA[key]
    python_type = {"boolean": bool, "integer": int, "string": str, "date": str}
    for leaf in leaves(criterion["when"]):
        if "known" in leaf:
            continue
        if "has_band" in leaf or "same_band" in leaf:
            assert all(FACTS[name]["unit"] == "seconds" for name in leaf.get("same_band", [leaf.get("has_band")]))
            continue
        word = next(word for word in ("is", "in", "lt", "le", "gt", "ge") if word in leaf)
        right = leaf[word]
        if isinstance(right, dict):
            right = rules["parameters"][right["param"]]
        kind = python_type[FACTS[leaf["fact"]]["type"]] if "fact" in leaf else type(rules["parameters"][leaf["param"]])
        compared = right if word == "in" else [right]
        assert isinstance(compared, list) and all(type(item) is kind for item in compared), leaf
        if values := FACTS.get(leaf.get("fact"), {}).get("values"):
            assert set(compared) <= set(values), leaf


@pytest.mark.parametrize("key", CRITERIA)
def test_a_sentence_fills_only_what_exists(key):
    rules, criterion = CRITERIA[key]
    forms = {"": {"integer", "string"}, "day": {"date"}, "duration": {"integer"}}
    for name, form in placeholders(criterion):
        if name in FACTS:
            assert FACTS[name]["type"] in forms[form]
        elif name not in ("min_minutes", "code_list", "verified_to"):
            assert type(rules["parameters"][name]) in (int, str)


def test_an_id_and_its_variant_name_one_criterion_of_a_version():
    for rules in BOOK.versions:
        keys = [key_of(criterion) for criterion in rules["criteria"]]
        assert len(keys) == len(set(keys))


def test_every_parameter_that_counts_days_minutes_or_years_has_a_unit():
    for document in DOCUMENTS:
        for name, spec in document["parameters"].items():
            if type(spec["value"]) is int:
                assert spec.get("unit") in ("days", "years", "seconds"), name


def test_the_blocking_rules_are_the_nineteen():
    blocking = {c["id"] for _, c in CRITERIA.values() if c["severity"] == "block"}
    assert " ".join(sorted(blocking)) == (
        "apcm-bundle clinician-scope code-effective consent-annual digital-inquiry documentation-permanent "
        "established-patient evaluative-content global-period hipaa-platform no-double-count not-telehealth "
        "once-per-7-days patient-initiated prior-em-7d rhc-fqhc same-day-em subsequent-em-7d time-min-5"
    )


def test_sentences_state_and_never_urge():
    urging = re.compile(r"\b(must|should|please|don't|never|make sure|try|only \w+ more|you)\b", re.IGNORECASE)
    for key, (_, criterion) in CRITERIA.items():
        for text in (criterion["because"], criterion["remedy"] or "", criterion.get("missing", {}).get("asks", "")):
            assert not urging.search(text), (key, text)


# --- dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "payer"), [*itertools.product(["em", "nonphysician"], PAYERS)])
def test_versions_follow_one_another_without_gap_or_overlap(family, payer):
    mine = [v for v in BOOK.versions if v["family"] == family and (v["payers"] is None or payer in v["payers"])]
    assert mine[0]["effective_from"] == "2020-01-01"
    assert mine[-1]["effective_to"] is None
    for earlier, later in itertools.pairwise(mine):
        last = date.fromisoformat(earlier["effective_to"])
        assert date.fromisoformat(later["effective_from"]) == last + timedelta(days=1)


def test_dates_are_days_and_in_order():
    for document in DOCUMENTS:
        first, last = document["effective_from"], document["effective_to"]
        assert date.fromisoformat(first) <= date.fromisoformat(document["verified_to"])
        assert last is None or date.fromisoformat(first) <= date.fromisoformat(last)
        for name, spec in document["parameters"].items():
            for entry in spec["value"] if isinstance(spec["value"], list) else []:
                if isinstance(entry, dict) and "first" in entry:
                    assert len(entry["first"]) == len(entry["last"]) and entry["first"] <= entry["last"], name
                    days = [date.fromisoformat(day) for day in (entry["from"], entry["to"]) if day]
                    assert days == sorted(days), name


def test_a_code_set_includes_only_base_files_that_hold_as_long():
    by_name = {document["version"]: document for document in DOCUMENTS}
    for document in DOCUMENTS:
        for name in document.get("includes", []):
            included = by_name[name]
            assert included["kind"] == "base"
            assert included["effective_from"] <= document["effective_from"]
            assert included["effective_to"] is None or included["effective_to"] >= (document["effective_to"] or "9999")


def test_tiers_ascend():
    for rules in BOOK.versions:
        minutes = [tier["min_minutes"] for tier in rules["tiers"]]
        assert minutes == sorted(set(minutes))


# --- coverage ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stem", "vector"), [v for v in VECTORS if "about" in v[1]], ids=lambda v: str(v)[:60])
def test_a_vector_shows_what_it_claims_of_its_criterion(stem, vector):
    chosen = {key: vector["rules"][key] for key in ("family", "payer_type", "on")}
    rules = BOOK.version(chosen["family"], chosen["payer_type"], chosen["on"])
    criterion = next(c for c in rules["criteria"] if key_of(c) == vector["about"])
    facts = engine.checked_facts(rules, {**BASE, **vector["facts"]})
    assert truth(rules, facts, criterion["when"]) is vector["truth"]


@pytest.mark.parametrize("key", CRITERIA)
def test_a_criterion_has_vectors_met_unmet_and_unknown(key):
    shown = {vector["truth"] for _, vector in VECTORS if vector.get("about") == key}
    assert {True, False} <= shown
    if None not in shown:
        assert not can_be_unknown(*CRITERIA[key]), "it can be unknown, and no vector shows it"


def can_be_unknown(rules, criterion):
    """Tries every combination of a few values of each fact that the condition reads."""
    facts, _ = names(criterion["when"])
    domains = {"boolean": [None, True, False], "integer": [None, 0, 720]}
    choices = [FACTS[name].get("values", domains.get(FACTS[name]["type"], ["x"])) for name in sorted(facts)]
    combinations = itertools.product(*[[None, *values] for values in choices])
    return any(
        truth(rules, dict(zip(sorted(facts), combination, strict=True)), criterion["when"]) is None
        for combination in combinations
    )


def test_every_tier_of_every_version_has_a_vector_at_both_edges():
    shown = {}
    for _, vector in VECTORS:
        rules = BOOK.version(*(vector["rules"][key] for key in ("family", "payer_type", "on")))
        seconds = {**BASE, **vector["facts"]}["counted_seconds"]
        shown.setdefault(rules["version"], set()).add(seconds)
    for rules in BOOK.versions:
        for tier in rules["tiers"]:
            first = tier["min_minutes"] * 60
            assert {first - 1, first} <= shown[rules["version"]], (rules["version"], tier["code"])


def test_every_vector_has_a_name_of_its_own():
    told = [(stem, vector["name"]) for stem, vector in VECTORS]
    assert len(told) == len(set(told))


def test_nothing_speaks_against_the_base():
    [[answer]] = by_python([job([BASE], family="em", payer_type="medicare_ffs", on=BASE["date_of_service"])])
    assert (answer["status"], answer["warnings"], answer["code"]) == ("reportable", [], "99422")


def test_every_given_fact_stands_in_the_base():
    assert set(BASE) == {name for name, spec in FACTS.items() if spec["by"] != "engine"}
