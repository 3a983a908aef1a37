"""The second wall: what PostgreSQL shows of another practice to a query that forgot to name its own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from backend.store import Store, schema
from backend.store.connection import Connection, DatabaseError
from backend.store.wall import practice, stay_within
from tests.conftest import database_of
from tests.store.conftest import add_practice


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    yield from database_of("postgresql", request)


@pytest.fixture
def two(store: Store) -> Iterator[tuple[int, int]]:
    """Two practices; afterwards this thread may see all again."""
    for key in ("north", "south"):
        store.write(add_practice(key))
    with store.read() as connection:
        first, second = (int(row[0]) for row in connection.execute("SELECT practice_id FROM practice ORDER BY 1"))
    yield first, second
    stay_within(None)


def every(connection: Connection) -> list[int]:
    """A query that names no practice."""
    return [int(row[0]) for row in connection.execute("SELECT practice_id FROM practice ORDER BY practice_id")]


def test_a_thread_that_stays_within_a_practice_reads_no_other(store: Store, two: tuple[int, int]):
    first, second = two
    with store.read() as connection:
        assert every(connection) == [first, second]
    for own in two:
        stay_within(own)
        with store.read() as connection:
            assert every(connection) == [own]
    stay_within(None)
    with store.read() as connection:
        assert every(connection) == [first, second]


def test_what_it_writes_stays_there_too(store: Store, two: tuple[int, int]):
    first, second = two
    stay_within(first)
    assert store.write(every) == [first]
    store.write(lambda connection: connection.execute("UPDATE practice SET name = 'taken'"))
    with pytest.raises(DatabaseError):
        store.write(add_practice("another"))
    stay_within(None)
    assert store.write(every) == [first, second]
    with store.read() as connection:
        names = dict(tuple(row) for row in connection.execute("SELECT practice_id, name FROM practice"))
    assert names[first] == "taken"
    assert names[second] != "taken"


def test_a_unit_that_names_its_practice_sees_that_one(store: Store, two: tuple[int, int]):
    assert practice() is None
    assert store.write(every, two[1]) == [two[1]]


def test_a_connection_that_says_nothing_sees_nothing(store: Store, two: tuple[int, int], database: str):
    with psycopg.connect(database) as stranger:
        assert stranger.execute("SELECT count(*) FROM practice").fetchone() == (0,)


def test_every_table_with_rows_of_practices_is_behind_it(store: Store):
    with store.read() as connection:
        behind = {row[0] for row in connection.execute("SELECT tablename FROM pg_policies WHERE policyname = 'wall'")}
        tables = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
        forced = connection.execute("SELECT count(*) FROM pg_class WHERE relforcerowsecurity").fetchone()[0]
    assert tables - behind == {*schema.OF_NO_PRACTICE, "migration"}
    assert forced == len(behind)
