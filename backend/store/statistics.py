"""What the query planner is told of the tables before they hold anything.

Every key leads with `practice_id`, and in most databases there is one practice: that first column picks nearly every
row. SQLite, which takes an equality in any column to leave ten rows, would often search by it alone and read a whole
table. So the statistics that ANALYZE would gather are written down for a practice with much work in it.
"""

from typing import Any, Protocol

ROWS = 1_000_000
SHARE_OF_A_VALUE = 20
"""How many rows share the values of an index's columns after the first: a patient's intervals, an episode's events."""


class _Connection(Protocol):
    def execute(self, sql: str, parameters: Any = (), /) -> Any: ...


def describe(connection: _Connection) -> None:
    """Writes the statistics of every index there is; a connection reads them when it opens."""
    connection.execute("ANALYZE sqlite_schema")  # makes the table of statistics
    connection.execute("DELETE FROM sqlite_stat1")
    tables = connection.execute(
        "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()
    for table, without_rowid in tables:
        for index, unique, origin in connection.execute(
            'SELECT name, "unique", origin FROM pragma_index_list(?)', (table,)
        ).fetchall():
            columns = connection.execute("SELECT count(*) FROM pragma_index_info(?)", (index,)).fetchone()[0]
            name = table if origin == "pk" and without_rowid else index
            connection.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, name, _stat(columns, bool(unique))))


def _stat(columns: int, unique: bool) -> str:
    """`rows` and then how many rows share the first column, the first two, ...: all, some, at last one."""
    shares = [ROWS, *(SHARE_OF_A_VALUE for _ in range(columns - 1))]
    if unique:
        shares[-1] = 1
    return " ".join(map(str, (ROWS, *shares)))
