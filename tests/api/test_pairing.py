"""Pairing over HTTP, on a real server process: the two routes a browser uses, and the pages that answer it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from tests.person import Person
from tests.server import CLINICIAN, Server, row


def begin(server: Server, **body: object) -> requests.Response:
    sent = {"device_name": "desk", "browser": "Chromium on Linux", **body}
    return server.send(json.dumps(sent).encode(), to="/api/v1/pairing", Authorization=None)


def poll(server: Server, device_code: str) -> requests.Response:
    body = json.dumps({"device_code": device_code}).encode()
    return server.send(body, to="/api/v1/pairing/token", Authorization=None)


def problem(answer: requests.Response) -> tuple[int, Any]:
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.status_code, answer.json().get("code")


def test_a_browser_is_paired_sends_time_and_is_revoked(server: Server) -> None:
    asked = begin(server).json()
    assert set(asked) == {"device_code", "user_code", "verification_uri", "expires_in", "interval"}
    assert re.fullmatch(r"[A-Z]{4}-[A-Z]{4}", asked["user_code"])
    assert (asked["verification_uri"], asked["expires_in"], asked["interval"]) == (f"{server.url}/pair", 600, 5)
    assert problem(poll(server, asked["device_code"])) == (400, "authorization_pending")
    assert problem(poll(server, asked["device_code"])) == (400, "slow_down")

    doctor = Person(server, CLINICIAN)
    shown = doctor.post("/pair", "/pair", code=asked["user_code"].lower()).text
    for words in ("desk", "Chromium on Linux", "less than a minute", "Yes, it is mine"):
        assert words in shown
    assert "You said yes" in doctor.answer(asked["user_code"], "yes").text

    paired = poll(server, asked["device_code"]).json()
    assert (paired["token_type"], paired["device_name"]) == ("Bearer", "desk")
    assert (paired["clinician"]["name"], paired["practice"]) == ("Robin Doe", "Riverside")
    assert problem(poll(server, asked["device_code"])) == (400, "expired_token")
    token = paired["access_token"]
    assert len(server.post(row(), token=token).json()["accepted"]) == 1

    page = doctor.get("/").text
    assert "Your devices" in page and "Chromium on Linux" in page
    address = re.findall(r'href="(/devices/[0-9a-f]{32})"', page)[0]
    assert "Revoke this device?" in doctor.get(address).text
    assert "The device is revoked" in doctor.post(address, address).text
    refused = server.post(row(), token=token)
    assert problem(refused) == (401, "revoked")
    assert "This device was revoked" in refused.json()["detail"]
    assert server.post(row()).status_code == 200, "her other device goes on"

    log = server.log.read_text()
    for secret in (asked["device_code"], asked["user_code"], token):
        assert secret not in log


def test_a_no_denies(server: Server) -> None:
    asked = begin(server).json()
    assert "You said no" in Person(server, CLINICIAN).answer(asked["user_code"], "no").text
    assert problem(poll(server, asked["device_code"])) == (400, "access_denied")


def test_wrong_codes_lock_whoever_types_them_also_after_signing_in_again(server: Server) -> None:
    asked = begin(server).json()
    doctor = Person(server, CLINICIAN)
    for _ in range(5):
        assert doctor.post("/pair", "/pair", code="BBBB-BBBB").status_code == 404
    for person in (doctor, Person(server, CLINICIAN)):
        locked = person.post("/pair", "/pair", code=asked["user_code"])
        assert locked.status_code == 429
        assert int(locked.headers["Retry-After"]) > 500
    assert problem(poll(server, asked["device_code"])) == (400, "authorization_pending")


def test_pairing_from_one_address_is_limited_and_says_for_how_long(server: Server) -> None:
    answers = [begin(server) for _ in range(11)]
    assert [each.status_code for each in answers] == [200] * 10 + [429]
    assert problem(answers[-1]) == (429, None)
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert "wait a minute" in answers[-1].json()["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"device_name": "a", "browser": "b", "more": 1}', 422),
        (b'{"device_name": "a", "browser": 1}', 422),
        (b'{"device_name": "a", "device_name": "c", "browser": "b"}', 422),
        (b'{"device_name": "a\\u0000", "browser": "b"}', 422),
        (b'{"device_name": "' + b"a" * 5000 + b'", "browser": "b"}', 413),
    ],
)
def test_a_request_that_cannot_be_used_says_so(shared_server: Server, body: bytes, status: int) -> None:
    answer = shared_server.send(body, to="/api/v1/pairing", Authorization=None)
    assert problem(answer) == (status, None)


def test_a_code_that_nobody_knows_is_over(shared_server: Server) -> None:
    assert problem(poll(shared_server, "x" * 43)) == (400, "expired_token")
