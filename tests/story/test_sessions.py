"""Sessions at real speed over Medplum's screens and Roundcube's frames, in two windows: database and script agree.

Whatever the clinician does and whatever dies meanwhile; the truth is a second reading of the capture rules.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.story.session_browsers import LONG_SESSIONS, SHORT_SESSIONS, Plan, hold

pytestmark = [pytest.mark.alone, pytest.mark.browser, pytest.mark.timeout(3600)]

MOST_SECONDS_OF_A_THREAD = 2
MOST_OF_THE_TOTAL = 0.005


def agree(plans: list[Plan], folder: Path) -> None:
    sessions = hold(plans, folder)
    for one in sessions:
        print(f"{one.browser} {one.seed}: {one.seconds:.0f} s, N {one.idle_after}")
        for thread, ways in one.threads.items():
            print(f"  {thread:.8}", *(f"{way} {seconds:.2f}" for way, seconds in ways.items()))
    doubts = [abs(ways["second"] - ways["true"]) for one in sessions for ways in one.threads.values()]
    assert max(doubts) <= MOST_SECONDS_OF_A_THREAD, "two readings of the rules do not agree"
    assert all(one.worst <= MOST_SECONDS_OF_A_THREAD for one in sessions)
    ours, true = (sum(one.total(way) for one in sessions) for way in ("ours", "true"))
    assert true > 0.2 * sum(one.seconds for one in sessions), "nobody worked"
    assert len({thread for one in sessions for thread in one.threads if one.threads[thread]["true"] > 0}) >= 4
    assert abs(ours - true) <= MOST_OF_THE_TOTAL * true, (ours, true)


def test_three_minutes_of_work_agree_with_the_clinicians_own_log(tmp_path: Path):
    agree(SHORT_SESSIONS, tmp_path)


@pytest.mark.soak
def test_half_an_hour_of_work_in_chromium_and_six_minutes_in_firefox_agree(tmp_path: Path):
    agree(LONG_SESSIONS, tmp_path)
