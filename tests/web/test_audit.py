"""The audit's page and its file: for auditors, managers and administrators, each as the roles say."""

from __future__ import annotations

import json

import pytest

from backend.audit import VISITOR, by_user
from backend.desk import people
from tests.desk.world import hilltop
from tests.web.conftest import NOW, PASSWORD, Visitor
from tests.web.states import DAY

AUDITOR = "auditor@riverside.example"


@pytest.fixture
def auditor(app, store, practice) -> Visitor:
    people.add_user(
        store, practice.practice_id, email=AUDITOR, name="Audie Tor", roles=["auditor"], password=PASSWORD, now=NOW
    )
    visitor = Visitor(app.test_client())
    assert visitor.sign_in(AUDITOR).status_code == 303
    return visitor


def test_an_auditor_begins_at_todays_audit(auditor):
    assert auditor.get("/").location == "/audit"
    page = auditor.get("/audit")
    assert page.status_code == 200
    assert "Signed in" in page.text
    assert "Audie Tor" in page.text
    assert 'aria-current="page">Audit</a>' in page.text


def test_the_day_and_the_kind_can_be_chosen(auditor):
    page = auditor.get("/audit?on=2026-09-21&action=user_added").text  # NOW is that day in New York
    assert "User added" in page
    assert "credential MD" in page
    assert "roles: clinician" in page
    assert '<td data-name="What">Practice created</td>' not in page
    assert "Nothing of this kind happened" in auditor.get("/audit?on=2020-01-01").text


@pytest.mark.parametrize(
    "query", ["on=yesterday", "on=0001-01-01", "on=9999-12-31", "action=x", "before=x", "before=" + "9" * 20]
)
def test_an_address_that_nobody_gave_is_refused(auditor, query):
    assert auditor.get(f"/audit?{query}").status_code == 422


def test_a_long_day_goes_on_on_a_second_page(auditor, store, practice):
    def work(connection):
        for _ in range(120):
            store.audit.add(
                connection,
                practice.practice_id,
                at=NOW + DAY,
                actor=VISITOR,
                action="sign_in_failed",
                subject=("user", None),
            )

    store.write(work)
    first = auditor.get("/audit?on=2026-09-22")
    assert "100 entries" in first.text
    rest = first.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "20 entries" in auditor.get(rest).text


def test_a_text_in_a_detail_cannot_become_markup(auditor, store, practice):
    store.write(
        lambda connection: store.audit.add(
            connection,
            practice.practice_id,
            at=NOW,
            actor=by_user("gone"),
            action="setting_changed",
            subject=("setting", "<i>"),
            detail={"value": "<script>"},
        )
    )
    page = auditor.get("/audit?on=2026-09-21").text
    assert "<script>" not in page and "&lt;script&gt;" in page
    assert "a user who is gone" in page


def test_an_auditor_takes_the_whole_audit_and_that_is_in_it(auditor, store, practice):
    answer = auditor.get("/audit/export")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert "attachment" in answer.headers["Content-Disposition"]
    entries = [json.loads(line) for line in answer.text.splitlines()]
    assert [each["number"] for each in entries] == list(range(1, len(entries) + 1))
    assert (entries[0]["action"], entries[-1]["action"]) == ("practice_created", "audit_exported")
    assert entries[-1]["actor_kind"] == "user"


def test_a_manager_and_an_administrator_read_and_do_not_take(app, store, practice):
    for email in ("manager@riverside.example", "admin@riverside.example"):
        visitor = Visitor(app.test_client())
        visitor.sign_in(email)
        page = visitor.get("/audit")
        assert page.status_code == 200
        assert "Take all of it" not in page.text
        assert visitor.get("/audit/export").status_code == 403


def test_a_clinician_reads_none(visitor):
    visitor.sign_in("doctor@riverside.example")
    assert visitor.get("/audit").status_code == 403
    assert "Audit" not in visitor.get("/").text


def test_an_auditor_sees_no_episodes(auditor):
    assert auditor.get("/episodes").status_code == 403


def test_another_practices_audit_is_not_seen(auditor, store):
    hilltop(store, now=NOW, admin_name="Hilda Top")
    assert "Hilda Top" not in auditor.get("/audit?on=2026-09-21").text
    assert {json.loads(line)["practice_id"] for line in auditor.get("/audit/export").text.splitlines()} == {1}


def test_looking_at_the_list_names_who_looked(manager, auditor, store):
    assert manager.get("/episodes").status_code == 200
    page = auditor.get("/audit?action=episodes_listed").text
    assert "Rosa Lind" in page
    assert "List of episodes read" in page
