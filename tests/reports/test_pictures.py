"""What the pictures draw, read back from the SVG itself."""

from datetime import date, datetime
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reports.pictures import Mark, bar, squares
from backend.reports.timeline import NAMES_WIDTH, RIGHT, WIDTH, Stretch, timeline

NEW_YORK = ZoneInfo("America/New_York")
MARKS = (Mark(5, "99421"), Mark(11, "99422"), Mark(21, "99423"))
WINDOW = (date(2026, 4, 6), date(2026, 4, 12))
RELEASE = date(2026, 4, 14)


def parse(picture):
    return ElementTree.fromstring(str(picture))


def having(root, name, tag="rect"):
    return [each for each in root.iter(tag) if name in (each.get("class") or "").split()]


def at(day, hour, minute=0, month=4):
    return int(datetime(2026, month, day, hour, minute, tzinfo=NEW_YORK).timestamp() * 1000)


def stretch(begins, minutes, *, lane="c1", counted=True, says="worked"):
    return Stretch(lane, begins, begins + minutes * 60_000, counted, says)


def draw(stretches, *, lanes=None, window=WINDOW, release_on=RELEASE, inquiries=(), zone=NEW_YORK):
    lanes = {"c1": "Dr Moss", "c2": "Sam Roy"} if lanes is None else lanes
    return parse(timeline(stretches, lanes=lanes, window=window, release_on=release_on, inquiries=inquiries, zone=zone))


def boxes(root, name):
    """The drawn stretches without the legend."""
    return [each for each in having(root, name) if each.find("title") is not None]


def test_there_are_seven_squares_and_only_days_with_time_are_filled():
    root = parse(squares((480, 0, 0, 60, 0, 0, 5)))
    assert len(having(root, "empty")) == 7
    assert len(having(root, "counted")) == 3
    assert root.get("aria-label") == "Counted minutes: day 1 8:00, day 4 1:00, day 7 0:05"


def test_a_week_without_time_says_so():
    assert parse(squares((0,) * 7)).get("aria-label") == "No counted minutes on any day"


@given(st.lists(st.integers(0, 86_400), min_size=7, max_size=7))
def test_no_square_overflows(days):
    root = parse(squares(tuple(days)))
    assert all(float(each.get("y")) >= 0 and float(each.get("height")) <= 18 for each in having(root, "counted"))


def test_the_bar_has_a_mark_at_each_tiers_first_minute():
    root = parse(bar(720, MARKS))
    whole = 21 * 1.25
    assert [float(each.get("x1")) for each in having(root, "mark", "line")] == [
        pytest.approx(minutes / whole * 96, abs=0.1) for minutes in (5, 11, 21)
    ]
    assert float(having(root, "counted")[0].get("width")) == pytest.approx(12 / whole * 96, abs=0.1)
    assert root.get("aria-label") == "12:00 counted; 99421 from 5 minutes, 99422 from 11 minutes, 99423 from 21 minutes"


@given(st.integers(0, 10**6))
def test_the_bar_never_leaves_its_picture(seconds):
    assert all(float(each.get("width")) <= 96 for each in having(parse(bar(seconds, MARKS)), "counted"))


def test_counted_time_is_solid_and_the_rest_is_hatched_each_in_its_clinicians_lane():
    root = draw([stretch(at(6, 9), 5), stretch(at(7, 9), 5, lane="c2", counted=False, says="staff time")])
    [solid], [hatched] = boxes(root, "counted"), boxes(root, "excluded")
    assert hatched.get("fill") == "url(#hatch)"
    assert solid.get("fill") is None
    assert float(hatched.get("y")) > float(solid.get("y")) + 40
    assert hatched.find("title").text == "staff time"


def test_a_stretch_stands_at_its_local_time():
    day_width = (WIDTH - NAMES_WIDTH - RIGHT) / 9
    [noon] = boxes(draw([stretch(at(8, 12), 5)]), "counted")
    assert float(noon.get("x")) == pytest.approx(NAMES_WIDTH + 2.5 * day_width, abs=0.1)


def test_days_of_23_and_25_hours_are_as_wide_as_others():
    march = (date(2026, 3, 6), date(2026, 3, 12))
    day_width = (WIDTH - NAMES_WIDTH - RIGHT) / 9
    root = draw([stretch(at(9, 0, month=3), 5)], window=march, release_on=date(2026, 3, 14))
    assert float(boxes(root, "counted")[0].get("x")) == pytest.approx(NAMES_WIDTH + 3 * day_width, abs=0.1)


def test_touching_stretches_become_one_box_that_says_both():
    root = draw([stretch(at(6, 9), 5, says="first"), stretch(at(6, 9, 5), 5, says="second")])
    [box] = boxes(root, "counted")
    assert box.find("title").text == "first\nsecond"


def test_what_lies_far_outside_the_window_is_left_to_the_table_and_said():
    root = draw([stretch(at(6, 9), 5), stretch(at(6, 9, month=8), 5, counted=False)])
    assert boxes(root, "excluded") == []
    assert "1 piece lies outside this range" in root.get("aria-label")


def test_time_shortly_before_and_after_the_window_widens_the_picture():
    root = draw([stretch(at(5, 9), 5, counted=False), stretch(at(15, 9), 5, counted=False)])
    days = [each.text for each in root.iter("text") if each.text and each.text[:3] in ("Sun", "Mon", "Wed")]
    assert days[0] == "Sun 5" and days[-1] == "Wed 15"
    assert len(boxes(root, "excluded")) == 2


def test_the_patients_letter_stands_at_its_time_with_the_time_beside_it():
    root = draw([stretch(at(6, 9), 5)], inquiries=[at(6, 7, 30)])
    [letter] = having(root, "letter", "g")
    assert [each.text for each in letter.iter("text")] == ["07:30"]


def test_names_are_only_text_and_a_long_one_is_shortened_with_the_whole_in_reach():
    name = '<script>alert("1")</script> & a name without end'
    root = draw([stretch(at(6, 9), 5)], lanes={"c1": name})
    [lane] = having(root, "lane", "text")
    assert lane.text == name[:20].rstrip() + "…"
    assert lane.find("title").text == name
    assert not list(root.iter("script"))


def test_the_picture_carries_no_style_and_no_event():
    root = draw([stretch(at(6, 9), 5), stretch(at(7, 9), 5, counted=False)], inquiries=[at(6, 7)])
    assert not any(name == "style" or name.startswith("on") for each in root.iter() for name in each.attrib)
    assert not list(root.iter("style"))


@given(
    st.lists(
        st.tuples(st.integers(-40 * 86_400, 40 * 86_400), st.integers(1, 300), st.booleans(), st.sampled_from("12")),
        max_size=30,
    )
)
def test_every_box_lies_inside_the_picture_whatever_was_recorded(pieces):
    base = at(6, 0)
    stretches = [
        Stretch(f"c{lane}", base + offset * 1000, base + (offset + seconds) * 1000, counted, "x")
        for offset, seconds, counted, lane in pieces
    ]
    root = draw(stretches)
    for box in boxes(root, "counted") + boxes(root, "excluded"):
        assert float(box.get("x")) >= NAMES_WIDTH
        assert float(box.get("x")) + float(box.get("width")) <= WIDTH
