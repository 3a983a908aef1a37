"""One patient's stored rows, as billing reads them: the history that is cut into episodes, and each episode's case.

Facts come through `known`; intervals, of which there are many, are made directly.
"""

from collections import defaultdict
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import orjson

from backend.billing.case import UNSPECIFIED, Case, Clinician, Interval, OtherPatientTime, Practice, PriorEvisit
from backend.billing.episodes import BuiltEpisode, TakenEpisode, build_episodes
from backend.billing.settings import DatedSetting, in_force
from backend.billing.spans import Span, cut, union
from backend.desk.known import Known, latest_words, spans_said
from backend.desk.settings import dated_settings
from backend.schemas.kinds import LISTS
from backend.store import Connection, facts, intervals, patients, practices
from backend.store.erasures import Claim
from backend.store.intervals import WAS_NOBODYS, WAS_THEIRS

NO_CREDENTIAL = "STAFF"
"""What the rules read for somebody without a credential: no family's, so the time is staff time."""
Claimed = tuple[str, str, int, int]
"""(user_id, other patient, started_at, ended_at)."""
GAP_MS = 3_600_000
"""Work of one clinician with shorter gaps is looked up in one query when it is held against other patients'."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything stored about one patient; `reference` None while only a thread is known."""

    patient_id: str
    reference: str | None
    portal: str
    practice: Practice
    clinicians: tuple[Clinician, ...]
    intervals: tuple[Interval, ...]
    taken: tuple[TakenEpisode, ...]
    others: tuple[OtherPatientTime, ...]
    known: Known  # what is known beside the intervals
    settings: tuple[DatedSetting, ...]

    def built(self) -> list[BuiltEpisode]:
        always = self.known.everything()
        return build_episodes(
            practice=self.practice,
            clinicians=self.clinicians,
            inquiries=self.known.inquiries(),
            intervals=self.intervals,
            taken=self.taken,
            visits=always.visits,
            claims=always.other_claims,
            settings=partial(in_force, self.settings, payer=None) if self.settings else None,
            evaluated=self.known.evaluated(),
        )

    def case_of(self, episode: BuiltEpisode, as_of: int) -> Case:
        """The facts of one episode. Other approved episodes of the patient are its prior e-visits."""
        people = {each.clinician for each in episode.intervals}
        own = tuple(
            PriorEvisit(each.window_start, self.practice.group, each.family, "approved")
            for each in self.taken
            if each.approved and each.episode_id != episode.episode_id and _counts_for(each, episode)
        )
        facts = self.known.about(episode)
        return replace(
            facts,
            as_of=as_of,
            clinicians=tuple(each for each in self.clinicians if each.id in people),
            intervals=episode.intervals,
            inquiry=episode.inquiries[0] if episode.inquiries else None,
            additional_inquiries=episode.inquiries[1:],
            other_patient_time=self.others,
            prior_evisits=own + (facts.prior_evisits or ()),
            evaluate_family=episode.family,
            evaluate_specialty=episode.specialty,
            settings=in_force(self.settings, episode.settled_on, facts.payer_type),
        )


def _counts_for(taken: TakenEpisode, episode: BuiltEpisode) -> bool:
    """Whether both share the limit of one e-visit a period; where specialties are kept apart, two of them do not."""
    return None in (taken.specialty, episode.specialty) or taken.specialty == episode.specialty


class Background:
    """What the patients of a practice have in common and claim of each other, read once for as many of them as are
    looked at in one transaction, which changes nothing of it."""

    def __init__(self, connection: Connection, practice_id: int) -> None:
        self.connection = connection
        self.practice_id = practice_id
        row = practices.by_id(connection, practice_id)
        self.practice = Practice(row["key"], row["timezone"], row["setting"])
        self.settings = dated_settings(connection, practice_id)
        self.clinicians = tuple(
            Clinician(id_, one["credential"] or NO_CREDENTIAL, self.practice.group, one["specialty"] or UNSPECIFIED)
            for id_, one in sorted(practices.people(connection, practice_id).items())
        )
        self._of_portal: dict[str, list[Any]] = {}
        self._claims: dict[str, list[Claimed]] = {}

    def of_portal(self, portal: str) -> list[Any]:
        """What was said about the portal as a whole, oldest first."""
        if portal not in self._of_portal:
            self._of_portal[portal] = facts.of_portal(self.connection, self.practice_id, portal, LISTS)
        return self._of_portal[portal]

    def claims(self, patient_ids: Collection[str]) -> dict[str, list[Claimed]]:
        """As `claimed_by_others`."""
        if unread := set(patient_ids) - self._claims.keys():
            self._claims |= claimed_by_others(self.connection, self.practice_id, unread)
        return {each: self._claims[each] for each in patient_ids}


def read_history(background: Background, patient_id: str, fixed: Iterable[Any]) -> History:
    """The patient's history; `fixed`: the rows of the patient's episodes that are approved or closed."""
    return read_histories(background, {patient_id: fixed})[0]


def read_histories(background: Background, fixed: Mapping[str, Iterable[Any]]) -> list[History]:
    """The same of several patients, who are the keys, in their order."""
    connection, practice_id = background.connection, background.practice_id
    background.claims(fixed)
    # All are asked before one is read: on a server that is one way there and back.
    of_patient = {each: facts.of_patient(connection, practice_id, each) for each in fixed}
    of_threads = {each: facts.of_threads(connection, practice_id, each) for each in fixed}
    standing = {each: intervals.standing(connection, practice_id, each) for each in fixed}
    people = patients.find_all(connection, practice_id, fixed)
    return [
        _history(background, people[each], list(of_patient[each]), list(of_threads[each]), list(standing[each]), own)
        for each, own in fixed.items()
    ]


def _history(
    background: Background,
    patient: Any,
    of_patient: Sequence[Any],
    of_threads: Sequence[Any],
    stored: Sequence[Any],
    fixed: Iterable[Any],
) -> History:
    practice, patient_id = background.practice, patient["patient_id"]
    said = [*of_patient, *background.of_portal(patient["portal"]), *of_threads]
    known = Known(practice, patient["reference"], latest_words(said))
    at_work = {each["user_id"] for each in stored}
    attested = known.attested()
    return History(
        patient_id,
        patient["reference"],
        patient["portal"],
        practice,
        tuple(each for each in background.clinicians if each.id in at_work),
        tuple(_interval(each, attested.get((each["interval_id"], each["user_id"]))) for each in stored),
        tuple(_taken(each) for each in fixed),
        _others(background, patient_id, known),
        known,
        background.settings,
    )


def is_fixed(row: Any) -> bool:
    """Whether a stored episode's days never move: it was approved, or closed as its intervals were removed by age."""
    return row["approved_at"] is not None or row["closed_at"] is not None


def _taken(row: Any) -> TakenEpisode:
    closed = row["closed_at"] is not None
    threads = orjson.loads(row["shares"])["threads"] if closed else ()
    return TakenEpisode(
        row["episode_id"],
        row["family"],
        date.fromisoformat(row["window_start"]),
        date.fromisoformat(row["window_end"]),
        row["specialty"],
        approved=row["approved_at"] is not None,
        closed=closed,
        threads=tuple(thread for thread, _ in threads),
    )


def _interval(row: Any, attested: bool | None) -> Interval:
    return Interval(
        row["interval_id"],
        row["user_id"],
        row["started_at"],
        row["ended_at"],
        row["activity"],
        row["thread"],
        row["tab"] or row["device_id"],
        row["problem"],
        row["entry"],
        attested,
        None if row["entry"] == "measured" else row["received_at"],
    )


def _others(background: Background, patient_id: str, known: Known) -> tuple[OtherPatientTime, ...]:
    """Time that other patients claim too, but for what its clinician says is this one's.

    own word      |=====|                  ours: no claim is left
    other's word           |=====|         credited to the other patient
    both          |=====|                  as if nobody had said anything: it counts for neither
    """
    claims = background.claims([patient_id])[patient_id]
    if not claims:
        return ()
    said: dict[str, list[Any]] = defaultdict(list)
    others = {each[1] for each in claims}
    for row in facts.of_patients(background.connection, background.practice_id, others, "attested_patient"):
        said[row["patient_id"]].append(row)
    theirs = {other: spans_said(latest_words(rows).get("attested_patient", ())) for other, rows in said.items()}
    own = known.own_spans()
    found = []
    for user_id, other, start, end in claims:
        said_so = [(start, end)] if other == WAS_THEIRS else theirs.get(other, {}).get(user_id, [])
        for part, is_own in cut((start, end), own.get(user_id, [])):
            for (from_at, to_at), is_theirs in cut(part, said_so):
                if not is_own or is_theirs:
                    settled = is_theirs and not is_own
                    found.append(OtherPatientTime(user_id, other, from_at, to_at, settled=settled))
    return tuple(found)


def claims_to_keep(
    connection: Connection, practice_id: int, patient_id: str, ids: Container[str]
) -> tuple[list[Claim], set[str]]:
    """The time of those of the patient's rows that other patients' rows claim too, which they go on sharing once these
    are gone; and who those patients are.

    own rows     |=========|
    other's           |=========|
    kept              |====|       with whether its clinician had said that it is this patient's
    """
    claims = claimed_by_others(connection, practice_id, [patient_id])[patient_id]
    own: dict[str, list[Span]] = defaultdict(list)
    for row in intervals.standing(connection, practice_id, patient_id):
        if row["interval_id"] in ids and row["activity"] != "idle":
            own[row["user_id"]].append((row["started_at"], row["ended_at"]))
    said = latest_words(facts.of_patients(connection, practice_id, [patient_id], "attested_patient"))
    ours = spans_said(said.get("attested_patient", ()))
    kept: set[Claim] = set()
    others: set[str] = set()
    for user_id, other, start, end in claims:
        parts = [part for part, inside in cut((start, end), union(own[user_id])) if inside]
        if parts and other not in (WAS_NOBODYS, WAS_THEIRS):
            others.add(other)
            kept |= {(user_id, *each, ours_) for part in parts for each, ours_ in cut(part, ours.get(user_id, []))}
    return sorted(kept), others


def claimed_by_others(
    connection: Connection, practice_id: int, patient_ids: Collection[str]
) -> dict[str, list[Claimed]]:
    """patient_id -> the same clinicians' rows that overlap this patient's.

    In the other's place WAS_NOBODYS or WAS_THEIRS of time that rows claimed which are gone.
    """
    own: dict[str, dict[str, list[Span]]] = {patient_id: defaultdict(list) for patient_id in patient_ids}
    for patient_id, user_id, start, end in intervals.spans(connection, practice_id, patient_ids):
        own[patient_id][user_id].append((start, end))
    asked = [
        (patient_id, user_id, union(spans), intervals.of_others(connection, practice_id, patient_id, user_id, *run))
        for patient_id, by_user in own.items()
        for user_id, spans in by_user.items()
        for run in _runs(spans)
    ]
    found: dict[str, list[Claimed]] = {patient_id: [] for patient_id in patient_ids}
    for patient_id, user_id, clean, others in asked:
        for other, from_at, to_at in others:
            if any(inside for _, inside in cut((from_at, to_at), clean)):
                found[patient_id].append((user_id, other, from_at, to_at))
    return found


def _runs(spans: Iterable[Span]) -> list[Span]:
    """One clinician's spans, sorted by start, with short gaps closed: few queries for long histories."""
    found: list[Span] = []
    for start, end in spans:
        if found and start - found[-1][1] < GAP_MS:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found
