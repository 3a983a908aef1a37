"""The facts of one episode, as billing computes with them.

The words are those of the case schema; instants are integer milliseconds since the epoch in UTC (`at`, `started_at`,
`ended_at`), days are `datetime.date` in the practice's zone. `translate.py` makes these from the JSON of `evaluate`;
the desk makes them from stored rows. A list that is `None` says that nobody has looked; an empty one that somebody
looked and found none. A scalar `None` says that nobody has said.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

Instant = int
UNSPECIFIED = ""
"""The specialty of a clinician of whom nobody has said one: it may be any."""


@dataclass(frozen=True, slots=True)
class Practice:
    group: str
    timezone: str
    setting: str = "office"


@dataclass(frozen=True, slots=True)
class Clinician:
    id: str
    type: str  # the credential: MD, NP, PT, RN ...
    group: str
    specialty: str
    licensed_in: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A patient's message that asks for something. `at` None: nobody knows when it came."""

    at: Instant | None
    initiated_by: str | None = None
    channel: str | None = None
    hipaa_compliant: bool | None = None
    evaluative: bool | None = None
    problem: str | None = None
    thread: str | None = None
    diagnoses: tuple[str, ...] = ()
    about_other_patient: bool | None = None
    related_to_first: bool | None = None
    related_to_prior_visit: bool | None = None
    given: frozenset[str] = frozenset()  # field names that were present; an absent one takes the first inquiry's value
    implied: bool = (
        False  # nobody knows the thread's inquiry: `at` is the first work on it, only `evaluative` may be said
    )


class Interval(NamedTuple):
    """Active time of one clinician, half-open `[started_at, ended_at)`.

    A named tuple, because a practice has a million: it is made and read several times faster than a dataclass.
    """

    id: str
    clinician: str
    started_at: Instant
    ended_at: Instant
    activity: str
    thread: str | None = None
    source: str | None = None
    problem: str | None = None
    entry: str = "measured"
    attested: bool | None = None
    entered_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class FaceToFace:
    on: date
    group: str
    specialty: str
    clinician: str | None
    face_to_face: bool


@dataclass(frozen=True, slots=True)
class Visit:
    at: Instant
    kind: str | None
    group: str
    specialty: str
    status: str | None
    related_to_inquiry: bool | None = None
    problem: str | None = None
    diagnoses: tuple[str, ...] = ()
    related_threads: tuple[tuple[str, bool], ...] = ()  # said of one thread: goes before `related_to_inquiry`

    def related_to(self, inquiry: Inquiry | None) -> bool | None:
        """Whether the inquiry is about this visit, as far as it was said of its thread or of any."""
        thread = None if inquiry is None else inquiry.thread
        return next((related for name, related in self.related_threads if name == thread), self.related_to_inquiry)


@dataclass(frozen=True, slots=True)
class Consent:
    at: Instant
    method: str
    scope: str
    documented: bool | None
    revoked_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class GlobalPeriod:
    surgery_on: date
    days: int
    group: str
    specialty: str
    surgeon: str | None = None
    related_to_inquiry: bool | None = None


@dataclass(frozen=True, slots=True)
class TimeRange:
    clinician: str
    started_at: Instant
    ended_at: Instant


@dataclass(frozen=True, slots=True)
class OtherClaim:
    code: str
    month: str | None = None  # YYYY-MM
    same_communication: bool | None = None
    time_ranges: tuple[TimeRange, ...] | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class OtherPatientTime:
    """A clinician's time that another patient claims too; unsettled, it counts for neither."""

    clinician: str
    patient: str
    started_at: Instant
    ended_at: Instant
    settled: bool = True


@dataclass(frozen=True, slots=True)
class PriorEvisit:
    window_start: date
    group: str
    family: str
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Enrolment:
    program: str
    from_on: date
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class Case:
    as_of: Instant
    practice: Practice
    patient: str | None  # None: a thread stands for a patient nobody knows yet
    clinicians: tuple[Clinician, ...]
    intervals: tuple[Interval, ...]
    inquiry: Inquiry | None = None
    additional_inquiries: tuple[Inquiry, ...] | None = None
    payer_type: str | None = None
    payer_covers: bool | None = None
    patient_state: str | None = None
    face_to_face_history: tuple[FaceToFace, ...] | None = None
    visits: tuple[Visit, ...] | None = None
    visits_read_at: Instant | None = None
    consents: tuple[Consent, ...] | None = None
    global_periods: tuple[GlobalPeriod, ...] | None = None
    other_claims: tuple[OtherClaim, ...] | None = None
    other_patient_time: tuple[OtherPatientTime, ...] | None = None
    prior_evisits: tuple[PriorEvisit, ...] | None = None
    enrolments: tuple[Enrolment, ...] | None = None
    notices: tuple[Instant, ...] | None = None
    permanently_stored: bool | None = None
    content_attested: bool | None = None
    claim_pos: str | None = None
    claim_modifiers: tuple[str, ...] | None = None
    evaluate_family: str | None = None
    evaluate_specialty: str | None = None  # where specialties are kept apart; None: that of the first review
    settings: dict[str, Any] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()  # lists that may lack something: what they show stands, what not is not known
