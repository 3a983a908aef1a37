"""The rules as one page of Markdown, docs/rules.md, written from rules/*.json and facts.json alone.

python -m shared_rules.describe        # prints the page; `make rules-page` writes it
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared_rules.in_words import Wording, codes, dates, table, words

Document = Mapping[str, Any]

HERE = Path(__file__).parent
FAMILIES = {
    "em": "Physicians and others who may report evaluation and management",
    "nonphysician": "Other professions with codes of their own",
}
SECTIONS = [
    (
        "What blocks",
        ("block",),
        "An episode is not reportable while one of these is so. Most of them hold an episode as long as nobody has "
        "said whether they are.",
    ),
    (
        "What holds",
        ("hold", "wait"),
        "Nothing speaks against the episode, but it is not decided yet: an answer is missing, or a day has not come.",
    ),
    ("What warns", ("warn",), "The episode stays reportable; whoever approves it reads the warning first."),
    ("What informs", ("info",), "Nothing follows from these. They say how the answer came about."),
]
UNKNOWN = {"hold": "holds", "wait": "waits", "warn": "warns all the same", "pass": "nothing follows"}
SUPPLIERS = {
    "counting": "the recorded time, as Threadtime counts it",
    "practice": "the practice's own description",
    "coverage": "the patient's coverage",
    "record": "the stored record of patients and clinicians",
    "inquiry": "the patient's message",
    "attestation": "a clinician's attestation",
    "visits": "the schedule",
    "history": "the history of visits",
    "claims": "claims, operations and enrolments",
    "claim_draft": "the draft of the claim",
    "consents": "the consents on file",
    "notices": "the notices on file",
    "engine": "the engine itself, from the other facts",
}
TYPES = {"boolean": "yes or no", "string": "text", "date": "a day"}


@dataclass(frozen=True, slots=True)
class CodeSet:
    """A family's version with what it includes: parameters by name, criteria in the order in which they are told."""

    document: Document
    verified_to: str
    parameters: Mapping[str, Any]
    criteria: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Held:
    """A criterion or a parameter, with every code set in which it reads the same."""

    says: Mapping[str, Any]
    sets: list[CodeSet]


def page(documents: Sequence[Document], facts: Mapping[str, Any]) -> str:
    """The whole page, from the parsed rules files and the dictionary of facts."""
    sets = code_sets(documents)
    parameters = _alike((name, {"name": name, **spec}, each) for each in sets for name, spec in each.parameters.items())
    criteria = _alike((_name(says), says, each) for each in sets for says in each.criteria)
    wording = Wording(facts, _constants(sets, parameters))
    lines = [*_opening(sets), *_codes(sets), *_by_name(criteria, sets)]
    for title, severities, meaning in SECTIONS:
        chosen = [held for held in criteria if held.says["severity"] in severities]
        lines += ["", f"## {title}", "", meaning]
        for held in chosen:
            lines += _criterion(held, criteria, sets, wording)
    lines += [*_related(parameters, sets), *_parameters(parameters, sets), *_facts(facts)]
    return "\n".join(lines) + "\n"


def code_sets(documents: Sequence[Document]) -> list[CodeSet]:
    """Every code set with what it includes, by family and then by date."""
    by_name = {document["version"]: document for document in documents}
    found = []
    for document in documents:
        if document["kind"] == "codes":
            parts = [*(by_name[name] for name in document["includes"]), document]
            specs = {name: spec for part in parts for name, spec in part["parameters"].items()}
            criteria = [criterion for part in parts for criterion in part["criteria"]]
            found.append(CodeSet(document, min(part["verified_to"] for part in parts), specs, criteria))
    return sorted(found, key=lambda s: (s.document["family"], s.document["effective_from"], s.document["version"]))


def _alike(entries: Iterable[tuple[str, Mapping[str, Any], CodeSet]]) -> list[Held]:
    """What reads the same in several code sets, once."""
    found: dict[tuple[str, str], Held] = {}
    for name, says, each in entries:
        found.setdefault((name, json.dumps(says, sort_keys=True)), Held(says, [])).sets.append(each)
    return list(found.values())


def _constants(sets: Sequence[CodeSet], parameters: Sequence[Held]) -> dict[str, Any]:
    """What a sentence may fill in: each parameter, and each value of a version's own, that is the same everywhere."""
    values = {held.says["name"]: held.says["value"] for held in parameters if len(held.sets) == len(sets)}
    own = {
        "min_minutes": {each.document["tiers"][0]["min_minutes"] for each in sets},
        "verified_to": {each.verified_to for each in sets},
    }
    return values | {name: next(iter(found)) for name, found in own.items() if len(found) == 1}


# --- the page's parts -------------------------------------------------------------------------------------------------


def _opening(sets: Sequence[CodeSet]) -> list[str]:
    verified = min(each.verified_to for each in sets if each.document["effective_to"] is None)
    return [
        "# The rules",
        "",
        "<!-- Written by `make rules-page` from shared_rules/rules and facts.json; a change here is lost. -->",
        "",
        "This page says when Threadtime calls an episode reportable, with which code, and why not. It is written from "
        "the data that decides, so it says what the program does.",
        "",
        f"The rules are verified for dates of service until {verified}. The date of service, which is day 1 of the "
        "episode, decides which code set holds.",
        "",
        "An episode is *reportable* when nothing blocks it and nothing holds it. The answer is a suggestion for a "
        "person; nothing is billed by it.",
        "",
        "How to read a rule:",
        "",
        "- Its heading is its name in the reports. After a colon stands which case of the rule it is.",
        "- The quoted sentence is what people are shown. Words in italics stand for the episode's own values; numbers "
        "are the rules', and [a practice may set](#what-a-practice-may-set) some of them.",
        "- Names `like_this` are [facts](#facts) or parameters. A fact that nobody knows (null) is neither yes nor no. "
        "That a fact *is known* stands in a condition to limit when people are asked for it.",
        "- Seconds *reach a code* when their whole minutes are at least those of the first code. Two amounts *reach "
        "the same code* also where both reach none.",
        "- *Curable* says whether a person can still bring about what is missing.",
        "",
        "[How the data is written](../shared_rules/README.md) · [Adding a rule](adding-a-rule.md) · "
        "[Next year's rules](next-years-rules.md) · [Words](glossary.md)",
    ]


def _codes(sets: Sequence[CodeSet]) -> list[str]:
    lines = ["", "## Codes"]
    for family in dict.fromkeys(each.document["family"] for each in sets):
        mine = [each for each in sets if each.document["family"] == family]
        lines += ["", f"### {FAMILIES.get(family, family)} (`{family}`)", ""]
        for credentials in dict.fromkeys(words(each.document["credentials"]) for each in mine):
            lines += [f"Credentials: {credentials}.", ""]
        heads = ("Code set", "Dates of service", "Payers", "Counted minutes and code", "Verified until", "Source")
        lines += table(heads, (_code_set(each) for each in mine))
    return lines


def _code_set(each: CodeSet) -> list[str]:
    document = each.document
    payers = "all" if document["payers"] is None else ", ".join(p or "not known" for p in document["payers"])
    return [
        f"`{document['version']}`",
        dates(document["effective_from"], document["effective_to"]),
        payers,
        "<br>".join(_tiers(document["tiers"])),
        each.verified_to,
        document["source"],
    ]


def _tiers(tiers: Sequence[Mapping[str, Any]]) -> list[str]:
    ends = [f"to {tier['min_minutes'] - 1}" for tier in tiers[1:]] + ["and more"]
    return [f"{tier['min_minutes']} {end}: {tier['code']}" for tier, end in zip(tiers, ends, strict=True)]


def _name(criterion: Mapping[str, Any]) -> str:
    return ": ".join(part for part in (criterion["id"], criterion.get("variant")) if part)


def _title(held: Held, every: Sequence[Held], sets: Sequence[CodeSet]) -> str:
    """The name, and the dates where the rule reads otherwise in another code set."""
    name = _name(held.says)
    alone = sum(_name(other.says) == name for other in every) == 1
    return name if alone else f"{name} ({_in_force(held.sets, sets)})"


def _by_name(criteria: Sequence[Held], sets: Sequence[CodeSet]) -> list[str]:
    """A table in which a rule is looked up: where it blocks, holds, warns or informs."""
    columns = [severities for _, severities, _ in SECTIONS]
    rows: dict[str, list[list[str]]] = {}
    for held in criteria:
        cells = rows.setdefault(held.says["id"], [[] for _ in columns])
        column = next(n for n, severities in enumerate(columns) if held.says["severity"] in severities)
        title = _title(held, criteria, sets)
        cells[column].append(f"[{title.removeprefix(held.says['id']).lstrip(': ') or 'yes'}](#{anchor(title)})")
    heads = ("Rule", "blocks", "holds", "warns", "informs")
    lines = table(heads, ([f"`{name}`", *map(", ".join, found)] for name, found in sorted(rows.items())))
    return ["", "## Rules by name", "", *lines]


def anchor(title: str) -> str:
    """What a heading is linked by."""
    return re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-")


def _criterion(held: Held, every: Sequence[Held], sets: Sequence[CodeSet], wording: Wording) -> list[str]:
    says = held.says
    first, *rest = wording.condition(says["when"])
    remedy = f" **Remedy:** {wording.sentence(says['remedy'])}" if says["remedy"] else ""
    return [
        "",
        f"### {_title(held, every, sets)}",
        "",
        f"> {wording.sentence(says['because'])}",
        "",
        f"- **When** {first}",
        *rest,
        *_while_unknown(says, wording),
        f"- **Curable:** {words(says['curable'])}.{remedy}",
        f"- **Source:** {says['source']}. In force: {_in_force(held.sets, sets)}.",
    ]


def _while_unknown(says: Mapping[str, Any], wording: Wording) -> list[str]:
    if says["when_unknown"] == "pass":
        return [_asks(says, wording)] if says["severity"] == "hold" else []
    if says["when_unknown"] == "hold":
        return [f"- **While that is not known** it holds.{_asked(says, wording)}"]
    return [f"- **While that is not known** it {UNKNOWN[says['when_unknown']]}."]


def _asks(says: Mapping[str, Any], wording: Wording) -> str:
    return f"- **It waits for an answer.**{_asked(says, wording)}"


def _asked(says: Mapping[str, Any], wording: Wording) -> str:
    missing = says["missing"]
    until = f", until `{missing['until']}`" if missing["until"] else ""
    return f" Asked of the {missing['of']}{until}: {wording.sentence(missing['asks'])}."


def _in_force(mine: Sequence[CodeSet], every: Sequence[CodeSet]) -> str:
    """The dates of service, and whose where it is not everybody's."""
    last = [each.document["effective_to"] for each in mine]
    span = dates(min(each.document["effective_from"] for each in mine), None if None in last else max(last))
    return span if len(mine) == len(every) else f"{span}, {_in_sets(mine, every)}"


def _in_sets(mine: Sequence[CodeSet], every: Sequence[CodeSet]) -> str:
    """The family where all of its code sets are meant, else the code sets."""
    names: list[str] = []
    for family in dict.fromkeys(each.document["family"] for each in mine):
        own = [each.document["version"] for each in mine if each.document["family"] == family]
        whole = len(own) == sum(each.document["family"] == family for each in every)
        names += [family] if whole else own
    return "in " + ", ".join(f"`{name}`" for name in names)


def _related(parameters: Sequence[Held], sets: Sequence[CodeSet]) -> list[str]:
    lines = ["", "## Related services", ""]
    lines += ["Other services that share time or a communication with an online visit, or exclude it."]
    for held in parameters:
        if _lists_codes(held.says["value"]):
            only = "" if len(held.sets) == len(sets) else f" ({_in_sets(held.sets, sets)})"
            lines += ["", f"### {held.says['name']}{only}", "", held.says["meaning"], ""]
            by_dates: dict[str, list[str]] = {}
            for each in held.says["value"]:
                by_dates.setdefault(dates(each["from"], each["to"]), []).append(codes(each["first"], each["last"]))
            rows = ([when, ", ".join(listed)] for when, listed in by_dates.items())
            lines += [*table(("Dates of service", "Codes"), rows), "", f"Source: {held.says['source']}."]
    return lines


def _lists_codes(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) and "first" in item for item in value)


def _parameters(parameters: Sequence[Held], sets: Sequence[CodeSet]) -> list[str]:
    rest = sorted((h for h in parameters if not _lists_codes(h.says["value"])), key=lambda h: str(h.says["name"]))
    free = [held for held in rest if "setting" in held.says]
    fixed = [held for held in rest if "setting" not in held.says]
    heads = ("Parameter", "Value", "Meaning", "Source")
    return [
        "",
        "## What a practice may set",
        "",
        "A practice may differ from these within what the third column allows, and where it says so from payer to "
        "payer. What differs is written on the answer.",
        "",
        *table(
            ("Parameter", "Value", "Allowed", "Meaning", "Source"),
            ([*(row := _parameter(held, sets))[:2], _allowed(held.says), *row[2:]] for held in free),
        ),
        "",
        "## What is fixed",
        "",
        *table(heads, (_parameter(held, sets) for held in fixed)),
    ]


def _parameter(held: Held, sets: Sequence[CodeSet]) -> list[str]:
    says = held.says
    value = words(says["value"])
    if isinstance(says["value"], int) and "unit" in says:
        value += f" {says['unit'].removesuffix('s') if says['value'] == 1 else says['unit']}"
    only = "" if len(held.sets) == len(sets) else f" ({_in_sets(held.sets, sets)})"
    return [f"`{says['name']}`", value, f"{says['meaning']}{only}", says["source"]]


def _allowed(says: Mapping[str, Any]) -> str:
    setting = says["setting"]
    if setting["type"] == "integer":
        allowed = f"{setting['minimum']} to {setting['maximum']}"
    elif "choices" in setting:
        allowed = f"{'any' if setting['type'] == 'list' else 'one'} of {words(setting['choices'])}"
    else:
        allowed = f"any {setting['type']}"
    return f"{allowed}; payer by payer" if setting.get("by_payer") else allowed


def _facts(facts: Mapping[str, Any]) -> list[str]:
    lines = ["", "## Facts", "", "What the rules may ask, by who supplies it."]
    for supplier in dict.fromkeys(spec["by"] for spec in facts.values()):
        rows = [[f"`{name}`", _kind(spec), spec["meaning"]] for name, spec in facts.items() if spec["by"] == supplier]
        lines += ["", f"### From {SUPPLIERS.get(supplier, supplier)}", ""]
        lines += table(("Fact", "What it is", "Meaning"), rows)
    return lines


def _kind(spec: Mapping[str, Any]) -> str:
    if "values" in spec:
        return f"one of {words(spec['values'])}"
    return str(spec.get("unit", "number")) if spec["type"] == "integer" else TYPES[spec["type"]]


def main() -> None:
    """Prints the page of the shipped rules."""
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((HERE / "rules").glob("*.json"))]
    facts = json.loads((HERE / "facts.json").read_text(encoding="utf-8"))["facts"]
    sys.stdout.buffer.write(page(documents, facts).encode())


if __name__ == "__main__":
    main()
