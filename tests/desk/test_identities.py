"""Accounts and the organisation's provider, at instants that the test chooses; on both databases."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from backend.auth import tokens
from backend.desk import accounts, by_provider, identities, links, providers
from backend.desk.audit import export_audit
from backend.errors import BadInput, Conflict, NotFound, ProviderTrouble
from backend.store import accounts as account_rows
from backend.store import identities as rows
from tests.desk.test_accounts import ADMIN, NEW, NOW, PASSWORD, Office, office
from tests.provider import provider

__all__ = ["office", "provider"]

SERVER = "http://127.0.0.1:8765"
MINUTE = 60_000


@pytest.fixture
def site(office: Office, provider):
    """Riverside, whose provider is set."""
    provider.lie()
    provider.register(SERVER + providers.BACK)
    set_provider(office, provider)
    return office


def set_provider(office: Office, provider, issuer=None):
    return providers.set_provider(
        office.store,
        office.world.id,
        issuer=issuer or provider.url,
        client_id=provider.client_id,
        client_secret=provider.secret,
        name=None,
        address=SERVER,
        now=NOW,
    )


def here():
    return by_provider.Here(tokens.new_secret(), SERVER)


def link(office, user, subject, now=NOW):
    def work(connection):
        identities.link(
            office.store, connection, rows.provider(connection, office.world.id), user.user_id, subject, now
        )

    office.store.write(work)


def leave_without_password(office, user):
    office.store.write(lambda c: account_rows.clear_password(c, user.practice_id, user.user_id))


def test_a_browser_may_be_away_for_ten_minutes(site):
    link(site, site.admin, "rosa")
    for late, code in ((10 * MINUTE - 1, "said_no"), (10 * MINUTE, "lost")):
        browser = here()
        away = by_provider.begin_sign_in(site.store, "riverside", browser, after=None, now=NOW)
        state = parse_qs(urlsplit(away.address).query)["state"][0]
        answer = by_provider.Answer(state, None, "access_denied", None)
        with pytest.raises(ProviderTrouble) as refused:
            by_provider.come_back(site.store, answer, browser, signed_in=None, now=NOW + late)
        assert refused.value.code == code


def test_a_browser_that_never_comes_back_is_forgotten(site):
    def waiting():
        with site.store.read() as connection:
            return connection.execute("SELECT count(*) FROM provider_step").fetchone()[0]

    for minute in range(3):
        by_provider.begin_sign_in(site.store, "riverside", here(), after=None, now=NOW + minute * MINUTE)
    assert waiting() == 3
    by_provider.begin_sign_in(site.store, "riverside", here(), after=None, now=NOW + 11 * MINUTE)
    assert waiting() == 3


def test_what_is_stored_of_a_way_there_opens_nothing(site):
    browser = here()
    away = by_provider.begin_sign_in(site.store, "riverside", browser, after=None, now=NOW)
    asked = parse_qs(urlsplit(away.address).query)
    with site.store.read() as connection:
        [row] = connection.execute("SELECT * FROM provider_step").fetchall()
    kept = repr(tuple(row))
    assert [word for word in (browser.secret, asked["state"][0], asked["nonce"][0]) if word in kept] == []


def test_who_is_linked_and_has_no_password_is_active_and_an_administrator_who_can_sign_in(site):
    second, _ = site.invite(email="second@riverside.example", roles=("admin",))
    assert site.of(second).state == "waiting"
    link(site, second, "second")
    account = site.of(second)
    assert (account.state, account.has_password, account.by_provider) == ("active", False, True)
    accounts.deactivate(site.store, second, site.admin.user_id, NOW)
    with pytest.raises(Conflict, match="only administrator who can sign in"):
        accounts.deactivate(site.store, second, second.user_id, NOW)


def test_the_provider_stays_while_no_administrator_has_a_password(site, provider):
    link(site, site.admin, "rosa")
    leave_without_password(site, site.admin)
    with pytest.raises(Conflict, match="No administrator could sign in"):
        providers.remove_provider(site.store, site.world.id, NOW)
    set_provider(site, provider)  # the same issuer may be set anew
    token = site.reset(site.admin)
    links.use_link(site.store, token, NEW, NOW)
    kim = site.join()
    link(site, kim, "kim")
    leave_without_password(site, kim)
    assert providers.remove_provider(site.store, site.world.id, NOW) == 1
    assert site.of(kim).state == "waiting"
    with pytest.raises(NotFound):
        by_provider.begin_sign_in(site.store, "riverside", here(), after=None, now=NOW)
    set_provider(site, provider)
    assert site.of(kim).state == "active", "who was linked is so again"


def test_another_issuer_knows_nobody_of_the_one_before(site, provider):
    link(site, site.admin, "rosa")
    provider.lie(published={"issuer": provider.url + "/"})  # which differs, if by a stroke
    set_provider(site, provider, issuer=provider.url)
    assert not site.of(site.admin).by_provider
    with site.store.read() as connection:
        assert rows.user_by_identity(connection, site.world.id, provider.url, "rosa") == site.admin.user_id
        assert rows.user_by_identity(connection, site.world.id, provider.url + "/", "rosa") is None


def test_an_account_is_linked_with_one_identity_and_an_identity_with_one_account(site):
    kim = site.join()
    link(site, kim, "kim")
    with pytest.raises(ProviderTrouble) as refused:
        link(site, site.admin, "kim")
    assert refused.value.code == "taken"
    link(site, kim, "kim, anew")
    link(site, site.admin, "kim")
    own = identities.own_identity(site.store, kim)
    assert (own.linked_at, own.has_password) == (NOW, True)
    identities.unlink(site.store, kim, NOW)
    with pytest.raises(NotFound):
        identities.unlink(site.store, kim, NOW)


def test_the_last_way_in_is_not_ended(site):
    kim = site.join()
    link(site, kim, "kim")
    leave_without_password(site, kim)
    with pytest.raises(Conflict, match="your only way to sign in"):
        identities.unlink(site.store, kim, NOW)
    with pytest.raises(BadInput):
        by_provider.begin_linking(site.store, site.manager, here(), password=PASSWORD + "x", now=NOW)


def test_the_identity_of_one_practice_is_nothing_in_another(site):
    link(site, site.admin, "rosa")
    with site.store.read() as connection:
        assert (
            rows.user_by_identity(
                connection, site.world.id + 1, rows.provider(connection, site.world.id).issuer, "rosa"
            )
            is None
        )
        assert rows.linked(connection, site.world.id + 1) == set()


def test_what_is_done_stands_in_the_audit_without_who_somebody_is_there(site):
    kim = site.join()
    link(site, kim, "a subject of kim")
    identities.unlink(site.store, kim, NOW)
    providers.remove_provider(site.store, site.world.id, NOW)
    told = list(export_audit(site.store, site.world.id, now=NOW))
    about = [
        (each["action"], each["subject_kind"]) for each in told if each["action"].startswith(("identity", "provider"))
    ]
    assert about == [
        ("provider_set", "practice"),
        ("identity_linked", "user"),
        ("identity_unlinked", "user"),
        ("provider_removed", "practice"),
    ]
    assert "a subject" not in repr(told)
    assert ADMIN not in repr(told)
