"""Every route, for every role and for another practice: what docs/permissions.md says is what happens."""

from __future__ import annotations

import re
import uuid

import pytest

from backend.auth import tokens
from backend.auth.roles import ROLES
from backend.desk import people
from backend.desk.record import record
from backend.store import people as rows
from backend.store import schema
from backend.web.doors import now_ms
from tests.conftest import BOTH
from tests.desk.world import hilltop
from tests.house.tree import ROOT
from tests.web.conftest import NOW, OURS, Visitor
from tests.web.test_pages import doctor, interval

__all__ = ["doctor"]

pytestmark = pytest.mark.parametrize("database", BOTH, indirect=True)

PUBLIC_FOR_PROGRAMS = {
    *("/healthz", "/readyz", "/api/openapi.json", "/api/v1/facts/kinds"),
    "/metrics",  # on this machine alone
    *("/api/v1/pairing", "/api/v1/pairing/token"),  # asked by a browser that has no token yet
}
ANYBODY = "not signed in"


def table():
    """(method, rule) -> who may, as documented."""
    text = (ROOT / "docs/permissions.md").read_text()
    section = re.search(r"^## Who may open which page$(.*?)(?=^## |\Z)", text, re.M | re.S)[1]
    heads = re.search(r"^\| page \| (.*) \|$", section, re.M)[1].split(" | ")
    found = {}
    for method, rule, cells in re.findall(r"^\| `(GET|POST) (\S+)` \| (.*) \|$", section, re.M):
        found[method, rule] = {head for head, cell in zip(heads, cells.split(" | "), strict=True) if cell == "yes"}
    return found


def routes(app):
    """(method, rule as documented, endpoint) of every page."""
    return [
        (method, re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule), rule.endpoint)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("web.") and rule.endpoint != "web.static"
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


@pytest.fixture
def ids(app, store, practice, doctor):
    """What stands in a route's address: things of Riverside."""
    now = now_ms()
    record(store, doctor, [(0, interval(now - 60_000, seconds=30))], sent_at=now, received_at=now)
    add_person(store, practice.practice_id, ["staff"], "target@riverside.example")
    with store.read() as connection:
        target = rows.find_by_email(connection, "target@riverside.example").user_id
    sign_in_as(app, store, practice.practice_id, ["manager"], "sees@riverside.example").get("/episodes")
    with store.read() as connection:
        [episode] = connection.execute("SELECT episode_id FROM episode").fetchone()
    return {"episode_id": episode, "user_id": target, "key": "medplum", "name": "lookback_days", "token": "x"}


def add_person(store, practice_id, roles, email):
    user = people.new_user(practice_id, email=email, name="Some Body", roles=roles, credential="MD")
    store.write(lambda c: people.insert_user(c, user, password_hash="none", now=NOW))
    return user


def sign_in_as(app, store, practice_id, roles, email=None):
    """A browser with a session of somebody new who has these roles."""
    user = add_person(store, practice_id, roles, email or f"{uuid.uuid4().hex}@riverside.example")
    token = tokens.new_token("ts", practice_id)
    store.write(lambda c: rows.insert_session(c, practice_id, tokens.digest(token), user.user_id, None, now_ms()))
    visitor = Visitor(app.test_client())
    visitor.client.set_cookie("threadtime", token)
    return visitor


def ask(visitor, method, rule, ids):
    """The answer to a request that is right in form; a name that `ids` lacks stands for something unknown."""
    address = re.sub(r"\{(\w+)\}", lambda name: ids.get(name[1], "unknown"), rule)
    if method == "GET":
        return visitor.get(address)
    cookie = visitor.client.get_cookie("threadtime")
    proof = tokens.form_token(cookie.value) if cookie else visitor.proof()
    return visitor.client.open(
        address, method=method, data={"form_token": proof, "origin": "https://x.example"}, headers=OURS
    )


def test_every_page_and_no_other_is_in_the_table(app):
    assert sorted(table()) == sorted((method, rule) for method, rule, _ in routes(app))


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_what_the_table_says_and_nothing_else(app, store, practice, ids, role):
    wrong = []
    for (method, rule), may in table().items():
        answer = ask(sign_in_as(app, store, practice.practice_id, [role]), method, rule, ids)
        opened = answer.status_code != 403
        assert answer.status_code < 500
        if opened is not (role in may):
            wrong.append((method, rule, answer.status_code))
    assert wrong == []


def test_who_is_not_signed_in_is_sent_to_sign_in(app, ids):
    wrong = []
    for (method, rule), may in table().items():
        answer = ask(Visitor(app.test_client()), method, rule, ids)
        sent_away = answer.status_code == 303 and answer.location.startswith("/sign-in")
        if sent_away is (ANYBODY in may):
            wrong.append((method, rule, answer.status_code))
    assert wrong == []


def test_who_has_every_role_elsewhere_finds_nothing_of_this_practice(app, store, practice, ids):
    other = hilltop(store, now=NOW)
    before = dump(store, practice.practice_id)
    found = []
    for method, rule in table():
        answer = ask(sign_in_as(app, store, other.practice_id, list(ROLES)), method, rule, ids)
        about_ours = set(re.findall(r"\{(\w+)\}", rule)) & {"episode_id", "user_id", "key"}
        if about_ours and answer.status_code != 404:
            found.append((method, rule, answer.status_code))
        assert "target@riverside.example" not in answer.text and ids["episode_id"] not in answer.text
    assert found == []
    assert dump(store, practice.practice_id) == before


def dump(store, practice_id):
    """Everything that is stored of a practice but its sessions; first what waits to be."""
    store.write_waiting()
    with store.read() as connection:
        kept = {}
        for table_ in schema.row_counts(connection):
            if table_ != "session":
                found = connection.execute(f"SELECT * FROM {table_} WHERE practice_id = ?", (practice_id,))
                kept[table_] = sorted(repr(tuple(row)) for row in found)
    return kept


def test_no_route_for_programs_opens_without_a_token(app):
    opened = []
    for rule in app.url_map.iter_rules():
        if not rule.endpoint.startswith("web.") and rule.rule not in PUBLIC_FOR_PROGRAMS:
            address = re.sub(r"<[^>]+>", "visits", rule.rule)
            for method in sorted(rule.methods - {"OPTIONS", "HEAD"}):
                answer = app.test_client().open(address, method=method, json={"intervals": [], "facts": []})
                if answer.status_code != 401:
                    opened.append((method, rule.rule, answer.status_code))
    assert opened == []
