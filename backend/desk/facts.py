"""Facts: what a person says or a feed brings. Each is a row of its own that nobody changes; the latest word counts."""

import hashlib
from collections import ChainMap, Counter
from collections.abc import Iterable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Literal

import orjson

from backend.audit import by_user
from backend.billing.reading import FactsError, instant
from backend.desk.delegations import answers_for
from backend.errors import BadInput, NotAllowed
from backend.schemas.facts import FactRow, fact_row, key_of
from backend.schemas.kinds import CLINICIAN, KINDS, READINGS, Kind
from backend.store import Connection, Store, facts, intervals, patients, people, practices

ROWS_A_UNIT = 100
"""How many rows travel in one unit of work: what else waits for the writer waits that long."""

CLOCKS_DIFFER_MS = 120_000
"""How far the clock of whoever looked may be ahead of this one."""

_Identity = tuple[str | None, ...]
_Told = MutableMapping[_Identity, str]
"""What a trial run has said so far: nothing of it is in the database."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """The person who says it."""

    user_id: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of one row: `changes` [{"field", "before", "after"}] of a changed one, `reason` of a refused one."""

    outcome: Literal["new", "changed", "known", "refused"]
    reason: str | None = None
    changes: list[dict[str, Any]] = field(default_factory=list)


def kind_named(name: str) -> Kind:
    """BadInput says which kinds there are."""
    if name not in KINDS:
        raise BadInput(f"There is no kind of fact {name[:50]!r}; there are {', '.join(KINDS)}.")
    return KINDS[name]


def learn(
    store: Store,
    practice_id: int,
    kind_name: str,
    rows: Iterable[object],
    *,
    source: str,
    now: int,
    by: Speaker | None = None,
    dry_run: bool = False,
) -> list[Heard]:
    """Takes in rows of one kind (`schemas.kinds`), each judged by itself; returns what became of each, in order.

    Everybody whom a new or changed row concerns is determined again. A row that says what was said last is known and
    changes nothing. `by` None: the command line, whose attestations name their clinician. `dry_run`: the same answer,
    and nothing is kept. BadInput: an unknown kind. NotAllowed: a kind that this person may not say.
    """
    kind = kind_named(kind_name)
    if by is not None and not by.roles & kind.said_by:
        raise NotAllowed(f"{' or '.join(sorted(kind.said_by)).capitalize()} may say this; you have another role.")
    heard: list[Heard] = []
    told: _Told = {}

    def work(connection: Connection, batch: Sequence[object]) -> tuple[list[Heard], Mapping[_Identity, str]]:
        listener = _Listener(connection, practice_id, kind, source, by, now, ChainMap({}, told))
        found = [listener.hear(raw) for raw in batch]
        _keep(store, listener, found)
        return found, listener.told.maps[0]

    waiting = iter(rows)
    while batch := list(islice(waiting, ROWS_A_UNIT)):
        run = store.attempt if dry_run else store.write
        found, said = run(partial(work, batch=batch), practice_id)
        heard += found
        if dry_run:  # the next batch would find it stored
            told.update(said)
    return heard


def learn_within(
    store: Store,
    connection: Connection,
    practice_id: int,
    kind_name: str,
    rows: Iterable[object],
    *,
    now: int,
    by: Speaker,
) -> list[Heard]:
    """`learn` of what a person said, in a unit of work that is under way."""
    listener = _Listener(connection, practice_id, kind_named(kind_name), "person", by, now, ChainMap({}))
    found = [listener.hear(raw) for raw in rows]
    _keep(store, listener, found)
    return found


def _keep(store: Store, listener: "_Listener", found: Sequence[Heard]) -> None:
    """Has whom it concerns determined again, and the audit say so."""
    connection, practice_id = listener.connection, listener.practice_id
    by = None if listener.by is None else listener.by.user_id
    patients.mark_due(connection, practice_id, listener.concerned)
    for portal in listener.portals:
        patients.mark_portal_due(connection, practice_id, portal)
    if listener.stored:
        store.audit.add(
            connection,
            practice_id,
            at=listener.now,
            actor=by_user(by),
            action="facts_learned",
            subject=("facts", listener.kind.name),
            detail=_learned(listener.source, found, listener.stored),
        )
    audit_answers(store, connection, practice_id, listener.answered_for, listener.kind.name, by=by, now=listener.now)


def audit_answers(
    store: Store,
    connection: Connection,
    practice_id: int,
    colleagues: Iterable[str],
    kind: str,
    *,
    by: str | None,
    now: int,
) -> None:
    """An entry for each colleague in whose place somebody answered; `kind`: of fact, or a mark."""
    for colleague in sorted(colleagues):
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=by_user(by),
            action="answered_for_colleague",
            subject=("user", colleague),
            detail={"kind": kind},
        )


def _learned(source: str, heard: Iterable[Heard], stored: Iterable[str]) -> dict[str, Any]:
    """How many rows of each outcome, and the digest of what was stored, a line each."""
    counts: Counter[str] = Counter(each.outcome for each in heard)
    return {**counts, "source": source, "stored": hashlib.sha256("".join(stored).encode()).hexdigest()}


class _Refused(Exception):
    """One row cannot be used; the message says why."""


@dataclass(slots=True)
class _About:
    """What one fact is about, as it is stored."""

    portal: str
    patient: str | None = None
    """The portal's own identifier."""
    patient_id: str | None = None
    """None: nobody is stored under that identifier yet."""
    thread: str | None = None


@dataclass(slots=True)
class _Listener:
    """Rows of one kind on their way into the database, in one unit of work."""

    connection: Connection
    practice_id: int
    kind: Kind
    source: str
    by: Speaker | None
    now: int
    told: ChainMap[_Identity, str]
    concerned: set[str] = field(default_factory=set)
    portals: set[str] = field(default_factory=set)
    stored: list[str] = field(default_factory=list)
    answered_for: set[str] = field(default_factory=set)
    _own_group: str = field(init=False)
    _known_portals: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._own_group = practices.by_id(self.connection, self.practice_id)["key"]
        self._known_portals = sorted(practices.portal_keys(self.connection, self.practice_id))

    def hear(self, raw: object) -> Heard:
        try:
            row = fact_row(self.kind, raw, own_group=self._own_group)
            return self._say(row)
        except FactsError as problem:
            return Heard("refused", f"{problem.field} {problem.message}".strip())
        except _Refused as problem:
            return Heard("refused", str(problem))

    def _say(self, row: FactRow) -> Heard:
        whose = self._whose(row)
        body = self._with_people(row.body)
        about = self._about(row, self._portal(row), whose)
        self._check_own(about, whose)
        if row.interval is not None:
            body["interval"] = row.interval
        if self.kind.name in READINGS and instant(body["read_at"]) > self.now + CLOCKS_DIFFER_MS:
            raise _Refused("read_at is in the future; it says until when the list was looked through")
        key = key_of(self.kind, body)
        if self.kind.attests:  # two clinicians' words stand beside each other
            key = f"{whose} {key}"
        if self.kind.name == "threads":
            self._make_known(about)
            body = {"patient_id": about.patient_id}
        identity = (about.portal, about.patient, about.thread, key)
        stored, said_for = self._latest(about, key)
        before = self.told.get(identity) or stored
        said = None if row.withdrawn else body
        after = orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()
        if (before or "null") == after:
            return Heard("known")
        if self._colleague(whose) is not None and said_for is None and stored not in (None, "null"):
            raise _Refused("the colleague has said this themselves, and only they say otherwise")
        self.told[identity] = after
        self._store(about, key, said, whose)
        self.stored.append(f"{key}\t{after}\n")
        earlier = orjson.loads(before) if before is not None else None
        return Heard("new") if earlier is None else Heard("changed", changes=_changes(earlier, said or {}))

    def _make_known(self, about: _About) -> None:
        """Gives the patient a row, where there is none yet."""
        if about.patient is not None and about.patient_id is None:
            spoken = (about.portal, None, about.patient)
            patient_of, _, _ = patients.introduce(self.connection, self.practice_id, [spoken], self.now)
            about.patient_id = patient_of[about.portal, about.patient]

    def _latest(self, about: _About, key: str) -> tuple[str | None, str | None]:
        """The body last stored about the key, and for which colleague it was said."""
        if about.patient is not None and about.patient_id is None:
            return None, None
        found = facts.latest(
            self.connection,
            self.practice_id,
            kind=self.kind.name,
            key=key,
            patient_id=about.patient_id,
            portal=about.portal,
            thread=about.thread,
        )
        if found is None:
            return None, None
        return orjson.dumps(orjson.loads(found["body"]), option=orjson.OPT_SORT_KEYS).decode(), found["said_for"]

    def _store(self, about: _About, key: str, body: Mapping[str, Any] | None, whose: str | None) -> None:
        self._make_known(about)
        thread = None if about.thread is None else (about.portal, about.thread)
        if thread is not None:
            _, owner_of, _ = patients.introduce(self.connection, self.practice_id, [(*thread, None)], self.now)
            self.concerned.add(owner_of[thread])
        elif about.patient_id is not None:
            self.concerned.add(about.patient_id)
        else:
            self.portals.add(about.portal)
        facts.insert(
            self.connection,
            self.practice_id,
            kind=self.kind.name,
            key=key,
            body=body,
            patient_id=None if body is None and thread is not None else about.patient_id,
            portal=about.portal,
            thread=about.thread,
            source=self.source,
            by=whose if self.by is None else self.by.user_id,
            said_for=self._colleague(whose),
            recorded_at=self.now,
        )
        if (colleague := self._colleague(whose)) is not None:
            self.answered_for.add(colleague)
        if self.kind.name == "threads" and thread is not None:
            self.concerned |= patients.move_thread(self.connection, self.practice_id, thread)[1]

    def _portal(self, row: FactRow) -> str:
        known = self._known_portals
        if row.portal in known:
            return str(row.portal)
        if row.portal is None and len(known) == 1:
            return known[0]
        if row.portal is None and row.interval is not None and row.thread is None:
            return ""  # the interval says it
        what = "is missing" if row.portal is None else "is not one of this practice's"
        raise _Refused(f"portal {what}; there are {', '.join(known)}")

    def _about(self, row: FactRow, portal: str, whose: str | None) -> _About:
        if row.interval is not None:
            return self._about_interval(row, portal, whose)
        patient = row.body.get("patient") if self.kind.name == "threads" else row.patient
        known = None if patient is None else patients.known(self.connection, self.practice_id, (portal, patient))
        return _About(portal, patient, known, row.thread)

    def _about_interval(self, row: FactRow, portal: str, whose: str | None) -> _About:
        """An interval's thread, else its patient; one that has not come yet goes by the thread that was named."""
        stored = intervals.known(self.connection, self.practice_id, [str(row.interval)]).get(str(row.interval))
        if stored is None:
            if self.by is not None:
                raise _Refused("interval is not known")
            if row.thread is None:
                raise _Refused("interval is not known; name its thread too if it has not come yet")
            return _About(portal, thread=row.thread)
        if stored["user_id"] != whose:
            raise _Refused("interval is another clinician's; only its own can say this")
        patient_id = None if stored["thread"] else stored["patient_id"]
        return _About(stored["portal"], patient_id=patient_id, thread=stored["thread"])

    def _whose(self, row: FactRow) -> str | None:
        """The user_id of whose word it is: who says it, or a colleague for whom they may answer now; None: the command
        line's."""
        named = None if row.attested_by is None else self._person("attested_by", row.attested_by)
        if self.by is not None:
            if named in (None, self.by.user_id):
                return self.by.user_id
            colleagues = answers_for(self.connection, self.practice_id, self.by.user_id, self.now)
            if named not in {each.user_id for each in colleagues}:
                raise _Refused(
                    "attested_by is another person; everybody attests for themselves, and for a colleague who has "
                    "named them"
                )
            return named
        if self.kind.attests and named is None:
            raise _Refused("attested_by is missing: the e-mail address of the clinician whose word it is")
        return named

    def _colleague(self, whose: str | None) -> str | None:
        """The user_id of the colleague for whom it is said, if it is."""
        return None if self.by is None or whose == self.by.user_id else whose

    def _check_own(self, about: _About, whose: str | None) -> None:
        """Who may say it as a clinician only, says it of threads and patients that they worked on."""
        if self.by is None or self.by.roles & self.kind.said_by != {CLINICIAN}:
            return
        assert whose is not None, "a person has an id"  # noqa: S101
        place = (about.portal, about.thread, about.patient_id)
        if not intervals.worked_on(self.connection, self.practice_id, whose, *place):
            who = "you have" if self._colleague(whose) is None else "the colleague has"
            raise _Refused(f"{who} recorded no time there, so this is not yours to say")

    def _with_people(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The body with user ids where people were named by their addresses."""
        named = {each.name for each in self.kind.fields if each.type == "person"}
        return {name: self._person(name, value) if name in named else value for name, value in body.items()}

    def _person(self, name: str, address: str) -> str:
        found = people.find_by_email(self.connection, address)
        if found is None or found.practice_id != self.practice_id:
            raise _Refused(f"{name} is nobody's e-mail address in this practice")
        return found.user_id


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    names = dict.fromkeys((*before, *after))
    return [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in names
        if before.get(name) != after.get(name)
    ]
