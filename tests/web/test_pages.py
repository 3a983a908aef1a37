"""The pages over a real store, with intervals recorded through the desk's own verbs."""

from __future__ import annotations

import csv
import io
import re
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.desk import devices, episodes
from backend.desk.record import record
from backend.web.doors import now_ms
from tests.desk.world import hilltop
from tests.web.conftest import NOW, Visitor

DAY = 86_400_000
SAFE = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def interval(started_at, *, seconds=60, **changes):
    """A row as the schemas hand it to the desk."""
    return {
        "id": str(uuid.uuid4()),
        "portal": "medplum",
        "thread": "thr-1",
        "patient": "40118",
        "activity": "review_inquiry",
        "started_at": started_at,
        "ended_at": started_at + seconds * 1000,
        "ended_by": "hidden",
        "idle_after_seconds": 60,
        **changes,
    }


@pytest.fixture
def doctor(store, practice):
    token = devices.add_device(
        store, practice.practice_id, clinician_email="doctor@riverside.example", name="laptop", now=NOW
    )
    return devices.device_of(store, token)


def work(store, device, *rows):
    now = now_ms()
    outcome = record(store, device, list(enumerate(rows)), sent_at=now, received_at=now)
    assert len(outcome.accepted) == len(rows)


def rows_of(page):
    return re.findall(r'<th scope="row"><a class="reference" href="([^"]+)">([^<]*)</a>', page.text)


def test_with_nothing_recorded_the_list_says_what_will_stand_here(manager):
    page = manager.get("/episodes")
    assert page.status_code == 200
    assert "Episodes will stand here" in page.text


def test_an_interval_becomes_a_line_of_the_list_and_a_page(manager, store, doctor):
    work(store, doctor, interval(now_ms() - 12 * DAY, seconds=300), interval(now_ms() - 11 * DAY, seconds=120))
    [(address, patient)] = rows_of(manager.get("/episodes"))
    assert patient == "40118"
    page = manager.get(address)
    assert page.status_code == 200
    assert "7 min 00 s counted of 7 min 00 s recorded" in page.text
    assert "Robin Doe" in page.text and "thr-1" in page.text
    assert page.text.count('<tr>\n<th scope="row"') == 2
    assert "99421" in page.text


def test_what_a_portal_calls_its_patient_is_only_text(manager, store, doctor):
    evil = '"><script>alert(1)</script>{{7*7}}'
    work(store, doctor, interval(now_ms() - DAY, patient=evil, thread="<img src=x>"))
    for address in ("/episodes", rows_of_first(manager)):
        page = manager.get(address)
        assert "<script" not in page.text and "<img" not in page.text
        assert "{{7*7}}" in page.text


def rows_of_first(manager):
    return re.search(r'<th scope="row"><a class="reference" href="([^"]+)"', manager.get("/episodes").text)[1]


def test_the_list_goes_on_page_by_page_and_shows_each_episode_once(manager, store, doctor):
    begin = now_ms() - 20 * DAY
    work(store, doctor, *(interval(begin + n * 600_000, patient=f"p{n}", thread=f"t{n}") for n in range(60)))
    first = manager.get("/episodes")
    older = re.search(r'<a rel="next" href="([^"]+)"', first.text)[1].replace("&amp;", "&")
    second = manager.get(older)
    shown = [patient for page in (first, second) for _, patient in rows_of(page)]
    assert (len(rows_of(first)), len(rows_of(second))) == (50, 10)
    assert sorted(shown) == sorted(f"p{n}" for n in range(60))
    assert "50 of 60 episodes" in first.text
    assert 'rel="next"' not in second.text


def test_while_much_is_due_the_list_comes_at_once_and_says_so(manager, store, doctor, monkeypatch):
    work(store, doctor, interval(NOW))
    assert "being added up" not in manager.get("/episodes").text
    monkeypatch.setattr(episodes, "PATIENCE_SECONDS", -1)
    work(store, doctor, interval(NOW + 120_000))
    shown = manager.get("/episodes").text
    assert "The work of one patient is being added up" in shown
    assert "of 2:00 recorded" in shown


def test_a_filter_shows_only_its_status(manager, store, doctor):
    work(store, doctor, interval(now_ms() - DAY))
    assert len(rows_of(manager.get("/episodes?status=hold"))) == 1
    empty = manager.get("/episodes?status=reportable")
    assert rows_of(empty) == []
    assert "None here" in empty.text


def test_another_practices_episode_is_not_there(app, manager, store, doctor):
    work(store, doctor, interval(now_ms() - DAY))
    address = rows_of_first(manager)
    hilltop(store, now=NOW, admin_name="Bo Hill")
    other = Visitor(app.test_client())
    other.sign_in("boss@hilltop.example")
    assert rows_of(other.get("/episodes")) == []
    assert other.get(address).status_code == 404


def test_days_are_written_in_the_practices_zone(manager, store, doctor):
    late = 1_774_925_400_000  # 31 March 2026, 02:50 UTC, which is the evening before in New York
    work(store, doctor, interval(late))
    page = manager.get(rows_of_first(manager))
    assert "30 March to 5 April 2026" in page.text
    assert "22:50:00" in page.text
    assert "New York time" in page.text


def test_the_report_is_taken_as_csv_and_json_with_the_same_episodes(manager, store, doctor):
    work(store, doctor, interval(1_774_925_400_000, patient="=1+1"))
    asked = "/report?from=2026-03-30&to=2026-03-30&format="
    as_csv, as_json = manager.get(asked + "csv"), manager.get(asked + "json")
    [line] = csv.DictReader(io.StringIO(as_csv.data.decode("utf-8-sig"), newline=""))
    [episode] = as_json.get_json()
    assert line["episode_id"] == episode["episode_id"]
    assert (line["patient"], episode["patient"]) == ("'=1+1", "=1+1")
    assert as_csv.headers["Content-Disposition"] == 'attachment; filename="threadtime-2026-03-30-to-2026-03-30.csv"'
    assert as_csv.headers["Cache-Control"] == "no-store"


def test_a_report_holds_only_episodes_whose_seven_days_begin_on_its_days(manager, store, doctor):
    work(store, doctor, interval(1_774_925_400_000))
    assert manager.get("/report?from=2026-03-31&to=2026-04-30&format=json").get_json() == []


@pytest.mark.parametrize(
    "query",
    ["", "from=2026-01-01", "from=x&to=y&format=csv", "from=2026-02-30&to=2026-03-01&format=csv",
     "from=2026-03-02&to=2026-03-01&format=csv", "from=2026-01-01&to=2026-01-31&format=exe"],
)  # fmt: skip
def test_a_report_that_was_asked_for_wrongly_says_how_to_ask(manager, query):
    page = manager.get(f"/report?{query}")
    assert page.status_code == 422
    assert "<h1>That cannot be used as it is</h1>" in page.text


@pytest.mark.parametrize("address", ["/episodes/nobody", "/episodes/" + "0" * 32, "/episodes/%00", "/episodes/%ff"])
def test_an_episode_that_is_not_there_is_a_page_that_says_so(manager, address):
    page = manager.get(address)
    assert page.status_code == 404
    assert "There is nothing here" in page.text


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@SAFE
@given(status=text, after=text, from_=text, to=text, format_=text)
def test_no_query_whatever_breaks_a_page(manager, status, after, from_, to, format_):
    for address, query in (
        ("/episodes", {"status": status, "after": after}),
        ("/episodes", {"after": after}),
        ("/report", {"from": from_, "to": to, "format": format_}),
        ("/sign-in", {"after": after, "ended": status}),
    ):
        assert manager.client.get(address, query_string=query).status_code in (200, 303, 422)


def search(manager, words):
    return manager.post("/episodes", {"words": words, "form_token": manager.proof("/episodes")})


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("40118", {"40118"}),
        ("401", {"40118", "40119"}),
        ("  40119 ", {"40119"}),
        ("robin", {"40118", "40119", "%_x"}),
        ("99421", {"40118"}),
        ("%", {"%_x"}),
        ("_", set()),
        ("nobody", set()),
        ("", set()),
        ("'; DROP TABLE episode; --", set()),
    ],
)
def test_a_search_finds_by_reference_clinician_or_code(manager, store, doctor, words, found):
    begin = now_ms() - 12 * DAY
    work(
        store,
        doctor,
        interval(begin, seconds=300),
        interval(begin + DAY, patient="40119", thread="thr-2"),
        interval(begin + 2 * DAY, patient="%_x", thread="thr-3"),
    )
    page = search(manager, words)
    assert page.status_code == 200
    assert {patient for _, patient in rows_of(page)} == found


def test_what_was_searched_for_stands_in_no_address_and_no_title(manager, store, doctor):
    work(store, doctor, interval(now_ms() - DAY))
    page = search(manager, "40118")
    assert "<title>One episode matches · Threadtime</title>" in page.text
    assert not re.search(r'(href|action)="[^"]*40118', page.text)


def test_a_search_stays_within_the_practice(app, manager, store, doctor):
    work(store, doctor, interval(now_ms() - DAY))
    hilltop(store, now=NOW, admin_name="Bo Hill")
    other = Visitor(app.test_client())
    other.sign_in("boss@hilltop.example")
    assert rows_of(search(other, "40118")) == rows_of(search(other, "robin")) == []


@SAFE
@given(words=text)
def test_no_words_whatever_break_a_search(manager, words):
    assert search(manager, words).status_code == 200
