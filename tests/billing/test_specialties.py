"""With `aggregate_by` at specialty, time adds up for each specialty of the group by itself."""

from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from made import EVERYBODY, PRACTICE, answer, asked, at, case_of, excluded, facts, interval, worked

from backend.billing.determination import determine
from backend.billing.episodes import TakenEpisode, build_episodes
from backend.billing.identity import ExistingEpisode, keep_identity
from backend.billing.translate import case_from_json

APART = {"aggregate_by": "specialty"}
FAMILY_DOCTOR = interval("09:00:00", 6)
CARDIOLOGIST = interval("10:00:00", 6, clinician="C2")
SEEN_BY_BOTH = {
    "id": "P1",
    "face_to_face_history": [
        {"date": "2025-09-18", "group": "G1", "specialty": name, "clinician": None, "face_to_face": True}
        for name in ("family_medicine", "cardiology")
    ],
}


def build(intervals, inquiries=(), taken=(), by_day=lambda _: APART):
    return build_episodes(
        practice=PRACTICE, clinicians=EVERYBODY, inquiries=inquiries, intervals=intervals, taken=taken, settings=by_day
    )


def judged(episode, **more):
    return determine(case_of(episode, settings=APART, **more)).answer


def test_six_minutes_and_six_are_twelve_in_the_group_and_six_in_the_specialty_of_the_first_review():
    both = (FAMILY_DOCTOR, CARDIOLOGIST)
    assert answer(*both)["code"] == "99422"
    said = answer(*both, settings=APART)
    assert (said["code"], said["rendering_clinician"], excluded(said)) == ("99421", "C1", {"other_group": 360})
    assert said["settings"] == APART


def test_the_specialty_that_is_asked_for_is_the_one_that_counts():
    given_facts = facts(FAMILY_DOCTOR, CARDIOLOGIST, patient=SEEN_BY_BOTH, settings=APART)
    case = replace(case_from_json(given_facts), evaluate_specialty="cardiology")
    said = determine(case).answer
    assert (said["code"], said["rendering_clinician"], excluded(said)) == ("99421", "C2", {"other_group": 360})
    in_group = determine(replace(case, settings={})).answer
    assert in_group == answer(FAMILY_DOCTOR, CARDIOLOGIST, patient=SEEN_BY_BOTH)


def test_another_specialty_does_not_open_the_seven_days():
    early = interval("09:00:00", 6, clinician="C2", day="2026-04-06")
    late = interval("09:00:00", 6, day="2026-04-08")
    case = replace(case_from_json(facts(early, late, settings=APART)), evaluate_specialty="family_medicine")
    assert determine(case).answer["window_start"] == "2026-04-08"
    assert answer(early, late, settings=APART)["window_start"] == "2026-04-06"


def test_of_two_who_begin_at_once_the_first_in_order_says_the_specialty():
    first = interval("09:00:00", 6, clinician="C2", id="a")
    second = interval("09:00:00", 6, id="b")
    assert answer(first, second, settings=APART)["rendering_clinician"] == "C2"
    assert answer(second, first, settings=APART)["rendering_clinician"] == "C2"


def test_staff_and_the_other_family_keep_their_own_reasons():
    nurse, therapist = (interval("11:00:00", 1, clinician=who) for who in ("N1", "T1"))
    said = answer(FAMILY_DOCTOR, nurse, therapist, settings=APART)
    assert excluded(said) == {"other_family": 60, "staff": 60}


def test_an_inquiry_without_a_known_time_still_says_whose_review_is_first():
    assert answer(CARDIOLOGIST, inquiry_at=None, settings=APART)["rendering_clinician"] == "C2"
    assert answer(interval("09:00:00", 6, clinician="N1"), settings=APART)["counted_seconds"] == 0


def test_each_specialty_has_an_episode_of_its_own_over_the_same_intervals():
    work = [worked("2026-04-06 09:00", 6), worked("2026-04-07 09:00", 6, clinician="C2")]
    built = build(work, [asked("2026-04-06 08:00")])
    assert [(e.specialty, e.window_start) for e in built] == [
        ("family_medicine", date(2026, 4, 6)),
        ("cardiology", date(2026, 4, 7)),
    ]
    assert [judged(e)["counted_seconds"] for e in built] == [360, 360]
    (together,) = build(work, [asked("2026-04-06 08:00")], by_day=None)
    assert (together.specialty, together.window_start) == (None, date(2026, 4, 6))


def test_a_thread_without_an_inquiry_is_provisional_for_each_specialty():
    built = build([worked("2026-04-06 09:00", 6), worked("2026-04-07 09:00", 6, clinician="C2")])
    assert [(e.specialty, e.provisional) for e in built] == [("family_medicine", True), ("cardiology", True)]


def test_an_approved_episode_keeps_its_days_for_its_own_specialty_alone():
    taken = [TakenEpisode("approved", "em", date(2026, 4, 6), date(2026, 4, 12), "cardiology")]
    work = [worked("2026-04-07 09:00", 6), worked("2026-04-07 10:00", 6, clinician="C2")]
    built = build(work, [asked("2026-04-07 08:00")], taken)
    assert [(e.episode_id, e.specialty, e.window_start) for e in built] == [
        ("approved", "cardiology", date(2026, 4, 6)),
        (None, "family_medicine", date(2026, 4, 7)),
    ]


def test_an_episode_approved_for_the_group_keeps_its_days_for_every_specialty():
    taken = [TakenEpisode("approved", "em", date(2026, 4, 6), date(2026, 4, 12))]
    work = [worked("2026-04-07 09:00", 6), worked("2026-04-07 10:00", 6, clinician="C2")]
    (episode,) = build(work, [asked("2026-04-07 08:00")], taken)
    assert (episode.episode_id, len(episode.inquiries), len(episode.intervals)) == ("approved", 1, 2)


def test_an_id_stays_with_its_specialty():
    built = build([worked("2026-04-06 09:00", 6), worked("2026-04-06 10:00", 6, clinician="C2")])
    old = [
        ExistingEpisode("heart", "em", at("2026-04-06 10:00"), 1, "cardiology"),
        ExistingEpisode("family", "em", at("2026-04-06 09:00"), 2, "family_medicine"),
    ]
    kept, joined = keep_identity(old, built)
    assert ({e.specialty: id_ for id_, e in kept}, joined) == (
        {"cardiology": "heart", "family_medicine": "family"},
        [],
    )


def test_where_specialties_are_kept_apart_from_a_day_on_open_episodes_keep_their_days():
    work = [
        worked("2026-04-06 09:00", 5),
        worked("2026-04-11 09:00", 5, clinician="C2"),  # still in the group's seven days
        worked("2026-04-14 09:00", 5, thread="B"),
        worked("2026-04-15 09:00", 5, clinician="C2", thread="B"),
    ]
    inquiries = [asked("2026-04-06 08:00"), asked("2026-04-11 08:00", "C"), asked("2026-04-14 08:00", "B")]
    built = build(work, inquiries, by_day=lambda day: APART if day >= date(2026, 4, 10) else {})
    assert [(e.specialty, e.window_start, len(e.intervals)) for e in built] == [
        (None, date(2026, 4, 6), 2),
        ("family_medicine", date(2026, 4, 14), 2),
        ("cardiology", date(2026, 4, 15), 2),  # the family doctor's of the day before too, as another group's
    ]


WORK = st.lists(
    st.tuples(st.integers(0, 20 * 24 * 60), st.integers(1, 30), st.sampled_from(["C1", "C2", "T1", "N1"])),
    min_size=1,
    max_size=10,
)


@given(WORK, st.lists(st.integers(0, 20 * 24 * 60), max_size=4))
def test_a_specialtys_episodes_are_those_it_would_have_alone(work, questions):
    start = at("2026-04-01 00:00")
    moved = [
        worked("2026-04-01 00:00", length, clinician=who, id=f"i{n}")._replace(
            started_at=start + minute * 60_000, ended_at=start + (minute + length) * 60_000
        )
        for n, (minute, length, who) in enumerate(work)
    ]
    inquiries = [replace(asked("2026-04-01 00:00"), at=start + minute * 60_000) for minute in questions]
    together = build(moved, inquiries)
    for specialty, who in (("family_medicine", "C1"), ("cardiology", "C2")):
        own = [e for e in together if e.specialty == specialty]
        alone = build([i for i in moved if i.clinician == who], inquiries, by_day=None)
        assert [(e.window_start, e.window_end, e.anchored_at) for e in own] == [
            (e.window_start, e.window_end, e.anchored_at) for e in alone
        ]
        assert [judged(e)["counted_seconds"] for e in own] == [judged(e)["counted_seconds"] for e in alone]
