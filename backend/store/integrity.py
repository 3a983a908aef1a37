"""Whether the database file is whole."""

from backend.errors import Damaged
from backend.store.connection import Connection, DatabaseError

WHOLE_AT_START_BYTES = 32 * 1024 * 1024
"""Up to this size a start reads the whole database; a larger one at the ends of each table. Measured with a million
intervals (360 MB): 2 s for the whole of it where the system had read it before, 25 s where not; 0.004 s for the ends.
"""


def problems(connection: Connection) -> list[str]:
    """One sentence for each problem: a page that was changed, a broken structure, a row that points nowhere."""
    found = []
    try:
        found += [
            f"A page of the database file was changed: {row[0]}." for row in _all(connection, "cipher_integrity_check")
        ]
        checks = [str(row[0]) for row in _all(connection, "integrity_check")]
        found += [f"The database is damaged: {each}." for each in checks if each != "ok"]
        for row in _all(connection, "foreign_key_check"):
            found.append(f"A row of the table {row[0]} points at a row of {row[2]} that is not there.")
    except DatabaseError as error:
        found.append(f"The database cannot be read to its end: {error}.")
    return found


def refuse_damaged(connection: Connection) -> None:
    """Damaged, when what a start has the time to read is not whole: everything, or the ends of each table."""
    try:
        if _size(connection) <= WHOLE_AT_START_BYTES:
            found = [str(row[0]) for row in _all(connection, "quick_check(1)")]
        else:
            _read_ends(connection)
            found = ["ok"]
    except DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        said = " ".join(found[0].split())
        raise Damaged(f"The database is damaged ({said}): doctor says more, and restore puts a backup in its place.")


def _size(connection: Connection) -> int:
    """Bytes of the database, its log included."""
    pages, size = (int(connection.execute(f"PRAGMA {each}").fetchone()[0]) for each in ("page_count", "page_size"))
    return pages * size


def _read_ends(connection: Connection) -> None:
    """The first and the last row of every table, in the order in which the table itself lies in the file."""
    tables = "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"
    keys = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"
    for table, without_rowid in connection.execute(tables).fetchall():
        key = ["rowid"]
        if without_rowid:
            key = [f'"{row[0]}"' for row in connection.execute(keys, (table,)).fetchall()]
        for way in ("ASC", "DESC"):
            order = ", ".join(f"{each} {way}" for each in key)
            connection.execute(f'SELECT * FROM "{table}" ORDER BY {order} LIMIT 1').fetchall()  # noqa: S608  (our own)


def _all(connection: Connection, pragma: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(f"PRAGMA {pragma}")]
