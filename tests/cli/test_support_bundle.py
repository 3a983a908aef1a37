"""`support-bundle` tells how an installation does, and nothing of anybody."""

from __future__ import annotations

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.conftest import BOTH
from tests.server import ADMIN, CLINICIAN, PASSWORD, Server, row

CANARIES = ("kanari-patient", "kanari-thread", "kanari-reason")


def contents(file: Path) -> dict[str, str]:
    with ZipFile(file) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def worked(server: Server) -> None:
    sent = row(patient=CANARIES[0], thread=CANARIES[1], entry="manual", ended_by="manual", reason=CANARIES[2])
    assert server.post(sent, row()).json()["rejected"] == []
    assert server.signed_in().get(f"{server.url}/episodes?kanari-query", timeout=60).status_code == 200
    with server.log.open("a") as log:
        log.write("Traceback: kanari-line\n" + json.dumps({"event": "request", "body": "kanari-body"}) + "\n")


def test_a_bundle_of_a_running_server_tells_much_and_names_nobody(server: Server, tmp_path: Path):
    worked(server)
    file = tmp_path / "bundle.zip"
    said = server.command("support-bundle", str(file), "--port", str(server.port), "--log", str(server.log))
    assert "Look through it before you send it" in said
    found = contents(file)
    assert set(found) == {
        "README.txt", "doctor.txt", "versions.json", "settings.json", "rows.json", "metrics.txt", "log.jsonl"
    }  # fmt: skip
    assert json.loads(found["rows.json"])["rows"]["interval"] == 2
    assert json.loads(found["versions.json"])["packages"]["Flask"]
    assert "threadtime_request_seconds" in found["metrics.txt"]
    assert "ok       database: the key opens it." in found["doctor.txt"]
    assert any(json.loads(line).get("route") == "/api/v1/intervals" for line in found["log.jsonl"].splitlines())
    whole = "".join(found.values())
    key = next((server.data.parent / "config" / "threadtime").glob("*.key")).read_bytes()
    secrets = (server.token, key.hex(), PASSWORD, ADMIN, CLINICIAN, "Robin Doe", "Riverside")
    assert [each for each in ("kanari", *secrets) if each in whole] == []


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_the_rows_of_either_database_are_counted(practice: Server, tmp_path: Path):
    practice.command("support-bundle", str(tmp_path / "bundle.zip"), "--port", "0")
    rows = json.loads(contents(tmp_path / "bundle.zip")["rows.json"])["rows"]
    assert rows["practice"] == 1
    assert rows["user"] == 2
    assert rows["interval"] == 0


def test_a_bundle_replaces_no_file(practice: Server, tmp_path: Path):
    file = tmp_path / "bundle.zip"
    file.write_text("mine")
    done = practice.run("support-bundle", str(file))
    assert done.returncode == 1
    assert done.stderr.strip() == f"Error: {file}: File exists"
    assert file.read_text() == "mine"


def test_a_bundle_of_a_folder_that_does_not_open_says_why(practice: Server, tmp_path: Path):
    next((practice.data.parent / "config" / "threadtime").glob("*.key")).rename(tmp_path / "aside")
    practice.command("support-bundle", str(tmp_path / "bundle.zip"), "--port", "0")
    found = contents(tmp_path / "bundle.zip")
    assert "rows.json" not in found
    assert "problem  key: there is none at" in found["doctor.txt"]
