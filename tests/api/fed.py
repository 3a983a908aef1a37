"""What the made-up requests are fed with, so that they come further than the first check, and a check of our own.

Loaded by schemathesis. FED_SERVER is the server's address and FED_CLINICIAN who says yes to pairings on it; the server
runs behind a proxy, whose headers say that each request comes from another address: limits are by address.
"""

from __future__ import annotations

import os
import random
import re
import time
import uuid
from functools import cache
from typing import Any

import requests
import schemathesis
from jsonschema import Draft202012Validator

SERVER = os.environ["FED_SERVER"]
CHANCE = random.SystemRandom()
"""Its own: the tool sets the seed of Python's anew for each request."""
EXISTING = {"portal": "medplum", "thread": "thr-1", "patient": "123", "linked_from": "thr-1"}
ROWS = {"/api/v1/intervals": "intervals"}
"""Where the rows of a request stand; those of facts stand under `facts`."""


def forwarded() -> dict[str, str]:
    """The headers of the proxy, for somebody at an address that nobody had."""
    address = ".".join(str(CHANCE.randint(1, 254)) for _ in range(4))
    host = SERVER.removeprefix("http://")
    return {"X-Forwarded-For": address, "X-Forwarded-Proto": "https", "X-Forwarded-Host": host}


class AtThePages:
    """A signed-in clinician. The cookies are kept by hand: they are Secure, and it is the proxy that speaks https."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}
        self.post("/sign-in", "/sign-in", email=os.environ["FED_CLINICIAN"], password=os.environ["FED_PASSWORD"])

    def post(self, page: str, address: str, **form: str) -> None:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.send("GET", page).text)
        assert found, f"no form on {page}"
        answer = self.send("POST", address, {**form, "form_token": found[1]})
        assert answer.status_code in (200, 303), f"{address}: {answer.status_code}"

    def send(self, method: str, address: str, form: dict[str, str] | None = None) -> requests.Response:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {**forwarded(), "Cookie": cookies, "Origin": SERVER.replace("http://", "https://")}
        answer = requests.request(
            method, SERVER + address, data=form, headers=headers, allow_redirects=False, timeout=30
        )
        self.cookies.update(answer.cookies.get_dict())
        return answer


@cache
def clinician() -> AtThePages:
    return AtThePages()


def confirmed_code() -> str:
    """The secret of a pairing that a clinician has said yes to."""
    body = {"device_name": "fed", "browser": "fed"}
    asked = requests.post(f"{SERVER}/api/v1/pairing", json=body, headers=forwarded(), timeout=30).json()
    clinician().post("/pair", "/pair/answer", code=asked["user_code"], answer="yes")
    return str(asked["device_code"])


@schemathesis.hook
def before_call(context: Any, case: Any, **transport: Any) -> None:
    """A request that fits the description gets ids that exist. JSON Schema takes 12.0 for a whole number, and the
    server does not: such numbers lose their point. Nor can it say that a name has to be printable."""
    if "/pairing" in case.path:  # limited by address
        case.headers.update(forwarded())
    if case.meta.generation.mode.value != "positive" or not isinstance(case.body, dict):
        return
    case.body = whole(case.body)
    case.body.update({name: "fed" for name in ("device_name", "browser") if not case.body.get(name, "").isprintable()})
    if "device_code" in case.body and CHANCE.random() < 0.9:
        case.body["device_code"] = confirmed_code()
    if case.path == "/api/v1/own-episodes":  # one of two has to be there, which the description cannot say either
        case.body = {name: EXISTING[name] for name in ("portal", CHANCE.choice(("thread", "patient")))}
    for row in case.body.get(ROWS.get(case.path, "facts"), []):
        if CHANCE.random() < 0.7:
            feed(row)


def feed(row: dict[str, Any]) -> None:
    row.update({name: known for name, known in EXISTING.items() if row.get(name) is not None})
    if "idle_after_seconds" in row:
        started = time.time_ns() // 1_000_000 - CHANCE.randint(600_000, 86_400_000)
        row.update(id=uuid7(started), started_at=started, ended_at=started + CHANCE.randint(1_000, 170_000))
        row.pop("corrects", None)


def uuid7(milliseconds: int) -> str:
    number = (milliseconds << 80) | (0x7 << 76) | (CHANCE.getrandbits(12) << 64) | (0b10 << 62) | CHANCE.getrandbits(62)
    return str(uuid.UUID(int=number))


def whole(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: whole(one) for name, one in value.items()}
    if isinstance(value, list):
        return [whole(one) for one in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.check
def rows_are_judged(context: Any, response: Any, case: Any) -> None:
    """Where a request was answered 200, the envelope fits the description, and each row that does not was refused."""
    name = "intervals" if case.path == "/api/v1/intervals" else "facts"
    if response.status_code != 200 or case.method != "POST" or name not in (case.body or {}):
        return
    described = case.operation.schema.raw_schema
    content = described["paths"][case.path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = {**content, "components": described["components"]}
    wrong = {error.absolute_path[1] if len(error.absolute_path) > 1 else None for error in validator(schema, case.body)}
    answer = response.json()
    refused = {one["index"] for one in answer.get("rejected", [])} | {
        one["index"] for one in answer.get("results", []) if one["outcome"] == "refused"
    }
    assert wrong <= refused, f"taken although it does not fit: {wrong - refused}"


def validator(schema: dict[str, Any], body: Any) -> Any:
    return Draft202012Validator(schema).iter_errors(body)
