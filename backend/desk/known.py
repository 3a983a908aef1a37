"""What is known of one patient: the latest word of every fact, put together as billing reads it.

Facts are stored in the words of the case schema; a list is put together of its rows and is known when it was read.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import orjson

from backend.billing.case import Case, Inquiry, Instant, Practice
from backend.billing.days import Days, days_of
from backend.billing.episodes import BuiltEpisode
from backend.billing.reading import instant, instant_text
from backend.billing.spans import Span, union
from backend.billing.translate import case_from_json
from backend.schemas.kinds import LISTS, PASSES_WHEN_EMPTY, READINGS

NEVER_READ: Instant = 0
"""When a schedule was read of which somebody said single visits and nobody that it was looked through."""

_PLACES: Mapping[str, tuple[str, ...]] = {"face_to_face": ("patient", "face_to_face_history")}
"""Where a list stands in a facts object, if not under its own name."""
_ONLY_HERE = ("id", "clinician", "start", "end")
"""Fields of a row that the case schema says otherwise or not at all."""


@dataclass(frozen=True, slots=True)
class Word:
    """What was last said about one key."""

    kind: str
    portal: str | None
    thread: str | None
    body: dict[str, Any]
    source: str
    by: str | None  # user_id
    recorded_at: Instant
    said_for: str | None = None  # user_id of the colleague for whom it was said

    @property
    def whose(self) -> str | None:
        """The user_id of the clinician whose word it is, whoever said it."""
        return self.said_for or self.by


@dataclass(frozen=True, slots=True)
class Known:
    """The patient's facts, of which each episode sees those that are about it."""

    practice: Practice
    patient: str | None
    words: Mapping[str, Sequence[Word]] = field(default_factory=dict)  # by kind

    def inquiries(self) -> tuple[Inquiry, ...]:
        """Every inquiry; what was attested of its thread fills what it leaves open."""
        evaluative = self.evaluated()
        bodies = [{**word.body, "thread": word.thread} for word in self._of("inquiries")]
        about_other = [body.pop("about_other_patient", None) for body in bodies]
        for body in bodies:
            if body["thread"] in evaluative:
                body.setdefault("evaluative", evaluative[body["thread"]])
        read = case_from_json(_facts_object(self.practice, {"additional_inquiries": bodies})).additional_inquiries
        return tuple(
            replace(inquiry, about_other_patient=other) for inquiry, other in zip(read or (), about_other, strict=True)
        )

    def evaluated(self) -> dict[str | None, bool]:
        """thread -> whether a problem was evaluated on it, as its clinician attested."""
        return {word.thread: word.body["evaluative"] for word in self._of("attested_evaluative")}

    def attested(self) -> dict[tuple[str, str | None], bool]:
        """(interval_id, user_id whose word it is) -> whether that time was worked."""
        return {(word.body["interval"], word.whose): word.body["attested"] for word in self._of("attested_time")}

    def own_spans(self) -> dict[str | None, list[Span]]:
        """user_id -> when they worked for this patient, by their own word, though another one claims it too."""
        return spans_said(self._of("attested_patient"))

    def everything(self) -> Case:
        """The visits and claims of all time, which decide what opens an episode."""
        return self._case(self._lists(first=None))

    def about(self, episode: BuiltEpisode) -> Case:
        """The facts that are about one episode, its intervals and inquiries aside."""
        first = episode.window_start
        own = [*(each.thread for each in episode.intervals), *(each.thread for each in episode.inquiries)]
        threads = {each for each in own if each is not None}
        facts: dict[str, Any] = {
            **self._lists(first),
            "payer": self._coverage(first),
            "documentation": self._documentation(threads),
            "claim_draft": self._draft(first),
        }
        for word in self._of("residence"):
            facts.setdefault("patient", {}).update(word.body)
        return self._case({name: value for name, value in facts.items() if value is not None})

    def _case(self, facts: dict[str, Any]) -> Case:
        unread = facts.pop("unread")
        case = case_from_json(_facts_object(self.practice, facts))
        visits = case.visits
        if visits is not None:
            ids = [word.body.get("id") for word in self._sorted("visits")]
            relations = self._relations()
            visits = tuple(
                replace(visit, related_threads=_said_of(relations, id_, visit.at))
                for visit, id_ in zip(visits, ids, strict=True)
            )
        return replace(case, patient=self.patient, visits=visits, unread=unread)

    def _of(self, kind: str) -> Sequence[Word]:
        return self.words.get(kind, ())

    def _sorted(self, kind: str) -> list[Word]:
        """In an order that does not depend on when they were said."""
        return sorted(self._of(kind), key=lambda word: orjson.dumps(word.body, option=orjson.OPT_SORT_KEYS))

    def _lists(self, first: date | None) -> dict[str, Any]:
        """The lists that are known: those with rows, and those read on the episode's first day or later."""
        days = days_of(self.practice.timezone)
        found: dict[str, Any] = {"unread": frozenset()}
        for name in LISTS:
            rows = [_row_of(name, word.body) for word in self._sorted(name)]
            read_at = self._read_at(name, first, days)
            if rows or read_at is not None:
                place = found
                *way, last = _PLACES.get(name, (name,))
                for step in way:
                    place = place.setdefault(step, {})
                place[last] = rows
            if rows and read_at is None and name in PASSES_WHEN_EMPTY:
                found["unread"] |= {name}
            if name == "visits" and (rows or read_at is not None):
                found["visits_read_at"] = instant_text(NEVER_READ if read_at is None else read_at)
        return found

    def _read_at(self, name: str, first: date | None, days: Days) -> Instant | None:
        """When the list was last looked through; None where nobody did on the episode's first day or later."""
        # Nobody can have looked up a patient whom nobody knows.
        kinds = READINGS if self.patient is not None else ("readings",)
        said = [word.body for kind in kinds for word in self._of(kind)]
        read = [instant(body["read_at"]) for body in said if body["list"] == name]
        latest = max(read, default=None)
        if latest is None or (first is not None and days.date_of(latest) < first):
            return None
        return latest

    def _coverage(self, first: date) -> dict[str, Any] | None:
        """Who pays on the episode's first day."""
        in_force = [word.body for word in self._of("coverage") if word.body.get("from", "") <= first.isoformat()]
        latest = max(in_force, key=lambda body: body.get("from", ""), default=None)
        return None if latest is None else {name: latest[name] for name in ("type", "covers") if name in latest}

    def _documentation(self, threads: Iterable[str]) -> dict[str, Any]:
        """One thread that is not documented speaks for all; all must be for a yes. The portal's word fills the rest."""
        of_thread = {word.thread: word.body for word in self._of("documentation")}
        of_portal = [word.body["permanently_stored"] for word in self._of("attested_storage")]
        said = [of_thread.get(thread, {}) for thread in threads] or [{}]
        return {
            "permanently_stored": _all_of(
                body.get("permanently_stored", of_portal[-1] if of_portal else None) for body in said
            ),
            "content_attested": _all_of(body.get("content_attested") for body in said),
        }

    def _draft(self, first: date) -> dict[str, Any] | None:
        drafts = [word.body for word in self._of("claim_drafts") if word.body["on"] == first.isoformat()]
        return {name: drafts[-1][name] for name in ("pos", "modifiers") if name in drafts[-1]} if drafts else None

    def _relations(self) -> list[tuple[str, str | None, Instant | None, bool]]:
        """(thread, id of the visit, or when it began, whether the thread is about it)."""
        return [
            (
                word.thread or "",
                word.body.get("visit_id"),
                instant(word.body["visit_at"]) if "visit_at" in word.body else None,
                word.body["related"],
            )
            for word in self._of("attested_related")
        ]


def latest_words(said: Iterable[Any]) -> dict[str, list[Word]]:
    """By kind, what was last said about each key; `said`: stored rows, oldest first."""
    latest: dict[tuple[Any, ...], Word] = {}
    for row in said:
        identity = (row["kind"], row["thread"], row["key"], row["portal"] if row["thread"] else None)
        body = orjson.loads(row["body"])
        latest.pop(identity, None)
        if body is not None:
            latest[identity] = Word(
                row["kind"],
                row["portal"],
                row["thread"],
                body,
                row["source"],
                row["by"],
                row["recorded_at"],
                row["said_for"],
            )
    found: dict[str, list[Word]] = {}
    for word in latest.values():
        found.setdefault(word.kind, []).append(word)
    return found


def spans_said(words: Iterable[Word]) -> dict[str | None, list[Span]]:
    """user_id -> clean spans, of words that say whose time it was."""
    found: dict[str | None, list[Span]] = {}
    for word in words:
        found.setdefault(word.whose, []).append((instant(word.body["started_at"]), instant(word.body["ended_at"])))
    return {by: union(spans) for by, spans in found.items()}


def _said_of(
    relations: Iterable[tuple[str, str | None, Instant | None, bool]], id_: str | None, at: Instant
) -> tuple[tuple[str, bool], ...]:
    """What was said of threads and this visit."""
    return tuple(
        (thread, related)
        for thread, visit_id, visit_at, related in relations
        if (visit_id is not None and visit_id == id_) or visit_at == at
    )


def _all_of(answers: Iterable[bool | None]) -> bool | None:
    """False if one is False, else None if one is not known, else True."""
    found = set(answers)
    return False if False in found else None if None in found else True


def _row_of(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A stored row in the words of the case schema; what nobody knows but the schema wants is null."""
    row = {name: value for name, value in body.items() if name not in _ONLY_HERE}
    if kind == "visits":
        row = {"kind": None, "status": None} | row
    if kind == "consents":
        row = {"documented": None} | row
    if kind == "face_to_face" and "clinician" in body:
        row["clinician"] = body["clinician"]
    if kind == "other_claims" and "start" in body:
        row["time_ranges"] = [{name: body[name] for name in ("clinician", "start", "end")}]
    return row


def _facts_object(practice: Practice, said: Mapping[str, Any]) -> dict[str, Any]:
    """A facts object that holds what was said and nothing else."""
    return {
        "as_of": "1970-01-01T00:00:00+00:00",
        "practice": {"group": practice.group, "timezone": practice.timezone, "setting": practice.setting},
        "clinicians": [],
        "intervals": [],
        **said,
        "patient": {"id": "-", **said.get("patient", {})},
    }
