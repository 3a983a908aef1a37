"""The served description against the server that serves it: thousands of requests made from it, as each role."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.schemas.kinds import KINDS
from tests.server import CLINICIAN, PASSWORD, Server

ROLES = ("clinician", "staff", "biller", "manager")
"""Those who may hold a device."""
HERE = Path(__file__).parent


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    server.set_up()
    server.start("--behind-proxy")
    yield server
    server.kill()


def attempt(server: Server, folder: Path, role: str, *options: str) -> tuple[int, dict[str, Counter[bool]]]:
    """Runs the tool as this role: how many requests, and for each operation how many that fit the description were
    answered 2xx and how many not."""
    token = server.token
    if role != "clinician":
        server.add_user(f"{role}@practice.example", role)
        token = server.add_device(f"{role}@practice.example")
    report = folder / f"{role}.ndjson"
    environment = {**os.environ, "FED_SERVER": server.url, "FED_CLINICIAN": CLINICIAN, "FED_PASSWORD": PASSWORD}
    command = [Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml", "run"]
    command += [f"{server.url}/api/openapi.json", "--header", f"Authorization: Bearer {token}", "--no-color"]
    command += ["--continue-on-failure", "--report", "ndjson", "--report-ndjson-path", report, *options]
    done = subprocess.run(command, env=environment, cwd=HERE, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    made = re.search(r"(\d+) generated", done.stdout)
    assert made, done.stdout
    return int(made[1]), fitting(report)


def fitting(report: Path) -> dict[str, Counter[bool]]:
    found: dict[str, Counter[bool]] = defaultdict(Counter)
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for id_, each in recorder.get("interactions", {}).items():
            meta = recorder["cases"][id_]["value"]["meta"]["generation"]
            if meta["mode"] == "positive" and each["response"]:
                found[recorder["label"]][each["response"]["status_code"] // 100 == 2] += 1
    return found


def may(role: str, operation: str) -> bool:
    address = operation.split()[1]
    if address == "/api/v1/intervals":
        return role in ("clinician", "staff")
    kind = KINDS.get(address.removeprefix("/api/v1/facts/"))
    return kind is None or role in kind.said_by


def try_all(server: Server, folder: Path, *options: str) -> int:
    """As each role; how many requests in all. Whatever a role may use answered 2xx to at least 30 % of what fits."""
    made, answered = 0, defaultdict[str, Counter[bool]](Counter)
    for role in ROLES:
        count, found = attempt(server, folder, role, *options)
        made += count
        for operation, each in found.items():
            if may(role, operation):
                answered[operation] += each
    shares = {operation: each[True] / each.total() for operation, each in answered.items()}
    assert min(shares.values()) >= 0.3, shares
    return made


@pytest.mark.timeout(600)
def test_five_hundred_requests(server: Server, tmp_path: Path) -> None:
    assert try_all(server, tmp_path, "--phases", "fuzzing", "--max-examples", "6") >= 500


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_thousands_of_requests_with_each_border_of_the_description(server: Server, tmp_path: Path) -> None:
    assert try_all(server, tmp_path, "--phases", "coverage,fuzzing", "--max-examples", "50") >= 5_000
