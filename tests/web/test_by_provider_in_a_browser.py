"""Signing in by the organisation's provider in a real Chromium, to which the provider is another site."""

from __future__ import annotations

import pytest

from tests.provider import NAME, running, serving
from tests.server import ADMIN, PASSWORD, Server
from tests.web.chromium import chromium
from tests.web.test_accounts_in_a_browser import in_every_look

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider():
    with running("127.0.0.2") as made:
        yield made


@pytest.fixture(scope="module")
def server(tmp_path_factory, provider):
    with serving(Server(tmp_path_factory.mktemp("server")), provider) as made:
        yield made


@pytest.fixture
def page(server, tmp_path):
    with chromium(server.url, tmp_path / "profile") as page:
        page.look(width=1240, dark=False)
        yield page


def at_provider(page, who):
    """Says there who one is, or (None) no; the page that the browser comes back to."""
    page.until_at(page.provider)
    if who is None:
        page.send("button[value=deny]")
    else:
        page.type("input[name=sub]", who)
        page.send("form button[type=submit]")
    page.until_at(page.url)


def test_a_person_links_and_signs_in_and_is_told_what_went_wrong(page, server, provider):
    page.provider = provider.url
    page.open("/sign-in")
    in_every_look(page)
    page.look(width=320, dark=False)
    assert page.overflow() == 0
    page.look(width=1240, dark=False)
    page.click("form button")
    at_provider(page, "rosa")
    assert page.text("h1") == "No account here is linked with you"
    in_every_look(page)
    page.send("main a")

    page.sign_in(ADMIN, PASSWORD)
    page.open("/account")
    in_every_look(page)
    page.type("#link-password", PASSWORD)
    page.click("form:has(#link-password) button")
    at_provider(page, "rosa")
    assert "Linked. From now on" in page.text("[role=status]")
    in_every_look(page)
    page.send("header button")

    assert page.texts("main form button")[0] == f"Sign in with {NAME}"
    page.click("form button")
    at_provider(page, None)
    assert page.text("h1") == "You were not signed in"
    page.send("main a")
    page.open("/people?x=1")
    page.click("form button")
    at_provider(page, "rosa")
    assert (page.text("h1"), page.driver.current_url) == ("People", f"{server.url}/people?x=1")
    assert [each for each in page.complaints() if "Content Security Policy" in each] == []


def test_somebody_invited_joins_by_the_keyboard_alone(page, server, provider):
    page.provider = provider.url
    page.sign_in(ADMIN, PASSWORD)
    page.open("/people/new")
    page.type("#name", "Kim Park")
    page.type("#email", "kim@practice.example")
    page.click("input[value=staff]")
    page.send("main button")
    link = page.driver.find_element("id", "link").get_attribute("value").removeprefix(page.url)
    page.driver.delete_all_cookies()
    page.open(link)
    in_every_look(page)
    page.driver.find_element("css selector", "main form button").send_keys("\ue007")
    at_provider(page, "kim")
    page.open("/account")
    assert "It is your only way to sign in" in page.text("main")
    in_every_look(page)
