"""A data folder with its key, and the store in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.store import Connection, Store, open_store
from backend.store.connection import Cursor, connect
from backend.store.folder import create_folder, database_path
from tests.conftest import BOTH

KEY = bytes(range(32))
ON_BOTH = pytest.mark.parametrize("database", BOTH, indirect=True)
"""A test of what a file and a server have in common."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    create_folder(folder)
    return folder


@pytest.fixture
def store(data: Path, database: str | None) -> Iterator[Store]:
    opened = open_store(data, KEY, database=database)
    try:
        yield opened
    finally:
        opened.close()


def insert_practice(connection: Connection, key: str) -> Cursor:
    """Adds a practice of that key, and asks nothing of it."""
    return connection.execute(
        "INSERT INTO practice (key, name, timezone, created_at) VALUES (?, ?, 'UTC', 0)", (key, key.title())
    )


def add_practice(key: str):
    """A unit of work that adds a practice of that key."""
    return lambda connection: insert_practice(connection, key).rowcount


def practice_keys(store: Store) -> list[str]:
    with store.read() as connection:
        return [row[0] for row in connection.execute("SELECT key FROM practice ORDER BY key")]


def fill(data: Path, size: int = 20_000_000) -> int:
    """Gives the folder's database about `size` bytes, in a table of its own, and leaves it closed; its rows."""
    open_store(data, KEY).close()
    connection = connect(database_path(data), KEY)
    rows = size // 1000
    connection.execute("CREATE TABLE filling (bytes BLOB)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO filling VALUES (?)", ((os.urandom(900),) for _ in range(rows)))
    connection.execute("COMMIT")
    connection.close()
    return rows


def size_of(path: Path) -> int:
    """In bytes; -1 where there is no such file, which may go at any moment."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
