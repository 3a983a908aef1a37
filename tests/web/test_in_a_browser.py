"""The manager's pages in a real Chromium, over a real server and intervals that a device sent."""

from __future__ import annotations

import re

import pytest

from tests.browser import until
from tests.server import ADMIN, CLINICIAN, PASSWORD, now, row
from tests.web.chromium import chromium

pytestmark = pytest.mark.browser

DAY = 86_400_000
LOOKS = [(1240, False), (1240, True), (320, False), (320, True)]


@pytest.fixture(scope="module")
def worked(shared_server):
    """A server on which a clinician and a nurse have worked on two patients' threads."""
    shared_server.add_user("nurse@practice.example", "staff", "--credential", "RN")
    nurse = shared_server.add_device("nurse@practice.example")
    begin = now() - 12 * DAY
    rows = [
        row(thread=f"thr-{patient}", patient=patient, started_at=begin + at, ended_at=begin + at + length)
        for patient, at, length in (
            ("40118", 0, 300_000),
            ("40118", 400_000, 200_000),
            ("40118", 2 * DAY, 120_000),
            ("<b>40119</b>", 3 * DAY, 30_000),
        )
    ]
    for token, sent in (
        (shared_server.token, rows),
        (nurse, [row(thread="thr-40118", patient="40118", started_at=begin + DAY, ended_at=begin + DAY + 60_000)]),
    ):
        answer = shared_server.post(*sent, token=token).json()
        assert (len(answer["accepted"]), answer["rejected"]) == (len(sent), [])
    until(lambda: len(shared_server.report()) == 2, seconds=30, what="both episodes in the report")
    return shared_server


@pytest.fixture(scope="module")
def page(worked, tmp_path_factory):
    with chromium(worked.url, tmp_path_factory.mktemp("profile")) as page:
        yield page


def sign_in(page):
    """A new session of the manager, in front of the list."""
    page.driver.delete_all_cookies()
    page.sign_in(ADMIN, PASSWORD)
    assert page.driver.current_url == page.url + "/episodes"


@pytest.fixture(scope="module")
def session(page):
    """The cookies of one session: signing in for each test would soon be one try too many."""
    sign_in(page)
    return page.driver.get_cookies()


@pytest.fixture
def manager(page, session):
    page.come_back(session, "/episodes")
    return page


def addresses(page):
    """Every page of a manager, and one of an error."""
    episode = page.driver.find_element("css selector", "tbody a").get_attribute("href").removeprefix(page.url)
    lists = ["/episodes", "/episodes?status=hold", "/episodes?status=reportable", "/episodes?status=approved"]
    return [*lists, episode, "/audit"]


def test_signing_in_leads_to_the_list_whose_title_is_the_answer(page):
    sign_in(page)
    assert page.text("h1") == "No episode is ready to bill"
    assert page.driver.title == "No episode is ready to bill · Threadtime"
    assert "New York time" in page.text("header")


def test_the_list_shows_each_episode_with_its_counted_time(manager):
    lines = manager.texts("tbody tr")
    assert len(lines) == 2
    assert any("40118" in line and "10:20" in line and "(99421)" in line for line in lines)
    assert any("<b>40119</b>" in line and "0:30" in line for line in lines), "a reference is only text"


def test_a_tile_filters_by_status(manager):
    tiles = dict(zip(manager.texts(".tile span"), manager.texts(".tile strong"), strict=True))
    manager.send(".tile[href$='status=hold']")
    assert len(manager.texts("tbody tr")) == int(tiles["On hold"])
    assert manager.text(".tile[aria-current] span") == "On hold"


def test_a_search_shows_what_it_found_and_no_address_holds_the_words(manager):
    manager.type("input[name=words]", "4011")
    manager.send("[role=search] button")
    assert manager.text("h1") == "One episode matches"
    assert manager.texts("tbody th") == ["40118"]
    assert manager.barriers() == []
    assert not [address for address in manager.requests() if "4011" in address]


def test_an_episodes_page_shows_seven_days_reasons_and_every_piece(manager):
    manager.open(manager.driver.find_element("link text", "40118").get_attribute("href").removeprefix(manager.url))
    assert re.fullmatch(r"Patient 40118, \d+ .*\d{4}", manager.text("h1"))
    assert "40118" not in manager.driver.title, "browsers keep titles in their history"
    assert "10 min 20 s counted of 11 min 20 s recorded" in manager.text(".head")
    assert len(manager.texts(".timeline .lane")) == 2
    assert manager.driver.find_elements("css selector", ".timeline rect.counted title")
    assert manager.driver.find_elements("css selector", ".timeline rect.excluded title")
    assert any("staff time" in line and "1:00" in line for line in manager.texts("table tbody tr"))
    assert len(manager.texts("table tbody tr")) == 4
    assert manager.texts(".why li"), "at least one reason"


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_no_page_has_a_barrier_a_complaint_or_a_request_elsewhere(manager, width, dark):
    manager.look(width=width, dark=dark)
    for address in addresses(manager):
        manager.open(address)
        assert manager.barriers() == [], address
        assert manager.overflow() == 0, address
    assert manager.complaints() == []
    asked = manager.requests()
    assert len(asked) > 4
    assert [each for each in asked if not each.startswith((manager.url + "/", "data:"))] == []


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_the_sign_in_page_has_no_barrier_complaint_or_request_elsewhere(page, width, dark):
    page.look(width=width, dark=dark)
    page.driver.delete_all_cookies()
    page.complaints(), page.requests()
    page.open("/sign-in")
    assert page.barriers() == []
    assert page.overflow() == 0
    assert page.complaints() == []
    assert [each for each in page.requests() if not each.startswith(page.url + "/")] == []


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_an_error_page_has_no_barrier(manager, width, dark):
    manager.look(width=width, dark=dark)
    for address in ("/nowhere", "/episodes/nobody", "/report?from=x"):
        manager.open(address)
        assert manager.barriers() == [], address
        assert manager.overflow() == 0, address


def test_a_wrong_password_is_said_and_the_address_kept(page):
    page.driver.delete_all_cookies()
    page.sign_in(ADMIN, "not the password")
    assert "is not right" in page.text("[role=alert]")
    assert page.driver.find_element("id", "email").get_attribute("value") == ADMIN
    assert page.barriers() == []


def test_a_clinician_who_signs_in_sees_their_devices(page):
    page.driver.delete_all_cookies()
    page.sign_in(CLINICIAN, PASSWORD)
    assert page.text("h1") == "Your devices"
    assert page.barriers() == []


def test_signing_out_closes_the_pages(page):
    sign_in(page)
    page.send("header button")
    page.open("/episodes")
    assert page.text("h1") == "Sign in"


def test_everything_can_be_reached_by_keyboard(manager):
    reached = set()
    for _ in range(40):
        manager.driver.switch_to.active_element.send_keys("\ue004")
        reached.add(manager.driver.switch_to.active_element.text)
    assert {"Skip to the content", "Episodes", "Sign out", "Take a report", "40118"} <= reached
