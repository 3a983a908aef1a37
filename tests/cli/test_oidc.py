"""`oidc set`, `show` and `remove`, typed by whoever runs the server."""

from __future__ import annotations

import pytest

from tests.cli.conftest import ADMIN
from tests.provider import SECRET_FROM, provider

__all__ = ["provider"]

SECRET = "a secret of the client"
SERVER = "https://threadtime.example"


@pytest.fixture
def riverside(home):
    home.done("init", "--practice", "Riverside", "--timezone", "UTC", "--admin", ADMIN)
    return home


def words(issuer, **more):
    given = {"issuer": issuer, "client-id": "threadtime", "address": SERVER, **more}
    return ["oidc", "set", *(word for name, value in given.items() for word in (f"--{name}", value))]


def test_a_provider_is_set_shown_without_its_secret_and_removed(riverside, provider):
    provider.lie()
    said = riverside.done(*words(provider.url + "/", name="Riverside Health"), **{SECRET_FROM: SECRET})
    assert f"{SERVER}/sign-in/back" in said
    shown = riverside.done("oidc", "show")
    assert [line.split(":", 1)[1].strip() for line in shown.splitlines()] == [
        provider.url,
        "threadtime",
        "Riverside Health",
        f"{SERVER}/sign-in/back",
        f"{SERVER}/sign-in/with/riverside",
    ]
    assert "Nobody signs in by the provider any more" in riverside.done("oidc", "remove")
    assert "has no provider" in riverside.done("oidc", "show")
    assert "has no provider" in riverside.refused("oidc", "remove")
    audit = riverside.done("audit", "export")
    assert SECRET not in said + shown + audit
    assert "provider_set" in audit
    assert "provider_removed" in audit


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"issuer": "http://login.practice.example"}, "An issuer is an address like https://"),
        ({"issuer": "login.practice.example"}, "An issuer is an address like https://"),
        ({"issuer": "https://a:b@login.practice.example"}, "An issuer is an address like https://"),
        ({"issuer": "https://["}, "An issuer is an address like https://"),
        ({"issuer": "http://127.0.0.1:9"}, "The provider gives no answer that can be read"),
        ({"address": "threadtime.example"}, "The server's address is one like"),
        ({"address": SERVER + "/threadtime"}, "The server's address is one like"),
        ({"client-id": ""}, "The client id is empty"),
        ({"name": "n" * 61}, "The name on the button"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(riverside, provider, changes, line):
    provider.lie()
    assert line in riverside.refused(*words(**{"issuer": provider.url, **changes}), **{SECRET_FROM: SECRET})
    assert "has no provider" in riverside.done("oidc", "show")


def test_a_provider_that_says_something_else_is_refused(riverside, provider):
    provider.lie(published={"issuer": "https://evil.example"})
    assert "Another issuer answers" in riverside.refused(*words(provider.url), **{SECRET_FROM: SECRET})
    provider.lie(published={"token_endpoint": "http://evil.example"})
    assert "names no addresses" in riverside.refused(*words(provider.url), **{SECRET_FROM: SECRET})


def test_the_secret_is_no_argument_and_has_to_come_from_somewhere(riverside, provider):
    assert SECRET_FROM in riverside.refused(*words(provider.url))
    riverside.refused(*words(provider.url), "--client-secret", SECRET, code=2)
