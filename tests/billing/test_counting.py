"""What counts, and for which one reason the rest does not."""

from datetime import UTC, date, datetime, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import answer, at, excluded, facts, interval

from backend.billing.counting import REASONS
from backend.billing.determination import determine, seconds_by
from backend.billing.translate import case_from_json

TWELVE = interval("09:00:00", 12)


def test_tabs_over_each_other_count_once():
    said = answer(interval("09:00:00", 6, id="a"), interval("09:02:00", 6, id="b", thread="TH2"))
    assert (said["counted_seconds"], excluded(said)) == (480, {"overlap": 240})


def test_a_shared_second_goes_to_the_interval_that_started_first():
    made = facts(interval("09:00:00", 6, id="a", thread="A"), interval("09:02:00", 6, id="b", thread="B"))
    pieces = determine(case_from_json(made)).pieces
    assert seconds_by(pieces, "thread") == {"A": 360, "B": 120}


def test_the_seconds_of_threads_add_up_though_each_has_a_part_of_a_second():
    made = facts(*[interval("09:00:00", 0, id=t, thread=t) for t in "ABC"])
    for n, one in enumerate(made["intervals"]):
        one["start"], one["end"] = f"2026-04-06T09:0{n}:00.000-04:00", f"2026-04-06T09:0{n}:02.700-04:00"
    found = determine(case_from_json(made))
    assert found.answer["counted_seconds"] == 8
    assert sum(seconds_by(found.pieces, "thread").values()) == 8


def test_the_same_id_with_another_end_stands_as_it_first_came():
    assert answer(interval("09:00:00", 6, id="a"), interval("09:00:00", 9, id="a"))["counted_seconds"] == 360


@pytest.mark.parametrize(
    ("reason", "changed"),
    [
        ("other_group", {"clinician": "X1"}),
        ("other_family", {"clinician": "T1"}),
        ("staff", {"clinician": "N1"}),
        ("idle", {"activity": "idle"}),
        ("activity", {"activity": "documentation"}),
        ("unattested", {"entry": "manual", "attested": False}),
    ],
)
def test_time_that_does_not_count_has_its_reason(reason, changed):
    said = answer(TWELVE, interval("10:00:00", 5, id="other", **changed))
    assert (said["counted_seconds"], excluded(said)) == (720, {reason: 300})


def test_time_around_the_period_has_its_reason():
    said = answer(interval("07:28:00", 4, id="before"), TWELVE, interval("23:58:00", 5, day="2026-04-12", id="after"))
    assert said["counted_seconds"] == 720 + 120 + 120
    assert excluded(said) == {"before_inquiry": 120, "after_window": 180}


def test_time_of_another_service_or_patient_is_taken_off_that_clinician_alone():
    said = answer(
        interval("09:00:00", 8, id="a"),
        interval("09:00:00", 8, id="b", clinician="C2"),
        other_patient_time=[
            {
                "clinician": "C1",
                "patient": "P2",
                "start": "2026-04-06T09:00:00-04:00",
                "end": "2026-04-06T09:03:00-04:00",
            }
        ],
        other_claims=[
            {
                "code": "99490",
                "month": "2026-04",
                "time_ranges": [
                    {"clinician": "C1", "start": "2026-04-06T09:02:00-04:00", "end": "2026-04-06T09:05:00-04:00"}
                ],
            }
        ],
    )
    assert said["counted_seconds"] == 480
    assert excluded(said) == {"credited_elsewhere": 300, "overlap": 180}


def test_an_attested_reading_of_three_minutes_counts_and_a_longer_one_does_not():
    reading = {"entry": "attested_reading", "attested": True}
    assert answer(TWELVE, interval("10:00:00", 3, id="r", **reading))["counted_seconds"] == 900
    longer = answer(TWELVE, interval("10:00:00", 3, seconds=1, id="r", **reading))
    assert excluded(longer) == {"unattested": 181}


def test_entered_time_that_would_change_the_code_is_asked_for_and_other_entered_time_is_not():
    entered = {"entry": "manual", "attested": None, "id": "m"}
    assert [m["id"] for m in answer(TWELVE, interval("10:00:00", 9, **entered))["missing"]] == [
        "manual-time-attestation"
    ]
    assert answer(TWELVE, interval("10:00:00", 8, **entered))["missing"] == []


def test_entered_time_that_lifts_the_band_warns():
    said = answer(interval("09:00:00", 6), interval("10:00:00", 5, id="m", entry="manual", attested=True))
    assert (said["code"], "entered-time-decides-band" in said["warnings"]) == ("99422", True)


def test_unsettled_seconds_that_leave_the_code_alone_only_warn():
    claim = {"clinician": "C1", "patient": "P2", "settled": False}
    said = answer(
        TWELVE,
        other_patient_time=[{**claim, "start": "2026-04-06T09:11:00-04:00", "end": "2026-04-06T09:12:00-04:00"}],
    )
    assert (said["status"], said["counted_seconds"], excluded(said)) == ("reportable", 660, {"claimed_twice": 60})
    assert "cross-patient-overlap" in said["warnings"]


def test_the_rendering_clinician_has_the_most_time_and_at_a_tie_made_the_plan():
    first = interval("09:00:00", 6, id="a")
    assert answer(first, interval("10:00:00", 7, id="b", clinician="C2"))["rendering_clinician"] == "C2"
    planned = interval("10:00:00", 6, id="b", clinician="C2", activity="develop_plan")
    assert answer(first, planned)["rendering_clinician"] == "C2"


def test_simultaneous_clinicians_count_each_where_a_practice_sets_it():
    both = (interval("09:00:00", 6, id="a"), interval("09:00:00", 6, id="b", clinician="C2"))
    assert answer(*both)["counted_seconds"] == 360
    said = answer(*both, settings={"simultaneous_clinicians": "each"})
    assert (said["counted_seconds"], said["settings"]) == (720, {"simultaneous_clinicians": "each"})


def test_168_hours_instead_of_calendar_days_run_to_the_minute():
    late = interval("08:55:00", 10, day="2026-04-13", id="late")
    assert answer(TWELVE, late)["counted_seconds"] == 720
    said = answer(TWELVE, late, settings={"period_mode": "hours"})
    assert (said["counted_seconds"], said["window_end"]) == (1020, "2026-04-13")


# --- the calendar -----------------------------------------------------------------------------------------------------


def dated(intervals, inquiry, zone="America/New_York", **more):
    made = facts(*intervals, **more)
    made["practice"]["timezone"] = zone
    made["inquiry"]["at"] = inquiry
    return determine(case_from_json(made)).answer


def raw(start, end, name="a"):
    return {"id": name, "clinician": "C1", "thread": "TH1", "start": start, "end": end, "activity": "develop_plan"}


def test_a_period_over_the_end_of_summer_time_has_seven_local_days():
    said = dated(
        [raw("2026-10-26T09:00:00-04:00", "2026-10-26T09:05:00-04:00"),
         raw("2026-11-01T23:50:00-05:00", "2026-11-02T00:10:00-05:00", "b")],
        "2026-10-26T08:00:00-04:00",
    )  # fmt: skip
    assert (said["window_end"], said["counted_seconds"]) == ("2026-11-01", 900)


def test_the_doubled_hour_counts_by_the_clock_that_runs():
    said = dated([raw("2026-11-01T01:50:00-04:00", "2026-11-01T01:10:00-05:00")], "2026-11-01T01:00:00-04:00")
    assert said["counted_seconds"] == 1200


def test_a_period_over_new_year_keeps_the_code_set_of_its_first_day():
    said = dated(
        [raw("2024-12-30T09:00:00-05:00", "2024-12-30T09:05:00-05:00"),
         raw("2025-01-05T23:55:00-05:00", "2025-01-06T00:05:00-05:00", "b")],
        "2024-12-30T08:00:00-05:00",
        payer={"type": "commercial"},
    )  # fmt: skip
    assert (said["window_start"], said["window_end"], said["counted_seconds"]) == ("2024-12-30", "2025-01-05", 600)


def test_instants_in_utc_fall_on_the_practices_days():
    said = dated([raw("2026-04-07T02:00:00Z", "2026-04-07T02:12:00Z")], "2026-04-07T01:00:00Z")
    assert said["window_start"] == "2026-04-06"
    said = dated([raw("2026-04-06T20:00:00Z", "2026-04-06T20:12:00Z")], "2026-04-06T19:00:00Z", "Pacific/Auckland")
    assert said["window_start"] == "2026-04-07"


def test_where_midnight_is_skipped_the_day_begins_with_its_first_instant():
    """Chile went from 24:00 on 5 September 2026 to 01:00 on the 6th."""
    said = dated(
        [raw("2026-08-31T09:00:00-04:00", "2026-08-31T09:05:00-04:00"),
         raw("2026-09-06T23:50:00-03:00", "2026-09-07T00:10:00-03:00", "b")],
        "2026-08-31T08:00:00-04:00",
        "America/Santiago",
    )  # fmt: skip
    assert (said["window_end"], said["counted_seconds"]) == ("2026-09-06", 900)


# --- laws -------------------------------------------------------------------------------------------------------------

START = at("2026-04-06 06:00")
WORK = st.fixed_dictionaries(
    {
        "start": st.integers(0, 12 * 24 * 3600),
        "length": st.integers(0, 4000),
        "clinician": st.sampled_from(["C1", "C2", "T1", "N1", "X1"]),
        "thread": st.sampled_from(["TH1", "TH2", None]),
        "activity": st.sampled_from(["review_inquiry", "develop_plan", "documentation", "idle"]),
        "entry": st.sampled_from(["measured", "measured", "manual"]),
        "attested": st.sampled_from([True, False, None]),
    }
)
CLAIMS = st.lists(
    st.tuples(st.integers(0, 12 * 24 * 3600), st.integers(1, 9000), st.sampled_from(["C1", "C2"]), st.booleans()),
    max_size=4,
)


def iso(second):
    return datetime.fromtimestamp(START / 1000 + second, UTC).isoformat()


def drawn_facts(work, claims, **changed):
    intervals = [
        {
            **{k: v for k, v in one.items() if k not in ("start", "length")},
            "id": f"i{n}",
            "start": iso(one["start"]),
            "end": iso(one["start"] + one["length"]),
        }
        for n, one in enumerate(work)
    ]
    made = facts(*intervals, **changed)
    made["intervals"] = intervals
    made["other_patient_time"] = [
        {"clinician": who, "patient": "P2", "start": iso(s), "end": iso(s + n), "settled": settled}
        for s, n, who, settled in claims
    ]
    return made


def judged(made):
    return determine(case_from_json(made))


@given(st.lists(WORK, max_size=12), CLAIMS, st.sampled_from(["medicare_ffs", "commercial", None]))
def test_every_raw_second_is_counted_or_excluded_for_one_reason(work, claims, payer):
    found = judged(drawn_facts(work, claims, payer={"type": payer}))
    said = found.answer
    assert said["counted_seconds"] + sum(e["seconds"] for e in said["excluded"]) == sum(w["length"] for w in work)
    assert [e["reason"] for e in said["excluded"]] == [r for r in REASONS if r in excluded(said)]
    by_interval = {}
    for piece in found.pieces:
        by_interval.setdefault(piece.interval_id, []).append((piece.started_at, piece.ended_at))
    for n, one in enumerate(work):
        parts = sorted(by_interval.get(f"i{n}", []))
        assert sum(end - start for start, end in parts) == one["length"] * 1000
        assert all(a[1] == b[0] for a, b in pairwise(parts))
    counted = [p for p in found.pieces if p.counted]
    assert sum(p.ended_at - p.started_at for p in counted) // 1000 == said["counted_seconds"]
    for reason, seconds in excluded(said).items():
        assert abs(sum(p.ended_at - p.started_at for p in found.pieces if p.reason == reason) / 1000 - seconds) < 1
    assert all(a.ended_at <= b.started_at or b.ended_at <= a.started_at for a, b in combinations(counted, 2))


@given(st.lists(WORK, max_size=10), CLAIMS, st.randoms())
def test_order_and_repetition_of_intervals_change_nothing(work, claims, chance):
    made = drawn_facts(work, claims)
    before = judged(made).answer
    made["intervals"] = made["intervals"] * 2
    chance.shuffle(made["intervals"])
    chance.shuffle(made["other_patient_time"])
    assert judged(made).answer == before


@given(st.lists(WORK, max_size=8), CLAIMS, st.integers(0, 12 * 24 * 3600))
def test_splitting_intervals_changes_nothing(work, claims, at_second):
    made = drawn_facts(work, claims)
    before = judged(made).answer
    split = []
    for one, interval_ in zip(work, made["intervals"], strict=True):
        if one["start"] < at_second < one["start"] + one["length"]:
            split += [
                {**interval_, "end": iso(at_second), "id": interval_["id"] + "-1"},
                {**interval_, "start": iso(at_second), "id": interval_["id"] + "-2"},
            ]
        else:
            split.append(interval_)
    made["intervals"] = split
    assert judged(made).answer == before


@given(st.lists(WORK, max_size=8), CLAIMS, WORK)
def test_staff_time_never_changes_the_code(work, claims, more):
    one = judged(drawn_facts(work, claims)).answer
    nurse = {**more, "clinician": "N1"}
    other = judged(drawn_facts([*work, nurse], claims)).answer
    if one["family"] is not None:
        assert {k: one[k] for k in ("status", "code", "counted_seconds", "window_start")} == {
            k: other[k] for k in ("status", "code", "counted_seconds", "window_start")
        }


@given(st.lists(WORK, max_size=8), CLAIMS)
def test_counted_time_is_never_more_than_the_wall_clock_or_the_sum(work, claims):
    seconds = judged(drawn_facts(work, claims)).answer["counted_seconds"]
    assert seconds <= sum(w["length"] for w in work)
    if work:
        assert seconds <= max(w["start"] + w["length"] for w in work) - min(w["start"] for w in work)


@given(st.lists(WORK, max_size=6), st.integers(1, 8))
def test_whole_days_later_in_a_zone_without_summer_time_moves_only_the_dates(work, days):
    made = drawn_facts([{**w, "start": w["start"] % (6 * 24 * 3600)} for w in work], [])
    made["practice"]["timezone"] = "America/Phoenix"
    later = moved(made, days)
    before, after = judged(made).answer, judged(later).answer
    same = ("status", "code", "projected_code", "blocking", "warnings", "counted_seconds", "excluded")
    assert {k: before[k] for k in same} == {k: after[k] for k in same}


def moved(value, days):
    if isinstance(value, dict):
        return {k: moved(v, days) for k, v in value.items()}
    if isinstance(value, list):
        return [moved(v, days) for v in value]
    if isinstance(value, str) and len(value) >= 19 and value[10:11] == "T":
        return (datetime.fromisoformat(value) + timedelta(days=days)).isoformat()
    if isinstance(value, str) and len(value) == 10 and value[4:5] == value[7:8] == "-":
        return (date.fromisoformat(value) + timedelta(days=days)).isoformat()
    return value
