from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.desk.happened import Came, Event
from backend.web.history import changed, told

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
        ("judged", {"changes": [change("warnings", ["w"])]}, "Determined afresh; the reasons changed"),
        (
            "judged",
            {"changes": [change("rendering_clinician", "x"), change("settings", {})]},
            "Determined afresh: the rendering clinician, the settings changed",
        ),
        ("judged", {}, "Determined afresh; the reasons changed"),
        ("opened", {}, "Opened"),
        ("moved", {"window_start": None, "anchored_at": {"after": "soon"}}, "Moved"),
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


def test_a_change_names_the_reasons_that_came_and_went_by_their_sentences():
    event = Event(
        AT,
        "judged",
        {
            "changes": [
                {"field": "blocking", "before": ["old", "both"], "after": ["both", "seen"]},
                {"field": "missing", "before": ["who"], "after": []},
            ]
        },
        sentences={"seen": "The patient was seen.", "who": "Not known: who."},
    )
    assert changed(event) == [
        ("blocks now", "The patient was seen."),
        ("blocks no more", "old"),
        ("waits no more", "Not known: who."),
    ]


def test_a_change_says_which_facts_came_and_who_said_them():
    came = (Came("coverage", "Rosa Lind"), Came("visits", None), Came("readings", None), Came("tides", "Rosa Lind"))
    event = Event(AT, "judged", {"changes": [change("status", "reportable")]}, came=came)
    assert told(event, NEW_YORK) == (
        "Determined afresh: reportable. Said since the determination before: "
        "who pays, tides by Rosa Lind; visits, lists looked through by the command line"
    )


def test_an_approval_says_whose_it_is():
    assert told(Event(AT, "approved", {}, by="Rosa Lind"), NEW_YORK) == "Approved by Rosa Lind"


KNOWN = ("opened", "moved", "inquiry_learned", "judged", "late_data", "approved", "joined", "emptied")
NAMES = ("window_start", "anchored_at", "at", "changes", "field", "before", "after", "provisional")
FIELDS = ("status", "code", "counted_seconds", "blocking", "missing", "settings", "tide")
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(FIELDS)
detail = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
)


@given(event=st.sampled_from(KNOWN) | st.text(max_size=8), detail=detail)
def test_no_event_and_no_detail_whatever_breaks_the_page(event, detail):
    made = Event(AT, event, detail)
    assert isinstance(told(made, NEW_YORK), str)
    assert isinstance(changed(made), list)
