"""Long sessions with the real idle limit: whatever the clinician does and whatever dies, the seconds agree."""

from __future__ import annotations

import random
import time

import pytest

from tests.story.road import Road, agree

pytestmark = [pytest.mark.browser, pytest.mark.soak, pytest.mark.timeout(1800)]

SESSION_SECONDS = 600


@pytest.mark.parametrize("idle_after", [60])
@pytest.mark.parametrize("seed", range(3))
def test_ten_minutes_of_any_work_agree_with_the_clinicians_own_clock(road: Road, seed: int):
    chance = random.Random(seed)
    road.clinician.arrive("A")
    road.clinician.read(6)
    ends_at = time.monotonic() + SESSION_SECONDS
    while time.monotonic() < ends_at:
        do_something(road, chance)
    road.clinician.leave()
    agree(road)


def do_something(road: Road, chance: random.Random) -> None:
    """One act of the clinician's, or one death, followed by some reading: a test of time needs clear edges."""
    at = road.clinician
    act = chance.choice(["open", "open", "reply", "hide", "blur", "sit still", "worker dies", "server dies"])
    print(f"{time.strftime('%H:%M:%S')} {act}")
    if act == "open":
        at.open(chance.choice("ABCD"))
        at.read(chance.choice([2, 2, 8, 15, 30]))
    elif act == "reply":
        at.reply()
    elif act == "hide":
        with at.hidden():
            at.sit_still(chance.uniform(1, 20))
    elif act == "blur":
        with at.blurred():
            at.sit_still(chance.choice([0.2, 4, 15]))
    elif act == "sit still":
        at.sit_still(chance.choice([20, 40, 70]))
    elif act == "worker dies" and road.chromium.workers():
        road.chromium.kill_worker()
    elif act == "server dies":
        road.server.kill()
        at.read(chance.uniform(1, 10))
        road.server.start()
    at.read(chance.uniform(2, 6))
