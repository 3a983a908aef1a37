"""The script's truth reads the capture rules as they are written."""

from __future__ import annotations

import pytest

from tests.story.truth import Log, seconds_by_thread


def test_time_with_input_counts_from_the_opening_to_the_leaving():
    log = Log(opened=[(0, "a"), (30, None)], inputs=[0, 10, 20], closed=40)
    assert seconds_by_thread(log, idle_after=60) == {"a": 29.75}


def test_a_page_nobody_touched_counts_for_nothing():
    log = Log(opened=[(0, "a")], inputs=[], closed=40)
    assert seconds_by_thread(log, idle_after=60) == {"a": 0}


def test_the_whole_idle_tail_is_removed_and_work_after_it_counts_again():
    log = Log(opened=[(0, "a")], inputs=[0, 20, 50, 55], closed=60)
    assert seconds_by_thread(log, idle_after=15) == {"a": 10}


@pytest.mark.parametrize(("left", "seconds"), [(34, 33.75), (36, 19.75)])
def test_a_pause_shorter_than_the_idle_limit_counts_up_to_the_leaving(left, seconds):
    log = Log(opened=[(0, "a"), (left, None)], inputs=[0, 10, 20], closed=50)
    assert seconds_by_thread(log, idle_after=15) == {"a": seconds}


def test_hidden_time_counts_for_nothing_and_coming_back_counts_at_once():
    log = Log(opened=[(0, "a")], inputs=[0, 8, 28], away=[(10, 25)], closed=30)
    assert seconds_by_thread(log, idle_after=60) == {"a": 14.75}


def test_coming_back_with_an_old_input_counts_only_from_the_next_one():
    log = Log(opened=[(0, "a")], inputs=[0, 8, 40], away=[(10, 35)], closed=45)
    assert seconds_by_thread(log, idle_after=15) == {"a": 14.75}


@pytest.mark.parametrize(("blur", "seconds"), [((10, 11.5), 29.75), ((10, 14), 25.75)])
def test_a_short_blur_is_bridged_and_a_longer_one_is_not(blur, seconds):
    log = Log(opened=[(0, "a")], inputs=[0, 10, 20], blurred=[blur], closed=30)
    assert seconds_by_thread(log, idle_after=60) == {"a": seconds}


def test_an_opening_under_five_seconds_is_no_review_and_the_next_thread_counts_from_its_own_opening():
    log = Log(opened=[(0, "a"), (10, "b"), (14, "a")], inputs=[0, 10, 14], closed=20)
    assert seconds_by_thread(log, idle_after=60) == {"a": 15.5, "b": 0}
