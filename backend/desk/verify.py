"""Whether the database is whole, and says what deciding everything afresh says."""

from backend.desk.afresh import differences
from backend.desk.determine import settle
from backend.store import Store, integrity, practices


def verify(store: Store, *, now: int | None = None) -> list[str]:
    """The problems found, one sentence each; an empty list when there is none.

    With `now`, what is due is settled first; without, it changes nothing and leaves out patients whose rows changed
    since they were last computed.
    """
    with store.read() as connection:
        found = integrity.problems(connection)
    if found:
        return found
    if now is not None:
        settle(store, None, now)
    with store.read() as connection:
        for practice_id in practices.ids(connection):
            found.extend(differences(connection, practice_id))
    return found
