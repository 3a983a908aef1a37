"""Erasing a person: a patient with all that is stored of them, or the name and the address of somebody who left.

Everything goes in one unit of work, which leaves an erasure; the audit's chain stays valid, and no one else's minutes
change. Who was erased is known beside the audit's key as well, so that a backup from before does not bring them back.
"""

import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from backend.audit import SERVER, Actor, by_user
from backend.billing.days import days_of
from backend.desk.accounts import keep_an_administrator
from backend.desk.history import claims_to_keep
from backend.desk.holds import Holding, find_patient, find_user, reason_of, refuse_held
from backend.desk.retention import ends, proof_period, today_of
from backend.errors import Conflict
from backend.store import Connection, Store, erasures, intervals, patients, people, practices
from backend.store import retention as ages
from backend.store.audit import Audit
from backend.store.erasures import Cause, Whole

ERASED = "erased-"
"""How the address of an erased person begins; it has no @, so nobody signs in with it."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows of each sort go, or went."""

    patients: int = 0
    """With a reference; beside them go those that stand in for a thread."""
    threads: int = 0
    intervals: int = 0
    facts: int = 0
    episodes: int = 0
    details: int = 0
    """Of the audit's entries."""

    def __add__(self, other: "Counts") -> "Counts":
        names = self.__slots__
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in names})


def erase_patient(
    store: Store,
    practice_id: int,
    *,
    portal: str | None,
    reference: str,
    despite: str | None = None,
    by: str | None,
    now: int,
    dry_run: bool = False,
) -> Counts:
    """Removes a patient: the reference, intervals, facts, episodes with their determinations, threads, and what audit
    entries say of them. `despite`: why although what proves a claim goes with it.

    NotFound: nobody is stored under that reference. Conflict: a hold stands on it, or it proves a claim and `despite`
    is None. BadInput: the reason has the reference. `dry_run`: says how much would go, or refuses, and changes nothing.
    """
    reason = None if despite is None else reason_of(despite, (reference,))

    def work(connection: Connection) -> Counts:
        patient_id = find_patient(connection, practice_id, portal, reference)
        gone = erasures.whole(connection, practice_id, [patient_id])
        refuse_held(Holding(connection, practice_id).on_patients([*gone.patients, patient_id]))
        proving = ages.approvals(connection, practice_id, gone.patients)
        _refuse_proof(connection, practice_id, proving, reason, now)
        return _erase(store.audit, connection, practice_id, gone, reason, by, by_user(by), now)

    return _done(store, practice_id, work, dry_run=dry_run)


def erase_user(
    store: Store,
    practice_id: int,
    *,
    email: str,
    despite: str | None = None,
    by: str | None,
    now: int,
    dry_run: bool = False,
) -> Counts:
    """Removes a person's name, address, password and sessions, and closes the account; what they recorded stays under
    their random id, since billed time needs whose it was. Errors as of `erase_patient`; Conflict also: it is the only
    administrator."""

    def work(connection: Connection) -> Counts:
        user = find_user(connection, practice_id, email)
        reason = None if despite is None else reason_of(despite, (user.email, user.name))
        refuse_held(Holding(connection, practice_id).on_user(user.user_id))
        proving = ages.approvals_of(connection, practice_id, user.user_id)
        _refuse_proof(connection, practice_id, proving, reason, now)
        keep_an_administrator(connection, user)
        _erase_user(store.audit, connection, practice_id, user.user_id, reason, by, by_user(by), now)
        return Counts()

    return _done(store, practice_id, work, dry_run=dry_run)


def _done(store: Store, practice_id: int, work: Callable[[Connection], Counts], *, dry_run: bool) -> Counts:
    if dry_run:
        return store.attempt(work, practice_id)
    counts = store.write(work, practice_id)
    store.move_audit_heads()
    store.engine.wipe()
    return counts


@dataclass(frozen=True, slots=True)
class Back:
    """Somebody who was erased and is in the database again: `kind` patient or user, and the random id they had."""

    practice_id: int
    kind: str
    id: str


def come_back(connection: Connection, erased: Collection[tuple[int, str, str]]) -> list[Back]:
    """Who of those that were erased is in the database: an older state of it was put back."""
    found = []
    for practice_id, kind, id_ in sorted(erased):
        if kind == "patient":
            there = patients.find(connection, practice_id, id_) is not None
        else:
            user = people.find_user(connection, practice_id, id_)
            there = user is not None and not is_erased(user)
        if there:
            found.append(Back(practice_id, kind, id_))
    return found


def erase_again(store: Store, *, now: int) -> list[Back]:
    """Erases who was erased and came back with an older state of the database, whatever holds stood in that state."""
    erased = frozenset() if store.audit.heads is None else store.audit.heads.read().erased
    if not erased:
        return []
    with store.read() as connection:
        found = come_back(connection, erased)
    for practice_id in sorted({each.practice_id for each in found}):
        own = [each for each in found if each.practice_id == practice_id]
        store.write(partial(_erase_all, audit=store.audit, practice_id=practice_id, found=own, now=now), practice_id)
    if found:
        store.move_audit_heads()
        store.engine.wipe()
    return found


def _erase_all(connection: Connection, audit: Audit, practice_id: int, found: Iterable[Back], now: int) -> None:
    ids = [each.id for each in found if each.kind == "patient"]
    if ids:
        gone = erasures.whole(connection, practice_id, ids)
        _erase(audit, connection, practice_id, gone, None, None, SERVER, now)
    for each in found:
        if each.kind == "user":
            _erase_user(audit, connection, practice_id, each.id, None, None, SERVER, now)


def is_erased(user: people.UserRow) -> bool:
    return user.email == f"{ERASED}{user.user_id}"


def _refuse_proof(
    connection: Connection, practice_id: int, approved: Iterable[Any], reason: str | None, now: int
) -> None:
    """Conflict where an approved episode is still to be kept as the proof of its claim, and no reason was given."""
    until = proof_until(connection, practice_id, approved, now)
    if until is not None and reason is None:
        raise Conflict(
            f"An approved episode proves a claim and is kept until {until} (45 CFR 164.316(b)(2)(i)): "
            "--despite-retention with a reason erases it all the same."
        )


def proof_until(connection: Connection, practice_id: int, approved: Iterable[Any], now: int) -> date | None:
    """The day until which approved episodes (window_end, approved_at) are kept; None where no claim needs them."""
    today = today_of(connection, practice_id, now)
    period = proof_period(connection, practice_id, today)
    days = days_of(practices.by_id(connection, practice_id)["timezone"])
    last = [max(date.fromisoformat(row["window_end"]), days.date_of(row["approved_at"])) for row in approved]
    until = ends(period, max(last)) if last else today
    return until if until > today else None


def _erase(
    audit: Audit,
    connection: Connection,
    practice_id: int,
    gone: Whole,
    reason: str | None,
    by: str | None,
    actor: Actor,
    now: int,
) -> Counts:
    """The deed itself, in a unit of work that is open, with the entry that says so."""
    with erasures.erasing(connection, practice_id, "patient", gone.patients, reason=reason, by=by, at=now) as number:
        counts = remove_whole(audit, connection, practice_id, gone, actor, now)
        for patient_id in gone.patients:
            audit.add(
                connection,
                practice_id,
                at=now,
                actor=actor,
                action="patient_erased",
                subject=("patient", patient_id),
                detail={"erasure": number, **spoken(counts)},
            )
    return counts


def remove_whole(audit: Audit, connection: Connection, practice_id: int, gone: Whole, actor: Actor, now: int) -> Counts:
    """Removes patients where rows may go, and has whoever they shared time with computed again."""
    concerned = intervals.patients_of(connection, practice_id, gone.corrected)
    for patient_id in gone.patients:
        claims, others = claims_to_keep(connection, practice_id, patient_id, frozenset(gone.intervals))
        erasures.keep_claims(connection, practice_id, claims)
        concerned |= others
    subjects = [*(("episode", each) for each in gone.episodes), *(("patient", each) for each in gone.patients)]
    details = audit.erase(connection, practice_id, subjects, at=now, actor=actor)
    erasures.remove(connection, practice_id, gone, uuid.uuid4().hex if gone.shared else None, now)
    patients.mark_due(connection, practice_id, sorted(concerned - set(gone.patients)))
    return Counts(
        len(gone.referred),
        len(gone.threads),
        len(gone.intervals),
        len(gone.facts),
        len(gone.episodes),
        details,
    )


def spoken(counts: Counts) -> dict[str, int]:
    """What an audit entry says of them."""
    named = {name: getattr(counts, name) for name in counts.__slots__}
    return {name: count for name, count in named.items() if count}


def _erase_user(
    audit: Audit,
    connection: Connection,
    practice_id: int,
    user_id: str,
    reason: str | None,
    by: str | None,
    actor: Actor,
    now: int,
) -> None:
    cause: Cause = "user"
    with erasures.erasing(connection, practice_id, cause, [user_id], reason=reason, by=by, at=now) as number:
        erasures.erase_user(
            connection, practice_id, user_id, name=f"Erased {user_id[:6]}", email=f"{ERASED}{user_id}", now=now
        )
        audit.add(
            connection,
            practice_id,
            at=now,
            actor=actor,
            action="user_erased",
            subject=("user", user_id),
            detail={"erasure": number},
        )
