"""Sentences for people, in English: statuses, exclusions, durations, days.

The rules' data carries its own sentences; what stands here are the names of the closed lists that the rooms hand up as
ids, and the way numbers and days are written.
"""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")

EXCLUDED = {
    "other_group": "work for another group practice or specialty",
    "other_family": "work of the other code family",
    "staff": "staff time",
    "idle": "idle time",
    "activity": "an activity that does not count",
    "before_inquiry": "before the patient wrote",
    "after_window": "after the seventh day",
    "inquiry_left_out": "belongs to an inquiry that is left out",
    "unattested": "entered by hand, not yet confirmed",
    "credited_elsewhere": "already credited to another service",
    "claimed_twice": "claimed by two patients at once",
    "no_consent": "not covered by consent",
    "overlap": "overlaps time that is already counted",
}

FAMILIES = {
    "em": "physicians and others who report E/M",
    "nonphysician": "qualified nonphysician professionals",
    "staff": "staff",
}

ASKED = {
    "clinician": "the clinician",
    "staff": "the staff",
    "manager": "the manager",
    "biller": "the biller",
    "feed": "the record system",
}

STATUSES = {"reportable": "reportable", "hold": "on hold", "not_reportable": "not reportable"}

BLOCKED = {
    "clinician-scope": "No clinician who may report it",
    "time-min-5": "Too little time",
    "patient-initiated": "Begun by the practice",
    "digital-inquiry": "Begun by telephone",
    "hipaa-platform": "Not on a secure platform",
    "evaluative-content": "Nothing was evaluated",
    "established-patient": "Not an established patient",
    "prior-em-7d": "Visit shortly before",
    "subsequent-em-7d": "Visit shortly after",
    "same-day-em": "Visit on the same day",
    "once-per-7-days": "Another e-visit in the period",
    "global-period": "In a surgical package",
    "no-double-count": "Counted in another service",
    "apcm-bundle": "In a monthly bundle",
    "consent-annual": "No consent",
    "code-effective": "No code on that date",
    "rhc-fqhc": "Not paid to this clinic",
    "not-telehealth": "Draft says telehealth",
    "documentation-permanent": "Not kept in the record",
}
"""Ids of rules -> what a list says of an episode that they block."""

WAITS = {
    "proxy-patient-match": "Whose thread?",
    "clinician-scope": "First review?",
    "code-effective": "On which day?",
    "inquiry-precedes-time": "When did the patient write?",
    "patient-initiated": "Who began it?",
    "digital-inquiry": "How did it come?",
    "hipaa-platform": "A secure platform?",
    "evaluative-content": "Was something evaluated?",
    "established-patient": "Established patient?",
    "facts-current": "Schedule read?",
    "prior-em-7d": "About the visit before?",
    "subsequent-em-7d": "About the visit after?",
    "same-day-em": "Visit that day?",
    "once-per-7-days": "Another e-visit?",
    "global-period": "Surgery?",
    "no-double-count": "Other claims?",
    "apcm-bundle": "Monthly bundle?",
    "payer-coverage": "Which payer?",
    "rhc-fqhc": "Which kind of clinic?",
    "consent-annual": "Consent?",
    "manual-time-attestation": "Entered time?",
    "cross-patient-overlap": "Whose seconds?",
    "documentation-permanent": "Kept in the record?",
    "time-min-5": "More time?",
}
"""Ids of rules that wait -> what a list asks; what stands first here is asked first."""

INITIATORS = {"patient": "the patient", "proxy": "somebody for the patient", "practice": "the practice"}

CHANNELS = {
    "portal": "the portal",
    "secure_email": "secure e-mail",
    "app": "an app",
    "email": "ordinary e-mail",
    "sms": "a text message",
    "phone": "the telephone",
}

FACTS = {
    "threads": "Whose the thread is",
    "inquiries": "Inquiries",
    "visits": "Visits",
    "readings": "Lists looked through",
    "portal_readings": "Lists looked through for every patient",
    "consents": "Consents",
    "coverage": "Who pays",
    "residence": "State of residence",
    "face_to_face": "Services face to face",
    "global_periods": "Surgeries",
    "other_claims": "Other claims",
    "prior_evisits": "Online visits reported elsewhere",
    "enrolments": "Monthly programmes",
    "notices": "Notices of billing",
    "claim_drafts": "Draft of the claim",
    "documentation": "Documentation",
    "attested_storage": "The portal's messages",
    "attested_evaluative": "Evaluation attested",
    "attested_related": "Relation to visits attested",
    "attested_patient": "Shared time attested",
    "attested_time": "Entered time attested",
}
"""The kinds of fact."""

SOURCES = {"person": "by hand", "api": "through the interface", "csv": "from a CSV file"}

ROLES = {
    "clinician": "works on patients' messages; their time may count",
    "staff": "works on messages too; their time is recorded and never counted",
    "manager": "sees every episode and report, sets up the practice, gives accounts",
    "biller": "enters claims and diagnoses",
    "auditor": "reads",
    "admin": "looks after accounts and settings, and sees no patient",
}

PRACTICE_SETTINGS = {
    "office": "an office practice",
    "rhc": "a rural health clinic (RHC)",
    "fqhc": "a federally qualified health center (FQHC)",
}

FACT_FIELDS = {
    "at": "",
    "on": "on",
    "kind": "",
    "status": "",
    "initiated_by": "begun by",
    "channel": "through",
    "hipaa_compliant": "secure platform:",
    "evaluative": "a problem was evaluated and managed:",
    "problem": "about",
    "diagnoses": "diagnoses",
    "about_other_patient": "also about another patient:",
    "group": "group",
    "specialty": "",
    "related_to_inquiry": "related to the messages:",
    "method": "",
    "scope": "for",
    "documented": "noted in the record:",
    "revoked_at": "revoked",
    "from": "from",
    "to": "to",
    "type": "",
    "covers": "pays online visits:",
    "state": "",
    "date": "",
    "clinician": "by",
    "face_to_face": "face to face:",
    "surgery_date": "",
    "days": "package of days:",
    "surgeon": "by",
    "code": "code",
    "month": "month",
    "same_communication": "for the same messages:",
    "start": "time used from",
    "end": "to",
    "window_start": "from",
    "family": "",
    "program": "",
    "pos": "place of service",
    "modifiers": "modifiers",
    "permanently_stored": "kept in the permanent record:",
    "content_attested": "shows inquiry, plan, dates and minutes:",
    "visit_id": "visit",
    "visit_at": "visit of",
    "started_at": "from",
    "ended_at": "until",
    "related": "the thread is about it:",
    "attested": "was worked:",
    "same_patient": "",
    "id": "record",
}
"""What stands before a value of a fact; nothing where the value speaks for itself."""

VALUES = {
    "office_em": "office visit",
    "telehealth_video_em": "video visit",
    "telephone_em": "telephone visit",
    "preventive_em": "preventive visit",
    "hospital_or_ed_em": "hospital or emergency visit",
    "facility_or_home_em": "visit in a facility or at home",
    "tcm": "care after a discharge",
    "other_em": "another visit",
    "therapy_or_assessment": "therapy or assessment",
    "completed": "took place",
    "no_show": "the patient did not come",
    "ctbs": "online digital services",
    "medicare_ffs": "Medicare",
    "medicare_advantage": "Medicare Advantage",
    "commercial": "a commercial payer",
    "medicaid": "Medicaid",
    "self_pay": "the patient pays",
    "apcm": "advanced primary care management",
    "ccm": "chronic care management",
    "pcm": "principal care management",
    "rpm": "remote physiologic monitoring",
    "rtm": "remote therapeutic monitoring",
    "em": "physicians and others who report E/M",
    "nonphysician": "qualified nonphysician professionals",
}
"""Values of facts whose words are not their own."""


def yes_or_no(value: bool) -> str:
    return "yes" if value else "no"


def named(words: dict[str, str], value: str | None, nothing: str = "not known") -> str:
    """The words of a closed list for `value`; a value the list does not know is shown as itself."""
    return nothing if value is None else words.get(value, value.replace("_", " "))


def number(count: int) -> str:
    """`Nine`, `Twelve`, `1,204`: how a sentence begins with a number."""
    return NUMBERS[count] if 0 <= count < len(NUMBERS) else f"{count:,}"


def clock(seconds: int) -> str:
    """`12:00`, `63:05`: minutes and seconds for a column of figures."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def duration(seconds: int) -> str:
    """`12 min 00 s`: minutes and seconds for a sentence."""
    return f"{seconds // 60} min {seconds % 60:02d} s"


def day(on: date) -> str:
    """`6 April 2026`."""
    return f"{on.day} {on:%B %Y}"


def day_of_the_year(on: date) -> str:
    """`6 April`."""
    return f"{on.day} {on:%B}"


def short_day(on: date) -> str:
    """`6 Apr`."""
    return f"{on.day} {on:%b}"


def short_days(first: date, last: date, *, today: date) -> str:
    """`6 to 12 Apr`, `30 Mar to 5 Apr`; with the year where it is not today's."""
    year = "" if last.year == today.year else f" {last.year}"
    return f"{first.day if first.month == last.month else short_day(first)} to {short_day(last)}{year}"


def days(first: date, last: date) -> str:
    """`6 to 12 April 2026`, `30 March to 5 April 2026`, `29 December 2026 to 4 January 2027`."""
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first)} to {day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%B} to {day(last)}"
    return f"{first.day} to {day(last)}"


def instant(at: int, zone: ZoneInfo) -> str:
    """`6 April 2026, 07:30` in the practice's zone; `at` in milliseconds since the epoch."""
    local = local_time(at, zone)
    return f"{day(local.date())}, {local:%H:%M}"


def local_time(at: int, zone: ZoneInfo) -> datetime:
    """The practice's wall clock at an instant, without binary fractions of a second."""
    return datetime.fromtimestamp(at // 1000, zone)


def setting_value(value: Any, unit: str | None, *, chosen: bool) -> str:
    """`7 days`, `02, 10`; `chosen`: the value is of a closed list, whose words stand for it."""
    if isinstance(value, list):
        return ", ".join(named(VALUES, each) if chosen else str(each) for each in value) or "none"
    text = named(VALUES, value) if chosen and isinstance(value, str) else str(value)
    return f"{text} {unit}" if unit else text


def iso_day(at: int, timezone: str) -> str:
    """`2026-04-06`: the day of an instant (milliseconds) in an IANA zone, for a column or a line of a command."""
    return local_time(at, ZoneInfo(timezone)).date().isoformat()


def zone_name(key: str) -> str:
    """`New York time` for `America/New_York`; `UTC` stays."""
    place = key.rsplit("/", 1)[-1].replace("_", " ")
    return place if "/" not in key else f"{place} time"
