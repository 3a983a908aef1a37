"""A patient's history becomes episodes, whatever came first."""

from dataclasses import replace
from datetime import date
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import EVERYBODY, PRACTICE, asked, at, case_of, worked

from backend.billing.determination import determine
from backend.billing.episodes import TakenEpisode, build_episodes
from backend.billing.identity import ExistingEpisode, keep_identity


def build(intervals, inquiries=(), taken=(), **more):
    return build_episodes(
        practice=PRACTICE, clinicians=EVERYBODY, inquiries=inquiries, intervals=intervals, taken=taken, **more
    )


def windows(built):
    return [(e.family, e.window_start.isoformat(), e.window_end.isoformat()) for e in built]


def test_the_first_review_after_an_inquiry_opens_seven_days():
    (episode,) = build([worked("2026-04-08 09:00", 5)], [asked("2026-04-06 08:00")])
    assert (episode.window_start, episode.window_end) == (date(2026, 4, 8), date(2026, 4, 14))
    assert episode.anchored_at == at("2026-04-08 09:00")
    assert not episode.provisional


def test_an_interval_that_runs_over_the_inquiry_anchors_at_the_inquiry():
    (episode,) = build([worked("2026-04-06 07:58", 5)], [asked("2026-04-06 08:00")])
    assert episode.anchored_at == at("2026-04-06 08:00")


def test_time_before_the_inquiry_opens_nothing_and_stays_with_the_episode():
    (episode,) = build([worked("2026-04-06 07:00", 5), worked("2026-04-07 09:00", 5)], [asked("2026-04-06 08:00")])
    assert episode.window_start == date(2026, 4, 7)
    assert len(episode.intervals) == 2


def test_work_after_day_7_without_a_new_inquiry_stays_with_the_old_episode():
    (episode,) = build([worked("2026-04-06 09:00", 5), worked("2026-04-20 09:00", 5)], [asked("2026-04-06 08:00")])
    assert [i.started_at for i in episode.intervals] == [at("2026-04-06 09:00"), at("2026-04-20 09:00")]


def test_an_inquiry_inside_the_window_opens_no_second_one():
    inquiries = [asked("2026-04-06 08:00"), asked("2026-04-10 08:00", "TH2")]
    (episode,) = build([worked("2026-04-06 09:00", 5), worked("2026-04-14 09:00", 5, thread="TH2")], inquiries)
    assert [q.thread for q in episode.inquiries] == ["TH1", "TH2"]
    assert len(episode.intervals) == 2


def test_an_inquiry_after_the_window_opens_the_next_one():
    inquiries = [asked("2026-04-06 08:00"), asked("2026-04-13 00:00")]
    built = build([worked("2026-04-06 09:00", 5), worked("2026-04-13 09:00", 5)], inquiries)
    assert windows(built) == [("em", "2026-04-06", "2026-04-12"), ("em", "2026-04-13", "2026-04-19")]
    assert [len(e.intervals) for e in built] == [1, 1]


def test_an_interval_over_the_border_of_two_windows_is_split_there():
    inquiries = [asked("2026-04-06 08:00"), asked("2026-04-13 00:02")]
    built = build([worked("2026-04-06 09:00", 5), worked("2026-04-12 23:55", 15, id="over")], inquiries)
    first, second = built
    assert [(i.id, i.started_at, i.ended_at) for i in first.intervals][1] == (
        "over",
        at("2026-04-12 23:55"),
        at("2026-04-13 00:00"),
    )
    assert [(i.id, i.started_at, i.ended_at) for i in second.intervals] == [
        ("over", at("2026-04-13 00:00"), at("2026-04-13 00:10"))
    ]
    assert second.anchored_at == at("2026-04-13 00:02")


def test_staff_alone_give_no_episode():
    assert build([worked("2026-04-06 09:00", 5, clinician="N1")], [asked("2026-04-06 08:00")]) == []


def test_another_groups_work_alone_gives_no_episode():
    assert build([worked("2026-04-06 09:00", 5, clinician="X1")], [asked("2026-04-06 08:00")]) == []


def test_charting_alone_gives_no_episode():
    assert build([worked("2026-04-06 09:00", 5, activity="documentation")], [asked("2026-04-06 08:00")]) == []


def test_time_entered_by_hand_opens_a_window_only_when_attested():
    entered = worked("2026-04-06 09:00", 5, entry="manual", attested=None)
    assert build([entered], [asked("2026-04-06 08:00")]) == []
    entered = worked("2026-04-06 09:00", 5, entry="manual", attested=True)
    assert len(build([entered], [asked("2026-04-06 08:00")])) == 1


def test_staff_time_in_the_window_is_kept_with_it_and_other_staff_time_is_not():
    (episode,) = build(
        [
            worked("2026-04-06 08:30", 5, clinician="N1"),
            worked("2026-04-06 09:00", 5),
            worked("2026-05-06 09:00", 5, clinician="N1"),
        ],
        [asked("2026-04-06 08:00")],
    )
    assert [(i.clinician, i.started_at) for i in episode.intervals] == [
        ("N1", at("2026-04-06 08:30")),
        ("C1", at("2026-04-06 09:00")),
    ]


def test_two_families_have_their_own_episodes_over_the_same_days():
    built = build(
        [worked("2026-04-06 09:00", 5), worked("2026-04-07 09:00", 5, clinician="T1")], [asked("2026-04-06 08:00")]
    )
    assert windows(built) == [("em", "2026-04-06", "2026-04-12"), ("nonphysician", "2026-04-07", "2026-04-13")]
    assert [len(e.intervals) for e in built] == [2, 2]


def test_where_no_inquiry_is_known_the_first_review_of_a_thread_opens_a_provisional_episode():
    (episode,) = build([worked("2026-04-06 09:00", 5), worked("2026-04-15 09:00", 5)])
    assert (episode.window_start, episode.provisional) == (date(2026, 4, 6), True)
    assert episode.inquiries[0].implied
    assert len(episode.intervals) == 2


def test_each_thread_without_an_inquiry_opens_one_unless_it_falls_into_a_window():
    built = build(
        [
            worked("2026-04-06 09:00", 5),
            worked("2026-04-08 09:00", 5, thread="TH2"),
            worked("2026-04-20 09:00", 5, thread="TH3"),
        ]
    )
    assert windows(built) == [("em", "2026-04-06", "2026-04-12"), ("em", "2026-04-20", "2026-04-26")]
    assert [q.thread for q in built[0].inquiries] == ["TH1", "TH2"]


def test_an_inquiry_that_stands_out_gives_the_days_to_the_next_one():
    inquiries = [asked("2026-04-06 08:00", "TH1", evaluative=False), asked("2026-04-08 08:00", "TH2")]
    (episode,) = build([worked("2026-04-06 09:00", 12), worked("2026-04-08 09:00", 11, thread="TH2")], inquiries)
    assert episode.window_start == date(2026, 4, 8)
    assert [q.thread for q in episode.inquiries] == ["TH1", "TH2"]
    assert len(episode.intervals) == 2


def test_work_without_a_thread_belongs_to_the_inquiry_before_it():
    (episode,) = build(
        [worked("2026-04-06 09:00", 5), worked("2026-04-07 09:00", 5, thread=None)], [asked("2026-04-06 08:00")]
    )
    assert [q.implied for q in episode.inquiries] == [False]
    assert len(episode.intervals) == 2


def test_hours_instead_of_days_end_a_window_to_the_minute():
    inquiries = [asked("2026-04-06 08:00"), asked("2026-04-13 08:59"), asked("2026-04-13 09:01")]
    built = build(
        [worked("2026-04-06 09:00", 5), worked("2026-04-13 10:00", 5)],
        inquiries,
        settings=lambda _: {"period_mode": "hours"},
    )
    assert [len(e.inquiries) for e in built] == [2, 1]
    assert built[1].anchored_at == at("2026-04-13 10:00")


# --- approved windows -------------------------------------------------------------------------------------------------

TAKEN = TakenEpisode("approved", "em", date(2026, 4, 8), date(2026, 4, 14))


def test_an_approved_window_stays_when_earlier_work_arrives_late():
    (episode,) = build(
        [worked("2026-04-06 09:00", 5), worked("2026-04-08 09:00", 5)], [asked("2026-04-06 08:00")], [TAKEN]
    )
    assert (episode.episode_id, episode.window_start) == ("approved", date(2026, 4, 8))
    assert len(episode.intervals) == 2
    assert len(episode.inquiries) == 1


def test_work_after_an_approved_window_without_a_new_inquiry_stays_with_it():
    (episode,) = build(
        [worked("2026-04-08 09:00", 5), worked("2026-04-20 09:00", 5)], [asked("2026-04-06 08:00")], [TAKEN]
    )
    assert (episode.episode_id, len(episode.intervals)) == ("approved", 2)


def test_new_inquiries_before_and_after_an_approved_window_open_their_own():
    inquiries = [asked("2026-03-20 08:00"), asked("2026-04-06 08:00"), asked("2026-04-15 08:00")]
    built = build(
        [worked("2026-03-20 09:00", 5), worked("2026-04-08 09:00", 5), worked("2026-04-15 09:00", 5)],
        inquiries,
        [TAKEN],
    )
    assert [(e.episode_id, e.window_start.isoformat(), len(e.intervals)) for e in built] == [
        (None, "2026-03-20", 1),
        ("approved", "2026-04-08", 1),
        (None, "2026-04-15", 1),
    ]


def test_an_approved_window_of_one_family_does_not_hinder_the_other():
    built = build(
        [worked("2026-04-08 09:00", 5), worked("2026-04-09 09:00", 5, clinician="T1")],
        [asked("2026-04-06 08:00")],
        [TAKEN],
    )
    assert [(e.family, e.episode_id) for e in built] == [("em", "approved"), ("nonphysician", None)]


# --- identity ---------------------------------------------------------------------------------------------------------


def test_a_moved_anchor_keeps_the_id():
    old = build([worked("2026-04-08 09:00", 5)], [asked("2026-04-06 08:00")])
    new = build([worked("2026-04-07 09:00", 5), worked("2026-04-08 09:00", 5)], [asked("2026-04-06 08:00")])
    kept, joined = keep_identity([ExistingEpisode("a", "em", old[0].anchored_at, 1)], new)
    assert ([identity for identity, _ in kept], joined) == (["a"], [])


def test_two_episodes_that_become_one_keep_the_earlier_id():
    built = build([worked("2026-04-06 09:00", 5), worked("2026-04-20 09:00", 5)], [asked("2026-04-06 08:00")])
    existing = [
        ExistingEpisode("late", "em", at("2026-04-20 09:00"), 1),
        ExistingEpisode("early", "em", at("2026-04-06 09:00"), 2),
    ]
    kept, joined = keep_identity(existing, built)
    assert [identity for identity, _ in kept] == ["early"]
    assert joined == [("late", "early")]


def test_a_new_episode_needs_a_new_id():
    built = build([worked("2026-04-06 09:00", 5), worked("2026-04-07 09:00", 5, clinician="T1")])
    kept, joined = keep_identity([ExistingEpisode("a", "em", at("2026-04-06 09:00"), 1)], built)
    assert [(identity, e.family) for identity, e in kept] == [("a", "em"), (None, "nonphysician")]
    assert joined == []


def test_what_comes_to_lie_in_an_approved_episode_goes_into_it():
    built = build([worked("2026-04-08 09:00", 5)], [asked("2026-04-06 08:00")], [TAKEN])
    kept, joined = keep_identity([ExistingEpisode("a", "em", at("2026-04-09 09:00"), 1)], built)
    assert [identity for identity, _ in kept] == ["approved"]
    assert joined == [("a", "approved")]


def test_an_episode_whose_work_is_gone_is_in_neither_list():
    kept, joined = keep_identity([ExistingEpisode("a", "em", at("2026-04-09 09:00"), 1)], [])
    assert (kept, joined) == ([], [])


# --- laws -------------------------------------------------------------------------------------------------------------

FIRST = at("2026-04-06 08:00")
MINUTES = st.integers(0, 40 * 24 * 60)
WORK = st.builds(
    lambda minute, length, clinician, thread, activity: (minute, length, clinician, thread, activity),
    MINUTES,
    st.integers(1, 90),
    st.sampled_from(["C1", "C2", "T1", "N1", "X1"]),
    st.sampled_from(["TH1", "TH2", None]),
    st.sampled_from(["review_inquiry", "develop_plan", "documentation", "idle"]),
)
HISTORY = st.tuples(
    st.lists(WORK, max_size=25),
    st.lists(st.tuples(MINUTES, st.sampled_from(["TH1", "TH2"]), st.sampled_from([True, False, None])), max_size=6),
)


def history(drawn):
    work, questions = drawn
    intervals = [
        worked("2026-04-06 08:00", 0, id=f"i{n}", clinician=who, thread=thread, activity=activity)
        for n, (_, _, who, thread, activity) in enumerate(work)
    ]
    moved = [
        type(i)(i.id, i.clinician, FIRST + m * 60_000, FIRST + (m + n) * 60_000, i.activity, i.thread)
        for i, (m, n, *_) in zip(intervals, work, strict=True)
    ]
    return moved, [
        type(asked("2026-04-06 08:00"))(FIRST + m * 60_000, "patient", "portal", True, evaluative, thread=thread)
        for m, thread, evaluative in questions
    ]


@pytest.mark.parametrize("told", list(permutations([True, False, None])))
def test_inquiries_of_one_instant_and_thread_that_differ_in_one_answer_have_one_order(told):
    def inquiries(answers):
        return [replace(asked("2026-04-06 08:00"), evaluative=evaluative) for evaluative in answers]

    work = [worked("2026-04-06 09:00", 5)]
    assert build(work, inquiries(told)) == build(work, inquiries([True, False, None]))


@given(HISTORY, st.randoms())
def test_any_order_of_arrival_ends_in_the_same_episodes(drawn, chance):
    intervals, inquiries = history(drawn)
    built = build(intervals, inquiries)
    chance.shuffle(intervals)
    chance.shuffle(inquiries)
    assert build(intervals, inquiries) == built


@given(HISTORY)
def test_windows_of_a_family_never_overlap_and_no_second_lies_in_two_of_them(drawn):
    intervals, inquiries = history(drawn)
    built = build(intervals, inquiries)
    whole = {i.id: i for i in intervals}
    for family in ("em", "nonphysician"):
        own = [e for e in built if e.family == family]
        for earlier, later in pairwise(own):
            assert earlier.window_end < later.window_start
        for name, interval in whole.items():
            parts = sorted((p.started_at, p.ended_at) for e in own for p in e.intervals if p.id == name)
            assert all(interval.started_at <= start < end <= interval.ended_at for start, end in parts)
            assert all(a[1] <= b[0] for a, b in pairwise(parts))


@given(HISTORY)
def test_a_built_episode_is_judged_over_the_window_it_was_built_with(drawn):
    intervals, inquiries = history(drawn)
    for episode in build(intervals, inquiries):
        said = determine(case_of(episode, other_patient_time=())).answer
        first_alone = said["window_start"] is None and len(episode.inquiries) > 1
        assert first_alone or said["window_start"] == episode.window_start.isoformat()
        assert first_alone or said["window_end"] == episode.window_end.isoformat()


@given(HISTORY)
def test_building_again_with_every_episode_approved_changes_no_window(drawn):
    intervals, inquiries = history(drawn)
    built = build(intervals, inquiries)
    taken = [TakenEpisode(f"e{n}", e.family, e.window_start, e.window_end) for n, e in enumerate(built)]
    again = build(intervals, inquiries, taken)
    assert windows(again) == windows(built)
    assert [e.intervals for e in again] == [e.intervals for e in built]


@pytest.mark.parametrize("family", ["em", "nonphysician"])
def test_a_provisional_episode_asks_for_its_inquiry_and_is_never_reportable(family):
    who = {"em": "C1", "nonphysician": "T1"}[family]
    (episode,) = build([worked("2026-04-06 09:00", 12, clinician=who)])
    said = determine(case_of(episode, other_patient_time=())).answer
    assert said["status"] == "hold"
    assert {"patient-initiated", "inquiry-precedes-time"} <= {entry["id"] for entry in said["missing"]}
    assert said["counted_seconds"] == 720
