"""The single writer: group commit, failures that stay with who failed, a bounded queue, other processes beside it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from backend.errors import Busy
from backend.store import Store, open_store
from backend.store.connection import IntegrityError, connect
from backend.store.folder import database_path
from backend.store.writer import StoreClosed
from tests.store.conftest import KEY, ON_BOTH, add_practice, insert_practice, practice_keys


@contextmanager
def held_up(store: Store, pool: ThreadPoolExecutor) -> Iterator[None]:
    """Keeps the writer busy with one unit, so that what is submitted inside travels together afterwards."""
    started, go = threading.Event(), threading.Event()

    def wait(_) -> None:
        started.set()
        assert go.wait(30)

    unit = pool.submit(store.write, wait)
    assert started.wait(30)
    try:
        yield
    finally:
        go.set()
        unit.result(30)


def waiting(store: Store) -> int:
    return store._writer._waiting.qsize()


def until_waiting(store: Store, count: int) -> None:
    deadline = time.monotonic() + 30
    while waiting(store) != count:
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


def commits_of(store: Store) -> list[str]:
    """A growing list of the transactions' ends, as the writer's connection says them."""
    said: list[str] = []

    def watch(connection) -> None:
        connection.set_trace_callback(lambda sql: said.append(sql) if sql in ("COMMIT", "ROLLBACK") else None)

    store.write(watch)
    return said


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(40) as made:
        yield made


def submit_in_order(store: Store, pool: ThreadPoolExecutor, works) -> list[Future]:
    futures = []
    before = waiting(store)
    for work in works:
        futures.append(pool.submit(store.write, work))
        until_waiting(store, before + len(futures))
    return futures


@ON_BOTH
def test_a_write_is_on_disk_when_it_returns(store: Store, data: Path) -> None:
    assert store.write(add_practice("a")) == 1
    assert practice_keys(store) == ["a"]


def test_what_waits_travels_in_one_commit(store: Store, pool: ThreadPoolExecutor) -> None:
    with held_up(store, pool):
        futures = submit_in_order(store, pool, [add_practice(f"p{n}") for n in range(20)])
        said = []

        def watch(connection) -> None:
            connection.set_trace_callback(lambda sql: said.append(sql) if sql == "COMMIT" else None)

        futures += submit_in_order(store, pool, [watch])
    for future in futures:
        future.result(30)
    assert said == ["COMMIT"]
    assert len(practice_keys(store)) == 20


@ON_BOTH
def test_one_that_raises_takes_only_itself_back(store: Store, pool: ThreadPoolExecutor) -> None:
    def stumbles(connection) -> None:
        add_practice("half")(connection)
        raise ValueError("stumbled")

    with held_up(store, pool):
        before, wrong, after = submit_in_order(store, pool, [add_practice("a"), stumbles, add_practice("b")])
    assert (before.result(30), after.result(30)) == (1, 1)
    with pytest.raises(ValueError, match="stumbled"):
        wrong.result(30)
    assert practice_keys(store) == ["a", "b"]


@ON_BOTH
@pytest.mark.parametrize("stumbles_too", [False, True])
def test_one_whose_row_is_refused_takes_only_itself_back(
    store: Store, pool: ThreadPoolExecutor, stumbles_too: bool
) -> None:
    """Also where nobody asked yet what became of the row: on a server it is under way."""

    def doubles(connection) -> None:
        for key in ("half", "a"):
            insert_practice(connection, key)
        connection.execute("UPDATE practice SET name = 'half'")
        if stumbles_too:
            raise ValueError("stumbled")

    with held_up(store, pool):
        before, wrong, after = submit_in_order(store, pool, [add_practice("a"), doubles, add_practice("b")])
    assert (before.result(30), after.result(30)) == (1, 1)
    with pytest.raises((IntegrityError, ValueError)):
        wrong.result(30)
    assert practice_keys(store) == ["a", "b"]
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM practice WHERE name = 'half'").fetchone()[0] == 0


@ON_BOTH
def test_an_attempt_says_what_it_came_to_and_keeps_nothing(store: Store) -> None:
    assert store.attempt(add_practice("a")) == 1
    assert practice_keys(store) == []
    store.write(add_practice("a"))
    with pytest.raises(IntegrityError):
        store.attempt(add_practice("a"))


def test_when_a_commit_fails_each_member_learns_its_own_fate(store: Store, pool: ThreadPoolExecutor) -> None:
    def fails_at_commit(connection) -> None:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        add_practice("bad")(connection)
        connection.execute("INSERT INTO portal (practice_id, key, kind, created_at) VALUES (99, 'k', 'k', 0)")

    said = commits_of(store)
    with held_up(store, pool):
        first, bad, last = submit_in_order(store, pool, [add_practice("a"), fails_at_commit, add_practice("b")])
    assert (first.result(30), last.result(30)) == (1, 1)
    with pytest.raises(dbapi2.IntegrityError, match="FOREIGN KEY"):
        bad.result(30)
    assert practice_keys(store) == ["a", "b"]
    assert said.count("ROLLBACK") == 2, "the group was taken back, then the bad one by itself"
    assert store.write(add_practice("c")) == 1


@ON_BOTH
def test_more_than_the_queue_holds_is_answered_busy(data: Path, database: str | None, pool: ThreadPoolExecutor) -> None:
    store = open_store(data, KEY, database=database, queue_limit=2)
    try:
        with held_up(store, pool):
            futures = submit_in_order(store, pool, [add_practice("a"), add_practice("b")])
            with pytest.raises(Busy) as refused:
                store.write(add_practice("c"))
            assert refused.value.retry_after_seconds
        assert [future.result(30) for future in futures] == [1, 1]
        assert practice_keys(store) == ["a", "b"]
    finally:
        store.close()


@ON_BOTH
def test_closing_finishes_what_waits_and_refuses_what_comes_later(
    data: Path, database: str | None, pool: ThreadPoolExecutor
) -> None:
    store = open_store(data, KEY, database=database)
    with held_up(store, pool):
        futures = submit_in_order(store, pool, [add_practice(f"p{n}") for n in range(5)])
        closing = pool.submit(store.close)
    closing.result(30)
    assert [future.result(30) for future in futures] == [1] * 5
    with pytest.raises(StoreClosed):
        store.write(add_practice("late"))
    store.close()
    reopened = open_store(data, KEY, database=database)
    try:
        assert len(practice_keys(reopened)) == 5
    finally:
        reopened.close()


@ON_BOTH
def test_work_that_waits_for_the_writer_on_the_writers_thread_is_a_mistake(store: Store) -> None:
    with pytest.raises(RuntimeError, match="cannot wait"):
        store.write(lambda _: store.write(add_practice("a")))


@ON_BOTH
def test_an_interrupt_in_one_unit_does_not_end_the_writer(store: Store) -> None:
    def interrupted(connection) -> None:
        add_practice("a")(connection)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.write(interrupted)
    assert store.write(add_practice("b")) == 1
    assert practice_keys(store) == ["b"]


WRITES_BESIDE = """
import sys
from pathlib import Path
from backend.store import open_store
from tests.store.conftest import KEY, add_practice
store = open_store(Path(sys.argv[1]), KEY, database=sys.argv[4] or None)
for n in range(50):
    store.write(add_practice(f"{sys.argv[2]}{n}"))
    print(n, flush=True)
if sys.argv[3] == "close":
    store.close()
else:
    sys.stdin.read()
"""


def beside(data: Path, database: str | None, name: str, end: str = "close") -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITES_BESIDE, str(data), name, end, database or ""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


@ON_BOTH
def test_two_processes_create_and_write_the_same_database_at_once(data: Path, database: str | None) -> None:
    with beside(data, database, "a") as one, beside(data, database, "b") as other:
        assert (one.wait(60), other.wait(60)) == (0, 0)
    store = open_store(data, KEY, database=database)
    try:
        assert len(practice_keys(store)) == 100
    finally:
        store.close()


@ON_BOTH
def test_a_killed_process_loses_nothing_that_it_acknowledged(data: Path, database: str | None) -> None:
    with beside(data, database, "a", "stay") as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(20)]
        process.kill()
        said += [int(line) for line in process.stdout.read().split()]
    store = open_store(data, KEY, database=database)
    try:
        assert {f"a{n}" for n in said} <= set(practice_keys(store))
    finally:
        store.close()


def test_a_database_that_another_process_holds_is_said_to_be_busy_and_serves_again(
    store: Store, data: Path, pool: ThreadPoolExecutor
) -> None:
    store.write(lambda connection: connection.execute("PRAGMA busy_timeout = 50"))
    other = connect(database_path(data), KEY)
    try:
        other.execute("BEGIN IMMEDIATE")
        refused = [pool.submit(store.write, add_practice(name)) for name in "abc"]
        for future in refused:
            with pytest.raises(Busy, match="in use by other work; try again"):
                future.result(30)
        other.execute("ROLLBACK")
    finally:
        other.close()
    assert store.write(add_practice("d")) == 1
    assert practice_keys(store) == ["d"]
