"""Settling: patients whose facts changed, or for whom a day began, get their episodes and determinations afresh.

A patient is computed as a whole from what is stored, so the order in which it arrived cannot matter. What stood before
only decides which id an episode keeps, and what its history says.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from prometheus_client import Counter

from backend.billing.days import MS_A_SECOND, Days, days_of
from backend.billing.determination import Determination, Piece, changes, determine, seconds_by, summary
from backend.billing.episodes import BuiltEpisode
from backend.billing.identity import ExistingEpisode, keep_identity
from backend.billing.rulebook import book, rules_on
from backend.desk.history import Background, History, claimed_by_others, is_fixed, read_histories
from backend.store import Connection, Store, episodes, patients, practices
from backend.store.intervals import WAS_NOBODYS, WAS_THEIRS
from backend.store.patients import DUE_AT_ONCE

SETTLED = Counter("threadtime_patients_settled_total", "Patients whose episodes were computed")

PATIENTS_A_UNIT = 4
"""How many patients are computed in one unit of work: what else waits for the writer waits that long."""

Fields = dict[str, Any]


def settle(
    store: Store,
    practice_id: int | None,
    now: int,
    *,
    stopping: Callable[[], bool] = lambda: False,
    as_job: bool = False,
) -> int:
    """Computes every patient that is due at `now` (of one practice, or of all); returns how many there were.

    After an update of the rules that is everybody. Ends early, between two units of work, once `stopping` says so; who
    was not reached stays due. `as_job`: leaves a practice to another process that settles it as its job now.
    """
    with store.read() as connection:
        wanted = practices.ids(connection) if practice_id is None else [practice_id]
        by_other_rules = practices.with_other_rules(connection, book().digest).intersection(wanted)
        due = [(each, list(patients.due(connection, each, now))) for each in wanted]
    if by_other_rules:
        for each in by_other_rules:
            store.write(partial(_take_up_rules, practice_id=each), each)
        return settle(store, practice_id, now, stopping=stopping, as_job=as_job)
    reached = 0
    for each, waiting in due:
        if waiting and not stopping():
            with store.claim(each) if as_job else nullcontext(True) as mine:
                reached += _settle_all(store, each, waiting, now, stopping) if mine else 0
    return reached


def settle_patient(store: Store, practice_id: int, patient_id: str, now: int) -> None:
    """As `settle`, of one patient and whoever claims the same time: to see one, nobody waits for everybody."""
    with store.read() as connection:
        by_other_rules = practice_id in practices.with_other_rules(connection, book().digest)
        if not by_other_rules and not patients.is_anybody_due(connection, practice_id, now):
            return
        wanted = bearing_on(connection, practice_id, patient_id)
        if not by_other_rules and not patients.due_among(connection, practice_id, wanted, now):
            return
    if by_other_rules:
        store.write(partial(_take_up_rules, practice_id=practice_id), practice_id)
    store.write(partial(settle_some, practice_id=practice_id, wanted=wanted, now=now), practice_id)


def bearing_on(connection: Connection, practice_id: int, patient_id: str) -> set[str]:
    """The patient, and everybody who claims time of theirs: what these wait for may change the patient's episodes."""
    claims = claimed_by_others(connection, practice_id, [patient_id])[patient_id]
    others = {each[1] for each in claims}
    return {patient_id, *others} - {WAS_NOBODYS, WAS_THEIRS}


def _settle_all(store: Store, practice_id: int, waiting: Sequence[str], now: int, stopping: Callable[[], bool]) -> int:
    reached = 0
    for start in range(0, len(waiting), PATIENTS_A_UNIT):
        if stopping():
            break
        some = waiting[start : start + PATIENTS_A_UNIT]
        store.write(partial(settle_some, practice_id=practice_id, wanted=some, now=now), practice_id)
        reached += len(some)
        SETTLED.inc(len(some))
    return reached


def _take_up_rules(connection: Connection, practice_id: int) -> None:
    patients.mark_practice_due(connection, practice_id)
    practices.set_rules_seen(connection, practice_id, book().digest)


def settle_some(connection: Connection, practice_id: int, wanted: Collection[str], now: int) -> None:
    """Computes those of the patients that are still due, inside a unit of work that is open."""
    due = patients.due_among(connection, practice_id, wanted, now)
    if not due:
        return
    group = set(due)
    background = Background(connection, practice_id)
    # Not of those for whom a day began: that changes nobody else's time.
    for claims in background.claims([each for each, due_at in due.items() if due_at == DUE_AT_ONCE]).values():
        group.update(each[1] for each in claims)
    group -= {WAS_NOBODYS, WAS_THEIRS}
    standing = episodes.touching(connection, practice_id, group)
    while not group.issuperset(holders := {row["patient_id"] for row in standing}):
        group |= holders
        standing = episodes.touching(connection, practice_id, group)
    _Settling(background, standing, now).run(sorted(group))


@dataclass(frozen=True, slots=True)
class Computed:
    """One episode, computed: what its row says, its determination, the rows it holds."""

    built: BuiltEpisode
    determination: Determination
    fields: Fields
    holds: frozenset[str]
    days: Days


def compute(history: History, now: int) -> list[Computed]:
    """The patient's episodes as of `now`, but for closed ones, whose work is gone and which stand as they were judged;
    depends on what is stored and on nothing else."""
    days = days_of(history.practice.timezone)
    closed = {each.episode_id for each in history.taken if each.closed}
    return [_computed(history, built, days, now) for built in history.built() if built.episode_id not in closed]


def _computed(history: History, built: BuiltEpisode, days: Days, now: int) -> Computed:
    determination = determine(history.case_of(built, now))
    pieces = determination.pieces
    fields = {
        "patient_id": history.patient_id,
        "family": built.family,
        "specialty": built.specialty,
        "anchored_at": built.anchored_at,
        "window_start": built.window_start.isoformat(),
        "window_end": built.window_end.isoformat(),
        "provisional": int(built.provisional),
        "status": determination.answer["status"],
        "settled_at": now,
        "summary": summary(determination.answer),
        "pieces": [list(_piece(each)) for each in pieces],
        **measures(pieces, built.window_start, days),
    }
    return Computed(built, determination, fields, frozenset(each.id for each in built.intervals), days)


def measures(pieces: Sequence[Piece], first: date, days: Days) -> Fields:
    """What a stored episode keeps of its pieces, so that a list need not read them."""
    return {
        "days": seconds_by_day(pieces, first, days),
        "shares": {"threads": _shares(pieces, "thread"), "clinicians": _shares(pieces, "clinician")},
    }


def seconds_by_day(pieces: Iterable[Piece], first: date, days: Days) -> list[int]:
    """Counted seconds of the seven days from `first`; they add up to the counted seconds.

    Two clinicians' shared second is one piece counted, so pieces never overlap. The part of a second that a day ends
    with goes to the next.
    """
    starts = [days.midnight(first + timedelta(days=each)) for each in range(8)]
    counted = [(each.started_at, each.ended_at) for each in pieces if each.counted]
    seconds, carried = [], 0
    for start, end in pairwise(starts):
        time = sum(max(0, min(to_at, end) - max(from_at, start)) for from_at, to_at in counted)
        whole, carried = divmod(time + carried, MS_A_SECOND)
        seconds.append(whole)
    return seconds


def _shares(pieces: Sequence[Piece], key: str) -> list[list[Any]]:
    """[[name, counted seconds]] of everybody in the pieces, those with nothing counted too."""
    names = dict.fromkeys(getattr(each, key) for each in pieces)
    seconds = seconds_by(pieces, key)
    return [[name, seconds.get(name, 0)] for name in names]


def _piece(each: Piece) -> tuple[Any, ...]:
    return (each.interval_id, each.clinician, each.thread, each.started_at, each.ended_at, each.counted, each.reason)


def next_due(computed: Iterable[Computed], zone: str, now: int) -> int | None:
    """The next local midnight while a day may still change an answer, else None."""
    days = days_of(zone)
    today = days.date_of(now)
    horizon = []
    for each in computed:
        built, answer = each.built, each.determination.answer
        rules = rules_on(built.family, None, built.window_start, answer["settings"])
        horizon.append(built.window_start + timedelta(days=rules["parameters"]["release_after_days"]))
        untils = [answer["hold_until"], *(one["until"] for one in answer["missing"])]
        horizon.extend(date.fromisoformat(until[:10]) for until in untils if until)
    if any(today <= day for day in horizon):
        return days.midnight(today + timedelta(days=1))
    return None


class _Settling:
    """One group of patients that is computed together."""

    def __init__(self, background: Background, standing: Sequence[Any], now: int) -> None:
        self.background = background
        self.connection = background.connection
        self.practice_id = background.practice_id
        self.now = now
        self.fixed = [row for row in standing if is_fixed(row)]
        self.open_rows = {row["episode_id"]: row for row in standing if not is_fixed(row)}
        # All is read before anything is written: a server then writes of one patient while the next is computed.
        self.latest: dict[str, tuple[str, dict[str, Any]]] = {}
        self.held: dict[str, list[Any]] = {}
        if standing:
            every = [row["episode_id"] for row in standing]
            self.latest = episodes.latest_answers(self.connection, self.practice_id, every)
            self.held = episodes.held_by(self.connection, self.practice_id, self.open_rows)

    def run(self, group: Sequence[str]) -> None:
        stays: set[str] = set()
        due: dict[str, int | None] = {}
        own = {each: [row for row in self.fixed if row["patient_id"] == each] for each in group}
        homes = {id_: _home(self.held[id_], row["anchored_at"]) for id_, row in self.open_rows.items()}
        for history in read_histories(self.background, own):
            patient_id = history.patient_id
            computed = compute(history, self.now)
            existing = [
                ExistingEpisode(id_, row["family"], row["anchored_at"], row["opened_at"], row["specialty"])
                for id_, row in self.open_rows.items()
                if homes[id_] == patient_id
            ]
            stays |= self._patient(history, computed, existing)
            self._approved(computed, {row["episode_id"]: row for row in own[patient_id] if row["closed_at"] is None})
            due[patient_id] = next_due(computed, history.practice.timezone, self.now)
        for id_ in self.open_rows.keys() - stays:
            self._gone(id_, None, "emptied", {})
        patients.set_due(self.connection, self.practice_id, due)

    def _patient(self, history: History, computed: Sequence[Computed], existing: Sequence[ExistingEpisode]) -> set[str]:
        """Writes the patient's open episodes; returns the ids that are spoken for."""
        fresh = [each for each in computed if each.built.episode_id is None]
        kept, joined = keep_identity(existing, [each.built for each in fresh])
        # First those that go and then those that stay: a row that is held moves on with its interval.
        for gone, into in joined:
            self._gone(gone, into, "joined_into", {"episode": into})
        for (id_, _), one in zip(kept, fresh, strict=True):
            if id_ is None:
                self._open(one)
            else:
                self._change(id_, one, history)
        for gone, into in joined:
            self._event(into, "joined", {"episode": gone})
        return {id_ for id_, _ in kept if id_ is not None} | {gone for gone, _ in joined}

    def _open(self, one: Computed) -> None:
        id_ = uuid.uuid4().hex
        determination_id = uuid.uuid4().hex
        episodes.insert(
            self.connection,
            self.practice_id,
            id_,
            self.now,
            one.fields | {"determination_id": determination_id},
        )
        self._add_determination(id_, determination_id, one.determination.answer)
        episodes.hold(self.connection, self.practice_id, id_, one.holds, frozenset())
        self._event(id_, "opened", {"window_start": one.fields["window_start"], "provisional": one.built.provisional})

    def _change(self, id_: str, one: Computed, history: History) -> None:
        row = self.open_rows[id_]
        determination_id, before = self.latest[id_]
        if row["patient_id"] != history.patient_id:
            self._event(id_, "patient_learned", {})
        moved = {
            name: {"before": row[name], "after": one.fields[name]}
            for name in ("anchored_at", "window_start")
            if row[name] != one.fields[name]
        }
        if moved:
            self._event(id_, "moved", moved)
        if row["provisional"] and not one.built.provisional:
            self._event(id_, "inquiry_learned", {"at": _first_asked(one.built)})
        if not same_answer(before, one.determination.answer):
            determination_id = uuid.uuid4().hex
            what = changes(before, one.determination.answer)
            self._add_determination(id_, determination_id, {**one.determination.answer, "changes": what})
            self._event(id_, "judged", {"changes": what})
        episodes.update(self.connection, self.practice_id, id_, one.fields | {"determination_id": determination_id})
        holds = {held["interval_id"] for held in self.held[id_]}
        episodes.hold(self.connection, self.practice_id, id_, one.holds, holds)

    def _approved(self, computed: Sequence[Computed], rows: Mapping[str, Any]) -> None:
        """What was approved stays; an answer that late data would change stands beside it, under a flag."""
        afresh = {each.built.episode_id: each.determination.answer for each in computed}
        for id_, row in rows.items():
            settled = episodes.answer(self.connection, self.practice_id, row["determination_id"])
            latest = self.latest.get(id_)
            answer = afresh.get(id_)
            if answer is None or latest is None:
                differs = True  # nothing of its work is left
            else:
                differs = not same_answer(settled, answer)
                if not same_answer(latest[1], answer):
                    what = changes(settled, answer)
                    self._add_determination(id_, uuid.uuid4().hex, {**answer, "changes": what})
                    self._event(id_, "late_data" if differs else "late_data_settled", {"changes": what})
            if differs and answer is None and not row["flagged"]:
                self._event(id_, "late_data", {"changes": []})
            episodes.set_flag(self.connection, self.practice_id, id_, flagged=differs, settled_at=self.now)

    def _gone(self, id_: str, into: str | None, event: str, detail: Mapping[str, Any]) -> None:
        self._event(id_, event, detail)
        episodes.set_gone(self.connection, self.practice_id, id_, gone_at=self.now, joined_into=into)

    def _add_determination(self, id_: str, determination_id: str, answer: Mapping[str, Any]) -> None:
        episodes.add_determination(
            self.connection, self.practice_id, id_, determination_id=determination_id, at=self.now, answer=answer
        )

    def _event(self, id_: str, event: str, detail: Mapping[str, Any]) -> None:
        episodes.add_event(self.connection, self.practice_id, id_, at=self.now, event=event, detail=detail)


def _home(held: Iterable[Any], anchored_at: int) -> str | None:
    """Whose the row is that the episode is anchored in (else its earliest): an episode goes where its anchor goes."""

    def place(row: Any) -> tuple[bool, int, str]:
        return not row["started_at"] <= anchored_at < row["ended_at"], row["started_at"], row["interval_id"]

    first = min(held, key=place, default=None)
    return None if first is None else str(first["patient_id"])


def same_answer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two answers say the same; `changes` only tells what was said before."""
    return {**one, "changes": []} == {**other, "changes": []}


def _first_asked(built: BuiltEpisode) -> int | None:
    known = [each.at for each in built.inquiries if each.at is not None and not each.implied]
    return min(known, default=None)
