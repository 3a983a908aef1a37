"""The store on PostgreSQL: who waits for whom, and what becomes of work when a connection is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlcipher3 import dbapi2

from backend.errors import BadInput, Busy, CannotStart
from backend.store import Connection, Store, open_store, schema, server_state, writer
from backend.store.server import schema_lock
from tests.browser import until
from tests.conftest import database_of
from tests.postgresql import Cluster
from tests.store.conftest import KEY, add_practice, insert_practice, practice_keys


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    yield from database_of("postgresql", request)


@pytest.fixture
def second(store: Store, data: Path, database: str) -> Iterator[Store]:
    """The store of another process, but for the process."""
    opened = open_store(data, KEY, database=database)
    yield opened
    opened.close()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(10) as made:
        yield made


@contextmanager
def at_work(store: Store, pool: ThreadPoolExecutor, practice_id: int | None) -> Iterator[Future[None]]:
    """A unit of work that is under way while the block runs."""
    started, go = threading.Event(), threading.Event()

    def work(connection: Connection) -> None:
        connection.execute("SELECT 1").fetchone()  # with the first query it has its locks
        started.set()
        assert go.wait(30)

    unit = pool.submit(store.write, work, practice_id)
    assert started.wait(30)
    try:
        yield unit
    finally:
        go.set()
        unit.result(30)


def waits_for_a_lock(cluster: Cluster) -> bool:
    with cluster.superuser() as connection:
        found = connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return found.fetchone()[0] > 0


@pytest.mark.parametrize(("one", "other"), [(1, 1), (None, 1), (1, None), (None, None)])
def test_a_practices_work_waits_for_the_same_practices_on_another_server(
    store: Store, second: Store, pool: ThreadPoolExecutor, cluster: Cluster, one: int | None, other: int | None
) -> None:
    with at_work(store, pool, one):
        waiting = pool.submit(second.write, add_practice("a"), other)
        until(lambda: waits_for_a_lock(cluster), seconds=30, what="a lock")
        assert not waiting.done()
    assert waiting.result(30) == 1


def test_another_practices_work_does_not_wait(store: Store, second: Store, pool: ThreadPoolExecutor) -> None:
    with at_work(store, pool, 1):
        assert second.write(lambda connection: connection.execute("SELECT 2").fetchone()[0], 2) == 2


def test_what_two_servers_count_up_has_no_gap_and_nothing_twice(
    store: Store, second: Store, pool: ThreadPoolExecutor
) -> None:
    store.write(add_practice("a"))

    def add(connection: Connection) -> None:
        connection.execute(
            "INSERT INTO practice_setting (practice_id, setting_id, name, value, from_on, recorded_at)"
            " SELECT 1, 1 + coalesce(max(setting_id), 0), 'n', '1', '2026-01-01', 0 FROM practice_setting"
            " WHERE practice_id = 1"
        )

    done = [pool.submit((store, second)[number % 2].write, add, 1) for number in range(60)]
    for each in done:
        each.result(30)
    with store.read() as connection:
        rows = connection.execute("SELECT setting_id FROM practice_setting ORDER BY setting_id").fetchall()
    assert [row[0] for row in rows] == list(range(1, 61))


def test_a_job_is_done_by_one_server_at_a_time(store: Store, second: Store) -> None:
    with store.claim(1) as mine:
        assert mine
        with second.claim(1) as theirs, second.claim(2) as another:
            assert (theirs, another) == (False, True)
    with second.claim(1) as now_theirs:
        assert now_theirs


class Interruptions:
    """A unit of work that adds a practice and counts how often it ran; `first` is done in its first run."""

    def __init__(self, first: Callable[[Connection], object]) -> None:
        self.runs = 0
        self.first = first

    def __call__(self, connection: Connection) -> int:
        self.runs += 1
        add_practice("a")(connection)
        if self.runs == 1:
            self.first(connection)
        return self.runs


def process_of(connection: Connection) -> int:
    return int(connection.execute("SELECT pg_backend_pid()").fetchone()[0])


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_a_transaction_that_gave_way_runs_again_as_a_whole(store: Store, state: str) -> None:
    raises = f"DO $$ BEGIN RAISE EXCEPTION 'gave way' USING ERRCODE = '{state}'; END $$"
    work = Interruptions(lambda connection: connection.execute(raises))
    assert store.write(work) == 2
    assert practice_keys(store) == ["a"]


def test_a_connection_lost_in_the_middle_is_made_again(store: Store, cluster: Cluster) -> None:
    def cut(connection: Connection) -> None:
        process = process_of(connection)
        with cluster.superuser() as superuser:
            superuser.execute("SELECT pg_terminate_backend(%s, 5000)", (process,))
        connection.execute("SELECT 1")

    work = Interruptions(cut)
    assert store.write(work) == 2
    assert practice_keys(store) == ["a"]


def test_idle_connections_that_died_are_replaced(store: Store, cluster: Cluster) -> None:
    store.write(add_practice("a"))
    assert practice_keys(store) == ["a"]

    def cut() -> None:
        with cluster.superuser() as superuser:
            superuser.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'threadtime'"
            )

    cut()
    assert practice_keys(store) == ["a"]
    cut()
    assert store.look_up(lambda connection: connection.execute("SELECT key FROM practice").fetchone()[0]) == "a"
    assert store.write(add_practice("b")) == 1


@pytest.fixture
def waiting_cluster(data: Path) -> Iterator[tuple[Cluster, Store]]:
    """A database server of its own whose commits are on disk at once and answered only when a standby has them too;
    there is none, so a COMMIT is under way for as long as a test wants."""
    cluster = Cluster(durable=True)
    store = open_store(data, KEY, database=cluster.url(cluster.create()))
    try:
        with cluster.superuser() as superuser:
            superuser.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
            superuser.execute("SELECT pg_reload_conf()")
        yield cluster, store
    finally:
        cluster.stop()
        store.close()


def stop_waiting(cluster: Cluster) -> None:
    with cluster.superuser() as superuser:
        superuser.execute("ALTER SYSTEM RESET synchronous_standby_names")
        superuser.execute("SELECT pg_reload_conf()")


def committing(cluster: Cluster) -> bool:
    with cluster.superuser() as superuser:
        return superuser.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'").fetchone() is not None


def held_at_its_commit(cluster: Cluster, store: Store, pool: ThreadPoolExecutor) -> Future[int]:
    """A unit of work that adds a practice and says how often it ran."""
    unit = pool.submit(store.write, Interruptions(lambda _: None))
    until(lambda: committing(cluster), seconds=30, what="a commit")
    return unit


END_COMMITTING = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


def test_a_commit_that_was_done_when_its_connection_was_lost_is_not_done_again(
    waiting_cluster: tuple[Cluster, Store], pool: ThreadPoolExecutor
) -> None:
    cluster, store = waiting_cluster
    unit = held_at_its_commit(cluster, store, pool)
    with cluster.superuser() as superuser:
        assert superuser.execute(END_COMMITTING).fetchall() == [(True,)]
    stop_waiting(cluster)
    assert unit.result(30) == 1
    assert practice_keys(store) == ["a"]


def test_a_commit_that_a_crash_of_the_server_took_is_looked_up_after_it(
    waiting_cluster: tuple[Cluster, Store], pool: ThreadPoolExecutor
) -> None:
    cluster, store = waiting_cluster
    unit = held_at_its_commit(cluster, store, pool)
    cluster.kill()
    cluster.start()
    assert unit.result(30) == 1, "it was on disk"
    stop_waiting(cluster)
    assert practice_keys(store) == ["a"]


def test_a_commit_that_failed_as_its_connection_was_lost_is_done_again(
    store: Store, cluster: Cluster, database: str, pool: ThreadPoolExecutor
) -> None:
    """A deferred trigger holds the COMMIT up before anything is on disk."""
    for statement in (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(60); RETURN NEW; END $$",
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON practice DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION slow()",
    ):
        store.write(lambda connection, statement=statement: connection.execute(statement))
    work = Interruptions(lambda _: None)
    unit = pool.submit(store.write, work)
    name = database.partition("@/")[2].partition("?")[0]
    with cluster.superuser(name) as superuser:
        sleeping = "FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        until(lambda: superuser.execute(f"SELECT 1 {sleeping}").fetchone() is not None, seconds=30, what="a commit")
        superuser.execute("UPDATE pg_trigger SET tgenabled = 'D' WHERE tgname = 'slow'")
        superuser.execute(f"SELECT pg_terminate_backend(pid, 5000) {sleeping}")
    assert unit.result(30) == 2
    assert practice_keys(store) == ["a"]


def test_a_server_that_stays_away_is_busy_for_readers_and_writers(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PATIENCE_SECONDS", 0.5)
    cluster = Cluster(durable=True)
    store = open_store(data, KEY, database=cluster.url(cluster.create()))
    try:
        store.write(add_practice("a"))
        cluster.kill()
        with pytest.raises(Busy) as refused:
            store.write(add_practice("b"))
        assert refused.value.retry_after_seconds
        cluster.start()
        assert store.write(add_practice("c")) == 1
        assert practice_keys(store) == ["a", "c"]
    finally:
        store.close()
        cluster.stop()


def test_what_is_damaged_or_switched_off_is_a_problem(store: Store) -> None:
    assert store.problems() == []
    store.write(lambda connection: connection.execute("ALTER TABLE fact DISABLE TRIGGER fact_no_update"))
    assert store.problems() == ["The trigger fact_no_update on the table fact is switched off."]


def test_a_reader_cannot_write_and_sees_one_state(store: Store) -> None:
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM practice").fetchone()[0] == 0
        threading.Thread(target=store.write, args=(add_practice("a"),)).start()
        until(lambda: store._writer._waiting.empty(), seconds=30, what="the write")
        assert connection.execute("SELECT count(*) FROM practice").fetchone()[0] == 0
        with pytest.raises(dbapi2.DatabaseError, match="read-only"):
            add_practice("b")(connection)


def test_a_row_is_read_by_number_and_by_name(store: Store) -> None:
    store.write(add_practice("a"))
    with store.read() as connection:
        row = connection.execute("SELECT practice_id, key, name FROM practice").fetchone()
    assert (row[1], row["name"], tuple(row), dict(row)["key"], row.keys()) == (
        "a",
        "A",
        (1, "a", "A"),
        "a",
        ["practice_id", "key", "name"],
    )
    with pytest.raises(KeyError):
        row["nothing"]


def test_the_server_works_on_what_is_written_while_the_program_goes_on(store: Store, cluster: Cluster) -> None:
    def work(connection: Connection) -> None:
        pid = process_of(connection)
        insert_practice(connection, "a")
        with cluster.superuser() as other:
            until(lambda: last_said(other, pid).startswith("INSERT INTO practice"))

    def last_said(other: psycopg.Connection, pid: int) -> str:
        row = other.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone()
        assert row is not None
        return str(row[0])

    store.write(work)
    assert practice_keys(store) == ["a"]


def test_an_error_quotes_no_row(store: Store) -> None:
    store.write(add_practice("kanari"))
    with pytest.raises(dbapi2.IntegrityError) as refused:
        store.write(add_practice("kanari"))
    assert "kanari" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_text_with_nul_is_refused_and_costs_nobody_else_anything(store: Store) -> None:
    with pytest.raises(BadInput, match="NUL"):
        store.write(add_practice("a\0b"))
    with store.read() as connection, pytest.raises(BadInput, match="NUL"):
        connection.execute("SELECT 1 FROM practice WHERE key = ?", ("\0",)).fetchone()
    assert store.write(add_practice("b")) == 1


def test_the_database_of_a_newer_program_is_refused(store: Store, data: Path, database: str) -> None:
    store.write(lambda connection: connection.execute("INSERT INTO migration (name) VALUES ('of_tomorrow')"))
    with pytest.raises(CannotStart, match="of_tomorrow"):
        open_store(data, KEY, database=database)


def test_two_that_begin_an_empty_database_at_once_make_it_once(cluster: Cluster, pool: ThreadPoolExecutor) -> None:
    name = cluster.create()

    def begin(_: int) -> bool:
        with schema_lock(cluster.url(name)) as connection:
            schema.migrate_server(connection)
            return schema.is_begun(connection)

    assert list(pool.map(begin, range(4))) == [True] * 4
    cluster.drop(name)


def test_every_text_is_in_the_order_of_its_bytes(store: Store) -> None:
    for key in ("b", "B", "ä", "a-b", "ab", "a b", "~"):
        store.write(add_practice(key))
    assert practice_keys(store) == sorted(practice_keys(store))


def test_the_planner_learns_soon_of_a_table_that_began_empty(store: Store) -> None:
    """Until then it does not know how many rows share a practice, and may look for one by that alone."""
    many = [(f"p{number}",) for number in range(200)]
    sql = "INSERT INTO practice (key, name, timezone, created_at) VALUES (?, 'One', 'UTC', 0)"
    store.write(lambda connection: connection.executemany(sql, many))

    def knows() -> bool:
        store.write(lambda connection: connection.execute("SELECT 1").fetchone())  # has the server count what was done
        store.refresh_statistics()
        with store.read() as connection:
            [rows] = connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'practice'").fetchone()
        return bool(rows >= 200)

    until(knows, what="the table was looked at")
    with store.read() as connection:
        assert server_state.grown(connection) == [], "and is not looked at again before it has grown as much"
