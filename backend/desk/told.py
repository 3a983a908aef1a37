"""What was said about one episode: every fact that bears on it, by whom and when, with the words it replaced."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from backend.billing.case import Inquiry
from backend.billing.days import Days, days_of
from backend.billing.reading import instant, instant_text
from backend.schemas.kinds import KINDS, LISTS, READINGS
from backend.store import Connection, episodes, facts, practices

_DATED = ("at", "on", "date", "surgery_date", "from", "window_start", "visit_at")
"""Fields that say when a fact was; `month` of a monthly service has no day."""


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that was said. `body` None: what was said before counts no more."""

    body: dict[str, Any] | None
    source: str
    by: str | None  # a name; None: the command line
    at: int
    said_for: str | None = None  # the name of the colleague whose word it is

    @property
    def speaker(self) -> str | None:
        """`Jo Park for Robin Doe` where somebody answered for a colleague."""
        return self.by if self.said_for is None else f"{self.by} for {self.said_for}"


@dataclass(frozen=True, slots=True)
class Told:
    """One fact with everything that was said of it.

    People in a body stand by name, and the practice's own group is left out. In the body of `threads` there is
    `same_patient` instead of an id; in that of `attested_time` the interval's `started_at` and `ended_at`, where it is
    one of the episode's; in that of `attested_related` the visit's `visit_at`, where it is known.
    """

    kind: str
    thread: tuple[str, str] | None  # (portal, the portal's own identifier); None: the patient or the whole portal
    of_portal: bool
    latest: Word
    before: tuple[Word, ...]  # newest first

    @property
    def stands(self) -> bool:
        return self.latest.body is not None


@dataclass(frozen=True, slots=True)
class Read:
    """That somebody looked a list through. `counts` False: before the episode's first day, so it says nothing of it."""

    list: str
    as_of: int
    counts: bool
    source: str
    by: str | None
    at: int


def facts_told(
    connection: Connection, practice_id: int, row: Any, inquiries: Iterable[Inquiry]
) -> tuple[list[Told], dict[str, Read]]:
    """The facts that bear on a stored episode, by kind in the order of `KINDS`, those of a kind nearest day 1 first;
    and list -> when it was last looked through, of those that somebody looked through.

    `row`: as `store.episodes.one` gives it; `inquiries`: those that belong to it. Among the facts are those of the
    whole portal, and those that were withdrawn.
    """
    said = _said(connection, practice_id, row)
    everything = _by_key(said)
    bears = _Bears(connection, practice_id, row, tuple(inquiries), everything)
    found = [fact for fact in everything if bears.on(fact)]
    in_force = max((fact.last.get("from", "") for fact in found if fact.kind == "coverage" and fact.stands), default="")
    found = [fact for fact in found if fact.kind != "coverage" or fact.last.get("from", "") >= in_force]
    order = list(KINDS)
    found.sort(key=lambda fact: (order.index(fact.kind) if fact.kind in order else len(order), bears.distance(fact)))
    return [bears.shown(fact) for fact in found], bears.read(_latest_readings(said))


def _latest_readings(said: Iterable[Any]) -> list[Any]:
    latest = {(word["kind"], word["key"]): word for word in said if word["kind"] in READINGS}
    return [word for word in latest.values() if word["body"] != "null"]


def _said(connection: Connection, practice_id: int, row: Any) -> list[Any]:
    """Rows in the order in which `latest_words` takes them: the last about a key counts."""
    return [
        *facts.of_patient(connection, practice_id, row["patient_id"]),
        *facts.of_portal(connection, practice_id, row["portal"], LISTS),
        *facts.of_threads(connection, practice_id, row["patient_id"]),
    ]


@dataclass(frozen=True, slots=True)
class _Fact:
    """One fact as stored: its rows, oldest first."""

    kind: str
    thread: tuple[str, str] | None
    of_portal: bool
    rows: list[Any]
    bodies: list[dict[str, Any] | None]

    @property
    def stands(self) -> bool:
        return self.bodies[-1] is not None

    @property
    def last(self) -> dict[str, Any]:
        """What was said last, or what was said before it was withdrawn."""
        return next((body for body in reversed(self.bodies) if body is not None), {})


def _by_key(said: Iterable[Any]) -> list[_Fact]:
    by_key: dict[tuple[Any, ...], list[Any]] = {}
    for row in said:
        by_key.setdefault((row["kind"], row["thread"], row["key"]), []).append(row)
    return [
        _Fact(
            kind,
            None if thread is None else (rows[-1]["portal"], thread),
            thread is None and kind in KINDS and KINDS[kind].about == "portal",
            rows,
            [orjson.loads(row["body"]) for row in rows],
        )
        for (kind, thread, _), rows in by_key.items()
    ]


class _Bears:
    """Which facts bear on one episode, and how they are shown."""

    def __init__(
        self,
        connection: Connection,
        practice_id: int,
        row: Any,
        inquiries: tuple[Inquiry, ...],
        everything: Iterable[_Fact],
    ) -> None:
        self.row = row
        self.first: str = row["window_start"]
        practice = practices.by_id(connection, practice_id)
        self.own_group: str = practice["key"]
        self.days: Days = days_of(practice["timezone"])
        self.names = {id_: one["name"] for id_, one in practices.people(connection, practice_id).items()}
        pieces = episodes.pieces(connection, practice_id, row["episode_id"])
        self.intervals = {each[0]: (each[3], each[4]) for each in reversed(pieces)}
        self.visits = {
            fact.last["id"]: fact.last.get("at") for fact in everything if fact.kind == "visits" and "id" in fact.last
        }
        self.asked = {(each.thread, instant_text(each.at)) for each in inquiries if each.at is not None}
        threads = {each[2] for each in pieces} | {each.thread for each in inquiries}
        self.threads = threads | {thread for thread, _ in orjson.loads(row["shares"])["threads"]}

    def on(self, fact: _Fact) -> bool:
        """What billing reads for another episode of the same patient does not bear on this one."""
        body = fact.last
        match fact.kind:
            case "readings" | "portal_readings":  # of those that stand, the latest of each list is a `Read`
                return not fact.stands
            case "attested_time":
                return body.get("interval") in self.intervals
            case "attested_patient" if body:
                start, end = instant(body["started_at"]), instant(body["ended_at"])
                return any(from_at < end and start < to_at for from_at, to_at in self.intervals.values())
            case _ if fact.thread is not None and fact.thread[1] not in self.threads:
                return False
            case "inquiries" if fact.stands:
                return fact.thread is not None and (fact.thread[1], body["at"]) in self.asked
            case "inquiries":  # withdrawn: it may have been this one's
                return "at" in body and self.day_of(body["at"]) <= str(self.row["window_end"])
            case "claim_drafts":
                return bool(body.get("on") == self.first)
            case "coverage":
                return bool(body) and str(body.get("from", "")) <= self.first
        return bool(body)

    def distance(self, fact: _Fact) -> int:
        """Days between day 1 and the day of the fact; 0 where it has none."""
        on = next((fact.last[name] for name in _DATED if name in fact.last), None)
        if on is None:
            return 0
        return abs((date.fromisoformat(self.first) - date.fromisoformat(self.day_of(on))).days)

    def day_of(self, text: str) -> str:
        """The local day of a day or an instant, as text."""
        return text if len(text) == len("2026-04-06") else self.days.date_of(instant(text)).isoformat()

    def read(self, words: Iterable[Any]) -> dict[str, Read]:
        """What is said of every patient of a portal says nothing of a thread whose patient nobody knows."""
        found: dict[str, Read] = {}
        for word in words:
            body = orjson.loads(word["body"])
            as_of = instant(body["read_at"])
            if body["list"] not in LISTS or (body["list"] in found and found[body["list"]].as_of >= as_of):
                continue
            of_patient = self.row["patient"] is not None or word["kind"] == "readings"
            counts = of_patient and self.days.date_of(as_of).isoformat() >= self.first
            by = self.names.get(word["by"], word["by"])
            found[body["list"]] = Read(body["list"], as_of, counts, word["source"], by, word["recorded_at"])
        return found

    def shown(self, fact: _Fact) -> Told:
        words = [
            Word(
                self._body(fact.kind, body),
                row["source"],
                self.names.get(row["by"], row["by"]),
                row["recorded_at"],
                self.names.get(row["said_for"], row["said_for"]),
            )
            for row, body in zip(fact.rows, fact.bodies, strict=True)
        ]
        return Told(fact.kind, fact.thread, fact.of_portal, words[-1], tuple(reversed(words[:-1])))

    def _body(self, kind: str, body: dict[str, Any] | None) -> dict[str, Any] | None:
        if body is None:
            return None
        if kind == "threads":
            return {"same_patient": body.get("patient_id") == self.row["patient_id"]}
        if kind == "attested_time" and body.get("interval") in self.intervals:
            started_at, ended_at = self.intervals[body["interval"]]
            return {"started_at": started_at, "ended_at": ended_at, "attested": body.get("attested")}
        if kind == "attested_related" and self.visits.get(body.get("visit_id")) is not None:
            return {"visit_at": self.visits[body["visit_id"]], "related": body.get("related")}
        people = {each.name for each in KINDS[kind].fields if each.type == "person"} if kind in KINDS else set()
        return {
            name: self.names.get(value, value) if name in people else value
            for name, value in body.items()
            if (name, value) != ("group", self.own_group)
        }
