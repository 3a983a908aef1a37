"""The request as a whole: what is refused, with which status, always as a problem and never with a 500."""

import http.client
import json
import socket
from typing import Any

import pytest
import requests

from backend.api import EXTENSION_ID
from tests.server import Server, now, row

MAX = 256 * 1024


def is_problem(answer: requests.Response, status: int) -> dict[str, Any]:
    """The problem's members, once the answer is one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == status
    assert found["title"]
    assert found["detail"].endswith(".")
    return found


NOT_JSON = {
    "nothing": b"",
    "cut": b'{"sent_at": 1, "intervals": [',
    "NaN": b'{"sent_at": NaN, "intervals": []}',
    "Infinity": b'{"sent_at": 1e400, "intervals": []}',
    "a lone surrogate": b'{"sent_at": 1, "intervals": [{"thread": "\\ud800"}]}',
    "Latin-1": '{"sent_at": 1, "intervals": [{"thread": "é"}]}'.encode("latin-1"),
    "UTF-16": '{"sent_at": 1, "intervals": []}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"sent_at": 1, "intervals": []}',
    "two documents": b"{}{}",
    "single quotes": b"{'sent_at': 1}",
    "lists too deep": b"[" * 100_000,
    "lists too deep, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep in a row": b'{"sent_at": 1, "intervals": [' + b"[" * 5_000 + b"]" * 5_000 + b"]}",
    "a control character in text": b'{"sent_at": 1, "intervals": [{"thread": "a\x01"}]}',
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_not_json_is_400(shared_server: Server, body: bytes) -> None:
    is_problem(shared_server.send(body), 400)


UNUSABLE = {
    "a list": b"[]",
    "text": b'"intervals"',
    "null": b"null",
    "no intervals": b'{"sent_at": 1}',
    "no sent_at": b'{"intervals": []}',
    "intervals is an object": b'{"sent_at": 1, "intervals": {}}',
    "intervals is null": b'{"sent_at": 1, "intervals": null}',
    "intervals is text": b'{"sent_at": 1, "intervals": "[]"}',
    "sent_at is a boolean": b'{"sent_at": true, "intervals": []}',
    "sent_at is text": b'{"sent_at": "1", "intervals": []}',
    "sent_at is a float": b'{"sent_at": 1.0, "intervals": []}',
    "sent_at is 2**70": f'{{"sent_at": {2**70}, "intervals": []}}'.encode(),
    "sent_at has 300 digits": f'{{"sent_at": {"9" * 300}, "intervals": []}}'.encode(),
    "sent_at is negative": b'{"sent_at": -1, "intervals": []}',
    "an unknown field": b'{"sent_at": 1, "intervals": [], "device": "x"}',
    "intervals twice": b'{"sent_at": 1, "intervals": [], "intervals": []}',
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_json_that_is_no_request_is_422(shared_server: Server, body: bytes) -> None:
    is_problem(shared_server.send(body), 422)


def test_no_rows_are_a_request_as_well(shared_server: Server) -> None:
    assert shared_server.post().json() == {"accepted": [], "duplicate": [], "rejected": []}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", "", None])
def test_another_content_type_is_415(shared_server: Server, kind: str | None) -> None:
    is_problem(shared_server.send(b"{}", Content_Type=kind), 415)


def test_a_charset_beside_the_content_type_is_taken(shared_server: Server) -> None:
    body = json.dumps({"sent_at": now(), "intervals": []}).encode()
    assert shared_server.send(body, Content_Type="application/json; charset=utf-8").status_code == 200


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        "tt_1_" + "A" * 43,
        "tt_99999999999999999999999_" + "A" * 43,
        "tt_0_" + "A" * 43,
        "tt_-1_" + "A" * 43,
        "tt_1_" + "é" * 43,
        "x" * 10_000,
    ],
    ids=lambda token: token[:30],
)
def test_a_token_that_the_server_does_not_know_is_401(shared_server: Server, token: str) -> None:
    answer = shared_server.send(b"{}", Authorization=f"Bearer {token}".encode("latin-1"))  # type: ignore[arg-type]
    is_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Basic dXNlcjpwYXNz", "Token x"], ids=str)
def test_a_request_without_a_bearer_token_is_401(shared_server: Server, header: str | None) -> None:
    is_problem(shared_server.send(b"{}", Authorization=header), 401)


@pytest.mark.parametrize(
    ("spoken", "update"), [("2", "server"), ("99999999999999999999", "server"), ("0", "extension"), ("x", "extension")]
)
def test_an_unknown_protocol_is_426_and_says_what_to_update(shared_server: Server, spoken: str, update: str) -> None:
    answer = shared_server.send(b"{}", Threadtime_Protocol=spoken)
    assert f"update the {update}" in is_problem(answer, 426)["detail"]
    assert answer.headers["Threadtime-Protocol"] == "1"


def test_the_protocol_need_not_be_named_and_every_answer_names_the_highest(shared_server: Server) -> None:
    body = json.dumps({"sent_at": now(), "intervals": []}).encode()
    answer = shared_server.send(body, Threadtime_Protocol=None)
    assert answer.status_code == 200
    for path in ("/api/v1/intervals", "/healthz", "/nowhere", "/api/openapi.json"):
        assert requests.get(shared_server.url + path, timeout=10).headers["Threadtime-Protocol"] == "1"


def test_more_than_500_rows_are_413_and_500_are_taken(shared_server: Server) -> None:
    small = [{"id": index} for index in range(500)]
    assert len(shared_server.post(*small).json()["rejected"]) == 500
    is_problem(shared_server.post(*small, {}), 413)


def test_more_than_256_kib_are_413_and_256_kib_are_taken(shared_server: Server) -> None:
    body = json.dumps({"sent_at": now(), "intervals": []}).encode()
    assert shared_server.send(body.ljust(MAX)).status_code == 200
    is_problem(shared_server.send(body.ljust(MAX + 1)), 413)


@pytest.mark.parametrize("size", [1_000_000, 5_000_000, 50_000_000])
def test_a_body_of_any_size_is_413_before_it_is_sent(shared_server: Server, size: int) -> None:
    with socket.create_connection(("127.0.0.1", shared_server.port), timeout=20) as wire:
        wire.sendall(
            b"POST /api/v1/intervals HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            + f"Authorization: Bearer {shared_server.token}\r\nContent-Length: {size}\r\n\r\n".encode()
        )
        if size < 4 * 1024 * 1024:
            wire.sendall(b" " * size)  # the listener reads so much, and the app refuses it
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        assert answer.status == 413
        assert answer.getheader("Content-Type") == "application/problem+json"
        assert json.loads(answer.read())["status"] == 413


def test_a_chunked_body_is_411(shared_server: Server) -> None:
    whole = json.dumps({"sent_at": now(), "intervals": [row()]}).encode()
    is_problem(shared_server.send(iter([whole[:10], whole[10:]])), 411)


def test_a_request_without_a_length_is_411(shared_server: Server) -> None:
    with socket.create_connection(("127.0.0.1", shared_server.port), timeout=20) as wire:
        wire.sendall(
            b"POST /api/v1/intervals HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            + f"Authorization: Bearer {shared_server.token}\r\n\r\n".encode()
        )
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        assert answer.status == 411


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_another_method_is_405(shared_server: Server, method: str) -> None:
    answer = requests.request(method, f"{shared_server.url}/api/v1/intervals", timeout=10)
    is_problem(answer, 405)
    assert "POST" in answer.headers["Allow"]


def test_an_unknown_address_under_api_is_a_problem(shared_server: Server) -> None:
    is_problem(requests.get(f"{shared_server.url}/api/v1/nothing", timeout=10), 404)


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1.rebound.example", "", "rebound.example:80", "[::2]:1"])
def test_a_request_under_another_name_is_refused(shared_server: Server, host: str) -> None:
    is_problem(shared_server.send(b"{}", Host=host), 421)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST:1", "[::1]:8765"])
def test_every_name_of_this_machine_serves(shared_server: Server, host: str) -> None:
    body = json.dumps({"sent_at": now(), "intervals": []}).encode()
    assert shared_server.send(body, Host=host).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/openapi.json", "/api/nothing", "/sign-in", "/nothing"])
def test_every_answer_carries_the_security_headers(shared_server: Server, path: str) -> None:
    headers = requests.get(shared_server.url + path, timeout=10).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers


ORIGINS = {
    f"chrome-extension://{EXTENSION_ID}": True,
    "moz-extension://0b6d2f0c-5a5c-4d7e-9d55-0f8f6a6b2a10": True,
    "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa": False,
    f"chrome-extension://{EXTENSION_ID}.example": False,
    f"https://{EXTENSION_ID}": False,
    "https://moz-extension://0b6d2f0c-5a5c-4d7e-9d55-0f8f6a6b2a10": False,
    "https://portal.example": False,
    "null": False,
}


@pytest.mark.parametrize(("origin", "allowed"), ORIGINS.items())
def test_only_the_extension_may_read_answers_from_another_origin(
    shared_server: Server, origin: str, allowed: bool
) -> None:
    url = f"{shared_server.url}/api/v1/intervals"
    asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    asks["Access-Control-Request-Headers"] = "authorization,content-type,threadtime-protocol"
    before = requests.options(url, headers=asks, timeout=10)
    after = shared_server.send(b"{}", Origin=origin)
    expected = origin if allowed else None
    assert before.headers.get("Access-Control-Allow-Origin") == expected
    assert after.headers.get("Access-Control-Allow-Origin") == expected
    assert "Access-Control-Allow-Credentials" not in after.headers
    page = requests.get(f"{shared_server.url}/sign-in", headers={"Origin": origin}, timeout=10)
    assert "Access-Control-Allow-Origin" not in page.headers
