"""Settings are dated words; which one holds depends on the day, the payer and the order in which they were said."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made import EVERYBODY, PRACTICE, asked, case_of, worked

from backend.billing.determination import determine
from backend.billing.episodes import build_episodes
from backend.billing.rulebook import book
from backend.billing.settings import DatedSetting, SettingError, check, in_force, payer_types, settable

APRIL, MAY, JUNE = (date(2026, month, 1) for month in (4, 5, 6))
WITHOUT_RECORDS = ["review_inquiry", "communicate_online"]


def said(name, value, from_on=APRIL, payer=None):
    return DatedSetting(name, value, from_on, payer)


def test_nothing_said_is_nothing_in_force():
    assert in_force([], JUNE, None) == {}


def test_a_word_holds_from_its_day_on():
    words = [said("lookback_days", 6, MAY)]
    assert in_force(words, MAY - timedelta(days=1), None) == {}
    assert in_force(words, MAY, None) == {"lookback_days": 6}
    assert in_force(words, JUNE, "medicaid") == {"lookback_days": 6}


def test_the_latest_day_holds_whatever_was_said_last_and_at_a_tie_what_was_said_last():
    words = [said("lookback_days", 6, MAY), said("lookback_days", 7, APRIL)]
    assert in_force(words, JUNE, None) == {"lookback_days": 6}
    assert in_force([*words, said("lookback_days", 7, MAY)], JUNE, None) == {"lookback_days": 7}


def test_null_withdraws_from_its_day_on():
    words = [said("lookback_days", 6), said("lookback_days", None, MAY)]
    assert in_force(words, APRIL, None) == {"lookback_days": 6}
    assert in_force(words, MAY, None) == {}


def test_a_payers_own_word_goes_before_the_general_one_for_that_payer_alone():
    words = [said("telehealth_pos", ["10"], payer="commercial"), said("telehealth_pos", ["02"], MAY)]
    assert in_force(words, JUNE, "commercial") == {"telehealth_pos": ["10"]}
    assert in_force(words, JUNE, "medicaid") == in_force(words, JUNE, None) == {"telehealth_pos": ["02"]}


def test_where_a_payers_own_word_is_withdrawn_the_general_one_holds_again():
    words = [
        said("telehealth_pos", ["02"]),
        said("telehealth_pos", ["10"], payer="commercial"),
        said("telehealth_pos", None, MAY, payer="commercial"),
    ]
    assert in_force(words, APRIL, "commercial") == {"telehealth_pos": ["10"]}
    assert in_force(words, MAY, "commercial") == {"telehealth_pos": ["02"]}


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (said("lookback", 7), "lookback is not a setting; settings are aggregate_by, "),
        (said("period_days", 9), "period_days is not a setting"),
        (said("period_days", None), "period_days is not a setting"),
        (said("lookback_days", 3), "lookback_days is a whole number from 6 to 7"),
        (said("lookback_days", True), "lookback_days is a whole number from 6 to 7"),
        (said("aggregate_by", "thread"), "aggregate_by is one of group, specialty"),
        (said("counted_activities", "review_inquiry"), "counted_activities is a list of texts"),
        (said("telehealth_pos", ["02"], payer="the moon"), "the moon is no payer; payers are medicare_ffs, "),
        (
            said("counted_activities", WITHOUT_RECORDS, payer="commercial"),
            "by payer may differ consent_covers, consent_scopes, telehealth_modifiers, telehealth_pos",
        ),
    ],
)
def test_what_is_not_allowed_is_refused_with_what_is(word, message):
    with pytest.raises(SettingError, match=message):
        check(word)


@pytest.mark.parametrize("name", sorted(settable()))
@pytest.mark.parametrize("on", [date(2019, 1, 1), APRIL, date(2040, 1, 1)])
def test_every_default_may_be_said_and_withdrawn(name, on):
    check(said(name, settable()[name]["value"], on))
    check(said(name, None, on))


def test_every_payer_of_the_rules_may_have_its_own_word():
    of_versions = {payer for rules in book().versions for payer in rules["payers"] or () if payer is not None}
    assert of_versions <= set(payer_types())
    for payer in payer_types():
        check(said("telehealth_pos", ["02"], payer=payer))


# --- settings that change while work goes on ------------------------------------------------------------------------


def on_days(*changes):
    """The settings by day of general words."""
    return lambda day: in_force([said(*change) for change in changes], day, None)


def built_of(intervals, inquiries, by_day):
    return build_episodes(
        practice=PRACTICE, clinicians=EVERYBODY, inquiries=inquiries, intervals=intervals, settings=by_day
    )


def test_a_setting_holds_for_episodes_that_begin_on_its_day_or_later():
    days = ("2026-04-06", "2026-04-14")
    built = built_of(
        [worked(f"{day} 09:00", 5) for day in days],
        [asked(f"{day} 08:00", f"TH{n}") for n, day in enumerate(days)],
        on_days(("period_mode", "hours", date(2026, 4, 10))),
    )
    assert [(e.window_end - e.window_start).days for e in built] == [6, 7]
    assert [e.settled_on for e in built] == [e.window_start for e in built]


def test_an_activity_that_counts_from_a_day_on_opens_no_episode_before_it():
    records = [
        worked("2026-04-07 09:00", 5, activity="review_records", id="before"),
        worked("2026-04-20 09:00", 5, activity="review_records", id="after"),
    ]
    inquiries = [asked("2026-04-06 08:00", "A"), asked("2026-04-19 08:00", "B")]
    by_day = on_days(("counted_activities", WITHOUT_RECORDS), ("counted_activities", None, date(2026, 4, 15)))
    (episode,) = built_of(records, inquiries, by_day)[-1:]
    assert episode.window_start == date(2026, 4, 20)


def judged(episode, by_day):
    return determine(case_of(episode, as_of=1 << 42, settings=by_day(episode.settled_on)))


MOMENT = st.integers(0, 27 * 24 * 60)
WORK = st.tuples(
    MOMENT, st.integers(1, 40), st.sampled_from(["C1", "C2", "T1", "N1"]), st.sampled_from(["A", "B", "C"]),
    st.sampled_from(["review_inquiry", "review_records", "idle"]),
)  # fmt: skip
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("counted_activities"), st.sampled_from([None, WITHOUT_RECORDS])),
        st.tuples(st.just("aggregate_by"), st.sampled_from([None, "group", "specialty"])),
        st.tuples(st.just("period_mode"), st.sampled_from([None, "hours"])),
    ).flatmap(lambda pair: st.integers(0, 27).map(lambda day: (*pair, APRIL + timedelta(days=day)))),
    max_size=4,
)


def local(minute):
    day, rest = divmod(minute, 24 * 60)
    return f"2026-04-{day + 1:02d} {rest // 60:02d}:{rest % 60:02d}"


@given(st.lists(WORK, min_size=1, max_size=12), st.lists(st.tuples(MOMENT, st.sampled_from("AB"))), CHANGES)
@settings(max_examples=200)
def test_whatever_changes_and_when_an_episode_is_judged_over_its_own_window_and_no_second_counts_twice(
    work, inquiries, changes
):
    intervals = [
        worked(local(minute), length, clinician=who, thread=thread, activity=activity, id=f"i{n}")
        for n, (minute, length, who, thread, activity) in enumerate(work)
    ]
    by_day = on_days(*changes)
    built = built_of(intervals, [asked(local(minute), thread) for minute, thread in inquiries], by_day)
    assert built == built_of(intervals[::-1], [asked(local(m), thread) for m, thread in inquiries[::-1]], by_day)
    counted = {}
    for episode in built:
        found = judged(episode, by_day)
        if found.answer["window_start"] is not None or len(episode.inquiries) == 1:
            window = (found.answer["window_start"], found.answer["window_end"])
            assert window == (episode.window_start.isoformat(), episode.window_end.isoformat())
        for piece in found.pieces:
            if piece.counted:
                spans = counted.setdefault((episode.family, piece.interval_id), [])
                spans.append((piece.started_at, piece.ended_at))
    for spans in counted.values():
        assert all(before[1] <= after[0] for before, after in pairwise(sorted(spans)))
    names = [(e.family, e.specialty, e.window_start) for e in built]
    assert len(set(names)) == len(names)
