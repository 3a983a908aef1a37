"""Whether the database is whole, its audit is as it was written, and deciding everything afresh says the same."""

from backend.desk.afresh import differences
from backend.desk.audit import audit_problems, audit_verified
from backend.desk.determine import settle
from backend.desk.erasing import come_back
from backend.errors import WrongKey
from backend.store import Store, practices
from backend.store.heads import Heads


def verify(store: Store, *, now: int | None = None) -> list[str]:
    """The problems found, one sentence each; an empty list when there is none.

    With `now`, what is due is settled first; without, it changes nothing and leaves out patients whose rows changed
    since they were last computed. An audit entry then says that it was checked, and how many problems were found.
    """
    heads, heads_problem = _heads(store)
    if found := store.problems():
        return found
    if now is not None:
        settle(store, None, now)
    of_practice: dict[int, list[str]] = {}
    with store.read() as connection:
        for practice_id in practices.ids(connection):
            of_practice[practice_id] = audit_problems(connection, store, practice_id, heads)
            of_practice[practice_id] += differences(connection, practice_id)
            erased = () if heads is None else [each for each in heads.erased if each[0] == practice_id]
            of_practice[practice_id] += [_BACK.format(each.kind, each.id) for each in come_back(connection, erased)]
    if now is not None:
        audit_verified(store, {practice_id: len(each) for practice_id, each in of_practice.items()}, now)
    return [*heads_problem, *(problem for each in of_practice.values() for problem in each)]


_BACK = "The {} {} was erased and is in the database again, with an older state of it: erase again removes them."


def _heads(store: Store) -> tuple[Heads | None, list[str]]:
    """Where the audits ended when the file beside the key was written, read before the database is."""
    if store.audit.heads is None:
        return None, []
    if not store.audit.heads.path.exists():
        return None, [f"The audit's head {store.audit.heads.path} is missing: a cut at the audit's end would not show."]
    try:
        return store.audit.heads.read(), []
    except WrongKey as damaged:
        return None, [damaged.message]
