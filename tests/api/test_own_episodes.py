"""The clinician's own episodes by HTTP: what a device asks and is told, answers that settle, and what is refused."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any

import pytest
import requests

from backend.billing.reading import instant_text
from tests.api.test_facts_routes import Tokens, people
from tests.api.test_requests import is_problem
from tests.server import Server, now, row

DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def tokens(shared_server: Server) -> Tokens:
    return people(shared_server)


def ask(server: Server, about: object, *, token: str | None = None, **headers: str | None) -> requests.Response:
    return server.send(json.dumps(about).encode(), token=token, to="/api/v1/own-episodes", **headers)


def episodes(server: Server, **about: Any) -> list[dict[str, Any]]:
    answer = ask(server, {"portal": "medplum", **about})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["episodes"]
    return found


def worked(server: Server, thread: str, patient: str, **changes: object) -> dict[str, Any]:
    sent = row(thread=thread, patient=patient, **changes)
    assert server.post(sent).json()["accepted"] == [sent["id"]]
    return sent


def test_every_question_is_settled_by_the_facts_of_an_answer(server: Server) -> None:
    tokens, begun = people(server), now() - 3_600_000
    worked(server, "thr-q", "p-q")
    worked(server, "thr-q2", "p-q2", started_at=begun + 30_000, ended_at=begun + 200_000)
    by_hand = {"entry": "manual", "activity": "communicate_phone", "ended_by": "manual", "reason": "a call"}
    worked(server, "thr-q", "p-q", started_at=begun + 600_000, ended_at=begun + 900_000, **by_hand)
    visit = {"portal": "medplum", "patient": "p-q", "at": instant_text(begun - 2 * DAY_MS), "kind": "office_em"}
    said = server.say("visits", {**visit, "status": "completed", "specialty": "surgery"}, token=tokens["staff"])
    assert said.json()["new"] == 1
    [episode] = episodes(server, thread="thr-q", patient="p-q")
    asked = [each["id"].partition(":")[0] for each in episode["questions"]]
    assert asked == ["evaluative", "related", "time", "patient"]
    for kind in asked:
        [question] = [each for each in episodes(server, thread="thr-q")[0]["questions"] if each["id"].startswith(kind)]
        for fact in question["options"][0]["facts"]:
            assert server.say(fact["kind"], fact["row"]).json()["refused"] == 0
        left = [each["id"].partition(":")[0] for each in episodes(server, patient="p-q")[0]["questions"]]
        assert kind not in left
    assert left == []


def test_others_are_told_nothing_of_it(shared_server: Server, tokens: Tokens) -> None:
    worked(shared_server, "thr-own", "p-own")
    about = {"portal": "medplum", "thread": "thr-own"}
    assert ask(shared_server, about, token=tokens["colleague"]).json()["episodes"] == []
    assert ask(shared_server, about, token=tokens["staff"]).json()["episodes"] == []
    assert "of their own" in is_problem(ask(shared_server, about, token=tokens["manager"]), 403)["detail"]
    assert "of their own" in is_problem(ask(shared_server, about, token=tokens["biller"]), 403)["detail"]
    is_problem(ask(shared_server, about, token="tt_1_nobody"), 401)


REFUSED: dict[str, tuple[Any, str]] = {
    "a list": ([], "not a JSON object"),
    "nothing": (None, "not a JSON object"),
    "no portal": ({"thread": "t"}, "portal is missing"),
    "nobody": ({"portal": "medplum"}, "thread or patient has to be there"),
    "two nulls": ({"portal": "medplum", "thread": None, "patient": None}, "thread or patient has to be there"),
    "a number": ({"portal": "medplum", "thread": 7}, "thread is not text"),
    "a name": ({"portal": "medplum", "patient": "Ana Lind"}, "patient holds a space"),
    "too long": ({"portal": "medplum", "patient": "p" * 201}, "patient is not between 1 and 200"),
    "a control character": ({"portal": "medplum", "patient": "p\x00"}, "patient holds a character"),
    "another field": ({"portal": "medplum", "patient": "p", "practice": 2}, "practice is not a field"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_asked_says_why(shared_server: Server, name: str) -> None:
    about, words = REFUSED[name]
    assert words in is_problem(ask(shared_server, about), 422)["detail"]


def test_what_is_no_question_says_so(shared_server: Server) -> None:
    about = {"portal": "medplum", "thread": "t"}
    is_problem(ask(shared_server, about, Content_Type="text/plain"), 415)
    is_problem(ask(shared_server, about, Threadtime_Protocol="2"), 426)
    to = "/api/v1/own-episodes"
    is_problem(shared_server.send(b"{", to=to), 400)
    is_problem(shared_server.send(b'{"portal": "a", "portal": "b", "thread": "t"}', to=to), 422)
    is_problem(shared_server.send(b'{"portal": "' + b"a" * 5000 + b'"}', to=to), 413)
    is_problem(requests.get(shared_server.url + to, timeout=10), 405)


def test_an_unknown_portal_or_thread_has_no_episodes(shared_server: Server) -> None:
    assert ask(shared_server, {"portal": "nowhere", "thread": "thr-own"}).json()["episodes"] == []
    assert episodes(shared_server, thread="nobody-s") == []


def test_the_audit_keeps_who_read_it_and_the_log_keeps_no_identifier(server: Server) -> None:
    worked(server, "thr-canary", "p-canary")
    [episode] = episodes(server, thread="thr-canary", patient="p-canary")
    server.stop()
    assert "canary" not in server.log.read_text()
    routes = [each["route"] for each in server.log_lines() if each["event"] == "request"]
    assert "/api/v1/own-episodes" in routes
    exported = [json.loads(line) for line in server.command("audit", "export").splitlines()]
    read = [each for each in exported if each.get("action") == "episode_read"]
    subjects = [(each["actor_kind"], each["subject_kind"], each["subject_id"]) for each in read]
    assert subjects == [("user", "episode", episode["episode_id"])]


@pytest.mark.soak
def test_a_thousand_intervals_are_told_soon_enough_for_a_popup(server: Server) -> None:
    begun = now() - 5 * DAY_MS
    for start in range(0, 1000, 500):
        rows = [
            row(
                thread="thr-long",
                patient="p-long",
                started_at=begun + n * 120_000,
                ended_at=begun + n * 120_000 + 60_000,
            )
            for n in range(start, start + 500)
        ]
        assert len(server.post(*rows).json()["accepted"]) == 500
    assert episodes(server, patient="p-long")[0]["counted_seconds"] > 0  # settled
    took = []
    for _ in range(20):
        started = time.perf_counter()
        [episode] = episodes(server, patient="p-long")
        took.append(time.perf_counter() - started)
    assert len(episode["intervals"]) == 200
    print(f"median {statistics.median(took) * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms")
