"""One patient's stored rows, as billing reads them: the history that is cut into episodes, and each episode's case.

Facts are stored in the words of the case schema and translated by the one module that does so; only intervals and
inquiries, of which there are many, are made directly.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import orjson

from backend.billing.case import Case, Clinician, Inquiry, Interval, OtherPatientTime, Practice, PriorEvisit
from backend.billing.episodes import BuiltEpisode, TakenEpisode, build_episodes
from backend.billing.spans import Span, cut, union
from backend.billing.translate import case_from_json
from backend.store import Connection, facts, intervals, patients, practices

NO_CREDENTIAL = "STAFF"
"""What the rules read for somebody without a credential: no family's, so the time is staff time."""
NO_SPECIALTY = "unspecified"
GAP_MS = 3_600_000
"""Work of one clinician with shorter gaps is looked up in one query when it is held against other patients'."""

IN_CASE: Mapping[str, tuple[str, ...]] = {
    "visits": ("visits",),
    "visits_read_at": ("visits_read_at",),
    "consents": ("consents",),
    "coverage": ("payer",),
    "face_to_face": ("patient", "face_to_face_history"),
    "patient_state": ("patient", "state"),
    "global_periods": ("global_periods",),
    "other_claims": ("other_claims",),
    "prior_evisits": ("prior_evisits",),
    "enrolments": ("enrolments",),
    "notices": ("notices",),
    "documentation": ("documentation",),
    "claim_draft": ("claim_draft",),
}
"""Kind of fact -> where it stands in a facts object. A list is said as a whole: an empty one says 'looked, none'."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything stored about one patient; `reference` None while only a thread is known."""

    patient_id: str
    reference: str | None
    portal: str
    practice: Practice
    clinicians: tuple[Clinician, ...]
    inquiries: tuple[Inquiry, ...]
    intervals: tuple[Interval, ...]
    taken: tuple[TakenEpisode, ...]
    others: tuple[OtherPatientTime, ...]
    facts: Case  # what is known beside intervals and inquiries

    def built(self) -> list[BuiltEpisode]:
        return build_episodes(
            practice=self.practice,
            clinicians=self.clinicians,
            inquiries=self.inquiries,
            intervals=self.intervals,
            taken=self.taken,
            settings=self.facts.settings,
        )

    def case_of(self, episode: BuiltEpisode, as_of: int) -> Case:
        """The facts of one episode. Other approved episodes of the patient are its prior e-visits."""
        people = {each.clinician for each in episode.intervals}
        own = tuple(
            PriorEvisit(each.window_start, self.practice.group, each.family, "approved")
            for each in self.taken
            if each.episode_id != episode.episode_id
        )
        return replace(
            self.facts,
            as_of=as_of,
            clinicians=tuple(each for each in self.clinicians if each.id in people),
            intervals=episode.intervals,
            inquiry=episode.inquiries[0] if episode.inquiries else None,
            additional_inquiries=episode.inquiries[1:],
            other_patient_time=self.others,
            prior_evisits=own + (self.facts.prior_evisits or ()),
            evaluate_family=episode.family,
        )


def read_history(connection: Connection, practice_id: int, patient_id: str, approved: Iterable[Any]) -> History:
    """The patient's history; `approved`: the rows of the patient's approved episodes."""
    patient = patients.find(connection, practice_id, patient_id)
    row = practices.by_id(connection, practice_id)
    practice = Practice(row["key"], row["timezone"], row["setting"])
    said_of_threads = facts.of_threads(connection, practice_id, patient_id)
    stored = intervals.standing(connection, practice_id, patient_id)
    people = practices.people(connection, practice_id)
    at_work = {each["user_id"] for each in stored}
    attested = _attested(said_of_threads)
    return History(
        patient_id,
        patient["reference"],
        patient["portal"],
        practice,
        tuple(
            Clinician(id_, one["credential"] or NO_CREDENTIAL, practice.group, one["specialty"] or NO_SPECIALTY)
            for id_, one in sorted(people.items())
            if id_ in at_work
        ),
        _inquiries(said_of_threads, practice),
        tuple(_interval(each, attested.get(each["interval_id"])) for each in stored),
        tuple(
            TakenEpisode(
                each["episode_id"],
                each["family"],
                date.fromisoformat(each["window_start"]),
                date.fromisoformat(each["window_end"]),
            )
            for each in approved
        ),
        tuple(
            OtherPatientTime(*each, settled=False)  # nobody has said whose that time is
            for each in claimed_by_others(connection, practice_id, patient_id)
        ),
        _facts(connection, practice_id, patient, practice),
    )


def facts_object(practice: Practice, patient: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """A facts object that holds what was said (kind -> body) and nothing else."""
    found: dict[str, Any] = {
        "as_of": "1970-01-01T00:00:00+00:00",
        "practice": {"group": practice.group, "timezone": practice.timezone, "setting": practice.setting},
        "patient": {"id": patient},
        "clinicians": [],
        "intervals": [],
    }
    for kind, body in said.items():
        place = found
        *way, last = IN_CASE[kind]
        for name in way:
            place = place[name]
        place[last] = body
    return found


def inquiry_of(practice: Practice, thread: str, body: Mapping[str, Any]) -> Inquiry:
    """An inquiry from its stored words; FactsError when they break the case schema."""
    words = {**body, "thread": thread}
    about_other = words.pop("about_other_patient", None)
    facts = facts_object(practice, "-", {}) | {"additional_inquiries": [words]}
    found = (case_from_json(facts).additional_inquiries or ())[0]
    return replace(found, about_other_patient=about_other)


def instant_text(at: int) -> str:
    """Milliseconds since the epoch as the case schema writes an instant."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def _facts(connection: Connection, practice_id: int, patient: Any, practice: Practice) -> Case:
    said: dict[str, Any] = {}
    read_at: int | None = None
    for each in facts.of_patient(connection, practice_id, patient["patient_id"]):
        said[each["kind"]] = orjson.loads(each["body"])
        if each["kind"] == "visits":
            # The list was read when it was recorded, unless somebody says otherwise later.
            said.pop("visits_read_at", None)
            read_at = each["recorded_at"]
    if read_at is not None:
        said.setdefault("visits_read_at", instant_text(read_at))
    case = case_from_json(facts_object(practice, patient["reference"] or "-", said))
    for each in facts.of_portal(connection, practice_id, patient["portal"]):
        body = orjson.loads(each["body"])
        if case.permanently_stored is None or "documentation" not in said:
            case = replace(case, permanently_stored=body.get("permanently_stored"))
    return replace(case, patient=patient["reference"])


def _inquiries(said: Iterable[Any], practice: Practice) -> tuple[Inquiry, ...]:
    """The latest word about each (thread, instant); what was attested of the thread fills what it leaves open."""
    words: dict[tuple[str, str | None], dict[str, Any]] = {}
    evaluative: dict[str, bool | None] = {}
    for each in said:
        body = orjson.loads(each["body"])
        if each["kind"] == "inquiry":
            words[each["thread"], body["at"]] = body
        elif each["kind"] == "attested_evaluative":
            evaluative[each["thread"]] = body["evaluative"]
    for (thread, _), body in words.items():
        if body.get("evaluative") is None and thread in evaluative:
            body["evaluative"] = evaluative[thread]
    return tuple(inquiry_of(practice, thread, body) for (thread, _), body in words.items())


def _attested(said: Iterable[Any]) -> dict[str, bool | None]:
    """interval_id -> what its clinician last said about it."""
    bodies = (orjson.loads(each["body"]) for each in said if each["kind"] == "attested_interval")
    return {body["interval"]: body["attested"] for body in bodies}


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


def claimed_by_others(connection: Connection, practice_id: int, patient_id: str) -> list[tuple[str, str, int, int]]:
    """(user_id, other patient, started_at, ended_at) of the same clinicians' rows that overlap this patient's."""
    own: dict[str, list[Span]] = defaultdict(list)
    rows = intervals.spans(connection, practice_id, patient_id)
    for user_id, start, end in rows:
        own[user_id].append((start, end))
    clean = {user_id: union(spans) for user_id, spans in own.items()}
    found = []
    for user_id, start, end in _runs(rows):
        for other, from_at, to_at in intervals.of_others(connection, practice_id, patient_id, user_id, start, end):
            if any(inside for _, inside in cut((from_at, to_at), clean[user_id])):
                found.append((user_id, other, from_at, to_at))
    return found


def _runs(spans: Iterable[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Spans sorted by clinician and start, with short gaps closed: few queries for long histories."""
    found: list[tuple[str, int, int]] = []
    for user_id, start, end in spans:
        if found and found[-1][0] == user_id and start - found[-1][2] < GAP_MS:
            found[-1] = (user_id, found[-1][1], max(end, found[-1][2]))
        else:
            found.append((user_id, start, end))
    return found
