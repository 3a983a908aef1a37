"""The way back in for who lost the password, on the machine of the server."""

import re

import requests

from tests.cli.conftest import ADMIN

PASSWORD = "correct horse battery"


def test_a_reset_prints_a_link_that_opens_on_the_running_server_and_ends_the_password(home):
    home.done(
        "init", "--practice", "Riverside", "--timezone", "UTC", "--admin", ADMIN, THREADTIME_ADMIN_PASSWORD=PASSWORD
    )
    address = home.serve()
    first, link = home.done("user", "reset", "--email", ADMIN.upper(), "--address", address + "/").splitlines()
    assert "once" in first and "72 hours" in first
    assert re.fullmatch(re.escape(address) + r"/join/tl_1_[\w-]{43}", link)
    with requests.Session() as browser:
        browser.headers["Origin"] = address
        proof = re.search(r'name="form_token" value="(\w+)"', browser.get(link).text)[1]
        form = {"form_token": proof, "email": ADMIN}
        assert browser.post(f"{address}/sign-in", data=form | {"password": PASSWORD}).status_code == 401
        new = {"password": "cold tea on the stairs", "again": "cold tea on the stairs"}
        assert "Your password is set" in browser.post(link, data=form | new).text
        assert browser.get(link).status_code == 404
        signed_in = browser.post(f"{address}/sign-in", data=form | {"password": "cold tea on the stairs"})
        assert signed_in.url == f"{address}/episodes"


def test_a_reset_of_nobody_is_refused_in_one_line(home):
    home.done("init", "--practice", "Riverside", "--timezone", "UTC", "--admin", ADMIN)
    assert "Nobody signs in here" in home.refused("user", "reset", "--email", "nobody@practice.example")


def test_a_password_that_is_easy_to_guess_is_refused(home):
    line = home.refused("init", "--practice", "Riverside", THREADTIME_ADMIN_PASSWORD="riverside-2026")
    assert "easy to guess" in line
