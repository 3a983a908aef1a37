"""The commands on a PostgreSQL database."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.house.tree import ROOT
from tests.postgresql import Cluster, program
from tests.server import Server, row

OPERATIONS = (ROOT / "docs/operations.md").read_text()


@pytest.fixture
def empty(cluster: Cluster) -> Iterator[str]:
    """The address of a database in which nothing is."""
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_whole_day_works_as_on_a_file(practice: Server) -> None:
    practice.start()
    sent = row()
    assert practice.post(sent).json()["accepted"] == [sent["id"]]
    assert practice.post(sent).json()["duplicate"] == [sent["id"]]
    practice.command("portal", "add", "--key", "east", "--kind", "medplum", "--origin", "https://east.example")
    csv = practice.data.parent / "visits.csv"
    csv.write_text("portal,patient,at,specialty\nmedplum,123,2026-04-01T09:00:00Z,family_medicine\n")
    assert "1 new" in practice.command("import", "csv", "visits", str(csv))
    assert [one["id"] for one in practice.stored()] == [sent["id"]]
    [episode] = practice.report()
    assert (episode["patient"], episode["counted_seconds"]) == ("123", 60)
    assert "No problem found" in practice.command("verify")
    assert '"action":"time_recorded"' in practice.command("audit", "export")
    practice.stop()
    assert "No problem found" in practice.command("verify")
    assert not list(practice.data.glob("*.db*")), "the folder holds no database"


def test_the_address_may_be_an_option(empty: str, tmp_path: Path) -> None:
    home = Server(tmp_path)
    home.command("init", "--practice", "A", "--timezone", "UTC", "--admin", "a@a.example", "--database", empty)
    assert "No problem found" in home.command("verify", "--database", empty)
    assert "Threadtime" in home.run("verify").stderr or "no database" in home.run("verify").stderr


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_pg_dump_does_is_refused_in_one_line_that_names_it(practice: Server) -> None:
    backup = practice.data / "x.backup"
    backup.write_bytes(b"")
    for words, named in (
        (("backup", "x"), "pg_dump"),
        (("restore", str(backup)), "pg_restore"),
        (("key", "rotate"), "disk"),
        (("key", "show-recovery"), "disk"),
        (("key", "recover", str(backup)), "disk"),
    ):
        done = practice.run(*words)
        assert (done.returncode, done.stdout) == (1, ""), words
        [line] = done.stderr.splitlines()
        assert named in line and "docs/operations.md" in line
    assert practice.command("key", "show-recovery", "--audit").count("-") > 10


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_dump_as_the_page_says_holds_everything(practice: Server, database: str, empty: str, tmp_path: Path) -> None:
    practice.start()
    sent = [row(), row()]
    assert practice.post(*sent).json()["rejected"] == []
    [command] = re.findall(r"^ +PGOPTIONS='(.*)' pg_dump (.*) --file=FILE DATABASE$", OPERATIONS, re.MULTILINE)
    options, words = command
    dump = tmp_path / "dump"
    environment = {**os.environ, "PGOPTIONS": options}
    run = partial(subprocess.run, check=True, capture_output=True, timeout=120)
    run([program("pg_dump"), *words.split(), f"--file={dump}", database], env=environment)
    practice.stop()
    run([program("pg_restore"), f"--dbname={empty}", "--no-owner", dump])
    for kept in (database, empty):
        stored = [
            json.loads(line)["id"] for line in practice.command("export", "intervals", "--database", kept).splitlines()
        ]
        assert sorted(stored) == sorted(each["id"] for each in sent)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_doctor_says_how_the_server_keeps_it(practice: Server, cluster: Cluster) -> None:
    practice.data.chmod(0o700)
    said = practice.run("doctor", "--port", "0").stdout
    assert "database: PostgreSQL" in said
    assert "unknown  encryption at rest" in said
    assert "problem  durability: fsync = off and full_page_writes = off" in said, "as this cluster is, for speed"
    assert "ok       schema: this version's" in said
    assert "ok       audit key" in said


def test_a_server_that_is_not_there_or_holds_no_practice_is_one_line(empty: str, practice: Server) -> None:
    nowhere = practice.run("verify", "--database", "postgresql://x@127.0.0.1:1/x")
    assert nowhere.returncode == 1 and nowhere.stderr.startswith("Error: PostgreSQL cannot be reached")
    assert nowhere.stderr.count("\n") == 1
    no_practice = practice.run("report", "--from", "2026-01-01", "--to", "2026-01-31", "--database", empty)
    assert "begin one with init" in no_practice.stderr
    no_address = practice.run("verify", "--database", "mysql://x")
    assert "postgresql://" in no_address.stderr and no_address.returncode == 1


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_another_machines_audit_key_is_refused(practice: Server, tmp_path: Path, database: str) -> None:
    other = Server(tmp_path / "other", database)
    done = other.run("init", "--practice", "B", "--timezone", "UTC", "--admin", "b@b.example")
    assert done.returncode == 1
    assert "audit's key" in done.stderr


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_password_of_an_address_is_never_shown(practice: Server, database: str) -> None:
    canary = "kanari-geheim"
    address = database.replace("threadtime@", f"threadtime:{canary}@").replace("host=", "host=/nowhere")
    for words in (("verify",), ("doctor",), ("serve", "--port", "0")):
        done = practice.run(*words, "--database", address)
        assert canary not in done.stdout + done.stderr
