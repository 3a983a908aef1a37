"""The rules of online visits, applied: a version and facts in, an answer with its reasons out.

The format is written in README.md; `engine.js` gives the same answer. Nothing here reads a clock, and no threshold of
days, minutes or years stands here: they stand in `rules/*.json`.

    book = load()
    rules = book.version("em", "medicare_ffs", date(2026, 4, 6))
    rules["parameters"]["lookback_days"]       # what billing reduces lists with
    evaluate(rules, {"qualifying_review": True, "counted_seconds": 720, ...})["code"]

A fact that is absent or None is not known. Conditions have three values, `True`, `False` and `None` (unknown).
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from shared_rules.conditions import SECONDS_A_MINUTE, Rules, compiled, equal, tier_of

LARGEST_INTEGER = (1 << 53) - 1  # beyond it JavaScript cannot tell neighbours apart
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)(?::(day|duration))?\}")
_WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class RulesError(ValueError):
    """The rules data contradicts itself: an unknown name, an inclusion that is not there."""


class FactError(ValueError):
    """A fact is not in the dictionary, or not of its type. The message names the fact, never its value."""


class SettingError(ValueError):
    """A setting is not one of the version's, or outside what it allows."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Every version there is. `versions` are sorted by `effective_from`; `facts` is the dictionary of facts.json.

    `digest` is another one as soon as anything in the rules or in the dictionary is.
    """

    versions: tuple[Rules, ...]
    facts: Mapping[str, Any]
    digest: str

    def version(self, family: str, payer_type: str | None, on: date | str) -> Rules:
        """The version of `family` for this payer in force on that day.

        Before the first version, the first one (its criterion `code-effective` blocks then). RulesError for a family
        or a payer that no version knows.
        """
        day = on if isinstance(on, str) else on.isoformat()
        fitting = [v for v in self.versions if v["family"] == family and _is_for(v, payer_type)]
        if not fitting:
            raise RulesError(f"no rules for family {family} and payer {payer_type}")
        in_force = [v for v in fitting if _within(v["effective_from"], v["effective_to"], day)]
        return (in_force or fitting)[0]

    def family_of(self, credential: str) -> str:
        """em, nonphysician, or staff: whose time never counts."""
        return next((v["family"] for v in self.versions if credential in v["credentials"]), "staff")


def load(documents: Iterable[Mapping[str, Any]] | None = None, facts: Mapping[str, Any] | None = None) -> RuleBook:
    """The rule book from parsed rules files and facts dictionary; without them, from the files beside this one."""
    here = Path(__file__).parent
    if documents is None:
        documents = [json.loads(p.read_text(encoding="utf-8")) for p in sorted((here / "rules").glob("*.json"))]
    if facts is None:
        facts = json.loads((here / "facts.json").read_text(encoding="utf-8"))["facts"]
    by_name = {d["version"]: d for d in documents}
    versions = [_merged(d, by_name, facts) for d in by_name.values() if d["kind"] == "codes"]
    said = json.dumps([by_name[name] for name in sorted(by_name)] + [facts], sort_keys=True)
    return RuleBook(
        tuple(sorted(versions, key=lambda v: (v["effective_from"], v["version"]))),
        facts,
        sha256(said.encode()).hexdigest(),
    )


def _merged(document: Mapping[str, Any], by_name: Mapping[str, Any], facts: Mapping[str, Any]) -> Rules:
    unknown = [name for name in document["includes"] if name not in by_name]
    if unknown:
        raise RulesError(f"{document['version']} includes {unknown[0]}, which is not there")
    parts = [*(by_name[name] for name in document["includes"]), document]
    merged = {k: document[k] for k in ("version", "family", "payers", "effective_from", "effective_to", "credentials")}
    merged["verified_to"] = min(part["verified_to"] for part in parts)
    merged["tiers"] = document["tiers"]
    specs = {name: spec for part in parts for name, spec in part["parameters"].items()}
    merged["parameters"] = {name: spec["value"] for name, spec in specs.items()}
    merged["settings"] = {name: spec for name, spec in specs.items() if "setting" in spec}  # as they are written
    merged["changed_settings"] = {}
    merged["criteria"] = [criterion for part in parts for criterion in part["criteria"]]
    merged["facts"] = facts
    return _ready(merged)


def _ready(rules: Rules) -> Rules:
    """With each criterion's condition as a function, under the key `conditions`."""
    return rules | {"conditions": [compiled(rules, criterion["when"]) for criterion in rules["criteria"]]}


def _is_for(rules: Rules, payer_type: str | None) -> bool:
    return rules["payers"] is None or payer_type in rules["payers"]


def _within(first: str | None, last: str | None, day: str) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def in_codes(entries: Iterable[Mapping[str, Any]], code: str, on: date | str | None = None) -> bool:
    """Whether a parameter such as `ctbs_codes` lists this code, in force on that day (None: on any)."""
    day = on.isoformat() if isinstance(on, date) else on
    return any(
        len(code) == len(e["first"])
        and e["first"] <= code <= e["last"]
        and (day is None or _within(e["from"], e["to"], day))
        for e in entries
    )


def with_settings(rules: Rules, settings: Mapping[str, Any]) -> Rules:
    """The same version with a practice's or a payer's settings in its parameters; SettingError names a bad one."""
    if not settings:
        return rules
    parameters = dict(rules["parameters"])
    for name, value in settings.items():
        if name not in rules["settings"]:
            raise SettingError(f"{name} is not a setting; settings are {', '.join(sorted(rules['settings']))}")
        _check_setting(name, rules["settings"][name]["setting"], value)
        parameters[name] = value
    changed = {name: value for name, value in settings.items() if not equal(rules["parameters"][name], value)}
    return _ready({**rules, "parameters": parameters, "changed_settings": {**rules["changed_settings"], **changed}})


def _check_setting(name: str, spec: Mapping[str, Any], value: Any) -> None:
    if spec["type"] == "integer":
        low, high = spec["minimum"], spec["maximum"]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise SettingError(f"{name} is a whole number from {low} to {high}")
        return
    chosen = value if spec["type"] == "list" else [value]
    if not isinstance(chosen, list) or not all(isinstance(item, str) for item in chosen):
        raise SettingError(f"{name} is a {'list of texts' if spec['type'] == 'list' else 'text'}")
    if "choices" in spec and not all(item in spec["choices"] for item in chosen):
        raise SettingError(f"{name} is one of {', '.join(spec['choices'])}")


# --- facts ------------------------------------------------------------------------------------------------------------


def checked_facts(rules: Rules, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The known facts, each of its type, and those that the engine derives; FactError names a bad one."""
    known = {}
    for name, value in facts.items():
        spec = rules["facts"].get(name)
        if spec is None or spec["by"] == "engine":
            raise FactError(f"{name} is not a fact that may be given")
        if value is not None:
            known[name] = _typed(name, spec, value)
    return known | _derived(rules, known)


def _typed(name: str, spec: Mapping[str, Any], value: Any) -> Any:
    kind = spec["type"]
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        value = int(value)  # JavaScript cannot tell 5.0 from 5
    if not _FITS[kind](value):
        article = {"integer": "a whole number not below 0", "date": "a day as YYYY-MM-DD"}.get(kind, f"a {kind}")
        raise FactError(f"{name} is {article}")
    if "values" in spec and value not in spec["values"]:
        raise FactError(f"{name} is one of {', '.join(spec['values'])}")
    return value


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


_FITS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: value is True or value is False,
    "integer": lambda value: type(value) is int and 0 <= value <= LARGEST_INTEGER,
    "string": lambda value: isinstance(value, str),
    "date": lambda value: isinstance(value, str) and _is_day(value),
}


def _derived(rules: Rules, facts: Mapping[str, Any]) -> dict[str, Any]:
    derived: dict[str, Any] = {}
    day, seconds = facts.get("date_of_service"), facts.get("counted_seconds")
    if day is not None:
        derived["codes_in_force"] = _within(rules["effective_from"], rules["effective_to"], day)
        derived["code_set_verified"] = day <= rules["verified_to"]
    if seconds is not None:
        derived["counted_minutes"] = seconds // SECONDS_A_MINUTE
        tier = tier_of(rules["tiers"], seconds)
        if tier is not None and derived.get("codes_in_force"):
            derived["projected_code"] = tier["code"]
    return derived


# --- answers ----------------------------------------------------------------------------------------------------------


def evaluate(rules: Rules, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What the rules say of these facts.

    status, eligible, code, projected_code, family, blocking, warnings (ids, each once, in the rules' order),
    missing [{id, asks, of, until}], reasons [{id, severity, message, source, remedy, curable}], counted_minutes,
    rules_version, settings (those that differ from the version's own). FactError for a fact that is not one.
    """
    known = checked_facts(rules, facts)
    blocking: dict[str, None] = {}
    warnings: dict[str, None] = {}
    missing: dict[str, Any] = {}
    reasons = []
    waits = False
    for criterion, condition in zip(rules["criteria"], rules["conditions"], strict=True):
        value = condition(known)
        effect = criterion["severity"] if value else criterion["when_unknown"] if value is None else "pass"
        if effect == "pass":
            continue
        name = criterion["id"]
        waits = waits or effect in ("hold", "wait")
        if effect == "block":
            blocking[name] = None
        elif effect == "warn":
            warnings[name] = None
        elif effect == "hold":
            missing.setdefault(name, _missing(rules, known, criterion))
        reasons.append(_reason(rules, known, criterion, effect, asked=value is None and effect == "hold"))
    status = "not_reportable" if blocking else "hold" if waits else "reportable"
    projected = known.get("projected_code")
    return {
        "status": status,
        "eligible": status == "reportable",
        "code": projected if status == "reportable" else None,
        "projected_code": projected,
        "family": rules["family"],
        "blocking": list(blocking),
        "warnings": list(warnings),
        "missing": list(missing.values()),
        "reasons": reasons,
        "counted_minutes": known.get("counted_minutes"),
        "rules_version": rules["version"],
        "settings": dict(rules["changed_settings"]),
    }


def _missing(rules: Rules, facts: Mapping[str, Any], criterion: Mapping[str, Any]) -> dict[str, Any]:
    missing = criterion["missing"]
    until = missing["until"] and facts.get(missing["until"])
    return {
        "id": criterion["id"],
        "asks": _sentence(rules, facts, missing["asks"]),
        "of": missing["of"],
        "until": until,
    }


def _reason(
    rules: Rules, facts: Mapping[str, Any], criterion: Mapping[str, Any], effect: str, *, asked: bool
) -> dict[str, Any]:
    """The reason as a person reads it. One that only waits for an answer says what is not known, and is curable."""
    text = f"Not known: {_lowered(criterion['missing']['asks'])}." if asked else criterion["because"]
    remedy = criterion["remedy"]
    return {
        "id": criterion["id"],
        "severity": effect,
        "message": _sentence(rules, facts, text),
        "source": criterion["source"],
        "remedy": None if remedy is None else _sentence(rules, facts, remedy),
        "curable": asked or criterion["curable"],
    }


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _sentence(rules: Rules, facts: Mapping[str, Any], template: str) -> str:
    def filled(match: re.Match[str]) -> str:
        value = _named(rules, facts, match[1])
        if value is None:
            return "(not known)"
        if match[2] == "day":
            return _day_text(value)
        if match[2] == "duration":
            minutes, seconds = divmod(value, SECONDS_A_MINUTE)
            return f"{minutes} min {seconds:02d} s" if minutes else f"{seconds} s"
        return ", ".join(value) if isinstance(value, list) else str(value)

    return _PLACEHOLDER.sub(filled, template)


def _named(rules: Rules, facts: Mapping[str, Any], name: str) -> Any:
    """What a placeholder stands for: a fact, a parameter, or one of the version's own three."""
    if name in rules["facts"]:
        return facts.get(name)
    if name == "min_minutes":
        return rules["tiers"][0]["min_minutes"]
    if name == "code_list":
        return [tier["code"] for tier in rules["tiers"]]
    return rules["verified_to"] if name == "verified_to" else rules["parameters"][name]


def _day_text(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"
