"""What happened to an episode, told in sentences."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from backend.desk.episodes import Event
from backend.words import STATUSES, day, duration, instant, named

_SHORT = {
    "patient_learned": "It became known which patient this is",
    "joined": "Another episode was joined to this one",
    "approved": "Approved",
    "late_data": "Data came after the approval that would change the answer; the approved one stands",
    "late_data_settled": "What had come after the approval changes nothing any more",
}


def told(event: Event, zone: ZoneInfo) -> str:
    """One sentence without a full stop; an event this page does not know yet is told by its name."""
    detail = event.detail
    match event.event:
        case "opened":
            begins = day(date.fromisoformat(detail["window_start"]))
            return f"Opened; day 1 is {begins}" + (" until the inquiry is known" if detail["provisional"] else "")
        case "moved" if "window_start" in detail:
            return f"The seven days moved: day 1 is {day(date.fromisoformat(detail['window_start']['after']))}"
        case "moved":
            return f"The first review moved to {instant(detail['anchored_at']['after'], zone)}"
        case "inquiry_learned" if detail.get("at") is not None:
            return f"It became known that the patient wrote on {instant(detail['at'], zone)}"
        case "inquiry_learned":
            return "An inquiry became known"
        case "judged":
            return _judged(detail["changes"])
        case other:
            return named(_SHORT, other).capitalize() if other not in _SHORT else _SHORT[other]


def _judged(changes: list[Mapping[str, Any]]) -> str:
    by_field = {each["field"]: each["after"] for each in changes}
    parts = []
    if "status" in by_field:
        parts.append(named(STATUSES, by_field["status"]))
    if "code" in by_field:
        parts.append(f"code {by_field['code'] or 'none'}")
    if "counted_seconds" in by_field:
        parts.append(f"{duration(by_field['counted_seconds'])} counted")
    return f"Determined afresh: {', '.join(parts)}" if parts else "Determined afresh; the reasons changed"
