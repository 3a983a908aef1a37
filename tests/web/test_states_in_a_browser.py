"""The page of an episode in each state that a manager meets, in a real Chromium over a real server."""

from __future__ import annotations

import pytest

from backend.desk.devices import device_of
from backend.desk.practices import get_practice
from backend.store import open_folder
from tests.desk.world import World
from tests.server import ADMIN, CLINICIAN, PASSWORD, Server, now
from tests.web.chromium import chromium
from tests.web.states import STATES, make_closed, make_states

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("states"))
    made.set_up()
    made.add_user("moss@practice.example", "clinician", "--credential", "MD", "--specialty", "family_medicine")
    token = made.add_device("moss@practice.example")
    made.start()
    try:
        key_file = next((made.data.parent / "config" / "threadtime").glob("*.key"))
        store = open_folder(made.data, key_file, now=now())
        try:
            device = device_of(store, token)
            assert device is not None
            world = World(store, get_practice(store), {"doctor": device})
            make_states(world, now=now(), surgeon=CLINICIAN)
            make_closed(world, now=now())
        finally:
            store.close()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="module")
def page(server, tmp_path_factory):
    with chromium(server.url, tmp_path_factory.mktemp("profile")) as page:
        page.sign_in(ADMIN, PASSWORD)
        yield page


@pytest.fixture(scope="module")
def addresses(page):
    """State -> address of its episode's page."""
    page.look(width=1240, dark=False)
    page.open("/episodes")
    links = page.driver.find_elements("css selector", "tbody a")
    return {link.text: link.get_attribute("href").removeprefix(page.url) for link in links}


def show(page, address, *, width=1240, dark=False):
    page.look(width=width, dark=dark)
    page.open(address)
    page.driver.execute_script("document.querySelectorAll('main details').forEach(each => { each.open = true })")


@pytest.mark.parametrize("state", [*STATES, "closed"])
@pytest.mark.parametrize(("width", "dark"), [(1240, False), (390, True), (320, False)])
def test_no_state_has_a_barrier_or_is_cut_off(page, addresses, state, width, dark):
    show(page, addresses[state], width=width, dark=dark)
    assert page.barriers() == []
    assert page.overflow() == 0
    assert page.texts("#h-known") == ["What is known"]


def test_an_episode_on_hold_says_first_what_it_waits_for_and_of_whom(page, addresses):
    show(page, addresses["waiting"])
    waiting = page.texts("[aria-labelledby=h-waiting] li")
    assert len(waiting) > 5
    assert any("Who started the exchange" in each and "asked of the staff" in each for each in waiting)
    assert not any("Who started" in each for each in page.texts("[aria-labelledby=h-reasons] li"))
    assert "Not looked through yet: visits, consents" in page.text("[aria-labelledby=h-known]")


def test_facts_stand_with_their_speakers_and_the_words_they_replaced(page, addresses):
    show(page, addresses["blocked"])
    assert not page.driver.find_elements("id", "h-waiting")
    known = page.text("[aria-labelledby=h-known]")
    assert "package of days: 90; family medicine; by Robin Doe" in known
    assert "Administrator, through the interface" in known
    assert "2 more, further from these days" in known
    earlier = page.texts(".earlier li")
    assert any("a commercial payer; pays online visits: yes" in each and "replaced by" in each for each in earlier)
    assert any("cancelled" in each and "withdrawn by Administrator" in each for each in earlier)


def test_a_setting_that_differs_stands_with_its_default(page, addresses):
    show(page, addresses["ready"])
    assert "240 seconds, by default 180 seconds" in page.text("[aria-labelledby=h-settings]")


def test_an_approved_episode_shows_what_came_since(page, addresses):
    show(page, addresses["approved"])
    assert "Data came after approval" in page.text(".head")
    assert page.text(".fact .chip").endswith("after the approval")
    history = page.text("[aria-labelledby=h-history]")
    assert "Said since the determination before: other claims by the command line" in history
    assert "warns now: Another service of the month" in history


def test_an_episode_whose_time_went_by_age_says_so_and_keeps_its_minutes(page, addresses):
    show(page, addresses["closed"])
    assert "7 min 00 s counted of 7 min 00 s recorded" in page.text(".head")
    assert "by age, as the practice has set" in page.text("section:has(#pieces)")
    assert "7:00" in page.text("[aria-labelledby=h-who]")
    assert "Its recorded time was removed by age" in page.text("[aria-labelledby=h-history]")


def test_ready_and_approved_are_two_tiles_and_two_lists(page, addresses):
    page.look(width=1240, dark=False)
    page.open("/episodes")
    assert page.texts(".tile span") == ["Ready", "Approved", "On hold", "Not reportable", "All episodes"]
    assert page.texts(".tile strong") == ["1", "1", "2", "1", "5"]
    page.send(".tile[href$='status=approved']")
    assert (page.text("h1"), page.texts("tbody th")) == ("One episode is approved", ["approved"])
    page.open("/episodes?status=reportable")
    assert (page.text("h1"), page.texts("tbody th")) == ("One episode is ready to bill", ["ready"])
