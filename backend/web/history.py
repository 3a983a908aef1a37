"""What happened to an episode, told in sentences. What this page does not know yet is told by its name."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from backend.desk.happened import Came, Event
from backend.words import FACTS, STATUSES, day, duration, instant, named

_SHORT = {
    "opened": "Opened",
    "moved": "Moved",
    "patient_learned": "It became known which patient this is",
    "inquiry_learned": "An inquiry became known",
    "joined": "Another episode was joined to this one",
    "approved": "Approved",
    "closed": "Its recorded time was removed by age, as the practice has set; what it added up to stands",
    "late_data": "Data came after the approval that would change the answer; the approved one stands",
    "late_data_settled": "What had come after the approval changes nothing any more",
}
_LISTS = {"blocking": "blocks", "warnings": "warns", "missing": "waits"}
_FIELDS = {
    "projected_code": "the code by its time alone",
    "family": "the family",
    "hold_until": "the day of release",
    "window_start": "day 1",
    "window_end": "the last day",
    "excluded": "what is not counted",
    "date_of_service": "the date of service",
    "rendering_clinician": "the rendering clinician",
    "rules_version": "the version of the rules",
    "settings": "the settings",
}
LAST_INSTANT = 253_402_300_800_000
"""The calendar ends with the year 9999."""


def told(event: Event, zone: ZoneInfo) -> str:
    """One sentence without a full stop."""
    detail = event.detail if isinstance(event.detail, dict) else {}
    match event.event:
        case "opened" if (begins := _day(detail.get("window_start"))) is not None:
            return f"Opened; day 1 is {begins}" + (" until the inquiry is known" if detail.get("provisional") else "")
        case "moved" if (begins := _day(_after(detail, "window_start"))) is not None:
            return f"The seven days moved: day 1 is {begins}"
        case "moved" if (reviewed := _instant(_after(detail, "anchored_at"), zone)) is not None:
            return f"The first review moved to {reviewed}"
        case "inquiry_learned" if (asked := _instant(detail.get("at"), zone)) is not None:
            return f"It became known that the patient wrote on {asked}"
        case "approved" if event.by is not None:
            return f"Approved by {event.by}"
        case "judged":
            return _judged(event) + _since(event.came)
        case "late_data" | "late_data_settled" as known:
            return _SHORT[known] + _since(event.came)
        case other:
            return _SHORT.get(other) or named({}, other).capitalize()


def changed(event: Event) -> list[tuple[str, str]]:
    """(words, sentence) of each reason that a determination brought or took away: `("blocks now", "Seen.")`."""
    found = []
    for change in _changes(event):
        verb = _LISTS.get(str(change.get("field")))
        before, after = change.get("before"), change.get("after")
        if verb is not None and isinstance(before or [], list) and isinstance(after or [], list):
            ids = [str(each) for each in after or []], [str(each) for each in before or []]
            found += [(f"{verb} now", event.sentences.get(id_, id_)) for id_ in ids[0] if id_ not in ids[1]]
            found += [(f"{verb} no more", event.sentences.get(id_, id_)) for id_ in ids[1] if id_ not in ids[0]]
    return found


def _judged(event: Event) -> str:
    changes = _changes(event)
    after = {str(each.get("field")): each.get("after") for each in changes}
    parts = []
    if isinstance(after.get("status"), str):
        parts.append(named(STATUSES, after["status"]))
    if "code" in after:
        parts.append(f"code {after['code'] or 'none'}")
    if isinstance(seconds := after.get("counted_seconds"), int):
        parts.append(f"{duration(seconds)} counted")
    if parts:
        return f"Determined afresh: {', '.join(parts)}"
    others = [named(_FIELDS, field) for field in after if field not in _LISTS]
    if others and not changed(event):
        return f"Determined afresh: {', '.join(others)} changed"
    return "Determined afresh; the reasons changed"


def _since(came: Sequence[Came]) -> str:
    """Which facts came since the determination before, and who said them."""
    by_speaker: dict[str, list[str]] = {}
    for each in came:
        kind = named(FACTS, each.kind)
        by_speaker.setdefault(each.by or "the command line", []).append(f"{kind[:1].lower()}{kind[1:]}")
    said = "; ".join(f"{_listed(kinds)} by {speaker}" for speaker, kinds in by_speaker.items())
    return f". Said since the determination before: {said}" if said else ""


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))


def _changes(event: Event) -> list[Mapping[str, Any]]:
    found = event.detail.get("changes") if isinstance(event.detail, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _after(detail: Mapping[str, Any], name: str) -> Any:
    found = detail.get(name)
    return found.get("after") if isinstance(found, dict) else None


def _day(text: Any) -> str | None:
    """A stored day in words; None for what is none."""
    try:
        return day(date.fromisoformat(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def _instant(at: Any, zone: ZoneInfo) -> str | None:
    """A stored instant in words; None for what is none."""
    whole = isinstance(at, int) and not isinstance(at, bool)
    return instant(at, zone) if whole and 0 <= at < LAST_INSTANT else None
