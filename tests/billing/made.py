"""Makers of cases: a clean episode of twelve minutes in the words of the case schema, and histories for building."""

import copy
from datetime import datetime
from zoneinfo import ZoneInfo

from backend.billing.case import Case, Clinician, Inquiry, Interval, Practice
from backend.billing.determination import determine
from backend.billing.translate import case_from_json

NEW_YORK = "America/New_York"
PRACTICE = Practice("G1", NEW_YORK)
DOCTOR = Clinician("C1", "MD", "G1", "family_medicine")
SECOND_DOCTOR = Clinician("C2", "DO", "G1", "cardiology")
THERAPIST = Clinician("T1", "PT", "G1", "physical_therapy")
NURSE = Clinician("N1", "RN", "G1", "nursing")
OUTSIDER = Clinician("X1", "MD", "G2", "family_medicine")
EVERYBODY = (DOCTOR, SECOND_DOCTOR, THERAPIST, NURSE, OUTSIDER)

CLEAN = {
    "as_of": "2026-05-06T12:00:00-04:00",
    "practice": {"group": "G1", "timezone": NEW_YORK, "setting": "office"},
    "payer": {"type": "medicare_ffs"},
    "patient": {
        "id": "P1",
        "face_to_face_history": [
            {"date": "2025-09-18", "group": "G1", "specialty": name, "clinician": None, "face_to_face": True}
            for name in ("family_medicine", "physical_therapy")
        ],
    },
    "clinicians": [{"id": c.id, "type": c.type, "group": c.group, "specialty": c.specialty} for c in EVERYBODY],
    "inquiry": {
        "at": "2026-04-06T07:30:00-04:00",
        "initiated_by": "patient",
        "channel": "portal",
        "hipaa_compliant": True,
        "evaluative": True,
        "problem": "A",
    },
    "additional_inquiries": [],
    "visits": [],
    "consents": [{"at": "2026-02-05T12:00:00-05:00", "method": "verbal", "scope": "ctbs", "documented": True}],
    "global_periods": [],
    "other_claims": [],
    "other_patient_time": [],
    "prior_evisits": [],
    "documentation": {"permanently_stored": True},
    "enrolments": [],
}


def interval(start, minutes=0, *, seconds=0, day="2026-04-06", **more):
    """An interval of C1 from HH:MM:SS local (New York, summer) for so long; fields of the schema may replace any."""
    begin = datetime.fromisoformat(f"{day}T{start}-04:00")
    end = datetime.fromtimestamp(begin.timestamp() + minutes * 60 + seconds, begin.tzinfo)
    return {
        "id": more.pop("id", f"{day} {start} {more.get('clinician', 'C1')}"),
        "clinician": "C1",
        "thread": "TH1",
        "start": begin.isoformat(),
        "end": end.isoformat(),
        "activity": "review_inquiry",
        **more,
    }


def facts(*intervals, without=(), **changed):
    """A clean facts object with these intervals (twelve minutes on 6 April if none), some fields changed or absent.

    A field that begins with `inquiry_` changes the inquiry.
    """
    made = copy.deepcopy(CLEAN)
    made["intervals"] = list(intervals) or [interval("09:00:00", 12)]
    for name, value in changed.items():
        if name.startswith("inquiry_"):
            made["inquiry"][name.removeprefix("inquiry_")] = value
        else:
            made[name] = value
    for name in without:
        made.pop(name, None)
    return made


def answer(*intervals, **changed):
    """The answer to such facts."""
    return determine(case_from_json(facts(*intervals, **changed))).answer


def missing(said):
    return [entry["id"] for entry in said["missing"]]


def excluded(said):
    return {entry["reason"]: entry["seconds"] for entry in said["excluded"]}


def at(text, zone=NEW_YORK):
    """Milliseconds since the epoch of a local time such as `2026-04-06 09:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def worked(start, minutes, *, clinician="C1", thread="TH1", id=None, **more):
    """A stored interval from such a local time."""
    begin = at(start)
    activity = more.pop("activity", "review_inquiry")
    name = id or f"{start} {clinician} {thread}"
    return Interval(name, clinician, begin, begin + int(minutes * 60_000), activity, thread, **more)


def asked(start, thread="TH1", **more):
    """A known inquiry of a patient at such a local time."""
    said = {"initiated_by": "patient", "channel": "portal", "evaluative": True, **more}
    return Inquiry(at(start), thread=thread, **said)


def visit(on, time="10:00:00", **more):
    return {
        "at": f"{on}T{time}-04:00",
        "kind": "office_em",
        "group": "G1",
        "specialty": "family_medicine",
        "status": "completed",
        "related_to_inquiry": True,
        **more,
    }


def verdict(said):
    return said["status"], said["blocking"], missing(said)


REPORTABLE = ("reportable", [], [])


def blocks(*rules):
    return ("not_reportable", list(rules), [])


def holds(*rules):
    return ("hold", [], list(rules))


def case_of(episode, **more):
    """The case of a built episode, with what is known beside it."""
    return Case(
        **{
            "as_of": at("2026-06-01 12:00"),
            "practice": PRACTICE,
            "patient": "P1",
            "clinicians": EVERYBODY,
            "intervals": episode.intervals,
            "inquiry": episode.inquiries[0],
            "additional_inquiries": episode.inquiries[1:],
            "evaluate_family": episode.family,
            "evaluate_specialty": episode.specialty,
            **more,
        }
    )
