"""A determination as text for people: how it was reached, what stands in the way, what would have to be different.

It states and never urges: the sentences about the rules are their own, and what cannot be put right is called that.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from backend.billing.case import Case, Inquiry
from backend.billing.days import Days, days_of
from backend.billing.evaluate import Judged
from backend.billing.windows import effective, sort_key
from backend.reports.lines import credentials_of, harmless, heading, person, short, wrapped
from backend.reports.recorded_time import recorded, seconds_by_reason
from backend.words import (
    ASKED,
    CHANNELS,
    FAMILIES,
    INITIATORS,
    STATUSES,
    day,
    days,
    instant,
    named,
)

Answer = Mapping[str, Any]

NOTHING_GIVEN = b"No facts object was given, so there is nothing to explain.\n"
WIDTH = 100
"""Columns where there is no terminal to ask."""
MOST_INQUIRIES = 5
LEAST_WIDTH = 40
LABELS_WIDTH = 20

_HEADINGS = {
    "block": "What blocks it",
    "hold": "What is not known yet",
    "wait": "What it waits for",
    "warn": "Warnings, which do not decide",
    "info": "For information",
}


def text_page(judged: Judged, *, number: int, width: int) -> bytes:
    """One facts object explained, in UTF-8, without a character that a terminal would obey; one line for an error.

    `number`: its place in the input from 1 on, which is its name where it has no id. `width`: the page's columns.
    """
    width = max(width, LEAST_WIDTH)
    lines = _error(judged, number) if judged.case is None else _page(judged, judged.case, number, width)
    before = [] if number == 1 else [""]
    return "".join(f"{harmless(line)}\n" for line in (*before, *lines)).encode()


def _error(judged: Judged, number: int) -> list[str]:
    field, message = judged.answer["error"]["field"], judged.answer["error"]["message"]
    return [f"{_name(judged.answer, number)}: not judged. {field + ': ' if field else ''}{message}"]


def _page(judged: Judged, case: Case, number: int, width: int) -> Iterator[str]:
    answer, calendar = judged.answer, days_of(case.practice.timezone)
    sections: list[Iterable[str]] = [
        _head(answer, case, calendar, width),
        recorded(answer, judged.pieces, case, calendar, width),
        seconds_by_reason(answer, case, width),
        *(_rules(answer, severity, width) for severity in _HEADINGS),
        _different(answer, width),
        _rulebook(answer, width),
    ]
    yield from wrapped(f"{_name(answer, number)}: {named(STATUSES, answer['status'])}", width, 0)
    yield "═" * width
    for index, section in enumerate(sections):
        lines = list(section)
        if lines and index:
            yield ""
        yield from lines


def _name(answer: Answer, number: int) -> str:
    identity = answer.get("id")
    return f"Case {number}" if identity in (None, "") else short(str(identity))


def _date(text: str | None) -> str:
    return "not known" if text is None else day(date.fromisoformat(text))


# --- head -------------------------------------------------------------------------------------------------------------


def _head(answer: Answer, case: Case, calendar: Days, width: int) -> Iterator[str]:
    reportable, projected = answer["status"] == "reportable", answer["projected_code"]
    start, end = answer["window_start"], answer["window_end"]
    rows = [
        ("Code", answer["code"] or ("none yet" if answer["status"] == "hold" else "none")),
        ("Projected code", f"{projected}, by its time alone" if projected else "none"),
        ("Family", named(FAMILIES, answer["family"], "none: no seven days were opened")),
        ("Seven days", days(date.fromisoformat(start), date.fromisoformat(end)) if start else "not opened"),
        ("Date of service", _date(answer["date_of_service"])),
        ("Rendering", _rendering(answer, case)),
        *([("Hold until", _date(answer["hold_until"]))] if answer["hold_until"] else []),
        *(("Inquiry", said) for said in _inquiries(case, calendar)),
        ("Judged as of", instant(case.as_of, calendar.zone)),
    ]
    if reportable:
        rows[0] = ("Code", f"{answer['code']}, a suggestion that a person confirms")
    previous = None
    for label, value in rows:
        shown = "" if label == previous else label
        yield from wrapped(f"{shown:<{LABELS_WIDTH}}{value}", width, hanging=LABELS_WIDTH + 2)
        previous = label


def _rendering(answer: Answer, case: Case) -> str:
    who = answer["rendering_clinician"]
    return "nobody: no clinician has counted time" if who is None else f"{person(who, credentials_of(case))}, suggested"


def _inquiries(case: Case, calendar: Days) -> list[str]:
    given = sorted(effective(case.inquiry, case.additional_inquiries or ()), key=sort_key)
    said = [_inquiry(each, calendar) for each in given[:MOST_INQUIRIES]] or ["not known"]
    return said if len(given) <= MOST_INQUIRIES else [*said, f"and {len(given) - MOST_INQUIRIES:,} more"]


def _inquiry(inquiry: Inquiry, calendar: Days) -> str:
    at = "at a time that is not known" if inquiry.at is None else instant(inquiry.at, calendar.zone)
    by = f"by {INITIATORS[inquiry.initiated_by]}" if inquiry.initiated_by else "nobody has said by whom"
    return f"{at}, {by}, through {named(CHANNELS, inquiry.channel, 'a channel that is not known')}"


# --- rules ------------------------------------------------------------------------------------------------------------


def _rules(answer: Answer, severity: str, width: int) -> Iterator[str]:
    """The rules of one severity: id, sentence, what is asked, source."""
    asked = {each["id"]: each for each in answer["missing"]}
    own = [each for each in answer["reasons"] if each["severity"] == severity]
    if own:
        yield from heading(_HEADINGS[severity])
    for reason in own:
        yield from wrapped(reason["id"], width)
        yield from wrapped(reason["message"], width, 4)
        if severity == "hold" and reason["id"] in asked:
            yield from wrapped(_asked(asked[reason["id"]], reason), width, 4, 6)
        if reason["source"]:
            yield from wrapped(f"Source: {reason['source']}", width, 4, 6)


def _asked(missing: Mapping[str, Any], reason: Mapping[str, Any]) -> str:
    """Of whom, until when, and what, where the reason's own sentence has not just said it."""
    until = f"until {_date(missing['until'])}" if missing["until"] else "with no day set"
    what = "" if _only_asks(reason) else f": {_lowered(missing['asks'])}"
    return f"Asked of {named(ASKED, missing['of'])}, {until}{what}."


def _only_asks(reason: Mapping[str, Any]) -> bool:
    """Whether the rule could not be judged at all; its remedy is then for an answer that nobody has given."""
    return bool(reason["message"].startswith("Not known: "))


def _different(answer: Answer, width: int) -> Iterator[str]:
    """What the facts would have to be instead, from remedies and from what is missing."""
    asked = {each["id"]: each for each in answer["missing"]}
    yield from heading("What would have to be different")
    yield from wrapped(_in_short(answer), width)
    for reason in answer["reasons"]:
        if reason["severity"] in ("block", "hold", "wait"):
            yield from wrapped(f"{reason['id']}: {_change(reason, asked, answer)}", width, 4, 6)
    warned = [each for each in answer["reasons"] if each["severity"] == "warn"]
    if warned:
        yield from wrapped("Of the warnings:", width)
    for reason in warned:
        yield from wrapped(f"{reason['id']}: {_change(reason, asked, answer)}", width, 4, 6)


def _in_short(answer: Answer) -> str:
    blocks = [each for each in answer["reasons"] if each["severity"] == "block"]
    final = sum(not each["curable"] for each in blocks)
    if answer["status"] == "reportable":
        return f"Nothing: on these facts {answer['code']} may be reported."
    if not blocks:
        return "Nothing blocks it. It is on hold for:"
    if not final:
        return "It is not reportable as the facts stand. What blocks it can be put right:"
    which = "what blocks it" if final == len(blocks) else f"{final} of the {len(blocks)} rules that block it"
    return f"If these facts are right, it stays not reportable: {which} cannot be put right."


def _change(reason: Mapping[str, Any], asked: Mapping[str, Mapping[str, Any]], answer: Answer) -> str:
    remedy = f" {reason['remedy']}" if reason["remedy"] else ""
    if reason["severity"] == "wait":
        until = f", {_date(answer['hold_until'])}" if answer["hold_until"] else ""
        return f"only the day itself decides{until}; nothing brings it forward.{remedy}"
    if reason["severity"] == "hold" and reason["id"] in asked:
        missing = asked[reason["id"]]
        until = f", until {_date(missing['until'])}" if missing["until"] else ""
        alone = "" if reason["curable"] else " No correction of the record decides it."
        rest = "" if _only_asks(reason) else f"{alone}{remedy}"
        return f"an answer from {named(ASKED, missing['of'])}{until}: {_lowered(missing['asks'])}.{rest}"
    return f"it {'can' if reason['curable'] else 'cannot'} be put right.{remedy}"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def _rulebook(answer: Answer, width: int) -> Iterator[str]:
    yield from heading("Decided by")
    yield from wrapped(f"Rules {answer['rules_version']}, with {_settings(answer['settings'])}.", width)


def _settings(changed: Mapping[str, Any]) -> str:
    if not changed:
        return "its own settings and no others"
    said = (f"{name} = {', '.join(value) if isinstance(value, list) else value}" for name, value in changed.items())
    return f"these settings instead of its own: {'; '.join(said)}"
