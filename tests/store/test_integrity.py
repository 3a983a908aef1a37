"""What a start reads of the database before it serves: all of a small one, the ends of each table of a large one."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.errors import Damaged
from backend.store import Store, integrity, open_store
from backend.store.connection import Connection, connect
from backend.store.folder import database_path
from tests.store.conftest import KEY, add_practice, fill

PAGE = 4096
SMALL, LARGE = integrity.WHOLE_AT_START_BYTES, 0


def change(data: Path, page: int) -> None:
    """Changes one byte of a page, counted from 1."""
    raw = bytearray(database_path(data).read_bytes())
    raw[(page - 1) * PAGE + 1000] ^= 1
    database_path(data).write_bytes(raw)


def root_of(connection: Connection, table: str) -> int:
    return int(connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0])


def look(data: Path) -> None:
    opened = open_store(data, KEY)
    try:
        with opened.read() as connection:
            integrity.refuse_damaged(connection)
    finally:
        opened.close()


@pytest.fixture(params=[SMALL, LARGE], ids=["small", "large"])
def limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(integrity, "WHOLE_AT_START_BYTES", request.param)
    return int(request.param)


def test_a_whole_one_is_served(limit: int, store: Store, data: Path) -> None:
    store.write(add_practice("a"))
    look(data)


def test_a_damaged_table_is_refused_in_one_sentence(limit: int, store: Store, data: Path) -> None:
    with store.read() as connection:
        roots = [root_of(connection, table) for table in ("practice", "interval", "episode", "sign_in_directory")]
    store.close()
    for root in roots:
        change(data, root)
        with pytest.raises(Damaged, match="restore puts a backup in its place"):
            look(data)
        change(data, root)  # back again
    look(data)


def test_of_a_large_one_the_middle_is_left_to_those_who_read_all_of_it(limit: int, data: Path) -> None:
    fill(data, 1_000_000)
    change(data, database_path(data).stat().st_size // PAGE // 2)
    if limit == SMALL:
        with pytest.raises(Damaged):
            look(data)
    else:
        look(data)
    connection = connect(database_path(data), KEY)
    found = integrity.problems(connection)
    connection.close()
    assert "A page of the database file was changed" in found[0]
