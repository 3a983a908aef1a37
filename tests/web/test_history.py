from zoneinfo import ZoneInfo

import pytest

from backend.desk.episodes import Event
from backend.web.history import told

NEW_YORK = ZoneInfo("America/New_York")
AT = 1775475000000  # 6 April 2026, 07:30 in New York


def change(field, after):
    return {"field": field, "before": None, "after": after}


@pytest.mark.parametrize(
    ("event", "detail", "says"),
    [
        ("opened", {"window_start": "2026-04-06", "provisional": False}, "Opened; day 1 is 6 April 2026"),
        (
            "opened",
            {"window_start": "2026-04-06", "provisional": True},
            "Opened; day 1 is 6 April 2026 until the inquiry is known",
        ),
        (
            "moved",
            {"window_start": {"before": "2026-04-06", "after": "2026-04-07"}},
            "The seven days moved: day 1 is 7 April 2026",
        ),
        ("moved", {"anchored_at": {"before": 1, "after": AT}}, "The first review moved to 6 April 2026, 07:30"),
        ("inquiry_learned", {"at": AT}, "It became known that the patient wrote on 6 April 2026, 07:30"),
        ("inquiry_learned", {"at": None}, "An inquiry became known"),
        (
            "judged",
            {"changes": [change("status", "hold"), change("code", None), change("counted_seconds", 300)]},
            "Determined afresh: on hold, code none, 5 min 00 s counted",
        ),
        ("judged", {"changes": [change("warnings", [])]}, "Determined afresh; the reasons changed"),
        ("joined", {"episode": "0" * 32}, "Another episode was joined to this one"),
        (
            "late_data",
            {"changes": []},
            "Data came after the approval that would change the answer; the approved one stands",
        ),
        ("billed_elsewhere", {}, "Billed elsewhere"),
    ],
)
def test_each_event_is_one_sentence(event, detail, says):
    assert told(Event(AT, event, detail), NEW_YORK) == says
