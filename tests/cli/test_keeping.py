"""Backups, keys and `doctor`, as the person who runs the server types them."""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from backend.store.connection import connect
from backend.store.folder import DATABASE
from backend.store.keys import recovery_line
from tests.browser import until
from tests.cli.conftest import ROOT, Home
from tests.cli.test_terminal import Terminal
from tests.server import Server, now, row
from tests.story.test_kill_server import Writer

FOUND = (
    "Python",
    "database driver",
    "data folder",
    "file system",
    "disk",
    "key",
    "audit key",
    "database",
    "schema",
    "integrity",
    "clock",
    "server",
    "port",
)
WRITERS = 4


def findings(home: Home, *words: str, problems: int = 0, **environment: str) -> dict[str, str]:
    """What doctor says of each thing, with its state in front; it never says the key, and the exit code fits."""
    run = home.run("doctor", "--port", "0", *words, **environment)
    printed = run.stdout.decode()
    assert (run.returncode, bool(run.stderr)) == ((1, True) if problems else (0, False)), run.stderr
    for key in home.key_files():
        assert key.read_bytes().hex() not in printed + run.stderr.decode()
    found = {}
    for line in printed.splitlines():
        about, _, text = line[9:].partition(": ")
        found[about] = f"{line[:9].strip()}: {text}"
    assert sum(text.startswith("problem") for text in found.values()) == problems, printed
    return found


def by_hand(home: Home, sql: str) -> None:
    """Changes the database past the program."""
    connection = connect(home.data / DATABASE, home.key_files()[0].read_bytes())
    connection.execute(sql)
    connection.close()


def change_a_byte(file: Path, place: int) -> None:
    raw = bytearray(file.read_bytes())
    raw[place] ^= 1
    file.write_bytes(raw)


def limited(home: Home, limit: Callable[[], None], *words: str) -> str:
    """The one line of a command that has to refuse in a process with less than usual."""
    run = subprocess.run(
        home.line(*words), cwd=ROOT, env=home.environment, capture_output=True, text=True, preexec_fn=limit, timeout=60
    )
    assert run.returncode == 1, run.stdout
    [line] = run.stderr.splitlines()
    return line


def as_anybody() -> None:
    """Takes from an administrator's process the right to write where the mode of a folder says no."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE


def little_room() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


def test_the_drill(practice: Server, tmp_path: Path) -> None:
    """A backup while devices send, kill -9, a restore elsewhere: everything acknowledged before the backup is there."""
    done = threading.Event()
    writers = [Writer(practice, done) for _ in range(WRITERS)]
    practice.start()
    for writer in writers:
        writer.start()
    try:
        until(lambda: all(writer.answers > 2 for writer in writers), what="answers")
        acknowledged = {id_ for writer in writers for id_ in list(writer.accepted)}
        answers = sum(writer.answers for writer in writers)
        practice.command("backup", str(tmp_path / "drill.backup"))
        until(lambda: sum(writer.answers for writer in writers) > answers + WRITERS, what="answers after the backup")
        practice.kill()
    finally:
        done.set()
        for writer in writers:
            writer.join()
    assert not [line for writer in writers for line in writer.trouble]

    elsewhere = tmp_path / "elsewhere"
    practice.command("restore", "--data", str(elsewhere), str(tmp_path / "drill.backup"))
    practice.data, practice.environment["THREADTIME_DATA"] = elsewhere, str(elsewhere)
    assert practice.command("verify") == "No problem found.\n"
    stored = [one["id"] for one in practice.stored()]
    assert len(acknowledged) >= WRITERS * 40
    assert acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    practice.start()


def test_beside_a_running_server_only_a_backup_may_be_made(home: Home, tmp_path: Path) -> None:
    home.set_up()
    home.serve()
    made = str(tmp_path / "b")
    assert "before" in home.done("backup", made)
    assert "Another process serves" in home.refused("restore", made, "--force")
    assert "Another process serves" in home.refused("key", "rotate")
    assert "one serves this folder" in findings(home)["server"]


def test_a_backup_is_refused_where_one_is_and_replaced_where_that_is_said(home: Home, tmp_path: Path) -> None:
    home.done("init")
    made = tmp_path / "b"
    home.done("backup", str(made))
    before = made.read_bytes()
    assert "--force" in home.refused("backup", str(made))
    assert made.read_bytes() == before
    home.done("backup", str(made), "--force")
    assert made.read_bytes() != before
    [key] = home.key_files()
    assert "not a backup" in home.refused("backup", str(key), "--force")


def test_a_backup_that_cannot_be_written_leaves_nothing(home: Home, tmp_path: Path) -> None:
    home.done("init")
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    assert "Permission denied" in limited(home, as_anybody, "backup", str(locked / "b"))
    assert "could not be written" in limited(home, little_room, "backup", str(tmp_path / "b"))
    assert list(locked.iterdir()) == []
    assert not [each for each in tmp_path.iterdir() if each.name.startswith("b")]
    assert "no-such-folder" in home.refused("backup", str(tmp_path / "no-such-folder" / "b"))


def test_a_restore_without_room_changes_nothing(home: Home, tmp_path: Path) -> None:
    home.done("init")
    home.done("backup", str(tmp_path / "b"))
    before = (home.data / DATABASE).read_bytes()
    assert "Nothing was changed" in limited(home, little_room, "restore", str(tmp_path / "b"), "--force")
    assert (home.data / DATABASE).read_bytes() == before
    assert not [each for each in home.data.iterdir() if "before-restore" in each.name or "partial" in each.name]


def test_a_restore_says_where_the_database_that_was_there_is(home: Home, tmp_path: Path) -> None:
    home.set_up()
    home.done("backup", str(tmp_path / "b"))
    assert "--force" in home.refused("restore", str(tmp_path / "b"))
    home.done("user", "add", "--email", "late@practice.example", "--name", "L", "--role", "staff")
    said = home.done("restore", str(tmp_path / "b"), "--force")
    [aside] = [each for each in home.data.iterdir() if "before-restore" in each.name]
    assert str(aside.resolve()) in said
    home.done("user", "add", "--email", "late@practice.example", "--name", "L", "--role", "staff")


def test_what_is_no_whole_backup_is_refused(home: Home, tmp_path: Path) -> None:
    home.done("init")
    made = tmp_path / "b"
    home.done("backup", str(made))
    change_a_byte(made, 9000)
    assert "changed or damaged" in home.refused("restore", str(made), "--data", str(tmp_path / "new"))
    made.write_bytes(made.read_bytes()[:-100])
    assert "not a backup" in home.refused("restore", str(made), "--data", str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_another_machine_needs_the_backup_and_the_recovery_lines_of_both_keys(home: Home, tmp_path: Path) -> None:
    home.set_up()
    made = tmp_path / "b"
    home.done("backup", str(made))
    [key] = home.key_files()
    line = home.done("key", "show-recovery")
    assert line == recovery_line(key.read_bytes()) + "\n"

    (tmp_path / "other").mkdir()
    other = Home(tmp_path / "other")
    assert "key recover" in other.refused("restore", str(made))
    assert not other.data.exists()
    mistyped = line.replace(line[0], "0" if line[0] != "0" else "1", 1)
    assert "digit" in other.refused("key", "recover", "--backup", str(made), stdin=mistyped.encode())
    other.done("key", "recover", "--backup", str(made), stdin=line.upper().encode())
    assert "audit is not at" in other.refused("restore", str(made))
    assert not (other.data / "threadtime.db").exists()
    audits = home.done("key", "show-recovery", "--audit")
    assert audits == recovery_line(key.with_name(f"{key.name}.audit").read_bytes()) + "\n" != line
    other.done("key", "recover", "--audit", "--backup", str(made), stdin=audits.encode())
    assert "already" in other.refused("key", "recover", "--audit", "--backup", str(made), stdin=audits.encode())
    other.done("restore", str(made))
    assert other.done("verify") == "No problem found.\n"
    assert findings(other)["database"] == "ok: the key opens it."


def test_a_recovery_line_is_asked_for_on_a_terminal(home: Home) -> None:
    home.done("init")
    [key] = home.key_files()
    before = key.read_bytes()
    line = home.done("key", "show-recovery").strip()
    key.unlink()
    with Terminal(home, "key", "recover") as terminal:
        terminal.wait_for("The recovery line")
        terminal.type(line)
        assert str(key) in terminal.rest()
    assert key.read_bytes() == before


def test_a_rotated_key_serves_and_the_one_before_opens_the_backups_before(home: Home, tmp_path: Path) -> None:
    home.set_up()
    home.done("backup", str(tmp_path / "b"))
    [key] = home.key_files()
    before = key.read_bytes()
    said = home.done("key", "rotate")
    [earlier] = key.parent.glob("*.until-*")
    assert str(key) in said
    assert str(earlier) in said
    assert earlier.read_bytes() == before != key.read_bytes()
    assert before.hex() not in said
    home.serve()
    home.done("restore", str(tmp_path / "b"), "--data", str(tmp_path / "new"))
    assert home.done("verify", "--data", str(tmp_path / "new")) == "No problem found.\n"


def test_a_named_key_file_is_rotated_in_its_place(home: Home, tmp_path: Path) -> None:
    named = tmp_path / "keys" / "practice.key"
    home.environment["THREADTIME_KEY_FILE"] = str(named)
    home.done("init")
    before = named.read_bytes()
    home.done("key", "rotate")
    assert named.read_bytes() != before
    assert home.done("verify") == "No problem found.\n"
    assert home.key_files() == []


class TestAStart:
    def test_a_damaged_database_is_refused(self, home: Home) -> None:
        home.done("init")
        change_a_byte(home.data / DATABASE, 20 * 4096 + 100)
        line = home.refused("serve", "--port", "0")
        assert "damaged" in line
        assert "restore" in line

    @pytest.mark.parametrize("place", [0, 100])
    def test_a_damaged_first_page_is_refused(self, home: Home, place: int) -> None:
        home.done("init")
        change_a_byte(home.data / DATABASE, place)
        assert "damaged" in home.refused("serve", "--port", "0")

    def test_a_cut_database_is_refused(self, home: Home) -> None:
        home.done("init")
        os.truncate(home.data / DATABASE, 10 * 4096)
        assert "malformed" in home.refused("serve", "--port", "0")

    def test_a_lost_database_is_not_begun_anew(self, home: Home) -> None:
        home.done("init")
        for lose in ((home.data / DATABASE).write_bytes, lambda _: (home.data / DATABASE).unlink()):
            lose(b"")
            for words in (("serve", "--port", "0"), ("start", "--port", "0"), ("verify",), ("backup", "b")):
                assert "restore" in home.refused(*words)
        assert not (home.data / DATABASE).exists()

    def test_a_newer_schema_is_refused(self, home: Home) -> None:
        home.done("init")
        by_hand(home, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('threadtime', 'x', '')")
        assert "newer" in home.refused("serve", "--port", "0")


class TestDoctor:
    def test_where_all_is_well_every_line_is_ok(self, home: Home) -> None:
        home.done("init")
        found = findings(home)
        assert tuple(found) == FOUND
        assert {text.partition(":")[0] for about, text in found.items() if about != "file system"} == {"ok"}

    def test_without_a_data_folder_it_says_how_to_begin(self, home: Home) -> None:
        assert "init" in findings(home, problems=1)["data folder"]
        assert not home.data.exists()

    def test_a_folder_that_others_may_look_into(self, home: Home) -> None:
        home.done("init")
        home.data.chmod(0o755)
        assert "chmod 700" in findings(home, problems=1)["data folder"]

    def test_a_folder_that_cannot_be_written_to(self, home: Home) -> None:
        home.done("init")
        (home.data / "open.lock").unlink()
        home.data.chmod(0o500)
        run = subprocess.run(
            home.line("doctor", "--port", "0"),
            cwd=ROOT,
            env=home.environment,
            capture_output=True,
            text=True,
            preexec_fn=as_anybody,
        )
        home.data.chmod(0o700)
        assert run.returncode == 1
        assert "problem  database: the data folder cannot be written to" in run.stdout

    def test_a_key_that_others_may_read(self, home: Home) -> None:
        home.done("init")
        home.key_files()[0].chmod(0o644)
        assert "chmod 600" in findings(home, problems=2)["key"]

    def test_a_missing_key(self, home: Home) -> None:
        home.done("init")
        home.key_files()[0].unlink()
        found = findings(home, problems=2)
        assert "key recover" in found["key"]
        assert "no key opens it" in found["database"]
        assert found["integrity"].startswith("unknown")

    def test_another_folders_key(self, home: Home) -> None:
        home.done("init")
        home.key_files()[0].write_bytes(bytes(32))
        assert "another data folder" in findings(home, problems=1)["database"]

    def test_an_earlier_key(self, home: Home, tmp_path: Path) -> None:
        home.done("init")
        before = (home.data / DATABASE).read_bytes()
        home.done("key", "rotate")
        (home.data / DATABASE).write_bytes(before)
        [earlier] = home.key_files()[0].parent.glob("*.until-*")
        assert f"an earlier key opens it, {earlier}" in findings(home, problems=1)["database"]

    def test_a_rotation_that_was_cut_short(self, home: Home) -> None:
        home.done("init")
        [key] = home.key_files()
        coming = key.with_name(f"{key.name}.new")
        coming.write_bytes(bytes(32))
        coming.chmod(0o600)
        assert f"{key} still opens it" in findings(home, problems=1)["database"]
        key.rename(coming)
        found = findings(home, problems=2)
        assert f"{coming} opens it: finish it with key rotate" in found["database"]
        assert found["integrity"].startswith("ok")
        home.done("key", "rotate")
        findings(home)

    def test_a_damaged_page(self, home: Home) -> None:
        home.done("init")
        change_a_byte(home.data / DATABASE, 20 * 4096 + 100)
        assert "Restore a backup" in findings(home, problems=1)["integrity"]

    def test_a_cut_database(self, home: Home) -> None:
        home.done("init")
        os.truncate(home.data / DATABASE, 10 * 4096)
        assert "restore a backup" in findings(home, problems=1)["database"]

    def test_a_newer_schema(self, home: Home) -> None:
        home.done("init")
        by_hand(home, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('threadtime', 'x', '')")
        assert "newer" in findings(home, problems=1)["schema"]

    def test_an_older_schema_is_none(self, home: Home) -> None:
        home.done("init")
        by_hand(home, "DELETE FROM _sqlite_migrations WHERE name = 'rules_seen'")
        assert "next start" in findings(home)["schema"]

    def test_a_clock_behind_what_is_stored(self, practice: Server, tmp_path: Path) -> None:
        practice.start()
        assert practice.post(row()).status_code == 200
        practice.stop()
        home = Home(tmp_path)
        by_hand(home, f"UPDATE interval SET received_at = {now() + 3_600_000}")
        assert "set this machine's clock" in findings(home, problems=1)["clock"]

    def test_a_port_that_something_else_has(self, home: Home) -> None:
        home.done("init")
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            assert "another program" in findings(home, "--port", port, problems=1)["port"]
        assert "is free" in findings(home, "--port", port)["port"]
