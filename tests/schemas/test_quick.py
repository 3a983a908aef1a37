"""The fast path says nothing that the schema does not say."""

import copy
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from backend.schemas.intervals import load_row
from backend.schemas.quick import quick_row
from backend.schemas.wire import ACTIVITIES, ENDED_BY, ENTRIES, INSTANT_MAX

ROW: dict[str, Any] = {
    "id": "019d62e5-7c60-7aaa-8c1d-3f2b5e6d7a90",
    "portal": "medplum",
    "thread": "thr-aaaa-0001",
    "patient": "123",
    "activity": "review_inquiry",
    "started_at": 1775480400000,
    "ended_at": 1775480700000,
    "ended_by": "hidden",
    "idle_after_seconds": 60,
}
OPTIONAL = ("entry", "tab", "linked_from", "recovered", "corrects", "reason", "problem")

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=3,
)
near_values = st.sampled_from(
    [
        *ROW.values(),
        *ACTIVITIES,
        *ENDED_BY,
        *ENTRIES,
        *(str(value) for value in ROW.values()),
        *(f"{value}\n" for value in ROW.values()),
        *(float(value) for value in ROW.values() if type(value) is int),
        *(ROW["started_at"] + step for step in (-1, 0, 1, 180_000, 180_001, 300_000, 300_001)),
        *(-1, 0, 1, 14, 15, 16, 299, 300, 301, INSTANT_MAX, INSTANT_MAX + 1, 2**70),
        *("", " ", "a b", "a@b.c", "@a", "a@", "é", "\x00", "x" * 200, "x" * 201, "\u2028", "a\n"),
        *(ROW["id"].upper(), ROW["id"].replace("-", ""), "{" + ROW["id"] + "}", ROW["id"].replace("-7", "-4")),
    ]
)
changes = st.dictionaries(
    st.sampled_from([*ROW, *OPTIONAL]) | st.text(max_size=6), near_values | json_values, max_size=3
)


@settings(max_examples=1000)
@given(changes=changes, gone=st.sets(st.sampled_from([*ROW]), max_size=1))
@example(changes={}, gone=set())
@example(changes={"entry": "measured", "tab": "t-1"}, gone=set())
@example(changes={"thread": None}, gone=set())
@example(changes={"recovered": False}, gone=set())
def test_what_the_fast_path_accepts_the_schema_accepts_as_the_same_row(changes: dict[str, Any], gone: set[str]) -> None:
    raw = {name: value for name, value in {**ROW, **changes}.items() if name not in gone}
    before = copy.deepcopy(raw)
    quick = quick_row(raw)
    if quick is not None:
        assert quick == load_row(raw)
        assert [type(value) for value in quick.values()] == [type(before[name]) for name in quick]
    assert raw == before


@given(raw=json_values)
def test_the_fast_path_leaves_whatever_is_no_row_to_the_schema(raw: object) -> None:
    assert quick_row(raw) is None
    try:
        load_row(raw)
    except ValidationError:
        return
    raise AssertionError(f"the schema accepted {raw!r}")


def test_the_fast_path_recognises_the_row_that_devices_send() -> None:
    assert quick_row(ROW) == ROW
    assert quick_row({**ROW, "entry": "measured", "tab": "t-1"}) is not None
    assert quick_row({**ROW, "patient": None}) is not None
