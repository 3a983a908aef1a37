"""A determination in few words: its chip, its sentences, the marks beside its reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.words import ASKED, BLOCKED, WAITS, named, number, short_day

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chip:
    """`kind` names a colour of the style sheet; mark and words say the same without it."""

    kind: str
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Tile:
    """A filter with its number; `status` None shows every episode."""

    status: str | None
    label: str
    count: int


_SEVERITIES = {
    "block": ("blocked", "✕", "blocks"),
    "hold": ("missing", "?", "not known yet"),
    "wait": ("hold", "◔", "waits"),
    "warn": ("hold", "!", "warns"),
    "info": ("ready", "✓", "for information"),
}


def chip(summary: Answer, today: date, *, approved: bool = False) -> Chip:
    """What stands in the way, or that nothing does. `summary`: of the determination (billing.determination.summary)."""
    if approved:
        return Chip("ready", "✓", f"Approved: {summary['code'] or 'no code'}")
    if summary["status"] == "reportable":
        return Chip("ready", "✓", f"Ready: {summary['code']}")
    if summary["status"] == "not_reportable":
        return Chip("blocked", "✕", _and_more(_first_sentence(summary["blocking"]), len(summary["blocking"])))
    start, end, until = (_day(summary[name]) for name in ("window_start", "window_end", "hold_until"))
    if start and end and start <= today <= end:
        return Chip("hold", "◔", f"Day {(today - start).days + 1} of {(end - start).days + 1}, open")
    if until and today < until:
        return Chip("hold", "◔", f"Hold until {short_day(until)}")
    if summary["missing"]:
        return Chip("missing", "?", _and_more(_first_question(summary["missing"]), len(summary["missing"])))
    return Chip("hold", "◔", "On hold")


def waiting(answer: Answer) -> list[dict[str, Any]]:
    """What nobody has said yet: id, asks, from (of whom, until when), and of its reason the remedy and the source.

    Without a remedy the reason's message stands in its place, where it says more than what is asked.
    """
    of_reason = {each["id"]: each for each in answer["reasons"] if each["severity"] == "hold"}
    found = []
    for each in answer["missing"]:
        reason = of_reason.get(each["id"], {})
        message = reason.get("message", "Not known: ")
        found.append(
            {
                "id": each["id"],
                "asks": each["asks"],
                "from": _from(each),
                "remedy": reason.get("remedy") or (None if message.startswith("Not known: ") else message),
                "source": reason.get("source"),
            }
        )
    return found


def reasons(answer: Answer) -> list[dict[str, Any]]:
    """Every reason with mark and words of its severity, what decides first, without those that `waiting` has."""
    asked = {each["id"] for each in answer["missing"]}
    order = list(_SEVERITIES)
    ranked = sorted(answer["reasons"], key=lambda each: order.index(each["severity"]))
    return [
        {**each, "kind": kind, "mark": mark, "says": says}
        for each in ranked
        for kind, mark, says in [_SEVERITIES[each["severity"]]]
        if each["severity"] != "hold" or each["id"] not in asked
    ]


def _from(missing: Mapping[str, Any]) -> str:
    until = _day(missing["until"])
    return f"asked of {named(ASKED, missing['of'])}" + (f", until {short_day(until)}" if until else "")


def tiles(counts: Mapping[str, int]) -> list[Tile]:
    return [
        Tile("reportable", "Ready", counts.get("reportable", 0)),
        Tile("approved", "Approved", counts.get("approved", 0)),
        Tile("hold", "On hold", counts.get("hold", 0)),
        Tile("not_reportable", "Not reportable", counts.get("not_reportable", 0)),
        Tile(None, "All episodes", sum(counts.values())),
    ]


def headline(counts: Mapping[str, int], status: str | None) -> tuple[str, str]:
    """The list's title, which is the answer, and the sentence under it."""
    ready, approved, hold, blocked = (
        counts.get(name, 0) for name in ("reportable", "approved", "hold", "not_reportable")
    )
    if status == "approved":
        return _are(approved, "approved"), "Each stands as it was approved; what comes later only raises a flag."
    if status == "hold":
        return _are(hold, "on hold"), "They wait for a day to pass or for a fact that nobody has said yet."
    if status == "not_reportable":
        return _are(blocked, "not reportable"), "Something in the rules stands against each; its page says what."
    others = ((hold, "on hold"), (approved, "approved"), (blocked, "not reportable"))
    rest = [f"{count:,} {name}" for count, name in others if count]
    if ready and (status == "reportable" or not rest):
        return _are(ready, "ready to bill"), "Nothing blocks them, nothing is missing, and their look-ahead has closed."
    if ready:
        return _are(ready, "ready to bill"), f"The others: {_and(rest)}."
    return _are(0, "ready to bill"), f"{_and(rest)}." if rest else "Nothing has been recorded yet."


def _and(parts: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(parts[:-1]), parts[-1]) if part)


def headline_of_search(count: int, *, most: int) -> tuple[str, str]:
    """The same for what a search found; of more than `most` only the newest are shown."""
    if count == 0:
        return (
            "No episode matches",
            "A search reads the beginning of a patient's reference, a clinician's name, a code.",
        )
    title = "One episode matches" if count == 1 else f"{number(count)} episodes match"
    return title, f"These are the newest {most}." if count == most else "Newest first."


def _are(count: int, what: str) -> str:
    return f"{number(count)} episode {'is'} {what}" if count in (0, 1) else f"{number(count)} episodes are {what}"


def _first_sentence(rules: Sequence[str]) -> str:
    """A few words about the first of the rules that block."""
    return named(BLOCKED, next(iter(rules), None), "Not reportable")


def _first_question(rules: Sequence[str]) -> str:
    """A few words about what is asked first of what these rules miss."""
    return named(WAITS, next((each for each in WAITS if each in rules), rules[0]))


def _and_more(first: str, count: int) -> str:
    if count == 1:
        return first
    return f"{first} And {count - 1} more" if first.endswith("?") else f"{first}, and {count - 1} more"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
