"""Signing in by the organisation's own provider: a real server, a real provider, and every way it comes to nothing."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from tests.provider import Person, heading, provider, seconds_ago, serving
from tests.server import ADMIN, CLINICIAN, PASSWORD, Server

__all__ = ["provider"]

MANY_TRIES = """
import sys
from dataclasses import replace
from backend import app, config
limited = app.create_app
app.create_app = lambda config, store: limited(replace(config, sign_in_tries_per_minute=1000), store)
from backend.cli import cli
cli(prog_name="backend")
"""
"""The server, for whom a minute of this test is not one person's."""


class Unhurried(Server):
    program = ("-c", MANY_TRIES)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)])
def shared_database(request):
    """What the desk does of it is tested on both in each run (tests/desk/test_identities.py)."""
    from tests.conftest import database_of

    yield from database_of(request.param, request)


@pytest.fixture(scope="module")
def server(tmp_path_factory, shared_database, provider):
    with serving(Unhurried(tmp_path_factory.mktemp("server"), shared_database), provider) as made:
        yield made


@pytest.fixture
def person(server, provider):
    provider.lie()
    return Person(server.url, provider)


@pytest.fixture
def linked(server, provider):
    """The administrator, linked as `rosa` and signed in by password, in a browser of their own."""
    provider.lie()
    made = Person(server.url, provider)
    made.by_password()
    if "Linked on" not in made.get("/account").text:
        assert "From now on you can sign in" in made.link("rosa").text
    return made


def is_out(person: Person) -> bool:
    return heading(person.get("/account")) == "Sign in"


def said(server: Server) -> list[tuple[str, str, str | None]]:
    """(action, kind of actor, detail) of the audit so far."""
    lines = [json.loads(line) for line in server.command("audit", "export").splitlines()]
    return [(each["action"], each["actor_kind"], each["detail"]) for each in lines]


def test_who_is_linked_signs_in_and_lands_where_they_wanted_to_be(linked, person, server):
    landed = person.by_provider("rosa", after="/people")
    assert landed.url == f"{server.url}/people"
    assert heading(landed) == "People"
    assert ("signed_in_by_provider", "user", None) in said(server)


def test_the_request_asks_for_no_more_than_it_needs_and_binds_the_answer(person, provider, server):
    asked = parse_qs(urlsplit(person.to_provider()).query)
    assert asked["scope"] == ["openid"]
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert asked["redirect_uri"] == [f"{server.url}/sign-in/back"]
    assert re.fullmatch(r"to_1_[\w-]{43}", asked["state"][0])
    again = parse_qs(urlsplit(person.to_provider()).query)
    for name in ("state", "nonce", "code_challenge"):
        assert len(asked[name][0]) >= 43
        assert asked[name] != again[name]


def test_two_tabs_of_one_browser_sign_in_both(linked, person, provider):
    first, second = (provider.answer(person.to_provider(), "rosa") for _ in range(2))
    assert person.get(first).status_code == 200
    assert person.get(second).status_code == 200
    assert not is_out(person)


def test_an_address_elsewhere_is_never_where_one_lands(linked, person, server):
    landed = person.by_provider("rosa", after="https://evil.example/")
    assert landed.url.startswith(server.url)


def test_somebody_unknown_is_told_what_to_do_even_with_the_administrators_address(person, server):
    answer = person.by_provider(ADMIN)  # the mock gives this subject the same e-mail address
    assert (answer.status_code, heading(answer)) == (403, "No account here is linked with you")
    assert "link the two on the page Your account" in answer.text
    assert "invitation" in answer.text
    assert is_out(person)
    refused = [
        json.loads(detail)
        for action, actor, detail in said(server)
        if (action, actor) == ("provider_refused", "visitor")
    ]
    assert {"why": "unknown"} in refused


def lost(answer: requests.Response) -> bool:
    return (answer.status_code, heading(answer)) == (400, "This sign-in cannot be finished")


def test_an_answer_serves_once_and_in_the_browser_that_asked(linked, person, provider, server):
    back = provider.answer(person.to_provider(), "rosa")
    other = Person(server.url, provider)
    assert lost(other.get(back))
    other.to_provider()
    assert lost(other.get(back)), "a cookie of its own does not help"
    assert person.get(back).status_code == 200
    assert not is_out(person)
    assert lost(person.get(back)), "a second use"


@pytest.mark.parametrize(
    "address", ["", "?code=x", "?state=&code=x", "?state=to_1_" + "a" * 43, "?state=to_9_" + "a" * 43]
)
def test_a_state_that_nobody_made_is_lost(person, address):
    assert lost(person.get("/sign-in/back" + address))
    person.to_provider()
    assert lost(person.get("/sign-in/back" + address))


def test_without_its_cookie_the_browser_is_not_known(linked, person, provider):
    back = provider.answer(person.to_provider(), "rosa")
    del person.browser.cookies["threadtime-provider"]
    assert lost(person.get(back))
    assert is_out(person)


def test_no_at_the_provider_is_said_as_such(person):
    answer = person.by_provider(None)
    assert (answer.status_code, heading(answer)) == (403, "You were not signed in")


def test_another_error_of_the_provider_is_named_and_nothing_else_of_it_is_shown(person):
    for error, named in (("server_error", "server_error"), ("<script>alert(1)</script>", "an error without a name")):
        state = parse_qs(urlsplit(person.to_provider()).query)["state"][0]
        answer = person.browser.get(f"{person.url}/sign-in/back", params={"state": state, "error": error}, timeout=60)
        assert (answer.status_code, heading(answer)) == (502, "The provider could not sign you in")
        assert f"ended the sign-in with {named}." in answer.text
        assert "alert" not in answer.text


LIES = {
    "issuer": {"claims": {"iss": "https://evil.example"}},
    "audience": {"claims": {"aud": "another"}},
    "one audience of several, without whose it is": {"claims": {"aud": ["another", "one more"]}},
    "another's party": {"claims": {"azp": "another"}},
    "nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "expired": {"claims": {"exp": seconds_ago(3600)}},
    "no expiry": {"claims": {"exp": None}},
    "made in the future": {"claims": {"iat": seconds_ago(-3600)}},
    "no subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "a subject that is no text": {"claims": {"sub": 7}},
    "a subject that no database keeps": {"claims": {"sub": "rosa\0"}},
    "a subject that is too long": {"claims": {"sub": "r" * 256}},
    "another token's": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "another key": {"signed": "other"},
    "no signature": {"signed": "none"},
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_is_not_right_signs_nobody_in(linked, person, provider, lie):
    there = person.to_provider()
    provider.lie(**LIES[lie])
    answer = person.get(provider.answer(there, "rosa"))
    assert (answer.status_code, heading(answer)) == (502, "The provider's answer could not be trusted")
    assert is_out(person)


def test_a_token_that_the_clients_secret_signs_is_not_the_providers(linked, person, provider):
    there = person.to_provider()
    provider.lie(signed="secret", secret=provider.secret)
    assert heading(person.get(provider.answer(there, "rosa"))) == "The provider's answer could not be trusted"


def test_an_answer_in_the_name_of_another_issuer_is_refused(linked, person, provider):
    back = provider.answer(person.to_provider(), "rosa") + "&iss=https://evil.example"
    assert heading(person.get(back)) == "The provider's answer could not be trusted"
    back = provider.answer(person.to_provider(), "rosa")
    provider.lie(published={"authorization_response_iss_parameter_supported": True})
    assert heading(person.get(back)) == "The provider's answer could not be trusted", "it says that it names itself"
    back = provider.answer(person.to_provider(), "rosa") + f"&iss={provider.url}"
    assert person.get(back).status_code == 200


@pytest.mark.parametrize(
    "published",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": None}],
)
def test_a_provider_that_describes_itself_otherwise_is_asked_nothing(person, provider, published):
    provider.lie(published=published)
    answer = person.send("/sign-in/with/riverside", page="/sign-in")
    assert (answer.status_code, heading(answer)) == (502, "The provider's answer could not be trusted")


def test_a_refusal_at_the_exchange_is_named(linked, person, provider, server):
    for error, title in (
        ("invalid_client", "The provider does not accept Threadtime"),
        ("invalid_grant", "The provider could not sign you in"),
    ):
        there = person.to_provider()
        provider.lie(error=error)
        answer = person.get(provider.answer(there, "rosa"))
        assert (answer.status_code, heading(answer)) == (502, title)
    warned = [each for each in server.log_lines() if each["event"] == "sign-in by the provider"]
    assert {"not_accepted", "failed"} <= {each["said"] for each in warned}


def test_a_deactivated_account_stays_closed(linked, provider, server):
    server.add_user("gone@practice.example", "staff")
    gone = Person(server.url, provider)
    gone.by_password("gone@practice.example")
    gone.link("gone")
    rows = re.findall(r'href="(/people/\w+)">Robin Doe</a>.*?<td[^>]*>([^<]+)', linked.get("/people").text, re.S)
    [address] = [address for address, email in rows if email == "gone@practice.example"]
    linked.send(f"{address}/deactivate", page=address)
    answer = gone.by_provider("gone")
    assert (answer.status_code, heading(answer)) == (403, "This account is closed")
    assert is_out(gone)


def test_one_identity_is_of_one_account_alone(linked, provider, server):
    doctor = Person(server.url, provider)
    doctor.by_password(CLINICIAN)
    answer = doctor.link("rosa")
    assert (answer.status_code, heading(answer)) == (409, "Somebody else here is linked with it")
    assert "Linked on" not in doctor.get("/account").text


def test_linking_asks_for_the_password_and_for_the_same_session(person, provider, server):
    person.by_password(CLINICIAN)
    wrong = person.send("/account/provider", page="/account", password="a wrong password")
    assert wrong.status_code == 422
    assert "The password is not right" in wrong.text
    back = provider.answer(person.to_provider("/account/provider", page="/account", password=PASSWORD), "robin")
    person.send("/sign-out", page="/account")
    assert lost(person.get(back)), "whoever comes now may be somebody else"
    person.by_password(CLINICIAN)
    assert "Linked on" not in person.get("/account").text


def test_a_link_is_ended_and_the_password_stays(person, provider, server):
    server.add_user("kim@practice.example", "staff")
    person.by_password("kim@practice.example")
    assert "Linked on" in person.link("kim").text
    twice = person.send("/account/provider", page="/account", password=PASSWORD)
    assert (twice.status_code, "linked already" in twice.text) == (409, True)
    assert "No longer linked" in person.unlink().text
    assert heading(Person(server.url, provider).by_provider("kim")) == "No account here is linked with you"


def invited(admin: Person, email: str) -> str:
    """The one-time link of somebody new, without the server's address."""
    form = {"name": "Lee Office", "email": email, "roles": "staff"}
    page = admin.send("/people/new", page="/people/new", **form).text
    return re.search(r'value="https?://[^/]+(/join/[^"]+)"', page)[1]


def test_somebody_invited_joins_by_the_provider_and_has_no_password(linked, person, provider, server):
    link = invited(linked, "lee@practice.example")
    landed = person.get(provider.answer(person.to_provider(f"{link}/provider", page=link), "lee"))
    assert heading(landed) == "Your devices" or landed.status_code == 200
    account = person.get("/account").text
    assert "It is your only way to sign in" in account
    assert "Change the password" not in account
    assert person.get(link).status_code == 404
    kept = person.unlink()
    assert (kept.status_code, "your only way to sign in" in kept.text) == (409, True)
    assert "Signs in by your organisation" in people_page(linked, "lee@practice.example")
    again = Person(server.url, provider)
    assert again.by_provider("lee").status_code == 200
    assert not is_out(again)


def people_page(admin: Person, email: str) -> str:
    rows = re.findall(r'href="(/people/\w+)">[^<]+</a>.*?<td[^>]*>([^<]+)', admin.get("/people").text, re.S)
    [address] = [address for address, shown in rows if shown == email]
    return admin.get(address).text


def test_an_invitation_stays_where_joining_came_to_nothing(linked, person, provider):
    link = invited(linked, "max@practice.example")
    taken = person.get(provider.answer(person.to_provider(f"{link}/provider", page=link), "rosa"))
    assert heading(taken) == "Somebody else here is linked with it"
    no = person.get(provider.answer(person.to_provider(f"{link}/provider", page=link), None))
    assert heading(no) == "You were not signed in"
    assert heading(person.get(link)) == "Choose how to sign in"
    assert person.get(provider.answer(person.to_provider(f"{link}/provider", page=link), "max")).status_code == 200


def test_the_way_in_by_the_provider_is_not_locked_by_somebody_who_guesses(person, provider, server):
    server.add_user(email := "guessed@practice.example", "staff")
    person.by_password(email)
    person.link("guessed")
    guesser = Person(server.url, provider)
    for _ in range(10):
        assert guesser.by_password(email, "a wrong password").status_code == 401
    assert guesser.by_password(email).status_code == 401, "locked"
    another = Person(server.url, provider)
    assert another.by_provider("guessed").status_code == 200
    assert not is_out(another)
    assert guesser.by_password(email).status_code == 401, "and it stays locked for the password"


def test_another_name_or_a_proxy_that_says_too_little_is_named(person, server):
    other = Person(server.url.replace("127.0.0.1", "localhost"), person.provider)
    answer = other.send("/sign-in/with/riverside", page="/sign-in")
    assert (answer.status_code, heading(answer)) == (400, "This is not the address that Threadtime knows")
    assert server.url in answer.text
    assert "X-Forwarded-Host" in answer.text
    behind = Person(server.url, person.provider)
    behind.browser.headers.update({"Origin": "https://threadtime.example", "Sec-Fetch-Site": "same-origin"})
    for form in ("/sign-in", "/sign-in/with/riverside"):
        answer = behind.send(form, page="/sign-in", email=ADMIN, password=PASSWORD)
        assert (answer.status_code, heading(answer)) == (400, "This is not the address that Threadtime knows")
    behind.browser.headers["Sec-Fetch-Site"] = "cross-site"
    assert behind.send("/sign-in", page="/sign-in").status_code == 403


@pytest.mark.parametrize("key", ["hilltop", "%00", "%F0%9F%99%82", "riverside%0a", "x" * 300, "Riverside"])
def test_an_address_of_no_practice_is_not_found(person, key):
    assert person.get(f"/sign-in/with/{key}").status_code == 404
    assert person.send(f"/sign-in/with/{key}", page="/sign-in").status_code == 404


def test_a_page_to_land_on_that_is_none_is_the_start_page(linked, person, server):
    assert person.by_provider("rosa", after="%00").url == f"{server.url}/episodes"


def test_neither_the_secret_nor_who_somebody_is_there_is_told_again(linked, person, provider, server):
    person.by_provider("rosa")
    shown = server.command("oidc", "show")
    assert f"{server.url}/sign-in/back" in shown
    assert f"{server.url}/sign-in/with/riverside" in shown
    log = server.log.read_text()
    audit = server.command("audit", "export")
    for secret in (provider.secret, person.browser.cookies["threadtime-provider"]):
        assert secret not in shown + log + audit
        assert not any(secret in str(each) for each in server.query("SELECT * FROM provider_step"))
    assert "rosa" not in log + audit.replace(ADMIN, "")
