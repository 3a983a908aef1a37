import re
from dataclasses import replace

import pytest

from backend.app import create_app
from backend.desk import people
from backend.web.doors import now_ms
from tests.web.conftest import PASSWORD, Visitor

MANAGER = "manager@riverside.example"


def cookies_of(response):
    return {line.split("=")[0]: line for line in response.headers.getlist("Set-Cookie")}


def test_a_page_sends_a_stranger_to_sign_in_and_brings_them_back(visitor):
    asked = visitor.get("/episodes?status=hold")
    assert asked.status_code == 303
    assert asked.location == "/sign-in?after=/episodes?status%3Dhold"
    form = {"email": MANAGER, "password": PASSWORD, "form_token": visitor.proof(asked.location)}
    assert visitor.post(asked.location, form).location == "/episodes?status=hold"


@pytest.mark.parametrize(
    "after",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/%0d%0aSet-Cookie:a", "javascript:alert(1)"],
)
def test_signing_in_never_leads_to_an_address_elsewhere(visitor, after):
    assert visitor.sign_in(MANAGER, after=after).location == "/"


def test_a_wrong_password_and_an_unknown_address_read_the_same(visitor):
    wrong = visitor.sign_in(MANAGER, "a wrong password")
    unknown = visitor.sign_in("nobody@riverside.example", "a wrong password")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    notices = [re.findall(r'role="alert">(.*)</p>', page.text) for page in (wrong, unknown)]
    assert notices[0] == notices[1] != []


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    cookie = cookies_of(visitor.sign_in(MANAGER))["threadtime"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie, "a browser drops a Secure cookie that came over plain http"


def test_behind_a_tls_proxy_the_cookie_is_bound_to_the_host_and_secure(config, store, practice):
    app = create_app(replace(config, behind_proxy=True), store)
    visitor = Visitor(app.test_client())
    asked = visitor.client.get("/sign-in", base_url="https://threadtime.example")
    token = re.search(r'name="form_token" value="(\w+)"', asked.text)[1]
    answer = visitor.client.post(
        "/sign-in",
        base_url="https://threadtime.example",
        headers={"Origin": "https://threadtime.example"},
        data={"email": MANAGER, "password": PASSWORD, "form_token": token},
    )
    cookie = cookies_of(answer)["__Host-threadtime"]
    assert "Secure" in cookie and "Path=/" in cookie and "Domain" not in cookie


def test_signing_in_again_gives_a_new_session_and_ends_the_one_before(manager, store, config):
    before = manager.client.get_cookie("threadtime").value
    assert people.session(store, before, now_ms(), config)
    form = {"email": MANAGER, "password": PASSWORD, "form_token": _proof_of_page(manager)}
    assert manager.post("/sign-in", form).status_code == 303
    after = manager.client.get_cookie("threadtime").value
    assert after != before
    assert people.session(store, before, now_ms(), config) is None
    assert people.session(store, after, now_ms(), config)


def test_signing_out_ends_the_session_for_good(manager, store, config):
    token = manager.client.get_cookie("threadtime").value
    assert manager.post("/sign-out", {"form_token": _proof_of_page(manager)}).location == "/sign-in"
    assert manager.client.get_cookie("threadtime") is None
    assert people.session(store, token, now_ms(), config) is None


@pytest.mark.parametrize("proof", [None, "", "0" * 64, "é"])
@pytest.mark.parametrize("address", ["/sign-out", "/sign-in"])
def test_a_form_without_its_proof_is_refused(manager, address, proof):
    form = {"email": MANAGER, "password": PASSWORD} | ({} if proof is None else {"form_token": proof})
    assert manager.post(address, form).status_code == 403
    assert manager.get("/").status_code == 303, "and nothing has happened"


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Origin": "http://localhost:81"}]
)
def test_a_form_from_elsewhere_is_refused(manager, headers):
    assert manager.post("/sign-out", {"form_token": _proof_of_page(manager)}, headers=headers).status_code == 403


def test_a_visitors_proof_is_theirs_alone(app):
    one, other = Visitor(app.test_client()), Visitor(app.test_client())
    stolen = one.proof()
    other.get("/sign-in")
    form = {"email": MANAGER, "password": PASSWORD, "form_token": stolen}
    assert other.post("/sign-in", form).status_code == 403


def test_too_many_tries_are_refused_for_a_minute(config, store, practice):
    visitor = Visitor(create_app(replace(config, sign_in_tries_per_minute=3), store).test_client())
    statuses = [visitor.sign_in(MANAGER, "a wrong password").status_code for _ in range(4)]
    assert statuses == [401, 401, 401, 429]
    refused = visitor.sign_in(MANAGER)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert "Wait a minute" in refused.text


def test_an_administrator_alone_sees_what_is_here_for_them_and_no_patient(visitor):
    visitor.sign_in("admin@riverside.example")
    assert "You look after accounts here" in visitor.get("/").text
    for address in ("/episodes", "/episodes/0123", "/report?from=2026-01-01&to=2026-01-31&format=csv"):
        assert visitor.get(address).status_code == 403


def test_everybody_signed_in_finds_what_there_is_for_their_role(app, store, practice):
    for role, place in (("auditor", "/audit"), ("staff", "/devices"), ("biller", "/devices"), ("manager", "/episodes")):
        people.add_user(
            store,
            practice.practice_id,
            email=f"new-{role}@riverside.example",
            name="Aud It",
            roles=[role],
            password=PASSWORD,
            now=now_ms(),
        )
        visitor = Visitor(app.test_client())
        visitor.sign_in(f"new-{role}@riverside.example")
        page = visitor.get("/")
        assert (page.status_code, page.headers["Location"]) == (303, place)
        assert visitor.get(place).status_code == 200


def test_every_route_says_who_may_open_it(app):
    silent = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("web.")
        and rule.endpoint != "web.static"
        and not hasattr(app.view_functions[rule.endpoint], "door")
    ]
    assert silent == []


def test_a_route_that_says_nothing_opens_for_nobody(app, manager):
    app.view_functions["web.home"] = lambda: "open"
    assert manager.get("/").status_code == 403


def test_a_session_that_has_ended_says_so(manager, store):
    people.sign_out(store, manager.client.get_cookie("threadtime").value, now_ms())
    asked = manager.get("/episodes")
    assert "ended=1" in asked.location
    assert "a session ends after 15 minutes without use" in manager.get(asked.location).text


@pytest.mark.parametrize("cookie", ["", "x", "ts_1_" + "a" * 43, "tt_1_" + "a" * 43, "ts_1_\x80", "ts_" + "9" * 30])
def test_a_cookie_that_is_no_session_opens_nothing(visitor, cookie):
    visitor.client.set_cookie("threadtime", cookie)
    assert visitor.get("/episodes").status_code == 303


def test_an_unknown_address_gets_a_page_with_a_way_on(visitor):
    page = visitor.get("/nowhere")
    assert page.status_code == 404
    assert "There is nothing here" in page.text and "/sign-in" in page.text


def test_pages_are_kept_by_no_cache(manager):
    assert manager.get("/sign-in").headers["Cache-Control"] == "no-store"


def _proof_of_page(visitor):
    """The proof in the sign-out form, which every page of somebody signed in has (an error page as well)."""
    return visitor.proof("/report")
