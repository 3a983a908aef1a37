"""Retention, holds and erasing, as the person who looks after the server types them beside a server at work."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.desk.erasing import come_back
from backend.store import open_folder
from backend.store.folder import database_path
from tests.browser import until
from tests.cli.conftest import ADMIN, DOCTOR, Home
from tests.cli.test_terminal import Terminal
from tests.conftest import BOTH
from tests.postgresql import Cluster
from tests.server import CLINICIAN, Server, now, row
from tests.store.pages import decrypted
from tests.story.test_kill_server import Writer

ON_BOTH = pytest.mark.parametrize("database", BOTH, indirect=True)
WHO, THREAD = "zq-patient-77", "zq-thread-77"
YEAR = 366 * 24 * 3_600_000
MANY = 24


@contextmanager
def writers(server: Server, count: int = 2) -> Iterator[list[Writer]]:
    """Devices that send without end while the block runs; all that they are told is true."""
    done = threading.Event()
    found = [Writer(server, done) for _ in range(count)]
    for each in found:
        each.start()
    until(lambda: all(each.answers for each in found), seconds=60, what="answers")
    try:
        yield found
    finally:
        done.set()
        for each in found:
            each.join()
    assert [each.trouble for each in found if each.trouble] == []
    stored = {one["id"] for one in server.stored()}
    assert {id_ for each in found for id_ in each.accepted} <= stored


def old(minutes: int, **changes: object) -> dict[str, object]:
    """A row of two years ago and so many minutes."""
    started_at = now() - 2 * YEAR - minutes * 60_000
    return row(started_at=started_at, ended_at=started_at + 60_000, **changes)


def of_who(server: Server) -> None:
    """WHO with intervals and facts."""
    assert server.post(*(row(patient=WHO, thread=THREAD) for _ in range(20))).status_code == 200
    file = server.data.parent / "consents.csv"
    file.write_text(f"portal,patient,at,method,scope\nmedplum,{WHO},2026-04-01,verbal,ctbs\n")
    server.command("import", "csv", "consents", str(file))


def dumped(server: Server) -> str:
    """Every row of every table, as whoever has the database and its key sees it."""
    if server.database is None:
        tables = [each["name"] for each in server.query("SELECT name FROM sqlite_master WHERE type = 'table'")]
    else:
        tables = [each["tablename"] for each in server.query("SELECT tablename FROM pg_tables"
                  " WHERE schemaname = 'public'")]  # fmt: skip
    return "\n".join(repr(server.query(f'SELECT * FROM "{table}"')) for table in tables)


@ON_BOTH
def test_a_patient_is_erased_beside_a_server_with_writers(server: Server) -> None:
    of_who(server)
    assert WHO in dumped(server)
    with writers(server) as found:
        tried = server.command("erase", "patient", "--patient", WHO, "--dry-run")
        assert WHO in dumped(server)
        said = server.command("erase", "patient", "--patient", WHO, "--yes")
        answers = sum(each.answers for each in found)
        until(lambda: sum(each.answers for each in found) > answers, seconds=60, what="another answer")
    assert tried.splitlines()[0].removesuffix(" would go.") in said
    assert "1 patient, 1 thread, 20 intervals" in said
    for text in (WHO, THREAD):
        assert text not in dumped(server)
        assert text not in server.command("audit", "export")
    assert server.run("verify").stdout == "No problem found.\n"
    again = row(patient=WHO, thread=THREAD)
    assert server.post(again).json()["accepted"] == [again["id"]]
    until(lambda: any(each["patient"] == WHO for each in server.report()), seconds=30, what="the patient anew")
    [anew] = [each for each in server.report() if each["patient"] == WHO]
    assert [each["thread"] for each in anew["threads"]] == [THREAD]
    assert [each["id"] for each in server.stored() if each["patient"] == WHO] == [again["id"]]
    assert server.run("verify").stdout == "No problem found.\n"
    server.stop()
    assert server.run("verify").stdout == "No problem found.\n"
    head = next((server.data.parent / "config" / "threadtime").glob("*-head"))
    assert len(json.loads(head.read_text())["erased"]) == 2


@ON_BOTH
def test_old_intervals_go_while_devices_send(server: Server) -> None:
    for number in range(MANY):
        patient = f"old-{number}"
        rows = [old(10 * number + each, patient=patient, thread=f"t-{patient}") for each in (0, 2, 4)]
        assert server.post(*rows).status_code == 200
    stands = {each["episode_id"]: each for each in server.report()}
    server.command("hold", "add", "--patient", "old-7", "--reason", "a letter")
    server.command("retention", "set", "intervals", "1 year")
    tried = server.command("retention", "apply", "--dry-run")
    assert f"intervals: {(MANY - 1) * 3} intervals would go, the oldest from " in tried
    assert len(server.stored()) == MANY * 3
    with writers(server):
        said = server.command("retention", "apply")
    assert said == tried.replace("would go", "removed")
    left = server.stored()
    assert {each["patient"] for each in left if each["patient"].startswith("old-")} == {"old-7"}
    after = {each["episode_id"]: each for each in server.report()}
    assert {id_: after[id_] for id_ in stands} == stands
    assert server.run("verify").stdout == "No problem found.\n"
    applied = [json.loads(line) for line in server.command("audit", "export").splitlines()]
    counts = [json.loads(each["detail"])["intervals"] for each in applied if each["action"] == "retention_applied"]
    assert sum(counts) == (MANY - 1) * 3
    server.stop()
    assert server.run("verify").stdout == "No problem found.\n"


@ON_BOTH
def test_a_server_applies_the_retention_by_itself_under_a_clock_that_is_borne_out(practice: Server) -> None:
    def log_has(event: str) -> bool:
        return any(line.get("event") == event for line in practice.log_lines())

    def work(patient: str) -> None:
        practice.start()
        assert practice.post(old(0, patient=patient)).status_code == 200
        practice.stop()

    practice.live("+0")
    practice.command("retention", "set", "intervals", "1 year")
    work("old-0")
    practice.start()
    until(lambda: log_has("retention waits until work of another day bears the clock out"), seconds=60, what="the line")
    practice.stop()
    assert len(practice.stored()) == 1
    practice.live("-3d")
    work("old-1")
    practice.live("+0")
    practice.start()
    until(lambda: practice.stored() == [], seconds=60, what="the old intervals gone")
    until(lambda: log_has("removed by age"), seconds=30, what="the line in the log")
    practice.stop()
    assert practice.run("verify").stdout == "No problem found.\n"
    actors = {each["actor_kind"] for line in practice.command("audit", "export").splitlines()
              if (each := json.loads(line))["action"] == "retention_applied"}  # fmt: skip
    assert actors == {"server"}


def test_a_hold_is_named_by_what_it_refuses(home: Home) -> None:
    home.set_up()
    facts = home.folder / "threads.csv"
    facts.write_text(f"portal,thread,patient\nmedplum,{THREAD},{WHO}\n")
    home.done("import", "csv", "threads", str(facts))
    assert home.done("hold", "add", "--user", DOCTOR, "--reason", "an audit") == "Hold 1 stands until hold lift 1.\n"
    home.done("hold", "add", "--patient", WHO, "--reason", "a letter")
    assert home.refused("erase", "patient", "--patient", WHO, "--yes") == (
        "Error: Hold 2 stands on this patient: hold lift 2 ends it."
    )
    assert "Hold 1 stands" in home.refused("erase", "user", DOCTOR, "--yes")
    home.done("hold", "lift", "2", "--reason", "settled")
    shown = home.done("hold", "list")
    assert f"patient medplum {WHO}" in shown
    assert "by a command: settled" in shown
    home.done("hold", "add", "--all", "--reason", "a subpoena")
    assert "Hold 3 stands on all of the practice" in home.refused("erase", "patient", "--patient", WHO, "--yes")
    assert "no hold 9" in home.refused("hold", "lift", "9", "--reason", "none")
    for words in (("--reason", "x"), ("--all", "--user", DOCTOR, "--reason", "x")):
        home.refused("hold", "add", *words, code=2)
    assert "without the reference" in home.refused("hold", "add", "--patient", WHO, "--reason", f"{WHO} sued")
    for words in (("intervals",), ("intervals", "2 years", "--for-good")):
        home.refused("retention", "set", *words, code=2)
    assert "less than 6 years" in home.refused("retention", "set", "audit", "5 years")
    assert home.done("retention", "apply") == "Everything is kept for good: retention set says otherwise.\n"


def test_on_a_terminal_the_reference_is_typed_before_anything_goes(home: Home) -> None:
    home.set_up()
    facts = home.folder / "threads.csv"
    facts.write_text(f"portal,thread,patient\nmedplum,{THREAD},{WHO}\n")
    home.done("import", "csv", "threads", str(facts))
    assert "--yes" in home.refused("erase", "patient", "--patient", WHO)
    with Terminal(home, "erase", "patient", "--patient", WHO) as terminal:
        terminal.wait_for("Type the patient's reference")
        terminal.type("zq-patient-78")
        terminal.wait_for("nothing was erased")
    assert "1 patient" in home.done("erase", "patient", "--patient", WHO, "--dry-run")
    with Terminal(home, "erase", "patient", "--patient", WHO) as terminal:
        terminal.wait_for("Type the patient's reference")
        terminal.type(WHO)
        terminal.wait_for("Erased: 1 patient")
    assert "Nobody is stored" in home.refused("erase", "patient", "--patient", WHO, "--yes")


def test_a_backup_from_before_does_not_bring_the_erased_back(home: Home) -> None:
    home.set_up()
    facts = home.folder / "threads.csv"
    facts.write_text(f"portal,thread,patient\nmedplum,{THREAD},{WHO}\nmedplum,other,someone\n")
    home.done("import", "csv", "threads", str(facts))
    backup = home.folder / "before.backup"
    home.done("backup", str(backup))
    home.done("erase", "patient", "--patient", WHO, "--yes")
    home.done("erase", "user", DOCTOR, "--yes")
    home.done("import", "csv", "threads", str(facts))  # who comes again after the erasure is somebody new
    later = home.folder / "after.backup"
    home.done("backup", str(later))
    for words in (("--force",), ("--data", str(home.folder / "elsewhere"))):
        said = home.done("restore", str(backup), *words)
        assert said.count("was erased after this backup was made, and is erased again.") == 3
        where = words if words[0] == "--data" else ()
        assert "Nobody is stored" in home.refused("erase", "patient", "--patient", WHO, "--yes", *where)
        assert "1 patient" in home.done("erase", "patient", "--patient", "someone", "--dry-run", *where)
        assert "signs in" in home.refused("erase", "user", DOCTOR, "--yes", *where)
        assert "No problem found" in home.done("verify", *where)
    said = home.done("restore", str(later), "--force")
    assert "erased again" not in said
    assert "1 patient" in home.done("erase", "patient", "--patient", WHO, "--dry-run")


def test_an_older_file_that_is_copied_back_is_found_and_erased_again(home: Home) -> None:
    home.set_up()
    facts = home.folder / "threads.csv"
    facts.write_text(f"portal,thread,patient\nmedplum,{THREAD},{WHO}\n")
    home.done("import", "csv", "threads", str(facts))
    before = database_path(home.data).read_bytes()
    home.done("erase", "patient", "--patient", WHO, "--yes")
    assert "Nobody who was erased" in home.done("erase", "again")
    database_path(home.data).write_bytes(before)
    found = home.run("verify")
    assert found.returncode == 1
    assert found.stdout.count(b"was erased and is in the database again") == 2
    home.serve()
    until(lambda: "erased again" in home.log(), seconds=30, what="the server erases again")
    assert "Nobody who was erased" in home.done("erase", "again")
    home.stop()
    assert b"was erased and" not in home.run("verify").stdout


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_older_server_database_is_found_and_erased_again(practice: Server, cluster: Cluster) -> None:
    practice.start()
    of_who(practice)
    practice.stop()
    assert practice.database is not None
    older = cluster.create(template=practice.database.partition("@/")[2].partition("?")[0])
    practice.command("erase", "patient", "--patient", WHO, "--yes")
    practice.environment["THREADTIME_DATABASE"] = cluster.url(older)
    assert "was erased and is in the database again" in practice.run("verify").stdout
    assert "erased again" in practice.command("erase", "again")
    assert "was erased and" not in practice.run("verify").stdout
    assert practice.report() == []
    cluster.drop(older)


def test_what_was_erased_is_in_no_page_of_the_file(home: Home) -> None:
    """Free pages and the log, too: whoever gets the key later does not find it there."""
    home.set_up()
    facts = home.folder / "threads.csv"
    facts.write_text("portal,thread,patient\n" + "".join(f"medplum,{THREAD}-{n},{WHO}\n" for n in range(500)))
    home.done("import", "csv", "threads", str(facts))
    [key] = [each.read_bytes() for each in home.key_files()]
    assert decrypted(database_path(home.data), key).count(WHO.encode()) > 0
    assert decrypted(database_path(home.data), key).count(ADMIN.encode()) > 0
    address = home.serve()
    assert address
    home.done("erase", "patient", "--patient", WHO, "--yes")
    found = decrypted(database_path(home.data), key)
    assert found.count(ADMIN.encode()) > 0
    assert (found.count(WHO.encode()), found.count(THREAD.encode())) == (0, 0)
    home.done("erase", "user", DOCTOR, "--yes")
    assert decrypted(database_path(home.data), key).count(DOCTOR.encode()) == 0


def test_the_folder_knows_who_was_erased_where_its_keys_lie(practice: Server, tmp_path: Path) -> None:
    practice.command("erase", "user", CLINICIAN, "--yes")
    config = tmp_path / "config" / "threadtime"
    [key] = config.glob("*.key")
    store = open_folder(practice.data, key, now=now())
    try:
        erased = store.audit.heads.read().erased if store.audit.heads else frozenset()
        with store.read() as connection:
            assert len(erased) == 1
            assert come_back(connection, erased) == []
    finally:
        store.close()
