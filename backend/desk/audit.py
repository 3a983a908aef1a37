"""The audit for people: a day of it, all of it as entries for other programs, and what concerns the audit itself.

Entries are added by the verbs that do what they record (`store.audit.add`), in the same unit of work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from backend.audit import ACTIONS, COMMAND, Action, Sealed, by_user
from backend.audit import verify as verify_chain
from backend.billing.days import days_of
from backend.errors import BadInput
from backend.store import Connection, Store, practices
from backend.store import audit as rows
from backend.store import people as people_rows
from backend.store.heads import Heads

ENTRIES_A_PAGE = 100
FIRST, LAST = date(1970, 1, 2), date(2999, 12, 31)


@dataclass(frozen=True, slots=True)
class Line:
    """One entry for people. `who`: a name, where one is known. `detail` None: there is none, or it was `erased`; a
    `successor` in it stands by name."""

    number: int
    at: int
    actor: str  # user, device, command, server or visitor
    who: str | None
    action: str
    subject: tuple[str, str | None]
    subject_name: str | None  # of a user or of a device's user
    detail: dict[str, Any] | None
    erased: bool


@dataclass(frozen=True, slots=True)
class AuditPage:
    lines: list[Line]
    on: date
    next: int | None  # give it as `before` for the next page


def list_entries(
    store: Store,
    practice_id: int,
    *,
    on: date | None,
    action: str | None = None,
    before: int | None = None,
    now: int,
) -> AuditPage:
    """The entries of one of the practice's days (None: today), newest first. BadInput: there is no such action."""
    if action is not None and action not in ACTIONS:
        raise BadInput("The audit has no such action.")
    store.write_waiting()
    with store.read() as connection:
        days = days_of(practices.by_id(connection, practice_id)["timezone"])
        shown = on or days.date_of(now)
        if not FIRST <= shown <= LAST:
            raise BadInput("The audit has no such day.")
        start, end = days.midnight(shown), days.midnight(shown + timedelta(days=1))
        found = rows.page(
            connection, practice_id, start=start, end=end, action=action, before=before, limit=ENTRIES_A_PAGE + 1
        )
        names = people_rows.names(connection, practice_id)
        users = people_rows.device_users(connection, practice_id)
    lines = [_line(each, names, users) for each in found[:ENTRIES_A_PAGE]]
    return AuditPage(lines, shown, lines[-1].number if len(found) > ENTRIES_A_PAGE else None)


def export_audit(store: Store, practice_id: int, *, now: int, by: str | None = None) -> Iterator[dict[str, Any]]:
    """Every entry of the practice, oldest first, with what its seal is made of; the last one says that it was taken.

    Bytes are written in hexadecimal; `detail` is the text that was digested, null where there is none or it was erased.
    """
    store.write_waiting()
    last = store.write(
        lambda connection: store.audit.add(
            connection, practice_id, at=now, actor=by_user(by), action="audit_exported", subject=("file", None)
        ),
        practice_id,
    )
    return _exported_until(store, practice_id, last)


def _exported_until(store: Store, practice_id: int, last: int) -> Iterator[dict[str, Any]]:
    after = 0
    while after < last:
        with store.read() as connection:
            part = rows.some(connection, practice_id, after)
        for row in part:
            if row.entry.number <= last:
                yield _exported(row)
        after = part[-1].entry.number if part else last


def audit_problems(connection: Connection, store: Store, practice_id: int, heads: Heads | None) -> list[str]:
    """What is wrong with the practice's audit; `heads`: as they stood before `connection` began to read."""
    known = None if heads is None else heads.heads.get(practice_id)
    return verify_chain(rows.chain(connection, practice_id), store.audit.key, known)


def audit_verified(store: Store, found: Mapping[int, int], now: int) -> None:
    """Says in each practice's audit that it was checked: practice -> how many problems."""
    _by_command(store, "verified", now, {practice_id: {"problems": count} for practice_id, count in found.items()})


def audit_kept(store: Store, action: Action, *, now: int, detail: dict[str, Any] | None = None) -> None:
    """Says in each practice's audit what a command did with the whole database."""
    with store.read() as connection:
        everywhere = dict.fromkeys(practices.ids(connection), detail)
    _by_command(store, action, now, everywhere)


def _by_command(store: Store, action: Action, now: int, details: Mapping[int, Mapping[str, Any] | None]) -> None:
    """An entry in the audit of each practice (its id -> the detail), in one unit of work."""

    def work(connection: Connection) -> None:
        for practice_id, detail in details.items():
            subject = ("practice", str(practice_id))
            store.audit.add(
                connection, practice_id, at=now, actor=COMMAND, action=action, subject=subject, detail=detail
            )

    store.write(work)


def audit_restored(store: Store, *, now: int) -> None:
    """Says in each practice's audit that the database came from a backup, and begins a new head that names the old one.

    `restore` calls it once, on the store of the restored database and before anything else is written: what the backup
    has not is missing from then on, and both the entry and the file of the heads say where the audit ended before.
    """
    old = Heads() if store.audit.heads is None else store.audit.heads.read()

    def named(practice_id: int) -> dict[str, Any]:
        before = old.heads.get(practice_id)
        return {"before": None if before is None else {"count": before.count, "seal": before.seal.hex()}}

    with store.read() as connection:
        known = practices.ids(connection)
    _by_command(store, "restored", now, {practice_id: named(practice_id) for practice_id in known})
    with store.read() as connection:
        store.audit.restart_heads(connection)


def add_taken(
    store: Store, practice_id: int, action: Action, detail: dict[str, Any], *, by: str | None, now: int
) -> None:
    """The entry that something is taken away; it is on disk before anything is."""
    store.write(
        lambda connection: store.audit.add(
            connection, practice_id, at=now, actor=by_user(by), action=action, subject=("file", None), detail=detail
        ),
        practice_id,
    )


def add_read_soon(
    store: Store,
    practice_id: int,
    action: Action,
    subject: tuple[str, str | None],
    detail: dict[str, Any] | None = None,
    *,
    by: str | None,
    now: int,
) -> None:
    """The entry that somebody looks at something; written within a second, so that the page does not wait for it."""
    store.write_soon(
        lambda connection: store.audit.add(
            connection, practice_id, at=now, actor=by_user(by), action=action, subject=subject, detail=detail
        ),
        practice_id,
    )


def _line(row: Sealed, names: Mapping[str, str], users: Mapping[str, str]) -> Line:
    entry = row.entry
    detail = None if row.detail is None else orjson.loads(row.detail.text)
    if detail is not None and "successor" in detail:
        detail["successor"] = names.get(detail["successor"], detail["successor"])
    kind, id_ = entry.subject
    return Line(
        entry.number,
        entry.at,
        entry.actor.kind,
        _name(entry.actor.kind, entry.actor.id, names, users),
        entry.action,
        entry.subject,
        _name(kind, id_, names, users),
        detail,
        row.detail is None and entry.digest is not None,
    )


def _name(kind: str, id_: str | None, names: Mapping[str, str], users: Mapping[str, str]) -> str | None:
    return names.get(users.get(id_ or "", "") if kind == "device" else id_ or "")


def _exported(row: Sealed) -> dict[str, Any]:
    entry = row.entry
    return {
        "practice_id": entry.practice_id,
        "number": entry.number,
        "at": entry.at,
        "actor_kind": entry.actor.kind,
        "actor_id": entry.actor.id,
        "action": entry.action,
        "subject_kind": entry.subject[0],
        "subject_id": entry.subject[1],
        "detail": None if row.detail is None else row.detail.text,
        "detail_salt": None if row.detail is None else row.detail.salt.hex(),
        "detail_digest": None if entry.digest is None else entry.digest.hex(),
        "previous": entry.previous.hex(),
        "seal": row.seal.hex(),
    }
