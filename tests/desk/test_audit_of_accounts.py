"""Every deed about an account is in the audit: who did it, to whom, and nothing of the person but ids and settings."""

from __future__ import annotations

import json

import pytest

from backend.auth import totp
from backend.config import Config
from backend.desk import accounts, links, own_account
from backend.desk.audit import export_audit
from backend.errors import BadInput
from tests.desk.test_accounts import ADMIN, NEW, NOW, Office, office

__all__ = ["office"]

NEWER = "warm tea on the stairs"
CODE_AT = NOW + 60_000


class Heard:
    """What the audit says since it was asked last, as (action, who, about whom)."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.names = {office.admin.user_id: "admin", office.manager.user_id: "manager"}
        self.known = len(self._all())
        self.details: list[str] = []

    def _all(self) -> list[dict]:
        return list(export_audit(self.office.store, self.office.world.id, now=NOW))

    def now(self) -> list[tuple[str, str, str | None]]:
        found = [each for each in self._all() if each["number"] > self.known and each["action"] != "audit_exported"]
        self.known = max((each["number"] for each in found), default=self.known)
        self.details += [each["detail"] or "" for each in found]
        return [
            (each["action"], self._name(each["actor_id"]) or each["actor_kind"], self._name(each["subject_id"]))
            for each in found
        ]

    def _name(self, id_: str | None) -> str | None:
        return id_ if id_ is None else self.names.get(id_, id_)


@pytest.fixture
def heard(office: Office) -> Heard:
    return Heard(office)


def test_inviting_changing_ending_and_resetting_are_recorded(office: Office, heard: Heard):
    kim, token = office.invite()
    heard.names[kim.user_id] = "kim"
    assert heard.now() == [("user_added", "admin", "kim")]
    links.use_link(office.store, token, NEW, NOW)
    assert heard.now() == [("password_set", "kim", "kim")]
    office.change(office.admin, kim, roles=("staff", "biller"))
    assert heard.now() == [("user_changed", "admin", "kim")]
    accounts.deactivate(office.store, office.manager, kim.user_id, NOW)
    accounts.reactivate(office.store, office.admin, kim.user_id, NOW)
    assert heard.now() == [("user_deactivated", "manager", "kim"), ("user_reactivated", "admin", "kim")]
    office.reset(kim, office.manager)
    accounts.reset_by_email(office.store, kim.email, second_factor=False, now=NOW)
    assert heard.now() == [("password_reset", "manager", "kim"), ("password_reset", "command", "kim")]
    said = "".join(heard.details)
    assert json.dumps("biller") in said
    assert [word for word in (kim.name, kim.email, token, NEW) if word in said] == []


def test_what_people_do_to_their_own_account_is_recorded(office: Office, heard: Heard):
    kim = office.join()
    heard.names[kim.user_id] = "kim"
    token, _ = office.enter(kim.email, NEW)
    office.enter(kim.email, NEW)
    heard.now()
    with pytest.raises(BadInput):
        own_account.change_password(office.store, kim, token, old="a wrong password", new=NEWER, now=NOW)
    own_account.change_password(office.store, kim, token, old=NEW, new=NEWER, now=NOW)
    assert heard.now() == [("password_refused", "kim", "kim"), ("password_changed", "kim", "kim")]

    own_account.begin_enrolment(office.store, kim, password=NEWER, now=NOW)
    enrolment = own_account.enrolment_of(office.store, kim)
    assert enrolment is not None
    secret = enrolment.secret.replace(" ", "")
    codes = own_account.confirm_enrolment(
        office.store, kim, token, code=totp.code(secret, CODE_AT // 30_000), now=CODE_AT
    )
    codes += own_account.new_recovery_codes(office.store, kim, password=NEWER, now=NOW)
    own_account.turn_off_factor(office.store, kim, password=NEWER, now=NOW)
    assert [action for action, *_ in heard.now()] == ["second_factor_on", "recovery_codes_made", "second_factor_off"]

    office.enter(kim.email, NEWER)
    heard.now()
    sessions = own_account.sessions_of(office.store, kim, token, now=NOW, config=Config())
    [other] = [each for each in sessions if not each.is_this]
    own_account.end_session(office.store, kim, other.id_, NOW)
    own_account.end_other_sessions(office.store, kim, token, NOW)
    assert heard.now() == [("session_ended", "kim", "kim"), ("sessions_ended", "kim", "kim")]
    said = "".join(heard.details)
    assert [word for word in (kim.name, kim.email, token, secret, NEWER, *codes) if word in said] == []


def test_a_refused_deed_leaves_no_entry_as_if_it_was_done(office: Office, heard: Heard):
    with pytest.raises(BadInput):
        office.invite(email="no address")
    assert heard.now() == []
    assert ADMIN not in "".join(heard.details)
