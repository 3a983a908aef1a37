"""Accounts, the practice and the settings in a real Chromium: from the invitation to the second factor."""

from __future__ import annotations

import time

import pytest

from backend.auth import totp
from tests.server import ADMIN, CLINICIAN, PASSWORD
from tests.web.chromium import chromium

pytestmark = pytest.mark.browser

LOOKS = [(1240, False), (390, False), (390, True)]
NEW = "cold tea on the stairs"
KIM = "kim@practice.example"


@pytest.fixture(scope="module")
def page(shared_server, tmp_path_factory):
    with chromium(shared_server.url, tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def session(page):
    """The cookies of the administrator's session: signing in for each test would soon be one try too many."""
    page.sign_in(ADMIN, PASSWORD)
    return page.driver.get_cookies()


@pytest.fixture
def admin(page, session):
    page.come_back(session, "/people")
    return page


def value(page, selector):
    return page.driver.find_element("css selector", selector).get_attribute("value")


def is_clean(page):
    assert page.barriers() == [], page.driver.current_url
    assert page.overflow() == 0, page.driver.current_url


def in_every_look(page):
    """The page in front of a person, as it is, at each width and colour."""
    for width, dark in LOOKS:
        page.look(width=width, dark=dark)
        is_clean(page)
    page.look(width=1240, dark=False)


def person_of(page, name):
    page.open("/people")
    return page.driver.find_element("link text", name).get_attribute("href").removeprefix(page.url)


def test_every_page_of_accounts_practice_and_settings_is_clean(admin):
    for address in (
        "/people",
        "/people/new",
        person_of(admin, "Robin Doe"),
        "/practice",
        "/settings",
        "/settings/lookback_days",
        "/settings/counted_activities",
        "/settings/telehealth_pos",
        "/settings/aggregate_by",
        "/account",
        "/account/second-factor",
    ):
        admin.open(address)
        in_every_look(admin)
    assert admin.complaints() == []
    assert [each for each in admin.requests() if not each.startswith((admin.url + "/", "data:"))] == []


def test_somebody_is_invited_joins_and_enrols_and_signs_in_with_the_code(admin):
    admin.open("/people/new")
    admin.type("#name", "Kim Park")
    admin.type("#email", KIM)
    admin.click("input[value=clinician]")
    admin.send("main button")
    assert "needs a credential" in admin.text("[role=alert]")
    assert (value(admin, "#name"), value(admin, "#email")) == ("Kim Park", KIM)
    assert admin.driver.find_element("css selector", "input[value=clinician]").is_selected()
    in_every_look(admin)
    admin.type("#credential", "NP")
    admin.send("main button")
    in_every_look(admin)
    link = value(admin, "#link").removeprefix(admin.url)

    admin.driver.delete_all_cookies()
    admin.open(link)
    in_every_look(admin)
    admin.type("#password", "kim.park.2026")
    admin.type("#again", "kim.park.2026")
    admin.send("main button")
    assert "easy to guess" in admin.text("[role=alert]")
    admin.type("#password", NEW)
    admin.type("#again", NEW)
    admin.send("main button")
    assert "Your password is set" in admin.text("main")
    admin.open(link)
    assert "not valid any more" in admin.text("main")

    admin.sign_in(KIM, NEW)
    assert admin.text("h1") == "Your devices"
    in_every_look(admin)
    admin.open("/account/second-factor")
    admin.type("#password", NEW)
    admin.send("main button")
    in_every_look(admin)
    secret = value(admin, "#secret").replace(" ", "")
    assert f"secret={secret}" in value(admin, "#address")
    step = int(time.time()) // 30
    admin.type("#code", totp.code(secret, step))
    admin.send("main button")
    in_every_look(admin)
    codes = admin.texts(".codes code")
    assert len(codes) == 10
    admin.open("/account")
    assert "Chrome on Linux (this one)" in admin.text("main")
    admin.send("header button")

    admin.sign_in(KIM, NEW)
    assert admin.text("h1") == "The code of your app"
    in_every_look(admin)
    admin.type("#code", "000000x")
    admin.send("main button")
    assert "not right" in admin.text("[role=alert]")
    admin.type("#code", totp.code(secret, step + 1))
    admin.send("main button")
    assert admin.text("h1") == "Your devices"
    admin.send("header button")
    admin.sign_in(KIM, NEW)
    admin.type("#code", codes[0])
    admin.send("main button")
    admin.open("/account")
    assert "9 recovery codes are left" in admin.text("main")
    in_every_look(admin)


def test_a_person_is_deactivated_and_reactivated(admin):
    address = person_of(admin, "Robin Doe")
    admin.open(address)
    admin.click("details summary")
    admin.send("details button")
    assert "have ended" in admin.text("[role=status]")
    assert "Deactivated" in admin.text(".chip")
    in_every_look(admin)
    admin.driver.delete_all_cookies()
    admin.sign_in(CLINICIAN, PASSWORD)
    assert "is not right" in admin.text("[role=alert]")


def test_the_only_administrator_cannot_be_deactivated(admin):
    admin.open(person_of(admin, "Administrator"))
    admin.click("details summary")
    admin.send("details button")
    assert "only administrator who can sign in" in admin.text("[role=alert]")
    in_every_look(admin)


def test_a_setting_is_changed_after_a_question_that_says_what_follows(admin):
    admin.open("/settings/lookback_days")
    field = admin.driver.find_element("id", "value")
    field.clear()
    field.send_keys("3")
    admin.send("main button")
    assert "from 6 to 7" in admin.text("[role=alert]")
    assert value(admin, "#value") == "3"
    in_every_look(admin)
    field = admin.driver.find_element("id", "value")
    field.clear()
    field.send_keys("6")
    admin.send("main button")
    assert "Every open episode is decided again" in admin.text("main")
    in_every_look(admin)
    admin.send("main button")
    assert "Lookback days is saved" in admin.text("[role=status]")
    assert any(line.startswith("lookback days") and "6 days" in line for line in admin.texts("tbody tr"))
    in_every_look(admin)


def test_a_portal_gets_its_address_and_what_was_typed_stays_where_it_cannot_be_used(admin):
    admin.open("/practice")
    admin.type("#origin-1", "portal.example")
    admin.send(".line button")
    assert "looks like https://" in admin.text("[role=alert]")
    assert value(admin, "#origin-1") == "portal.example"
    in_every_look(admin)
    admin.driver.find_element("id", "origin-1").clear()
    admin.type("#origin-1", "https://portal.example")
    admin.send(".line button")
    assert value(admin, "#origin-1") == "https://portal.example"


def test_a_form_is_filled_in_and_sent_by_keyboard_alone(admin):
    admin.open("/people/new")
    keys = lambda *text: admin.driver.switch_to.active_element.send_keys(*text)  # noqa: E731
    admin.driver.find_element("css selector", "#email").send_keys("lee@practice.example", "\ue004")
    keys("Lee Office", "\ue004", "\ue004", " ")  # the second role: staff
    before = admin.driver.find_element("tag name", "html")
    keys("\ue004" * 5)
    keys("\ue007")
    admin.gone(before)
    assert "A link for Lee Office" in admin.text("h1")
