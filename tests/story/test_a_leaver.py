"""A clinician leaves: a colleague answers what still waits, over a real server, and the time stays with who worked."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from backend.billing.reading import instant_text
from backend.desk.devices import add_device
from backend.desk.people import add_user
from backend.store import open_folder
from tests.conftest import BOTH
from tests.desk.world import hilltop
from tests.server import CLINICIAN, PASSWORD, Server, now, row

PARK = "park@practice.example"
STRANGER = "stranger@hilltop.example"
THREAD = {"portal": "medplum", "thread": "thr-leaver"}


def episodes(server: Server, token: str) -> list[dict[str, Any]]:
    answer = server.send(json.dumps(THREAD).encode(), token=token, to="/api/v1/own-episodes")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["episodes"]
    return found


def say(server: Server, facts: list[dict[str, Any]], token: str) -> list[str]:
    """What became of each fact."""
    assert facts
    answers = [server.say(each["kind"], each["row"], token=token) for each in facts]
    assert {each.status_code for each in answers} == {200}, [each.text for each in answers]
    found = [each.json()["results"][0] for each in answers]
    return [each["reason"] or each["outcome"] for each in found]


def stranger(server: Server) -> str:
    """The device of a clinician of another practice on the same server, which does not run yet."""
    audit_key = next((server.data.parent / "config" / "threadtime").glob("*.key.audit"))
    store = open_folder(server.data, audit_key.with_suffix(""), database=server.database, now=now())
    try:
        other = hilltop(store, now=now())
        add_user(store, other.practice_id, email=STRANGER, name="Kim Stone", roles=["clinician"], credential="MD",
                 password=PASSWORD, now=now())  # fmt: skip
        return add_device(store, other.practice_id, clinician_email=STRANGER, name="browser", now=now())
    finally:
        store.close()


def lines(server: Server, *words: str) -> list[dict[str, Any]]:
    """What a command about Riverside prints as JSON Lines."""
    return [json.loads(line) for line in server.command(*words, "--practice", "riverside").splitlines()]


def only_episode(server: Server) -> dict[str, Any]:
    """The only episode of Riverside's report."""
    words = ("report", "--from", "2000-01-01", "--to", "2099-12-31", "--format", "json", "--practice", "riverside")
    [episode] = json.loads(server.command(*words))
    return dict(episode)


def post(browser: requests.Session, server: Server, address: str, **form: str) -> str:
    """The page after one of the manager's forms."""
    proof = re.search(r'name="form_token" value="([^"]+)"', browser.get(f"{server.url}/account", timeout=60).text)
    assert proof is not None
    sent = form | {"form_token": proof[1]}
    answer = browser.post(f"{server.url}{address}", data=sent, headers={"Origin": server.url}, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_what_waits_for_a_leaver_is_answered_by_a_colleague(practice: Server) -> None:
    server = practice
    server.command("user", "add", "--email", PARK, "--name", "Jo Park", "--role", "clinician", "--credential", "NP")
    park, kim = server.add_device(PARK), stranger(server)
    server.start()
    begun = now() - 7_200_000
    worked = row(**THREAD, patient="p-9", started_at=begun, ended_at=begun + 300_000)
    call = row(**THREAD, patient="p-9", started_at=begun + 600_000, ended_at=begun + 1_500_000, entry="manual",
               activity="communicate_phone", ended_by="manual", reason="a call")  # fmt: skip
    assert len(server.post(worked, call).json()["accepted"]) == 2
    manager = server.signed_in()
    [doctor, colleague] = (
        re.search(rf'/people/(\w+)">[^<]*</a></th>\s*<td[^>]*>{email}', manager.get(f"{server.url}/people").text)[1]
        for email in (CLINICIAN, PARK)
    )
    asked = {**THREAD, "at": instant_text(begun - 600_000), "initiated_by": "patient", "channel": "portal"}
    assert server.say("inquiries", asked).json()["new"] == 1

    assert episodes(server, park) == []
    page = post(manager, server, f"/people/{doctor}/deactivate", successor=colleague)
    assert "Deactivated" in page and "moved the work" in page
    assert server.post(row()).status_code == 401, "the leaver's device has ended"

    [episode] = episodes(server, park)
    assert (episode["colleagues"], episode["own_seconds"], episode["counted_seconds"]) == (["Robin Doe"], 0, 300)
    questions = {each["id"].partition(":")[0]: each for each in episode["questions"]}
    assert sorted(questions) == ["evaluative", "time"]
    assert all(each["text"].startswith("For Robin Doe: ") for each in questions.values())
    answers = {kind: each["options"][0]["facts"] for kind, each in questions.items()}
    for facts in answers.values():
        assert say(server, facts, kim) != ["new"], "another practice's clinician says nothing of it"
    assert episodes(server, kim) == []
    assert say(server, answers["time"], park) == ["new"]

    reported = only_episode(server)
    assert reported["counted_seconds"] == 1200 and "manual-time-attestation" not in str(reported["missing"])
    assert [(each["id"], each["seconds"]) for each in reported["clinicians"]] == [(doctor, 1200)]
    assert reported["rendering_clinician"] == doctor
    shown = manager.get(f"{server.url}/episodes/{episode['episode_id']}", timeout=60).text
    assert "Jo Park for Robin Doe" in shown
    assert re.search(r"Said since the determination before: [^<]* by Jo Park for Robin Doe", shown)
    before = lines(server, "export", "intervals")

    assert "Nobody answers for this person any more" in post(manager, server, f"/people/{doctor}/move/end")
    assert episodes(server, park) == []
    [refused] = say(server, answers["evaluative"], park)
    assert "attested_by is another person" in refused
    assert only_episode(server)["counted_seconds"] == 1200, "what was answered while it held goes on counting"
    assert lines(server, "export", "intervals") == before
    deeds = [each["action"] for each in lines(server, "audit", "export")]
    assert [each for each in deeds if each in ("work_moved", "answered_for_colleague", "delegation_ended")] == [
        "work_moved", "answered_for_colleague", "delegation_ended",
    ]  # fmt: skip
