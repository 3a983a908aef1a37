"""What has come of age goes: audit details, whole patients, and the intervals of episodes that are over.

Each unit of work is small, leaves an erasure and an entry in the audit, and changes nothing that stays: a patient whose
other episodes would come out otherwise without the old rows keeps them. What a hold stands on is passed over.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import orjson

from backend.audit import Actor
from backend.billing.days import days_of
from backend.desk.afresh import differences_of, standing_of
from backend.desk.determine import settle, settle_some
from backend.desk.erasing import Counts, proof_until, remove_whole, spoken
from backend.desk.history import Background, claims_to_keep
from backend.desk.holds import Holding
from backend.desk.retention import before, periods_today
from backend.store import Connection, Store, episodes, erasures, intervals, patients, practices
from backend.store import audit as audit_rows
from backend.store import retention as ages
from backend.store.patients import DUE_AT_ONCE

PATIENTS_A_UNIT = 4
DETAILS_A_UNIT = 2000
"""How much goes in one unit of work: what else waits for the writer waits that long."""
A_DAY_MS = 86_400_000
LATELY_MS = 60 * A_DAY_MS


@dataclass(frozen=True, slots=True)
class Removed:
    """What went of one kind, or would go. `oldest`: the first instant that anything of it is from."""

    kind: str
    counts: Counts = field(default_factory=Counts)
    oldest: int | None = None

    def __add__(self, other: "Removed") -> "Removed":
        known = [at for at in (self.oldest, other.oldest) if at is not None]
        return Removed(self.kind, self.counts + other.counts, min(known, default=None))


@dataclass(frozen=True, slots=True)
class _Ages:
    """One practice's run: `days` and `instants`, by kind, from before which it goes."""

    store: Store
    practice_id: int
    actor: Actor
    now: int
    dry_run: bool
    days: Mapping[str, date]
    instants: Mapping[str, int]
    stopping: Callable[[], bool]
    taken: set[str] = field(default_factory=set)
    """Who goes, or would go, whole: the rest leaves them alone."""


def apply_retention(
    store: Store,
    practice_id: int,
    *,
    actor: Actor,
    now: int,
    dry_run: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Removed]:
    """Removes what is older than the practice keeps it; returns what went, by kind. Nothing is set: nothing goes.

    `dry_run`: the same work, each unit of which is taken back (so a row whose going hangs on another's that went in an
    earlier unit may be counted otherwise). Ends early, between two units, once `stopping` says so;
    the next run goes on from there.
    """
    with store.read() as connection:
        days = days_of(practices.by_id(connection, practice_id)["timezone"])
        today = days.date_of(now)
        periods = periods_today(connection, practice_id, today)
        everything = Holding(connection, practice_id).everything
    first = {kind: before(period, today) for kind, period in periods.items()}
    wanted = {kind: day for kind, day in first.items() if day > date(1970, 1, 2)}
    if not wanted or everything:
        return [Removed(kind) for kind in periods]
    settle(store, practice_id, now, stopping=stopping)
    run = _Ages(
        store,
        practice_id,
        actor,
        now,
        dry_run,
        wanted,
        {kind: days.midnight(day) for kind, day in wanted.items()},
        stopping,
    )
    work: dict[str, Callable[[_Ages], Removed]] = {"records": _records, "intervals": _intervals, "audit": _details}
    return [work[kind](run) if kind in wanted else Removed(kind) for kind in periods]


def is_borne_out(store: Store, practice_id: int, now: int) -> bool:
    """Whether the practice was at work under this clock before today: one that was set years ahead, or was never set,
    makes everything old at once. Whoever works that day is told: each device compares its clock with the server's."""
    with store.read() as connection:
        return audit_rows.has_entry_between(connection, practice_id, now - LATELY_MS, now - A_DAY_MS)


def _records(run: _Ages) -> Removed:
    with run.store.read() as connection:
        found = ages.not_touched_since(connection, run.practice_id, run.instants["records"], run.days["records"])
    run.taken.update(found)
    return _in_units(run, "records", found, _remove_records)


def _intervals(run: _Ages) -> Removed:
    with run.store.read() as connection:
        old = ages.with_old_intervals(connection, run.practice_id, run.instants["intervals"])
        found = [each for each in old if each not in run.taken and _plan(connection, run, each) is not None]
    return _in_units(run, "intervals", found, _remove_intervals)


def _in_units(
    run: _Ages, kind: str, patient_ids: list[str], remove: Callable[[_Ages, Collection[str], Connection], Removed]
) -> Removed:
    removed = Removed(kind)
    for start in range(0, len(patient_ids), PATIENTS_A_UNIT):
        if run.stopping():
            break
        some = patient_ids[start : start + PATIENTS_A_UNIT]
        removed += _write(run, partial(remove, run, some))
    return removed


def _write(run: _Ages, work: Callable[[Connection], Removed]) -> Removed:
    """One unit of work with its erasure and its entry; neither where nothing went."""

    def unit(connection: Connection) -> Removed:
        connection.execute("SAVEPOINT aging")
        with erasures.erasing(connection, run.practice_id, "age", at=run.now) as number:
            removed = work(connection)
        if removed.counts == Counts():
            connection.execute("ROLLBACK TO aging")
        else:
            run.store.audit.add(
                connection,
                run.practice_id,
                at=run.now,
                actor=run.actor,
                action="retention_applied",
                subject=("retention", removed.kind),
                detail={"erasure": number, **spoken(removed.counts)},
            )
        connection.execute("RELEASE aging")
        return removed

    return (run.store.attempt if run.dry_run else run.store.write)(unit, run.practice_id)


def _remove_records(run: _Ages, patient_ids: Collection[str], connection: Connection) -> Removed:
    """Whole patients with whom nothing happened since; looked at again, for something may have come meanwhile."""
    holding = Holding(connection, run.practice_id)
    removed = Removed("records")
    since = run.instants["records"], run.days["records"]
    for patient_id in ages.not_touched_since(connection, run.practice_id, *since, among=patient_ids):
        gone = erasures.whole(connection, run.practice_id, [patient_id])
        if holding.on_patients(gone.patients) is None:
            oldest = ages.last_day(connection, run.practice_id, gone.patients)
            counts = remove_whole(run.store.audit, connection, run.practice_id, gone, run.actor, run.now)
            removed += Removed("records", counts, oldest)
    return removed


@dataclass(frozen=True, slots=True)
class _Plan:
    """What goes of one patient: episodes that are closed, rows, and from when the oldest of them is."""

    closing: list[str]
    intervals: frozenset[str]
    oldest: int


def _plan(connection: Connection, run: _Ages, patient_id: str) -> _Plan | None:
    """Rows that no episode needs which stays, but for those that a staying correction says are wrong."""
    if Holding(connection, run.practice_id).on_patients([patient_id]) is not None:
        return None
    standing = standing_of(connection, run.practice_id, patient_id)
    over = [row for row in standing if row["closed_at"] is None and _is_over(connection, run, row)]
    kept: set[str] = set()
    for row in standing:
        if row["closed_at"] is None and row not in over:
            kept |= episodes.held(connection, run.practice_id, row["episode_id"])
            kept |= {piece[0] for piece in orjson.loads(row["pieces"])}
    rows = ages.old_intervals(connection, run.practice_id, patient_id, run.instants["intervals"])
    going = {row["interval_id"]: row for row in rows if row["interval_id"] not in kept}
    while waiting := _said_wrong(connection, run.practice_id, going):
        for interval_id in waiting:
            del going[interval_id]
    if not going:
        return None
    return _Plan(
        [row["episode_id"] for row in over], frozenset(going), min(row["started_at"] for row in going.values())
    )


def _is_over(connection: Connection, run: _Ages, row: Any) -> bool:
    """Whether an episode needs its rows no more: it is old enough, and proves no claim that is to be proved."""
    if row["window_end"] >= run.days["intervals"].isoformat():
        return False
    return row["approved_at"] is None or proof_until(connection, run.practice_id, [row], run.now) is None


def _said_wrong(connection: Connection, practice_id: int, going: Mapping[str, Any]) -> list[str]:
    """Those of the rows that correct one which stays: without its correction it would count again."""
    corrected = [row["corrects"] for row in going.values() if row["corrects"] and row["corrects"] not in going]
    there = intervals.known(connection, practice_id, corrected) if corrected else {}
    return [id_ for id_, row in going.items() if row["corrects"] in there]


def _remove_intervals(run: _Ages, patient_ids: Collection[str], connection: Connection) -> Removed:
    settle_some(connection, run.practice_id, patient_ids, run.now)
    removed = Removed("intervals")
    for patient_id in patient_ids:
        plan = _plan(connection, run, patient_id)
        if plan is None:
            continue
        connection.execute("SAVEPOINT patient")
        others = _close(connection, run, patient_id, plan)
        if _changes_what_stays(connection, run.practice_id, [patient_id, *sorted(others)]):
            connection.execute("ROLLBACK TO patient")
        else:
            removed += Removed("intervals", Counts(intervals=len(plan.intervals)), plan.oldest)
        connection.execute("RELEASE patient")
    return removed


def _close(connection: Connection, run: _Ages, patient_id: str, plan: _Plan) -> set[str]:
    """Returns the other patients who shared time with the rows that went."""
    claims, others = claims_to_keep(connection, run.practice_id, patient_id, plan.intervals)
    erasures.keep_claims(connection, run.practice_id, claims)
    for episode_id in plan.closing:
        episodes.set_closed(connection, run.practice_id, episode_id, at=run.now)
        episodes.add_event(connection, run.practice_id, episode_id, at=run.now, event="closed", detail={})
    erasures.remove_intervals(connection, run.practice_id, plan.intervals)
    return others


def _changes_what_stays(connection: Connection, practice_id: int, patient_ids: Iterable[str]) -> bool:
    """Whether deciding afresh gives one of the patients another episode than stands."""
    background = Background(connection, practice_id)
    return any(
        next(iter(differences_of(background, each)), None) is not None
        for each in patient_ids
        if patients.find(connection, practice_id, each)["due_at"] != DUE_AT_ONCE
    )


def _details(run: _Ages) -> Removed:
    """Of the audit: none while any hold stands, for its entries speak of everybody."""
    removed = Removed("audit")
    old = run.instants["audit"]
    with run.store.read() as connection:
        if Holding(connection, run.practice_id).any:
            return removed
        count, oldest = audit_rows.old_details(connection, run.practice_id, old)
    if run.dry_run:
        return Removed("audit", Counts(details=count), oldest)

    def work(connection: Connection) -> Removed:
        if Holding(connection, run.practice_id).any:
            return Removed("audit")
        erased, first = run.store.audit.erase_old(
            connection, run.practice_id, old, most=DETAILS_A_UNIT, at=run.now, actor=run.actor
        )
        return Removed("audit", Counts(details=erased), first)

    while not run.stopping() and (some := _write(run, work)).counts.details:
        removed += some
    return removed
