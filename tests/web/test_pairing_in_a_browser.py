"""The pages of pairing and of devices in a real Chromium, over a real server."""

from __future__ import annotations

import json

import pytest

from tests.server import CLINICIAN, PASSWORD, row
from tests.web.chromium import chromium

pytestmark = pytest.mark.browser

LOOKS = [(1240, False), (390, True), (320, False)]


@pytest.fixture(scope="module")
def page(shared_server, tmp_path_factory):
    with chromium(shared_server.url, tmp_path_factory.mktemp("profile")) as page:
        page.sign_in(CLINICIAN, PASSWORD)
        yield page


@pytest.fixture(scope="module")
def asked(shared_server):
    body = {"device_name": "The laptop with a very long name at the nurses' station", "browser": "Chromium on Linux"}
    return shared_server.send(json.dumps(body).encode(), to="/api/v1/pairing", Authorization=None).json()


def everybody_can_use_it(page):
    for width, dark in LOOKS:
        page.look(width=width, dark=dark)
        assert page.barriers() == []
        assert page.overflow() == 0, (width, page.driver.title)


def test_a_browser_is_paired_listed_and_revoked_by_everybody_alike(page, shared_server, asked):
    assert page.driver.current_url == page.url + "/devices"
    assert page.text("h1") == "Your devices"
    everybody_can_use_it(page)
    page.open("/pair")
    everybody_can_use_it(page)
    page.type("#code", "BBBB BBBB")
    page.complaints()
    page.send("main form button")
    assert "No browser waits with this code" in page.text("[role=alert]")
    everybody_can_use_it(page)
    page.open("/pair")
    page.type("#code", asked["user_code"].lower())
    page.send("main form button")
    assert "nurses' station" in page.text("main") and "Chromium on Linux" in page.text("main")
    everybody_can_use_it(page)
    page.send("button[value=yes]")
    assert "You said yes" in page.text("[role=status]")
    body = json.dumps({"device_code": asked["device_code"]}).encode()
    paired = shared_server.send(body, to="/api/v1/pairing/token", Authorization=None).json()
    assert len(shared_server.post(row(), token=paired["access_token"]).json()["accepted"]) == 1
    page.open("/devices")
    assert "Chromium on Linux" in page.text("tbody tr")
    assert "not yet" not in page.text("tbody tr")
    everybody_can_use_it(page)
    page.send("tbody tr:first-child a")
    assert page.text("h1") == "Revoke this device?"
    everybody_can_use_it(page)
    page.send("main form button")
    assert "The device is revoked" in page.text("[role=status]")
    everybody_can_use_it(page)
    assert shared_server.post(row(), token=paired["access_token"]).status_code == 401
    assert [each for each in page.complaints() if "404" not in each] == []
