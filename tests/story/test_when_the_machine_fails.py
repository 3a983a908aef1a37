"""A full disk, a read-only folder, a clock set back, a second server, a lock that is held, a damaged page: one clear
message each, nothing that was acknowledged is lost, and nothing is done by halves."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.browser import until
from tests.server import Server, now, row
from tests.story.test_kill_server import Writer

WRITERS = 4
MEGABYTE = 1024 * 1024
HOUR = 3600


def run(*words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True, timeout=60)


@contextlib.contextmanager
def mounted(place: Path, *how: object) -> Iterator[None]:
    """Something is mounted at `place`, which needs root: without it the test fails."""
    run("mount", *how, place)
    try:
        yield
    finally:
        run("umount", "--lazy", place)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Server]:
    """A practice whose data folder is a disk of twelve megabytes."""
    server = Server(tmp_path)
    server.data.mkdir()
    with mounted(server.data, "-t", "tmpfs", "-o", "size=12m", "tmpfs"):
        server.set_up()
        try:
            yield server
        finally:
            server.stop()


def refused(answer: requests.Response, words: str) -> None:
    """One sentence that says what is wrong, and when to come back."""
    assert answer.status_code == 503, answer.text
    assert words in answer.json()["detail"]
    assert int(answer.headers["Retry-After"]) > 0


def one_line(server: Server, *words: str) -> str:
    """What a command says that cannot do it."""
    done = server.run(*words)
    assert done.returncode == 1, done.stdout
    [line] = done.stderr.splitlines()
    return line


def no_defect(server: Server) -> None:
    """The log names no defect, and holds nothing but lines of its own."""
    text = server.log.read_text()
    assert all(line.startswith("{") for line in text.splitlines()), text
    assert [line for line in server.log_lines() if line["event"] == "unexpected"] == []


def test_a_full_disk_refuses_what_it_cannot_keep_and_takes_it_once_there_is_room(small_disk: Server):
    server, filler = small_disk, small_disk.data / "filler"
    server.start()
    browser = server.signed_in()
    done = threading.Event()
    writers = [Writer(server, done) for _ in range(WRITERS)]
    free = os.statvfs(server.data).f_bavail * os.statvfs(server.data).f_bsize
    filler.write_bytes(bytes(free - MEGABYTE))
    for one in writers:
        one.start()
    try:
        until(lambda: server.post(row()).status_code == 503, seconds=60, what="the disk full")
        refused(server.post(*(row() for _ in range(50))), "disk is full")
        page = browser.get(f"{server.url}/episodes", timeout=60)
        assert page.status_code == 200 or "disk is full" in page.text  # it may have to bring episodes up to date first
        filler.unlink()
        before = sum(one.answers for one in writers)
        until(
            lambda: sum(one.answers for one in writers) > before + WRITERS, seconds=60, what="the rows arriving again"
        )
    finally:
        done.set()
        for one in writers:
            one.join()
    assert [one.trouble for one in writers if one.trouble] == []
    acknowledged = {id_ for one in writers for id_ in (*one.accepted, *one.duplicate)}
    stored = [each["id"] for each in server.stored()]
    assert len(stored) == len(set(stored))
    assert acknowledged <= set(stored)
    server.command("verify")
    server.stop()
    no_defect(server)


def test_a_read_only_folder_is_said_in_one_line_and_nothing_is_begun(practice: Server):
    practice.start()
    sent = row()
    assert practice.post(sent).json()["accepted"] == [sent["id"]]
    practice.stop()
    with mounted(practice.data, "--bind", practice.data):
        run("mount", "-o", "remount,bind,ro", practice.data)
        for words in (
            ("serve", "--port", str(practice.port)),
            ("user", "add", "--email", "n@practice.example", "--name", "N", "--role", "biller"),
        ):
            assert "read-only" in one_line(practice, *words).lower()
        assert "problem" in practice.run("doctor").stdout
    practice.start()
    assert [each["id"] for each in practice.stored()] == [sent["id"]]
    practice.command("verify")


def test_a_second_server_on_the_folder_says_so_and_the_first_is_unhurt(server: Server):
    assert "another process serves" in one_line(server, "serve", "--port", "0").lower()
    sent = row()
    assert server.post(sent).json()["accepted"] == [sent["id"]]
    server.stop()
    no_defect(server)


def test_a_lock_that_another_program_holds_is_told_and_waited_out(server: Server):
    sent = row()
    with server.file() as other:
        other.execute("BEGIN IMMEDIATE")
        refused(server.post(sent), "in use by other work")
    assert server.post(sent).json()["accepted"] == [sent["id"]]
    server.command("verify")
    server.stop()
    no_defect(server)


def test_damaged_pages_are_told_by_the_running_server_and_refused_at_the_next_start(practice: Server):
    practice.start()
    for _ in range(20):
        assert practice.post(*(row() for _ in range(100))).status_code == 200
    browser = practice.signed_in()
    assert browser.get(f"{practice.url}/episodes", timeout=60).status_code == 200
    practice.stop()  # everything is in the one file
    practice.start()
    browser = practice.signed_in()
    file = practice.data / "threadtime.db"
    size = file.stat().st_size
    with file.open("r+b") as raw:
        raw.seek(size // 4)
        raw.write(os.urandom(size * 3 // 4))
    page = browser.get(f"{practice.url}/episodes", timeout=60)
    assert page.status_code == 503
    assert "The database is damaged" in page.text
    assert "restore a backup" in page.text
    assert "The database is damaged" in practice.post(row()).json()["detail"]
    practice.stop()
    no_defect(practice)
    assert "damaged" in one_line(practice, "serve", "--port", str(practice.port))
    told = practice.run("verify")
    assert told.returncode == 1
    assert "A page of the database file was changed" in told.stdout + told.stderr
    told = practice.run("doctor")
    assert told.returncode == 1
    assert "A page of the database file was changed" in told.stdout


@pytest.fixture
def fakeable(tmp_path: Path) -> Iterator[Server]:
    """A server whose clock can be set."""
    server = Server(tmp_path)
    server.set_up()
    server.live("+0")
    server.start()
    try:
        yield server
    finally:
        server.stop()


def test_a_server_whose_clock_is_set_back_loses_nothing_and_lets_no_session_live_longer(fakeable: Server):
    server = fakeable
    browser = server.signed_in()
    sent = [row()]
    assert server.post(*sent).json()["accepted"] == [sent[0]["id"]]
    for back in ("-1h", "-12h"):
        server.live(back)
        one = row(started_at=now() - 120_000, ended_at=now() - 60_000)
        assert server.post(one).json()["accepted"] == [one["id"]], back
        sent.append(one)
        assert browser.get(f"{server.url}/episodes", timeout=60).status_code == 200
    server.live("-3d")
    ahead = row()
    [rejected] = server.post(ahead).json()["rejected"]
    assert "24 h" in rejected["reason"], rejected
    server.live("+20m")
    assert server.post(ahead).json()["accepted"] == [ahead["id"]]
    sent.append(ahead)
    gone = browser.get(f"{server.url}/episodes", timeout=60, allow_redirects=False)
    assert gone.status_code in (302, 303)
    assert "/sign-in" in gone.headers["Location"]
    stored = {each["id"]: each for each in server.stored()}
    assert set(stored) == {each["id"] for each in sent}
    server.command("verify")
    server.stop()
    no_defect(server)
