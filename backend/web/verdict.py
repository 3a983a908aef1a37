"""A determination in few words: its chip, its sentences, the marks beside its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.words import ASKED, named, number, short_day

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


def chip(answer: Answer, today: date, *, approved: bool = False) -> Chip:
    """What stands in the way, or that nothing does."""
    if approved:
        return Chip("ready", "✓", f"Approved: {answer['code'] or 'no code'}")
    if answer["status"] == "reportable":
        return Chip("ready", "✓", f"Ready: {answer['code']}")
    if answer["status"] == "not_reportable":
        return Chip("blocked", "✕", f"{_first_sentence(answer)}{_more(len(answer['blocking']))}")
    start, end, until = (_day(answer[name]) for name in ("window_start", "window_end", "hold_until"))
    if start and end and start <= today <= end:
        return Chip("hold", "◔", f"Day {(today - start).days + 1} of {(end - start).days + 1}, open")
    if until and today < until:
        return Chip("hold", "◔", f"Hold until {short_day(until)}")
    if answer["missing"]:
        return Chip("missing", "?", f"{answer['missing'][0]['asks']}{_more(len(answer['missing']))}")
    return Chip("hold", "◔", "On hold")


def reasons(answer: Answer) -> list[dict[str, Any]]:
    """Every reason with mark and words of its severity, what decides first. A reason that waits for a fact has `from`:
    of whom it is asked, and until which day."""
    asked = {each["id"]: each for each in answer["missing"]}
    told = {each["id"] for each in answer["reasons"]}
    untold = [
        {
            "id": each["id"],
            "severity": "hold",
            "message": f"Not known: {each['asks'][0].lower()}{each['asks'][1:]}.",
            "source": None,
            "remedy": None,
        }
        for each in answer["missing"]
        if each["id"] not in told
    ]
    order = list(_SEVERITIES)
    ranked = sorted([*answer["reasons"], *untold], key=lambda each: order.index(each["severity"]))
    return [
        {**each, "kind": kind, "mark": mark, "says": says, "from": _from(asked[each["id"]]) if waits else None}
        for each in ranked
        for kind, mark, says in [_SEVERITIES[each["severity"]]]
        for waits in [each["severity"] == "hold" and each["id"] in asked]
    ]


def _from(missing: Mapping[str, Any]) -> str:
    until = _day(missing["until"])
    return f"to be said by {named(ASKED, missing['of'])}" + (f", until {short_day(until)}" if until else "")


def tiles(counts: Mapping[str, int]) -> list[Tile]:
    return [
        Tile("reportable", "Ready to bill", counts.get("reportable", 0)),
        Tile("hold", "On hold", counts.get("hold", 0)),
        Tile("not_reportable", "Not reportable", counts.get("not_reportable", 0)),
        Tile(None, "All episodes", sum(counts.values())),
    ]


def headline(counts: Mapping[str, int], status: str | None) -> tuple[str, str]:
    """The list's title, which is the answer, and the sentence under it."""
    ready, hold, blocked = (counts.get(name, 0) for name in ("reportable", "hold", "not_reportable"))
    if status == "hold":
        return _are(hold, "on hold"), "They wait for a day to pass or for a fact that nobody has said yet."
    if status == "not_reportable":
        return _are(blocked, "not reportable"), "Something in the rules stands against each; its page says what."
    if ready:
        return _are(ready, "ready to bill"), "Nothing blocks them, nothing is missing, and their look-ahead has closed."
    rest = [f"{count:,} {name}" for count, name in ((hold, "on hold"), (blocked, "not reportable")) if count]
    return _are(0, "ready to bill"), f"{' and '.join(rest)}." if rest else "Nothing has been recorded yet."


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


def _first_sentence(answer: Answer) -> str:
    blocking = [each["message"] for each in answer["reasons"] if each["severity"] == "block"]
    return str(blocking[0]).rstrip(".") if blocking else "Not reportable"


def _more(count: int) -> str:
    return f", and {count - 1} more" if count > 1 else ""


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
