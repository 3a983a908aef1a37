"""Naming a colleague, and moving a leaver's work, in a real Chromium over a real server."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from selenium.webdriver.support.select import Select

from tests.server import ADMIN, CLINICIAN, PASSWORD
from tests.web.chromium import chromium

pytestmark = pytest.mark.browser

LOOKS = [(1240, False), (390, True), (320, False)]
PARK, OKAFOR, MOSS = (f"{name}@practice.example" for name in ("park", "okafor", "moss"))


@pytest.fixture(scope="module")
def shared_page(shared_server, tmp_path_factory):
    for email in (PARK, OKAFOR, MOSS):
        shared_server.add_user(email, "clinician", "--credential", "NP")
    with chromium(shared_server.url, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(shared_page):
    shared_page.come_back([], "/sign-in")
    return shared_page


def in_every_look(page):
    for width, dark in LOOKS:
        page.look(width=width, dark=dark)
        page.driver.execute_script("document.querySelectorAll('main details').forEach(each => { each.open = true })")
        assert page.barriers() == [], page.driver.current_url
        assert page.overflow() == 0, page.driver.current_url
    page.look(width=1240, dark=False)


def choose(page, selector, words):
    choice = Select(page.driver.find_element("css selector", selector))
    [value] = [each.get_attribute("value") for each in choice.options if words in each.text]
    choice.select_by_value(value)


def of_person(page, email):
    page.open("/people")
    [row] = [each for each in page.driver.find_elements("css selector", "tbody tr") if email in each.text]
    page.driver.get(row.find_element("css selector", "a").get_attribute("href"))


def test_a_clinician_names_a_colleague_and_comes_back(page):
    page.sign_in(PARK, PASSWORD)
    page.open("/account")
    away = "[aria-labelledby=h-away]"
    in_every_look(page)
    choose(page, "#colleague", OKAFOR)
    page.driver.execute_script("document.getElementById('last_on').type = 'text'")
    page.type("#last_on", "2020-01-01")
    page.send(f"{away} form button")
    assert "in the past" in page.text("[role=alert]")
    assert ["422" in each for each in page.complaints()] == [True]
    assert Select(page.driver.find_element("id", "colleague")).first_selected_option.text.endswith(OKAFOR)
    last = date.today() + timedelta(days=9)  # noqa: DTZ011  (some day to come)
    page.driver.execute_script("document.getElementById('last_on').value = arguments[0]", last.isoformat())
    page.send(f"{away} form button")
    assert "can answer for you from now on" in page.text("[role=status]")
    assert "may answer for you from" in page.text(away) and str(last.day) in page.text(away)
    in_every_look(page)
    page.send(f"{away} form button")
    assert "Nobody answers for you any more" in page.text("[role=status]")
    assert page.complaints() == []


def test_a_managers_page_of_a_leaver_moves_the_work_and_ends_it(page):
    page.sign_in(ADMIN, PASSWORD)
    of_person(page, MOSS)
    in_every_look(page)
    choose(page, "details #successor", CLINICIAN)
    page.send("details button")
    move = "[aria-labelledby=h-move]"
    assert "moved the work" in page.text(move)
    in_every_look(page)
    page.send(f"{move} a")
    assert "Answers for Robin Doe" in page.text("main")
    in_every_look(page)
    of_person(page, MOSS)
    page.send(f"{move} button")
    assert "Nobody answers for this person any more" in page.text("[role=status]")
    in_every_look(page)
    choose(page, f"{move} #successor", OKAFOR)
    page.send(f"{move} button")
    assert "sees and answers from now on" in page.text("[role=status]")
    page.open("/audit")
    assert page.text("main").count("Work of a leaver moved") >= 2
    assert "to Robin Doe" in page.text("main")
    assert page.complaints() == []
