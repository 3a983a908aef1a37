"""The app over a real store: a full write queue, an unexpected error, a jobs thread that fails."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from flask import Flask

from backend.app import create_app
from backend.config import Config
from backend.desk.devices import add_device
from backend.desk.people import add_user
from backend.desk.practices import create_practice
from backend.errors import Busy
from backend.jobs import ticking
from backend.store.database import Store, open_store
from backend.store.folder import create_folder
from tests.browser import until
from tests.server import ADMIN, CLINICIAN, PASSWORD, now, row

KEY = bytes(range(32))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    create_folder(tmp_path / "data")
    opened = open_store(tmp_path / "data", KEY, queue_limit=1)
    yield opened
    opened.close()


@pytest.fixture
def token(store: Store) -> str:
    practice = create_practice(
        store,
        name="Riverside",
        timezone="America/New_York",
        admin_email=ADMIN,
        admin_name="Admin",
        password=PASSWORD,
        kinds=["medplum"],
        now=now(),
    )
    add_user(
        store,
        practice.practice_id,
        email=CLINICIAN,
        name="Robin Doe",
        roles=["clinician"],
        credential="MD",
        specialty=None,
        password=PASSWORD,
        now=now(),
    )
    return add_device(store, practice.practice_id, clinician_email=CLINICIAN, name="browser", now=now())


@pytest.fixture
def app(store: Store) -> Flask:
    return create_app(Config(), store)


def test_a_full_write_queue_is_503_with_retry_after_and_the_rows_can_be_sent_again(
    app: Flask, store: Store, token: str
) -> None:
    working, go_on, full = threading.Event(), threading.Event(), threading.Event()

    def hold(_: object) -> None:
        working.set()
        assert go_on.wait(30)

    def wait_or_find_it_full() -> None:
        try:
            store.write(lambda _: None)
        except Busy:
            full.set()

    sent = row()
    body = json.dumps({"sent_at": now(), "intervals": [sent]})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    client = app.test_client()
    waiting = [threading.Thread(target=store.write, args=(hold,))]
    waiting[0].start()
    try:
        assert working.wait(30)
        while not full.wait(0.1):  # one waits in the queue's only place, the next finds it taken
            waiting.append(threading.Thread(target=wait_or_find_it_full))
            waiting[-1].start()
        answer = client.post("/api/v1/intervals", data=body, headers=headers)
    finally:
        go_on.set()
        for thread in waiting:
            thread.join()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.content_type == "application/problem+json"
    assert client.post("/api/v1/intervals", data=body, headers=headers).json["accepted"] == [sent["id"]]


def test_an_unexpected_error_is_a_problem_whose_id_stands_in_the_log_without_the_payload(
    app: Flask, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("canary-4711")

    monkeypatch.setattr("backend.api.intervals.record", fail)
    body = json.dumps({"sent_at": now(), "intervals": [row(thread="canary-4711")]})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with structlog.testing.capture_logs() as lines:
        answer = app.test_client().post("/api/v1/intervals", data=body, headers=headers)
    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    logged = [line for line in lines if line["event"] == "unexpected"]
    assert [line["id"] for line in logged] == [answer.json["id"]]
    assert logged[0]["error"] == "KeyError"
    assert any("fail" in place for place in logged[0]["at"])
    assert "canary-4711" not in json.dumps(lines)
    assert "canary-4711" not in answer.text


def test_a_job_that_fails_is_logged_and_tried_again(store: Store) -> None:
    tries: list[int] = []
    settled = threading.Event()

    def settle_at_the_second_try(_: Store, at: int, stopping: Callable[[], bool]) -> None:
        tries.append(at)
        if len(tries) == 1:
            raise RuntimeError("canary-4711")
        settled.set()

    with structlog.testing.capture_logs() as lines, ticking(store, work=settle_at_the_second_try):
        assert settled.wait(30)
    assert [(line["event"], line["error"]) for line in lines if line["log_level"] == "error"] == [
        ("job failed", "RuntimeError")
    ]
    assert "canary-4711" not in json.dumps(lines)
    assert len(tries) == 2


def test_the_end_does_not_wait_for_a_long_settling(store: Store) -> None:
    begun, ended_early = threading.Event(), threading.Event()

    def settle_without_end(_: Store, at: int, stopping: Callable[[], bool]) -> None:
        begun.set()
        until(stopping, what="told to stop")
        ended_early.set()

    with ticking(store, work=settle_without_end):
        assert begun.wait(30)
    assert ended_early.is_set()
