"""Every stored row of a practice, as text."""

from __future__ import annotations

from backend.store import Connection, Store
from backend.store.schema import row_counts


def all_rows(store: Store) -> dict[str, list[str]]:
    """Table -> its rows, in an order of their own."""
    with store.read() as connection:
        return {table: _rows(connection, table) for table in row_counts(connection)}


def _rows(connection: Connection, table: str) -> list[str]:
    return sorted(repr(tuple(row)) for row in connection.execute(f"SELECT * FROM {table}"))


def tables_with(store: Store, *texts: str) -> list[str]:
    """The tables in which one of the texts stands anywhere."""
    return [name for name, rows in all_rows(store).items() if any(text in row for row in rows for text in texts)]
