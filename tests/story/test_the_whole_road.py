"""From a clinician's hand in a portal tab to a line of the manager's report, whatever dies on the way."""

from __future__ import annotations

import json

import pytest

from tests.story.clinician import THREADS
from tests.story.relay import Exchange
from tests.story.road import Road, agree

pytestmark = pytest.mark.browser


def test_each_threads_seconds_in_the_report_are_those_of_the_clinicians_own_clock(road: Road):
    at = road.clinician
    at.arrive("A")
    at.read(12)
    at.open("C")  # a mis-click
    at.read(2)
    at.open("B")
    at.read(8)
    with at.hidden():
        at.sit_still(6)
    at.reply()
    at.read(3)
    at.sit_still(road.idle_after + 4)
    at.read(4)
    with at.blurred():
        at.sit_still(4)
    at.read(2)
    at.leave()
    agree(road)
    assert THREADS["C"] not in road.seconds_by_thread()


def test_a_service_worker_killed_in_mid_flight_loses_nothing_and_doubles_nothing(road: Road):
    at = road.clinician
    at.arrive("A")
    at.read(7)
    road.chromium.kill_worker()  # while an interval is open
    at.read(2)
    road.relay.on_intervals = lambda _: road.chromium.kill_worker()  # while the row is on its way
    at.open("B")
    at.read(7)
    assert road.relay.on_intervals is None, "no interval was on its way"
    with at.hidden():
        road.chromium.kill_worker()  # right after one closed
        at.sit_still(2)
    at.read(6)
    at.leave()
    agree(road)


def test_a_server_killed_in_mid_flight_loses_nothing_and_doubles_nothing(road: Road):
    at = road.clinician
    at.arrive("A")
    at.read(7)
    road.relay.on_intervals = lambda _: road.server.kill()  # it has stored the row; the browser never hears so
    at.open("B")
    at.read(7)
    assert road.server.process is None, "no interval was on its way"
    with at.hidden():
        at.sit_still(2)
    at.reply()
    at.read(4)
    road.server.start()
    at.leave()
    agree(road)
    assert "duplicate" in answers(road)


def answers(road: Road) -> set[str]:
    """The lists of the server's answers in which a row stood."""
    return {name for post in road.relay.posts() for name, rows in told(post).items() if rows}


def told(post: Exchange) -> dict[str, list[object]]:
    return dict(json.loads(post.answer))
