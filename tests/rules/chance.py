"""Random facts, for the shipped rules and for rules that nobody wrote; a seed gives the same ones again."""

from judges import FACTS, job

FACTS_PER_RULES = 10
DAYS = ["2019-12-31", "2020-01-01", "2020-06-30", "2020-12-31", "2021-01-01", "2024-02-29", "2026-12-31", "2027-01-01"]
PAYERS = ["medicare_ffs", "medicare_advantage", "commercial", "medicaid", "self_pay", None]
TEXTS = ["02", "11", "PT", "MD", "", "ß ✓", "MD "]
SECONDS = [0, 1, 59, 60, 61, 299, 300, 659, 660, 1259, 1260, 86400, 2**53 - 1]
WRONG = [True, 1, 1.5, -1, "x", "2026-02-30", "0000-01-01", "2026-04-06\n", 2**53, 2.0]


def real_job(chance):
    settings = {}
    if chance.random() < 0.3:
        settings = chance.choice(
            [{"consent_covers": "whole_period"}, {"telehealth_pos": []}, {"consent_required_payers": ["commercial"]},
             {"release_after_days": 3}, {"simultaneous_clinicians": "each"}, {"period_days": 9}]
        )  # fmt: skip
    given = [random_facts(chance, FACTS) for _ in range(FACTS_PER_RULES)]
    family = chance.choice(["em", "nonphysician"])
    return job(given, family=family, payer_type=chance.choice(PAYERS), on=chance.choice(DAYS), settings=settings)


def random_facts(chance, dictionary):
    """Facts of which a part is known; a few lists hold a wrong one."""
    known = chance.choice([0.1, 0.5, 0.9, 1.0])
    calm = chance.random() < 0.3  # flags mostly false: only then is an episode ever reportable
    facts = {
        name: random_value(chance, spec, calm) if chance.random() < known else None
        for name, spec in dictionary.items()
        if spec["by"] != "engine" and chance.random() < 0.97
    }
    if calm:
        facts |= calm_facts(dictionary)
    if chance.random() < 0.03:
        facts[chance.choice([*dictionary, "weather", "__proto__", "constructor"])] = chance.choice(WRONG)
    return facts


def calm_facts(dictionary):
    good = {
        "qualifying_review": True, "review_overdue": False, "period_running": False, "lookahead_open": False,
        "initiated_by": "patient", "channel": "portal", "hipaa_compliant": True, "evaluative": True,
        "established": True,
        "visits_known": True, "visits_read_after_lookahead": True, "permanently_stored": True, "consent": "all",
        "practice_setting": "office", "payer_type": "medicare_ffs", "date_of_service": "2024-02-29",
        "patient_known": True, "inquiry_at_known": True, "claim_pos": "11",
        **{name: 720 for name in FACTS if name.startswith("counted_seconds")},
    }  # fmt: skip
    return {name: value for name, value in good.items() if name in dictionary}


def random_value(chance, spec, calm):
    if spec["type"] == "boolean":
        return chance.random() < (0 if calm else 0.5)
    if spec["type"] == "integer":
        return chance.choice(SECONDS)
    if spec["type"] == "date":
        return chance.choice(DAYS)
    return chance.choice(spec.get("values", TEXTS))


# --- rules that nobody wrote ------------------------------------------------------------------------------------------


def made_up_job(chance):
    facts = made_up_facts(chance)
    parameters = {
        "days": {"value": chance.randrange(30), "setting": {"type": "integer", "minimum": 0, "maximum": 9}},
        "texts": {"value": chance.sample(TEXTS, 3), "setting": {"type": "list"}},
        "word": {"value": chance.choice(TEXTS), "setting": {"type": "string", "choices": TEXTS[:2]}},
        "flag": {"value": chance.random() < 0.5},
        "first_day": {"value": chance.choice(DAYS)},
    }
    minutes = sorted(chance.sample(range(30), chance.randrange(1, 5)))
    base = {"version": "base", "kind": "base", "verified_to": chance.choice(DAYS), "parameters": parameters}
    code_set = {
        "version": "made-up", "kind": "codes", "family": "em", "payers": None, "credentials": [], "parameters": {},
        "effective_from": chance.choice(DAYS[:3]), "effective_to": chance.choice([None, *DAYS[3:]]),
        "verified_to": chance.choice(DAYS), "includes": ["base"],
        "tiers": [{"min_minutes": m, "code": f"X{m:04d}"} for m in minutes],
        "criteria": [made_up_criterion(chance, facts, n) for n in range(3)],
    }  # fmt: skip
    base["criteria"] = [made_up_criterion(chance, facts, n) for n in range(3)]
    settings = chance.choice([{}, {"days": chance.randrange(12)}, {"texts": ["11"]}, {"word": "02"}, {"word": "zz"}])
    return job(
        [random_facts(chance, facts) for _ in range(FACTS_PER_RULES)],
        family=chance.choice(["em"] * 9 + ["nonphysician"]),
        payer_type=chance.choice(PAYERS),
        on=chance.choice(DAYS),
        settings=settings,
        book={"documents": [code_set, base], "facts": facts},
    )


def made_up_facts(chance):
    names = chance.sample(sorted(FACTS), 12)
    return {name: FACTS[name] for name in {*names, "counted_seconds", "date_of_service", "projected_code"}}


def made_up_criterion(chance, facts, number):
    severity = chance.choice(["block", "hold", "wait", "warn", "info", "info"])
    return {
        "id": f"rule-{number}",
        "severity": severity,
        "when": made_up_condition(chance, sorted(facts), depth=3),
        "when_unknown": chance.choice(["hold", "wait", "warn", "pass", "pass"]),
        "because": "{counted_seconds:duration} {date_of_service:day}: {code_list}, {texts}, {days}, {first_day:day}.",
        "source": "nobody",
        "remedy": chance.choice([None, "Before {verified_to:day}, from {min_minutes}."]),
        "curable": chance.random() < 0.5,
        "missing": {"asks": "Über {counted_seconds}", "of": "staff", "until": chance.choice([None, "date_of_service"])},
    }


def made_up_condition(chance, names, depth):
    if depth and chance.random() < 0.6:
        word = chance.choice(["all", "any", "not"])
        if word == "not":
            return {"not": made_up_condition(chance, names, depth - 1)}
        return {word: [made_up_condition(chance, names, depth - 1) for _ in range(chance.randrange(1, 4))]}
    name = chance.choice(names)
    literal = chance.choice([True, False, 0, 1, 300, 720, "11", "2024-02-29", "patient"])
    operands = [
        literal,
        {"param": chance.choice(["days", "word", "flag", "first_day"])},
        {"fact": chance.choice(names)},
    ]
    left = chance.choice([{"fact": name}, {"fact": name}, {"param": chance.choice(["days", "word", "flag"])}])
    return chance.choice(
        [
            {"known": name},
            {"has_band": "counted_seconds"},
            {"same_band": ["counted_seconds", "counted_seconds"]},
            {**left, "is": chance.choice(operands)},
            {**left, "in": chance.choice([[True, 1, "11", "patient"], {"param": "texts"}])},
            {**left, chance.choice(["lt", "le", "gt", "ge"]): chance.choice(operands)},
        ]
    )
