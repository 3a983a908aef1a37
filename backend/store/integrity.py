"""Whether the database file is whole."""

from backend.store.connection import Connection, DatabaseError


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


def _all(connection: Connection, pragma: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(f"PRAGMA {pragma}")]
