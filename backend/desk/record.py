"""Recording: what a device sent becomes rows, each exactly once.

A row is written as it came and never changed. What is stored under the ids of a request is asked with all else that is
to be known of it: nobody else writes for the practice meanwhile, so what is not found there is new.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from prometheus_client import Counter

from backend.audit import Actor
from backend.auth.roles import may
from backend.billing.spans import Span
from backend.desk.devices import Device
from backend.desk.facts import Speaker, audit_answers, learn_within
from backend.desk.marking import marked_for
from backend.errors import NotAllowed
from backend.schemas.facts import key_of
from backend.schemas.kinds import KINDS
from backend.store import Connection, Store, facts, intervals, merged, patients, practices
from backend.store.audit import End
from backend.store.patients import Reference, Spoken

Row = dict[str, Any]
Rejected = tuple[str | None, int, str]
Content = tuple[Any, ...]

ROWS = Counter("threadtime_interval_rows_total", "Rows that devices sent, by what became of them", ["outcome"])

CLOCK_OFF_MS = 120_000
"""Rows of a device whose clock is further off than this are marked."""
_OPTIONAL = ("tab", "linked_from", "corrects", "reason", "problem")
_PLAIN = ("portal", "thread", "patient", "activity", "started_at", "ended_at", "ended_by", "idle_after_seconds")
_CONFLICT = "this id is already stored with other content"


@dataclass(slots=True)
class Outcome:
    """What became of a request's rows: each stands in exactly one list."""

    accepted: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)  # (id, index, reason)


def record(store: Store, device: Device, rows: Sequence[tuple[int, Row]], *, sent_at: int, received_at: int) -> Outcome:
    """Stores `rows`, [(index in the request, row)]; accepted and duplicate ones are on disk when this returns.

    The rows have the shape of the wire (`schemas.intervals.load_rows`). One whose id is stored with the same fields
    by the same clinician is a duplicate; with others, or by another clinician, it is rejected, as are a portal that
    the practice does not have and a correction of an interval that is not this clinician's, nor one that they may mark
    for a colleague. NotAllowed: a device of somebody who records no time, such as a manager's feed of facts.
    """
    if not may(device.roles, "record time"):
        raise NotAllowed("Only a clinician or staff records time; whose device this is has neither role.")

    def work(connection: Connection) -> Outcome:
        batch = _Batch(connection, device, rows, sent_at, received_at)
        end: End | None = End(connection, device.practice_id)  # travels with the first query
        outcome = batch.record()
        if readings := _readings(outcome, rows):
            end = None  # what is attested has entries of its own
            _attest(store, connection, device, readings, received_at)
        if outcome.accepted:
            store.audit.add(
                connection,
                device.practice_id,
                at=received_at,
                actor=Actor("device", device.device_id),
                action="time_recorded",
                subject=("user", device.user_id),
                detail=_accepted(outcome.accepted),
                end=end,
            )
        colleagues = {batch.marked[id_] for id_ in outcome.accepted if id_ in batch.marked}
        audit_answers(store, connection, device.practice_id, colleagues, "mark", by=device.user_id, now=received_at)
        return outcome

    outcome = store.write(work, device.practice_id)
    for name in ("accepted", "duplicate", "rejected"):
        ROWS.labels(name).inc(len(getattr(outcome, name)))
    return outcome


def _readings(outcome: Outcome, rows: Sequence[tuple[int, Row]]) -> list[Row]:
    """The new rows that are the clinician's own word: whoever says "I was reading" has said that it was work."""
    found = [row for _, row in rows if row.get("entry") == "attested_reading"]
    accepted = set(outcome.accepted) if found else set()
    return [row for row in found if row["id"] in accepted]


def _attest(store: Store, connection: Connection, device: Device, rows: Sequence[Row], now: int) -> None:
    """Keeps that word as the fact that it is, where the clinician has not said otherwise: of the row itself, whichever
    came first, or of the one that it corrects, for a mark that is taken back changes no earlier word."""
    if "clinician" not in device.roles:
        return  # staff time is never counted, and nobody asks for their word
    words = []
    for row in rows:
        if _said_of(connection, device, row, row["id"]) is None:
            earlier = _said_of(connection, device, row, row["corrects"]) if "corrects" in row else None
            words.append({"interval": row["id"], "attested": earlier is None or earlier == {"attested": True}})
    if not words:
        return
    by = Speaker(device.user_id, device.roles)
    learn_within(store, connection, device.practice_id, "attested_time", words, now=now, by=by)


def _said_of(connection: Connection, device: Device, row: Row, interval_id: str) -> dict[str, bool] | None:
    """What the clinician last said of an interval on the row's thread or patient, empty where they took it back;
    None where they said nothing."""
    kind, portal = KINDS["attested_time"], row["portal"]
    reference = None if row["patient"] is None else (portal, row["patient"])
    said = facts.latest(
        connection,
        device.practice_id,
        kind=kind.name,
        key=f"{device.user_id} {key_of(kind, {'interval': interval_id})}",
        patient_id=None if reference is None else patients.known(connection, device.practice_id, reference),
        portal=portal,
        thread=row["thread"],
    )
    if said is None:
        return None
    body = orjson.loads(said["body"]) or {}
    return {name: body[name] for name in ("attested",) if name in body}


def _accepted(ids: list[str]) -> dict[str, Any]:
    """How many intervals, and the digest of their ids, sorted, one a line."""
    return {"intervals": len(ids), "ids": hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()}


class _Batch:
    """One request's rows on their way into the database."""

    def __init__(
        self, connection: Connection, device: Device, rows: Sequence[tuple[int, Row]], sent_at: int, received_at: int
    ) -> None:
        self.connection = connection
        self.rows = rows
        self.device = device
        self.practice_id = device.practice_id
        self.sent_at = sent_at
        self.received_at = received_at
        self.outcome = Outcome()
        self.marked: dict[str, str] = {}  # id of a row -> user_id of the colleague whose time it marks

        named = {row[name] for _, row in rows for name in ("id", "corrects") if name in row}
        self.asked = intervals.ask(connection, device.practice_id, named)
        self.known = patients.Known(connection, device.practice_id, _spoken(row for _, row in rows))

    def record(self) -> Outcome:
        portals = practices.portal_keys(self.connection, self.practice_id)  # with it travels what was asked before
        stored = {row["interval_id"]: row for row in self.asked}
        first: dict[str, tuple[int, Row]] = {}
        again: list[tuple[int, Row]] = []
        for index, row in self._usable(portals, stored):
            if row["id"] in first:
                again.append((index, row))
            else:
                first[row["id"]] = (index, row)
        self._insert([row for id_, (_, row) in first.items() if id_ not in stored])
        for id_, (index, row) in first.items():
            if id_ in stored:
                self._judge(index, row, _stored(stored[id_]))
            else:
                self.outcome.accepted.append(id_)
        for index, row in again:
            id_ = row["id"]
            self._judge(index, row, _stored(stored[id_]) if id_ in stored else self._sent(first[id_][1]))
        return self.outcome

    def _usable(self, portals: Collection[str], stored: Mapping[str, Any]) -> Iterable[tuple[int, Row]]:
        """The rows of these portals that correct nothing, an interval of this clinician, or one that they may
        mark for a colleague. `stored`: by id, the rows of which they speak."""
        mine = {id_ for id_, row in stored.items() if row["user_id"] == self.device.user_id}
        others = [row for _, row in self.rows if "corrects" in row and row["corrects"] not in mine]
        self.marked = marked_for(self.connection, self.device, others, stored, self.received_at)
        for index, row in self.rows:
            if row["portal"] not in portals:
                self._reject(index, row, "portal is not one of this practice")
            elif "corrects" in row and row["corrects"] not in mine and row["id"] not in self.marked:
                self._reject(index, row, "corrects names no interval of this clinician")
            else:
                if row["id"] not in stored and row["id"] not in self.marked:
                    mine.add(row["id"])  # a later row of this request may correct it
                yield index, row

    def _insert(self, rows: list[Row]) -> None:
        """Inserts new rows with the patients and threads that they speak of."""
        connection, practice_id = self.connection, self.practice_id
        patient_of, owner_of, changed = patients.introduce(
            connection, practice_id, _spoken(rows), self.received_at, self.known
        )
        values = [self._values(row, patient_of, owner_of) for row in rows]
        intervals.insert(connection, values)
        changed.update(each[4] for each in values)
        merged.add(connection, practice_id, self.device.user_id, _spans(values))
        corrected = [row["corrects"] for row in rows if "corrects" in row]
        if corrected:
            changed |= intervals.patients_of(connection, practice_id, corrected)
            merged.rebuild(connection, practice_id, changed)
        patients.mark_due(connection, practice_id, changed)

    def _values(
        self, row: Row, patient_of: Mapping[Reference, str], owner_of: Mapping[Reference, str]
    ) -> tuple[Any, ...]:
        """The row in the order of the table's columns."""
        get = row.get
        portal, thread = row["portal"], row["thread"]
        named_id = None if row["patient"] is None else patient_of[portal, row["patient"]]
        offset = self.received_at - self.sent_at
        return (
            self.practice_id,
            row["id"],
            self._whose(row),
            self.device.device_id,
            named_id or owner_of[portal, thread],
            portal,
            thread,
            named_id,
            row["activity"],
            row["started_at"],
            row["ended_at"],
            row["ended_by"],
            row["idle_after_seconds"],
            get("entry", "measured"),
            get("tab"),
            get("linked_from"),
            1 if get("recovered") else None,
            get("corrects"),
            get("reason"),
            get("problem"),
            self.sent_at,
            self.received_at,
            offset,
            1 if abs(offset) > CLOCK_OFF_MS else 0,
        )

    def _judge(self, index: int, row: Row, stored: Content) -> None:
        if self._sent(row) == stored:
            self.outcome.duplicate.append(row["id"])
        else:
            self._reject(index, row, _CONFLICT)

    def _reject(self, index: int, row: Row, reason: str) -> None:
        self.outcome.rejected.append((row["id"], index, reason))

    def _whose(self, row: Row) -> str:
        return self.marked.get(row["id"], self.device.user_id)

    def _sent(self, row: Row) -> Content:
        """The clinician and the wire fields; an absent one is what it stands for."""
        return (
            self._whose(row),
            *(row[name] for name in _PLAIN),
            row.get("entry", "measured"),
            bool(row.get("recovered")),
            *(row.get(name) for name in _OPTIONAL),
        )


def _spoken(rows: Iterable[Row]) -> Iterable[Spoken]:
    return ((row["portal"], row["thread"], row["patient"]) for row in rows)


def _spans(values: Iterable[tuple[Any, ...]]) -> dict[str, list[Span]]:
    """patient_id -> the time of the rows, which are in the order of the table's columns, but for the idle screen's and
    for corrections, after which the patient's time is merged afresh."""
    found: dict[str, list[Span]] = {}
    for each in values:
        if each[8] != "idle" and each[17] is None:
            found.setdefault(each[4], []).append((each[9], each[10]))
    return found


def _stored(row: Any) -> Content:
    """The same of a stored row."""
    return (
        row["user_id"],
        *(row[name] for name in _PLAIN),
        row["entry"],
        bool(row["recovered"]),
        *(row[name] for name in _OPTIONAL),
    )
