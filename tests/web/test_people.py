"""Pages of accounts and settings, where it takes no browser to see what is right."""

import re

import pytest

from backend.store import people as rows
from tests.web.conftest import OURS, Visitor
from tests.web.test_who_may import sign_in_as

ADMIN = "admin@riverside.example"


@pytest.fixture
def ids(store):
    """E-mail address -> user id."""
    with store.read() as connection:
        return {row["email"]: row["user_id"] for row in connection.execute("SELECT email, user_id FROM user")}


@pytest.fixture
def office(app, store, practice):
    """A manager who is no administrator."""
    return sign_in_as(app, store, practice.practice_id, ["manager"], "office@riverside.example")


def send(visitor, address, form, *, proof_from="/account"):
    return visitor.client.post(address, data={"form_token": visitor.proof(proof_from), **form}, headers=OURS)


def test_a_manager_sees_an_administrators_account_and_cannot_change_it(office, ids, store):
    address = f"/people/{ids[ADMIN]}"
    page = office.get(address).text
    assert "only an administrator changes it" in page and 'name="roles"' not in page
    for end, form in (("", {"name": "Mine", "roles": "manager"}), ("/deactivate", {}), ("/reset", {})):
        assert send(office, address + end, form).status_code == 403
    with store.read() as connection:
        kept = rows.find_by_email(connection, ADMIN)
    assert (kept.name, kept.roles, kept.active) == ("Ada Min", ("admin",), True)


def test_a_manager_is_offered_no_role_of_an_administrator_and_cannot_forge_it(office, ids):
    assert 'value="admin"' not in office.get("/people/new").text
    form = {"name": "Kim", "email": "kim@riverside.example", "roles": "admin"}
    assert send(office, "/people/new", form).status_code == 403
    assert (
        send(office, f"/people/{ids['doctor@riverside.example']}", {"name": "x", "roles": "admin"}).status_code == 403
    )


def test_the_link_names_the_server_and_is_kept_by_no_cache(manager):
    form = {"name": "Kim", "email": "kim@riverside.example", "roles": ["staff", "biller"]}
    page = send(manager, "/people/new", form)
    assert re.search(r'value="http://localhost/join/tl_1_[\w-]{43}"', page.text)
    assert page.headers["Cache-Control"] == "no-store"
    assert "Cannot sign in yet" in manager.get("/people").text
    again = send(manager, "/people/new", form)
    assert again.status_code == 409 and "already signs in" in again.text and "kim@riverside.example" in again.text


def test_looking_at_a_link_does_not_use_it_up_and_two_passwords_must_be_the_same(app, manager):
    form = {"name": "Kim", "email": "kim@riverside.example", "roles": "staff"}
    link = re.search(r"http://localhost(/join/\w+_[\w-]+)", send(manager, "/people/new", form).text)[1]
    visitor = Visitor(app.test_client())
    for _ in range(3):
        assert "You sign in with" in visitor.get(link).text
    unlike = send(visitor, link, {"password": "cold tea on the stairs", "again": "x"}, proof_from=link)
    assert unlike.status_code == 422 and "not the same" in unlike.text
    same = send(visitor, link, dict.fromkeys(("password", "again"), "cold tea on the stairs"), proof_from=link)
    assert same.status_code == 303
    assert visitor.sign_in("kim@riverside.example", "cold tea on the stairs").status_code == 303


@pytest.mark.parametrize(
    ("name", "form", "words"),
    [
        ("lookback_days", {"value": "6", "from": "soon"}, "written like 2026-04-06"),
        ("lookback_days", {"value": "", "from": "2026-04-06"}, "cannot be used"),
        ("aggregate_by", {"value": "thread", "from": "2026-04-06"}, "group, specialty"),
        ("aggregate_by", {"value": "group", "payer": "commercial", "from": "2026-04-06"}, "same for every payer"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_before_anybody_is_asked_whether_they_are_sure(manager, name, form, words):
    page = send(manager, f"/settings/{name}", form | {"sure": "yes"})
    assert page.status_code == 422 and words in page.text
    assert "is saved" not in manager.get(f"/settings?said={form['value']}").text


def test_a_setting_of_a_payer_is_said_and_withdrawn_and_stays_on_record(manager):
    address = "/settings/telehealth_pos"
    said = {"value": "02, 11", "payer": "commercial", "from": "2020-01-01"}
    assert "a day in the past" in send(manager, address, said).text
    assert "11" not in manager.get("/settings").text.split("telehealth pos")[1].split("</tr>")[0], "asked, not done"
    assert send(manager, address, said | {"sure": "yes"}).location == "/settings?said=telehealth_pos"
    assert "02, 11" in manager.get("/settings").text
    back = {"default": "yes", "payer": "commercial", "from": "2020-01-01", "sure": "yes"}
    assert send(manager, address, back).status_code == 303
    assert "02, 11" not in manager.get("/settings").text
    assert manager.get(address).text.count("Rosa Lind, ") == 2


def test_a_list_with_choices_is_set_by_them(manager):
    form = {"values": ["medicare_ffs"], "from": "2020-01-01", "sure": "yes"}
    assert send(manager, "/settings/consent_required_payers", form).status_code == 303
    assert "<b>Medicare</b>" in manager.get("/settings").text


def test_an_unknown_setting_is_not_found(manager):
    assert manager.get("/settings/moon").status_code == 404


def test_a_credential_whose_time_never_counts_is_said_on_the_clinicians_page(manager, ids):
    address = f"/people/{ids['doctor@riverside.example']}"
    assert "never counts" not in manager.get(address).text.replace("recorded and never counted", "")
    changed = {"name": "Robin Doe", "roles": "clinician", "credential": "DOC"}
    assert send(manager, address, changed).location == f"{address}?note=changed"
    assert "Time of the credential DOC never counts" in manager.get(address).text
