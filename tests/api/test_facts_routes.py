"""Facts by HTTP: who may say what, what becomes of each row, and what an episode gains by it."""

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from backend.api import EXTENSION_ID
from backend.billing.reading import instant_text
from backend.schemas.kinds import KINDS
from tests.api.test_requests import is_problem
from tests.server import ADMIN, CLINICIAN, Server, now, row, uuid7

DAY_MS = 86_400_000
COLLEAGUE = "nurse@practice.example"
VISIT = {"portal": "medplum", "patient": "p-1", "at": "2026-04-10T15:00:00-04:00", "specialty": "family_medicine"}
Tokens = Mapping[str, str]


def people(server: Server) -> dict[str, str]:
    """A token of each: clinician, colleague, staff, manager, biller."""
    server.add_user(COLLEAGUE, "clinician", "--credential", "NP")
    server.add_user("desk@practice.example", "staff")
    server.add_user("bills@practice.example", "biller")
    holders = {"colleague": COLLEAGUE, "staff": "desk@practice.example", "biller": "bills@practice.example"}
    tokens = {name: server.add_device(email) for name, email in holders.items()}
    return {**tokens, "clinician": server.token, "manager": server.add_device(ADMIN)}


@pytest.fixture(scope="module")
def tokens(shared_server: Server) -> Tokens:
    return people(shared_server)


def told(answer: requests.Response) -> list[str]:
    """The outcome or the reason of each row, once the answer is whole."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    results = body["results"]
    assert [each["index"] for each in results] == list(range(len(results)))
    for outcome in ("new", "changed", "known", "refused"):
        assert body[outcome] == sum(each["outcome"] == outcome for each in results)
    assert all((each["reason"] is None) == (each["outcome"] != "refused") for each in results)
    assert all((each["changes"] == []) == (each["outcome"] != "changed") for each in results)
    return [each["reason"] or each["outcome"] for each in results]


SAID: dict[str, dict[str, Any]] = {
    "threads": {"thread": "thr-said", "patient": "p-said"},
    "inquiries": {"thread": "thr-said", "at": "2026-04-06T07:30:00-04:00", "initiated_by": "patient"},
    "visits": {"patient": "p-said", "at": "2026-04-10T15:00:00-04:00", "specialty": "family_medicine"},
    "readings": {"patient": "p-said", "list": "visits", "read_at": "2026-04-14T06:00:00-04:00"},
    "portal_readings": {"list": "visits", "read_at": "2026-04-14T06:00:00-04:00"},
    "consents": {"patient": "p-said", "at": "2026-01-02", "method": "verbal", "scope": "ctbs"},
    "coverage": {"patient": "p-said", "type": "commercial", "covers": True},
    "residence": {"patient": "p-said", "state": "NY"},
    "face_to_face": {"patient": "p-said", "date": "2025-09-18", "specialty": "surgery", "face_to_face": True},
    "global_periods": {"patient": "p-said", "surgery_date": "2026-01-02", "days": 90, "specialty": "surgery"},
    "other_claims": {"patient": "p-said", "code": "99457", "month": "2026-04"},
    "prior_evisits": {"patient": "p-said", "window_start": "2026-03-01", "family": "em"},
    "enrolments": {"patient": "p-said", "program": "rpm", "from": "2026-01-01"},
    "notices": {"patient": "p-said", "at": "2026-01-02T09:00:00Z"},
    "claim_drafts": {"patient": "p-said", "on": "2026-04-06", "pos": "02", "modifiers": ["95"]},
    "documentation": {"thread": "thr-said", "permanently_stored": True},
    "attested_storage": {"permanently_stored": True},
    "attested_evaluative": {"thread": "thr-said", "evaluative": True},
    "attested_patient": {
        "patient": "p-said",
        "started_at": "2026-04-06T09:00:00Z",
        "ended_at": "2026-04-06T09:05:00Z",
    },
    "attested_related": {"thread": "thr-said", "visit_at": "2026-04-10T15:00:00-04:00", "related": False},
}


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "attested_time"])
def test_a_kind_is_said_by_its_roles_and_by_no_others(shared_server: Server, tokens: Tokens, kind: str) -> None:
    shared_server.post(row(thread="thr-said", patient="p-said"))
    said = {"portal": "medplum", **SAID[kind]}
    for role in ("clinician", "staff", "manager", "biller"):
        answer = shared_server.say(kind, said, token=tokens[role])
        if role in KINDS[kind].said_by:
            assert told(answer)[0] in ("new", "known")
        else:
            assert "another role" in is_problem(answer, 403)["detail"]
            is_problem(shared_server.say(kind, token=tokens[role]), 403)
    assert told(shared_server.say(kind, said, token=tokens[min(KINDS[kind].said_by)])) == ["known"]


def test_what_is_said_twice_is_known_and_what_changes_says_how(shared_server: Server, tokens: Tokens) -> None:
    visit = {**VISIT, "patient": "p-twice", "id": "enc-1", "status": "scheduled"}
    token = tokens["staff"]
    assert told(shared_server.say("visits", visit, visit, token=token)) == ["new", "known"]
    assert told(shared_server.say("visits", visit, token=token)) == ["known"]
    answer = shared_server.say("visits", {**visit, "status": "cancelled"}, token=token).json()
    assert answer == {
        "results": [
            {
                "index": 0,
                "outcome": "changed",
                "reason": None,
                "changes": [{"field": "status", "before": "scheduled", "after": "cancelled"}],
            }
        ],
        "new": 0,
        "changed": 1,
        "known": 0,
        "refused": 0,
    }
    assert told(shared_server.say("visits", {**visit, "withdrawn": True}, token=token)) == ["changed"]
    assert told(shared_server.say("visits", {**visit, "withdrawn": True}, token=token)) == ["known"]


REFUSED: dict[str, tuple[Any, str]] = {
    "null": (None, "the row is not an object"),
    "a number": (7, "the row is not an object"),
    "a list": ([VISIT], "the row is not an object"),
    "text": ("visit", "the row is not an object"),
    "nothing": ({}, "patient is missing"),
    "an unknown field": ({**VISIT, "colour": "blue"}, "colour is not a field of visits; it has portal, patient, id"),
    "a number for text": ({**VISIT, "specialty": 7}, "specialty is not a text"),
    "a list for text": ({**VISIT, "specialty": [["x"]]}, "specialty is not a text"),
    "an object for text": ({**VISIT, "id": {"a": 1}}, "id is not a text"),
    "text for a list": ({**VISIT, "diagnoses": "J06.9"}, "diagnoses is not a list"),
    "a list in a list": ({**VISIT, "diagnoses": [["J06.9"]]}, "diagnoses is not a text"),
    "too many": ({**VISIT, "diagnoses": ["J06.9"] * 51}, "diagnoses lists more than 50 values"),
    "text for yes": ({**VISIT, "related_to_inquiry": "yes"}, "related_to_inquiry is neither true nor false"),
    "a number for yes": ({**VISIT, "related_to_inquiry": 1}, "related_to_inquiry is neither true nor false"),
    "an unknown choice": ({**VISIT, "status": "maybe"}, "status is none of completed, cancelled, no_show, scheduled"),
    "a list for a choice": ({**VISIT, "status": ["completed"]}, "status is none of completed, cancelled"),
    "milliseconds": ({**VISIT, "at": 1775480400000}, "at is not a text such as 2026-04-06T09:00:00-04:00"),
    "no offset": ({**VISIT, "at": "2026-04-06T09:00:00"}, "at has no offset from UTC"),
    "no such day": ({**VISIT, "at": "2026-02-30T09:00:00Z"}, "at is not an instant of the calendar"),
    "another year": ({**VISIT, "at": "0001-01-01T00:00:00Z"}, "at lies outside the years 1900 to 2999"),
    "another year in UTC": ({**VISIT, "at": "2999-12-31T23:59:59-04:00"}, "at lies outside the years 1900 to 2999"),
    "no instant": ({name: VISIT[name] for name in ("portal", "patient", "specialty")}, "at is missing"),
    "another portal": ({**VISIT, "portal": "elsewhere"}, "portal is not one of this practice's; there are medplum"),
    "a name": ({**VISIT, "patient": "Jane Doe"}, "patient holds a space, so it is not an identifier"),
    "an address": ({**VISIT, "patient": "jane@x.example"}, "patient looks like an e-mail address"),
    "a patient who is a number": ({**VISIT, "patient": 123}, "patient is not text"),
    "a long patient": ({**VISIT, "patient": "1" * 201}, "patient is not between 1 and 200 characters long"),
    "a long text": ({**VISIT, "problem": "x" * 100_000}, "problem is not a text of 1 to 200 characters"),
    "a blank text": ({**VISIT, "problem": "  "}, "problem is not a text of 1 to 200 characters"),
    "NUL": ({**VISIT, "problem": "a\x00b"}, "problem is not a text of 1 to 200 characters"),
    "withdrawn in words": ({**VISIT, "withdrawn": "no"}, "withdrawn is neither true nor false"),
    "the key of another practice": ({**VISIT, "practice": "hilltop"}, "practice is not a field of visits"),
}


@pytest.mark.parametrize(("bad", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_a_row_is_refused_in_plain_words_and_its_neighbours_are_taken(
    shared_server: Server, tokens: Tokens, bad: Any, reason: str
) -> None:
    before, after = ({**VISIT, "id": f"enc-{uuid7()}"} for _ in range(2))
    outcomes = told(shared_server.say("visits", before, bad, after, token=tokens["manager"]))
    assert (outcomes[0], outcomes[2]) == ("new", "new")
    assert outcomes[1].startswith(reason)
    assert told(shared_server.say("visits", before, after, token=tokens["manager"])) == ["known", "known"]


def test_names_that_stand_twice_cost_their_row(shared_server: Server, tokens: Tokens) -> None:
    good = [json.dumps({**VISIT, "id": f"enc-{uuid7()}"}) for _ in range(3)]
    twice = json.dumps(VISIT)[:-1] + ', "status": "completed", "status": "cancelled"}'
    nested = json.dumps(VISIT)[:-1] + ', "id": {"a": 1, "a": 2}}'
    body = f'{{"facts": [{good[0]}, {twice}, {good[1]}, {nested}, {good[2]}]}}'.encode()
    answer = shared_server.send(body, token=tokens["manager"], to="/api/v1/facts/visits")
    assert told(answer) == ["new", "status stands twice in the row", "new", "a stands twice in the row", "new"]


def test_a_clinician_speaks_of_what_they_worked_on_and_of_nothing_else(shared_server: Server, tokens: Tokens) -> None:
    mine, theirs = row(thread="thr-mine", patient="p-mine"), row(thread="thr-theirs", patient="p-theirs")
    shared_server.post(mine)
    shared_server.post(theirs, token=tokens["colleague"])
    not_theirs = "you have recorded no time there, so this is not yours to say"
    threads = [{"portal": "medplum", "thread": name, "evaluative": True} for name in ("thr-mine", "thr-theirs", "no")]
    assert told(shared_server.say("attested_evaluative", *threads)) == ["new", not_theirs, not_theirs]
    consents = [{"portal": "medplum", **SAID["consents"], "patient": name} for name in ("p-mine", "p-theirs", "no")]
    assert told(shared_server.say("consents", *consents)) == ["new", not_theirs, not_theirs]
    assert told(shared_server.say("consents", *consents, token=tokens["staff"])) == ["known", "new", "new"]


def test_nobody_attests_for_somebody_else(shared_server: Server, tokens: Tokens) -> None:
    shared_server.post(row(thread="thr-attested", patient=None))
    said = {"portal": "medplum", "thread": "thr-attested", "evaluative": True}
    own, other, nobody = ({**said, "attested_by": who} for who in (CLINICIAN, COLLEAGUE, "x@nowhere.example"))
    assert told(shared_server.say("attested_evaluative", other, nobody, own)) == [
        "attested_by is another person; everybody attests for themselves, and for a colleague who has named them",
        "attested_by is nobody's e-mail address in this practice",
        "new",
    ]


def test_an_interval_is_attested_by_the_clinician_whose_it_is(shared_server: Server, tokens: Tokens) -> None:
    mine, theirs = (row(thread="thr-manual", entry="manual", reason="a telephone call") for _ in range(2))
    shared_server.post(mine)
    shared_server.post(theirs, token=tokens["colleague"])
    coming = {"interval": uuid7(), "portal": "medplum", "thread": "thr-manual", "attested": True}
    rows = [{"interval": mine["id"], "attested": True}, {"interval": theirs["id"], "attested": True}, coming]
    assert told(shared_server.say("attested_time", *rows)) == [
        "new",
        "interval is another clinician's; only its own can say this",
        "interval is not known",
    ]
    is_problem(shared_server.say("attested_time", rows[0], token=tokens["manager"]), 403)


@pytest.mark.parametrize("role", ["manager", "biller"])
def test_who_only_says_facts_sends_no_time(shared_server: Server, tokens: Tokens, role: str) -> None:
    sent = row()
    is_problem(shared_server.post(sent, token=tokens[role]), 403)
    assert sent["id"] not in [each["id"] for each in shared_server.stored()]


@pytest.mark.parametrize("kind", ["visit", "kindss", "Visits", "visits%20", "%F0%9F%92%A9", "visits%00"])
def test_an_unknown_kind_is_404_and_says_which_there_are(shared_server: Server, tokens: Tokens, kind: str) -> None:
    detail = is_problem(shared_server.say(kind, VISIT, token=tokens["manager"]), 404)["detail"]
    assert ", ".join(KINDS) in detail


UNUSABLE: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "cut": (b'{"facts": [', 400),
    "NaN": (b'{"facts": [{"patient": NaN}]}', 400),
    "Infinity": (b'{"facts": [{"patient": 1e400}]}', 400),
    "a lone surrogate": (b'{"facts": [{"patient": "\\ud800"}]}', 400),
    "Latin-1": ('{"facts": [{"patient": "é"}]}'.encode("latin-1"), 400),
    "too deep": (b'{"facts": [' + b"[" * 5_000 + b"]" * 5_000 + b"]}", 400),
    "a list": (b"[]", 422),
    "null": (b"null", 422),
    "no facts": (b"{}", 422),
    "facts is an object": (b'{"facts": {}}', 422),
    "facts is null": (b'{"facts": null}', 422),
    "an unknown field": (b'{"facts": [], "practice": "hilltop"}', 422),
    "facts twice": (b'{"facts": [], "facts": []}', 422),
    "501 rows": (b'{"facts": [' + b"{}," * 500 + b"{}]}", 413),
    "over 256 KiB": (b'{"facts": []}'.ljust(256 * 1024 + 1), 413),
}


@pytest.mark.parametrize(("body", "status"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_request_that_cannot_be_used_is_a_problem(
    shared_server: Server, tokens: Tokens, body: bytes, status: int
) -> None:
    is_problem(shared_server.send(body, token=tokens["manager"], to="/api/v1/facts/visits"), status)


def test_500_rows_and_none_are_taken(shared_server: Server, tokens: Tokens) -> None:
    rows = [{**VISIT, "id": f"enc-{uuid7()}"} for _ in range(500)]
    assert told(shared_server.say("visits", *rows, token=tokens["manager"])) == ["new"] * 500
    assert told(shared_server.say("visits", *rows, token=tokens["manager"])) == ["known"] * 500
    assert told(shared_server.say("visits", token=tokens["manager"])) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": None}, 401),
        ({"Authorization": "Bearer tt_1_" + "A" * 43}, 401),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, 401),
        ({"Content_Type": "text/plain"}, 415),
        ({"Threadtime_Protocol": "2"}, 426),
    ],
    ids=str,
)
def test_the_headers_are_asked_as_strictly_as_for_intervals(
    shared_server: Server, tokens: Tokens, headers: dict[str, str | None], status: int
) -> None:
    body = json.dumps({"facts": [VISIT]}).encode()
    is_problem(
        shared_server.send(body, token=tokens["manager"], to="/api/v1/facts/visits", **headers),
        status,
    )


def test_a_chunked_body_is_411_and_another_method_405(shared_server: Server, tokens: Tokens) -> None:
    chunked = shared_server.send(iter([b'{"facts":', b"[]}"]), token=tokens["manager"], to="/api/v1/facts/visits")
    is_problem(chunked, 411)
    answer = requests.get(f"{shared_server.url}/api/v1/facts/visits", timeout=10)
    is_problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


def test_the_kinds_need_no_token_and_may_be_read_by_the_extension(shared_server: Server) -> None:
    url = f"{shared_server.url}/api/v1/facts/kinds"
    origin = f"chrome-extension://{EXTENSION_ID}"
    asks = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "threadtime-protocol"}
    before = requests.options(url, headers={"Origin": origin, **asks}, timeout=10)
    answer = requests.get(url, headers={"Origin": origin, "Threadtime-Protocol": "1"}, timeout=10)
    assert "GET" in before.headers["Access-Control-Allow-Methods"]
    assert answer.headers["Access-Control-Allow-Origin"] == origin
    assert [kind["name"] for kind in answer.json()["kinds"]] == list(KINDS)
    is_problem(requests.get(url, headers={"Threadtime-Protocol": "2"}, timeout=10), 426)


def test_two_clients_at_once_say_each_fact_once(shared_server: Server, tokens: Tokens) -> None:
    rows = [{**VISIT, "id": f"enc-{uuid7()}"} for _ in range(250)]
    together = threading.Barrier(2)
    answers: list[list[str]] = []

    def say(token: str) -> None:
        together.wait(30)
        answers.append(told(shared_server.say("visits", *rows, token=token)))

    clients = [threading.Thread(target=say, args=(tokens[role],)) for role in ("manager", "staff")]
    for client in clients:
        client.start()
    for client in clients:
        client.join(120)
    assert [sorted(pair) for pair in zip(*answers, strict=True)] == [["known", "new"]] * 250


def test_an_episode_becomes_reportable_by_facts_from_the_routes_alone(server: Server) -> None:
    tokens = people(server)
    begun = now() - 12 * DAY_MS
    work = [
        row(thread="thr-1", patient="p-1", started_at=at, ended_at=at + 240_000) for at in (begun, begun + 3_600_000)
    ]
    assert len(server.post(*work).json()["accepted"]) == 2
    [before] = server.report()
    assert before["status"] == "hold"
    thread, patient = ({"portal": "medplum", **about} for about in ({"thread": "thr-1"}, {"patient": "p-1"}))
    read_at = instant_text(now())
    looked_through = ("visits", "consents", "global_periods", "other_claims", "enrolments")
    inquiry = {"at": instant_text(begun - 600_000), "initiated_by": "patient", "channel": "portal"}
    half_a_year_ago = instant_text(begun - 180 * DAY_MS)[:10]
    seen = {"date": half_a_year_ago, "specialty": "family_medicine", "clinician": CLINICIAN, "face_to_face": True}
    for role, kind, *rows in (
        ("staff", "inquiries", {**thread, **inquiry}),
        ("clinician", "attested_evaluative", {**thread, "evaluative": True}),
        ("clinician", "documentation", {**thread, "permanently_stored": True, "content_attested": True}),
        ("manager", "face_to_face", {**patient, **seen}),
        (
            "manager",
            "portal_readings",
            *({"list": name, "read_at": read_at} for name in looked_through),
        ),
        ("biller", "coverage", {**patient, "type": "commercial", "covers": True}),
    ):
        assert set(told(server.say(kind, *rows, token=tokens[role]))) == {"new"}, kind
    [after] = server.report()
    assert after["blocking"] == []
    assert (after["status"], after["code"], after["missing"]) == ("reportable", "99421", [])
    assert after["episode_id"] == before["episode_id"]
    assert server.command("verify") is not None


def test_the_log_keeps_routes_and_nothing_that_was_said(server: Server) -> None:
    manager, canary = server.add_device(ADMIN), "canary-4711"
    server.say("visits", {**VISIT, "patient": canary, "problem": canary}, token=manager)
    server.say("visits", {canary: canary}, {**VISIT, "status": canary}, canary, token=manager)
    server.say(canary, {canary: canary}, token=manager)
    server.say("coverage", {"patient": canary})
    server.send(f'{{"{canary}": NaN}}'.encode(), token=manager, to=f"/api/v1/facts/visits?{canary}")
    server.say("visits", token=canary)
    server.stop()
    text = server.log.read_text()
    assert canary not in text
    assert manager not in text
    logged = [(each["route"], each["status"]) for each in server.log_lines() if each["event"] == "request"]
    statuses = [status for route, status in logged if route == "/api/v1/facts/<fact:kind>"]
    assert statuses == [200, 200, 404, 403, 400, 401]
