"""A provider that is away, slow, or answers something else; and several practices in one installation."""

from __future__ import annotations

import pytest

from tests.provider import Person, heading, running, set_provider
from tests.server import Server


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path)
    made.set_up()
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def provider():
    with running() as made:
        yield made


def test_a_provider_that_is_away_is_said_before_and_after_the_way_there(server: Server, provider):
    set_provider(server, provider)
    person = Person(server.url, provider)
    person.by_password()
    person.link("rosa")
    visitor = Person(server.url, provider)
    back = provider.answer(visitor.to_provider(), "rosa")
    provider.stop()
    for answer in (visitor.get(back), visitor.send("/sign-in/with/riverside", page="/sign-in")):
        assert (answer.status_code, heading(answer)) == (503, "The provider cannot be reached")
        assert "sign in with your password" in answer.text
    assert [each for each in server.log_lines() if each.get("said") == "unreachable"]


def test_of_several_practices_a_visitor_sees_the_one_whose_address_they_have(server: Server, provider):
    set_provider(server, provider)
    person = Person(server.url, provider)
    assert "Sign in with Riverside Health" in person.get("/sign-in").text
    server.command("init", "--practice", "Hilltop", "--timezone", "UTC", "--admin", "boss@hilltop.example")
    assert "Riverside Health" not in person.get("/sign-in").text
    page = person.get("/sign-in/with/riverside")
    assert "Sign in with Riverside Health" in page.text
    assert person.get("/sign-in/with/hilltop").status_code == 404
    person.by_password()
    person.link("rosa")
    boss = Person(server.url, provider)
    provider.register(f"{server.url}/sign-in/back")
    words = ("--issuer", provider.url, "--client-id", provider.client_id, "--address", server.url)
    server.environment["THREADTIME_OIDC_CLIENT_SECRET"] = provider.secret
    server.command("oidc", "set", "--practice", "hilltop", *words)
    hilltop = boss.to_provider("/sign-in/with/hilltop", page="/sign-in")
    answer = boss.get(provider.answer(hilltop, "rosa"))
    assert heading(answer) == "No account here is linked with you", "who is linked in Riverside is nobody in Hilltop"


def test_of_several_practices_the_one_whose_session_has_ended_here_is_offered_again(server: Server, provider):
    set_provider(server, provider)
    server.command("init", "--practice", "Hilltop", "--timezone", "UTC", "--admin", "boss@hilltop.example")
    person = Person(server.url, provider)
    person.by_password()
    person.link("rosa")
    with server.file() as connection:
        connection.execute("UPDATE session SET seen_at = 0")
    page = person.get("/people")
    assert "You were signed out" in page.text
    assert "Sign in with Riverside Health" in page.text
    there = person.to_provider("/sign-in/with/riverside?after=/people", page="/sign-in")
    assert heading(person.get(provider.answer(there, "rosa"))) == "People"
    stranger = Person(server.url, provider)
    stranger.browser.cookies["threadtime"] = "ts_1_" + "a" * 43
    assert "Riverside Health" not in stranger.get("/sign-in").text
