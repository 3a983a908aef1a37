"""The audit under a real server: whole after kill -9, an entry for all that was acknowledged, its head outside."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from pathlib import Path

import pytest
import requests

from backend.store.connection import connect
from backend.store.folder import database_path
from tests.browser import until
from tests.server import Server, row

WRITERS = 4


def keys(server: Server) -> Path:
    return server.data.parent / "config" / "threadtime"


def head(server: Server) -> dict:
    [file] = keys(server).glob("*.key.audit-head")
    return json.loads(file.read_text())["heads"]["1"]


def exported(server: Server) -> list[dict]:
    return [json.loads(line) for line in server.command("audit", "export").splitlines()]


def by_hand(server: Server, change: str) -> None:
    """What somebody with the database and its key can do, past every guard."""
    [key] = keys(server).glob("*.key")
    hand = connect(database_path(server.data), key.read_bytes())
    for trigger in ("entry_no_update", "entry_no_delete", "entry_at_the_end", "detail_no_update", "detail_no_delete"):
        hand.execute(f"DROP TRIGGER IF EXISTS audit_{trigger}")
    hand.execute("PRAGMA foreign_keys = OFF")
    assert hand.execute(change).rowcount > 0
    hand.execute("DELETE FROM audit_detail WHERE number NOT IN (SELECT number FROM audit_entry)")
    hand.close()


class Writer(threading.Thread):
    """Sends requests until the server is gone; `acknowledged`: the digest of the ids of each that was answered."""

    def __init__(self, server: Server) -> None:
        super().__init__(name="writer")
        self.server = server
        self.acknowledged: list[str] = []

    def run(self) -> None:
        while True:
            rows = [row() for _ in range(3)]
            try:
                answer = self.server.post(*rows)
            except requests.RequestException:
                return
            assert answer.status_code == 200
            ids = sorted(answer.json()["accepted"])
            self.acknowledged.append(hashlib.sha256("\n".join(ids).encode()).hexdigest())


def test_after_kill_9_the_chain_is_whole_and_nothing_acknowledged_lacks_its_entry(practice: Server) -> None:
    writers: list[Writer] = []
    reports = 0
    for _ in range(5):
        practice.start()
        browser = practice.signed_in()
        now = [Writer(practice) for _ in range(WRITERS)]
        for writer in now:
            writer.start()
        answer = browser.get(f"{practice.url}/report?from=2026-01-01&to=2026-01-02&format=csv", timeout=60)
        reports += answer.status_code == 200
        until(lambda now=now: sum(len(each.acknowledged) for each in now) > 40, what="answers")
        practice.kill()
        for writer in now:
            writer.join()
        writers += now
    practice.command("verify")
    entries = exported(practice)
    assert [each["number"] for each in entries] == list(range(1, len(entries) + 1))
    recorded = [json.loads(each["detail"]) for each in entries if each["action"] == "time_recorded"]
    acknowledged = {digest for writer in writers for digest in writer.acknowledged}
    assert len(acknowledged) > 200
    assert acknowledged - {each["ids"] for each in recorded} == set()
    assert sum(each["intervals"] for each in recorded) == len(practice.stored())
    assert sum(each["action"] == "report_taken" for each in entries) == reports == 5
    assert sum(each["action"] == "signed_in" for each in entries) == 5


def test_a_page_of_an_episode_that_was_read_is_in_the_audit_after_a_stop(server: Server) -> None:
    assert server.post(row()).status_code == 200
    browser = server.signed_in()
    until(lambda: "/episodes/" in browser.get(f"{server.url}/episodes", timeout=60).text, what="the episode")
    page = browser.get(f"{server.url}/episodes", timeout=60).text
    id_ = re.search(r'href="/episodes/([0-9a-f]{32})"', page)[1]
    for _ in range(20):
        assert browser.get(f"{server.url}/episodes/{id_}", timeout=60).status_code == 200
    server.stop()
    assert head(server)["count"] == len(exported(server)) - 1, "a stop moved the head to the end"
    read = [each for each in exported(server) if each["action"] == "episode_read"]
    assert [(each["actor_kind"], each["subject_id"]) for each in read] == [("user", id_)] * 20


def test_the_head_moves_while_the_server_runs(server: Server) -> None:
    before = head(server)["count"]
    assert server.post(row()).status_code == 200
    until(lambda: head(server)["count"] > before, seconds=60, what="a new head")
    server.kill()
    server.command("verify")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE audit_entry SET at = at + 1 WHERE number = 2", "Audit entry 2 was changed"),
        ("DELETE FROM audit_entry WHERE number = 2", "Audit entry 2 is missing"),
        ("DELETE FROM audit_entry WHERE number >= 3", "missing at the end"),
        ("UPDATE audit_detail SET detail = '{}' WHERE number = 2", "The detail of audit entry 2 was changed"),
        ("DELETE FROM audit_detail WHERE number = 2", "The detail of audit entry 2 was removed"),
    ],
)
def test_verify_finds_what_was_changed_by_hand_and_goes_on_finding_it(practice: Server, change: str, said: str) -> None:
    practice.command("verify")
    by_hand(practice, change)
    first, second = practice.run("verify"), practice.run("verify")
    assert (first.returncode, second.returncode) == (1, 1)
    assert said in first.stdout
    assert second.stdout, "the entry of the first check has not moved the head over it"


def test_a_running_server_logs_once_that_its_audit_lost_what_the_head_names(practice: Server) -> None:
    by_hand(practice, "DELETE FROM audit_entry WHERE number >= 3")
    practice.start()

    def told() -> list[dict]:
        return [line for line in practice.log_lines() if line["event"].startswith("the audit does not hold")]

    until(lambda: told(), seconds=60, what="the log")
    assert [line["practices"] for line in told()] == [[1]]


def test_a_lost_audit_key_is_told_in_one_line(practice: Server) -> None:
    [key] = keys(practice).glob("*.key.audit")
    kept = key.read_bytes()
    key.unlink()
    refused = practice.run("verify")
    assert refused.returncode == 1
    assert len(refused.stderr.splitlines()) == 1
    assert "is missing: put it back from its copy" in refused.stderr
    key.write_bytes(kept)
    key.chmod(0o600)
    practice.command("verify")
