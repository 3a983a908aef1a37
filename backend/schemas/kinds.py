"""The kinds of fact that a person or a feed may say: their fields, what tells one fact from another, who may say it.

A row is one fact in the words of the case schema, flat. The same words are the header of a CSV file and the names in
a JSON object, and a fact is stored with them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

About = Literal["patient", "thread", "portal", "interval"]
Type = Literal["text", "texts", "yes_no", "instant", "instant or day", "day", "month", "person", "number"]

CLINICIAN, STAFF, MANAGER, BILLER = "clinician", "staff", "manager", "biller"


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a fact. `choices`: the only values it may have; `needed`: a row without it is refused."""

    name: str
    type: Type
    meaning: str
    choices: tuple[str | int, ...] = ()
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fact.

    `key`: the fields that tell one such fact from another of the same patient, thread or portal; the latest word about
    a key counts. A row with an `id`, where the kind has that field, goes by its id instead. `said_by`: the roles that
    may say it. `attests`: it is a clinician's own word, so a file names that clinician in `attested_by`.
    """

    name: str
    about: About
    meaning: str
    fields: tuple[Field, ...]
    said_by: frozenset[str]
    key: tuple[str, ...] = ()
    attests: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Every name that a row may have, in order."""
        own = tuple(field.name for field in self.fields)
        return (*ABOUT_COLUMNS[self.about], *own, *(("attested_by",) if self.attests else ()), "withdrawn")


ABOUT_COLUMNS: Mapping[About, tuple[str, ...]] = {
    "patient": ("portal", "patient"),
    "thread": ("portal", "thread"),
    "portal": ("portal",),
    "interval": ("interval", "portal", "thread"),
}

COMMON: Mapping[str, str] = {
    "portal": "The portal's key; may be left out where the practice has one portal",
    "patient": "The portal's own identifier of the patient",
    "thread": "The portal's own identifier of the thread",
    "interval": "The id of the interval; one that has not come yet also needs its thread",
    "attested_by": "The e-mail address of the clinician whose word it is",
    "withdrawn": "yes: this was said in error and counts no more",
}

LISTS = (
    *("visits", "consents", "face_to_face", "global_periods", "other_claims", "prior_evisits", "enrolments"),
    "notices",
)
"""Kinds of which a patient has several, in a list that may also have been read and found empty."""
READINGS = ("readings", "portal_readings")
"""Kinds that say that such a list was looked through."""
PASSES_WHEN_EMPTY = frozenset({"global_periods", "other_claims", "enrolments"})
"""Lists in which finding nothing lets an episode pass: some rows alone do not say that there are no others."""

_PROBLEM = Field("problem", "text", "A label for what it is about")
_DIAGNOSES = Field("diagnoses", "texts", "ICD-10 codes")
_GROUP = Field("group", "text", "The billing group; left out: this practice")
_SPECIALTY = Field("specialty", "text", "Such as family_medicine, as in the accounts of the clinicians", needed=True)
_READ = (
    Field("list", "text", "Which list", LISTS, needed=True),
    Field("read_at", "instant", "As of when", needed=True),
)
_ID = Field("id", "text", "The record's identifier where it comes from, so that a later row can change it")

_KINDS = (
    Kind(
        "threads",
        "thread",
        "Whose a thread is",
        (Field("patient", "text", COMMON["patient"], needed=True),),
        frozenset({CLINICIAN, STAFF, MANAGER}),
    ),
    Kind(
        "inquiries",
        "thread",
        "When a patient wrote, who began it and how it came",
        (
            Field("at", "instant", "When the message was sent", needed=True),
            Field("initiated_by", "text", "Who began it", ("patient", "proxy", "practice")),
            Field("channel", "text", "How it came", ("portal", "secure_email", "app", "email", "sms", "phone")),
            Field("hipaa_compliant", "yes_no", "Whether the platform is a secure one"),
            Field("evaluative", "yes_no", "Whether a problem was evaluated and managed"),
            _PROBLEM,
            _DIAGNOSES,
            Field("about_other_patient", "yes_no", "A proxy's thread that also concerns another patient"),
        ),
        frozenset({CLINICIAN, STAFF, MANAGER}),
        key=("at",),
    ),
    Kind(
        "visits",
        "patient",
        "A visit, whether it took place or not",
        (
            _ID,
            Field("at", "instant", "When it begins", needed=True),
            Field(
                "kind",
                "text",
                "What sort of visit; left out: not known",
                (
                    *("office_em", "telehealth_video_em", "telephone_em", "preventive_em", "hospital_or_ed_em"),
                    *("facility_or_home_em", "tcm", "other_em", "therapy_or_assessment"),
                ),
            ),
            _GROUP,
            _SPECIALTY,
            Field(
                "status",
                "text",
                "What became of it; left out: not known",
                ("completed", "cancelled", "no_show", "scheduled"),
            ),
            Field("related_to_inquiry", "yes_no", "Whether the patient's messages are about it"),
            _PROBLEM,
            _DIAGNOSES,
        ),
        frozenset({STAFF, MANAGER}),
        key=("at", "group", "specialty"),
    ),
    Kind(
        "readings",
        "patient",
        "That a list of one patient was looked through: what is not in it is not there",
        _READ,
        frozenset({STAFF, MANAGER}),
        key=("list", "read_at"),
    ),
    Kind(
        "portal_readings",
        "portal",
        "That a list was looked through for every patient of a portal: what is not in it is not there",
        _READ,
        frozenset({MANAGER}),
        key=("list", "read_at"),
    ),
    Kind(
        "consents",
        "patient",
        "A patient's consent to online services",
        (
            _ID,
            Field("at", "instant or day", "When it was given; a day covers all of it", needed=True),
            Field("method", "text", "How it was given", ("verbal", "written", "electronic"), needed=True),
            Field("scope", "text", "What it covers; ctbs covers online digital services", needed=True),
            Field("documented", "yes_no", "Whether it is noted in the record"),
            Field("revoked_at", "instant or day", "When it was revoked"),
        ),
        frozenset({CLINICIAN, STAFF, MANAGER}),
        key=("at", "scope"),
    ),
    Kind(
        "coverage",
        "patient",
        "Who pays, from a day on",
        (
            Field("from", "day", "First day of this coverage; left out: from the beginning"),
            Field(
                "type",
                "text",
                "What sort of payer",
                ("medicare_ffs", "medicare_advantage", "commercial", "medicaid", "self_pay"),
                needed=True,
            ),
            Field("covers", "yes_no", "Whether it pays online visits"),
        ),
        frozenset({MANAGER, BILLER}),
        key=("from",),
    ),
    Kind(
        "residence",
        "patient",
        "The state in which the patient is",
        (Field("state", "text", "Its code, such as NY", needed=True),),
        frozenset({STAFF, MANAGER}),
    ),
    Kind(
        "face_to_face",
        "patient",
        "A professional service face to face, which makes a patient established",
        (
            _ID,
            Field("date", "day", "When", needed=True),
            _GROUP,
            _SPECIALTY,
            Field("clinician", "person", "Who gave it: an e-mail address of the practice"),
            Field("face_to_face", "yes_no", "no: such as an ECG that was only read", needed=True),
        ),
        frozenset({MANAGER}),
        key=("date", "group", "specialty", "clinician"),
    ),
    Kind(
        "global_periods",
        "patient",
        "A surgery with its package of days",
        (
            _ID,
            Field("surgery_date", "day", "When", needed=True),
            Field("days", "number", "The length of the package", (0, 10, 90), needed=True),
            _GROUP,
            _SPECIALTY,
            Field("surgeon", "person", "Who operated: an e-mail address of the practice"),
            Field("related_to_inquiry", "yes_no", "Whether the patient's messages are about it"),
        ),
        frozenset({MANAGER}),
        key=("surgery_date", "group", "specialty"),
    ),
    Kind(
        "other_claims",
        "patient",
        "Another service that is claimed, of which time or messages must not count twice",
        (
            _ID,
            Field("code", "text", "CPT or HCPCS code", needed=True),
            Field("month", "month", "The month of a monthly service"),
            Field("on", "day", "The day of another"),
            Field("same_communication", "yes_no", "Whether it is claimed for the same messages"),
            Field("clinician", "person", "Whose time it used: an e-mail address of the practice"),
            Field("start", "instant", "From when that time was used for it"),
            Field("end", "instant", "Until when"),
        ),
        frozenset({MANAGER, BILLER}),
        key=("code", "month", "on", "clinician", "start"),
    ),
    Kind(
        "prior_evisits",
        "patient",
        "An online visit that was reported elsewhere than here",
        (
            Field("window_start", "day", "Its first day", needed=True),
            _GROUP,
            Field("family", "text", "Its family of codes", ("em", "nonphysician"), needed=True),
            Field("status", "text", "Such as billed; left out: not known"),
        ),
        frozenset({MANAGER, BILLER}),
        key=("window_start", "group", "family"),
    ),
    Kind(
        "enrolments",
        "patient",
        "A monthly programme the patient is in",
        (
            Field("program", "text", "Which", ("apcm", "ccm", "pcm", "rpm", "rtm"), needed=True),
            Field("from", "day", "First day", needed=True),
            Field("to", "day", "Last day; left out: it runs"),
        ),
        frozenset({MANAGER, BILLER}),
        key=("program", "from"),
    ),
    Kind(
        "notices",
        "patient",
        "That the patient was told that messages may be billed",
        (Field("at", "instant", "When", needed=True),),
        frozenset({STAFF, MANAGER}),
        key=("at",),
    ),
    Kind(
        "claim_drafts",
        "patient",
        "What the draft of a claim says",
        (
            Field("on", "day", "Its date of service", needed=True),
            Field("pos", "text", "Place of service, two digits"),
            Field("modifiers", "texts", "Two-character modifiers"),
        ),
        frozenset({MANAGER, BILLER}),
        key=("on",),
    ),
    Kind(
        "documentation",
        "thread",
        "How a thread is documented",
        (
            Field("permanently_stored", "yes_no", "Whether the exchange is in the permanent record"),
            Field("content_attested", "yes_no", "Whether the record shows inquiry, plan, dates and minutes"),
        ),
        frozenset({CLINICIAN, MANAGER}),
    ),
    Kind(
        "attested_storage",
        "portal",
        "That a portal keeps its messages in the permanent record",
        (Field("permanently_stored", "yes_no", "Whether it does", needed=True),),
        frozenset({MANAGER}),
    ),
    Kind(
        "attested_evaluative",
        "thread",
        "Whether a problem was evaluated and managed on a thread",
        (Field("evaluative", "yes_no", "Whether it was", needed=True),),
        frozenset({CLINICIAN}),
        attests=True,
    ),
    Kind(
        "attested_related",
        "thread",
        "Whether a thread is about a visit near it",
        (
            Field("visit_id", "text", "The visit by its id"),
            Field("visit_at", "instant", "Or by when it began"),
            Field("related", "yes_no", "Whether it is", needed=True),
        ),
        frozenset({CLINICIAN}),
        key=("visit_id", "visit_at"),
        attests=True,
    ),
    Kind(
        "attested_patient",
        "patient",
        "That time which another patient's thread claims too was this patient's",
        (
            Field("started_at", "instant", "From when", needed=True),
            Field("ended_at", "instant", "Until when", needed=True),
        ),
        frozenset({CLINICIAN}),
        key=("started_at", "ended_at"),
        attests=True,
    ),
    Kind(
        "attested_time",
        "interval",
        "Whether time that was not measured was worked",
        (Field("attested", "yes_no", "Whether it was", needed=True),),
        frozenset({CLINICIAN}),
        key=("interval",),
        attests=True,
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _KINDS}
