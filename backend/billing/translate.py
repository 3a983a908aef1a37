"""The words of the case schema (ISO instants, nested objects) into a `Case`.

The readers below say once what case.schema.json says; the builders under them give each object its name in `case.py`.
"""

from datetime import UTC, datetime
from typing import Any

from backend.billing import case as c
from backend.billing import reading as r
from backend.billing.days import days_of
from backend.billing.reading import FactsError
from backend.billing.rulebook import families, rules_on

__all__ = ["FactsError", "case_from_json"]

_INITIATED_BY = r.nullable(r.one_of("patient", "proxy", "practice"))
_CHANNEL = r.nullable(r.one_of("portal", "secure_email", "app", "email", "sms", "phone"))
_TEXT = r.nullable(r.text)
_YES_NO = r.nullable(r.yes_or_no)
_FAMILY = r.one_of("em", "nonphysician")
_CREDENTIALS = (
    *("MD", "DO", "DPM", "OD", "NP", "PA", "CNS", "CNM"),
    *("PT", "OT", "SLP", "LCSW", "PSYCHOLOGIST", "RD", "LPC", "LMFT", "AUD"),
    *("RN", "LPN", "MA", "SCRIBE", "RESIDENT", "PHARMACIST"),
)
_ACTIVITIES = (
    *("review_inquiry", "review_records", "staff_discussion", "develop_plan", "order_or_prescribe"),
    *("communicate_online", "communicate_phone", "documentation", "scheduling", "refill_admin", "results_only", "idle"),
)
_VISIT_KINDS = (
    *("office_em", "telehealth_video_em", "telephone_em", "preventive_em", "hospital_or_ed_em"),
    *("facility_or_home_em", "tcm", "other_em", "therapy_or_assessment"),
)


def _settings(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise FactsError("", "is not an object")
    return value


def _instant_or_day(value: Any) -> c.Instant | Any:
    """A consent's moment; a date without a time stands for that whole local day."""
    return r.day(value) if isinstance(value, str) and len(value) == len("2026-04-06") else r.instant(value)


def _zone(value: Any) -> str:
    try:
        days_of(r.text(value))
    except ValueError:
        raise FactsError("", "is not an IANA time zone such as America/New_York") from None
    return str(value)


_INQUIRY_FIELDS: dict[str, r.Reader] = {
    "hipaa_compliant": _YES_NO,
    "evaluative": _YES_NO,
    "problem": _TEXT,
    "thread": _TEXT,
    "diagnoses": r.each(r.text),
}

_FACTS = r.members(
    {
        "as_of": r.instant,
        "practice": r.members({"group": r.text, "timezone": _zone}, {"setting": r.one_of("office", "rhc", "fqhc")}),
        "patient": r.members(
            {"id": r.text},
            {
                "face_to_face_history": r.each(
                    r.members(
                        {"date": r.day, "group": r.text, "specialty": r.text, "face_to_face": r.yes_or_no},
                        {"clinician": _TEXT},
                    )
                ),
                "state": r.text,
            },
        ),
        "clinicians": r.each(
            r.members(
                {"id": r.text, "type": r.one_of(*_CREDENTIALS), "group": r.text, "specialty": r.text},
                {"licensed_in": r.each(r.text)},
            )
        ),
        "intervals": r.each(
            r.span(
                "start",
                "end",
                r.members(
                    {
                        "id": r.text,
                        "clinician": r.text,
                        "start": r.instant,
                        "end": r.instant,
                        "activity": r.one_of(*_ACTIVITIES),
                    },
                    {
                        "thread": _TEXT,
                        "source": r.text,
                        "problem": _TEXT,
                        "entry": r.one_of("measured", "manual", "attested_reading", "linked_chart"),
                        "attested": _YES_NO,
                        "entered_at": r.instant,
                    },
                ),
            )
        ),
    },
    {
        "payer": r.members(
            {"type": r.nullable(r.one_of("medicare_ffs", "medicare_advantage", "commercial", "medicaid", "self_pay"))},
            {"covers": _YES_NO},
        ),
        "inquiry": r.members(
            {"at": r.nullable(r.instant), "initiated_by": _INITIATED_BY, "channel": _CHANNEL},
            {**_INQUIRY_FIELDS, "about_other_patient": _YES_NO},
        ),
        "additional_inquiries": r.each(
            r.members(
                {"at": r.instant},
                {
                    **_INQUIRY_FIELDS,
                    "initiated_by": _INITIATED_BY,
                    "channel": _CHANNEL,
                    "related_to_first": _YES_NO,
                    "related_to_prior_visit": _YES_NO,
                },
            )
        ),
        "visits": r.each(
            r.members(
                {
                    "at": r.instant,
                    "kind": r.nullable(r.one_of(*_VISIT_KINDS)),
                    "group": r.text,
                    "specialty": r.text,
                    "status": r.nullable(r.one_of("completed", "cancelled", "no_show", "scheduled")),
                },
                {"related_to_inquiry": _YES_NO, "problem": _TEXT, "diagnoses": r.each(r.text)},
            )
        ),
        "visits_read_at": r.nullable(r.instant),
        "consents": r.each(
            r.members(
                {
                    "at": _instant_or_day,
                    "method": r.one_of("verbal", "written", "electronic"),
                    "scope": r.text,
                    "documented": _YES_NO,
                },
                {"revoked_at": _instant_or_day},
            )
        ),
        "global_periods": r.each(
            r.members(
                {"surgery_date": r.day, "days": r.one_of(0, 10, 90), "group": r.text, "specialty": r.text},
                {"surgeon": r.text, "related_to_inquiry": _YES_NO},
            )
        ),
        "other_claims": r.each(
            r.members(
                {"code": r.text},
                {
                    "month": r.month,
                    "same_communication": _YES_NO,
                    "time_ranges": r.each(
                        r.span("start", "end", r.members({"clinician": r.text, "start": r.instant, "end": r.instant}))
                    ),
                    "on": r.day,
                },
            )
        ),
        "other_patient_time": r.each(
            r.span(
                "start",
                "end",
                r.members(
                    {"clinician": r.text, "patient": r.text, "start": r.instant, "end": r.instant},
                    {"settled": r.yes_or_no},
                ),
            )
        ),
        "prior_evisits": r.each(
            r.members({"window_start": r.day, "group": r.text, "family": _FAMILY}, {"status": r.text})
        ),
        "enrolments": r.each(
            r.members(
                {"program": r.one_of("apcm", "ccm", "pcm", "rpm", "rtm"), "from": r.day}, {"to": r.nullable(r.day)}
            )
        ),
        "notices": r.each(r.members({"at": r.instant})),
        "documentation": r.members({}, {"permanently_stored": _YES_NO, "content_attested": _YES_NO}),
        "claim_draft": r.members({}, {"pos": r.text, "modifiers": r.each(r.text)}),
        "evaluate_family": _FAMILY,
        "settings": _settings,
    },
)


def case_from_json(facts: Any) -> c.Case:
    """The case that a facts object of case.schema.json describes; `FactsError` where it breaks the schema.

    Also refused: an interval of a clinician who is not listed, a zone that is none, a setting that the rules refuse.
    """
    read = _FACTS(facts)
    _check_clinicians(read)
    patient, payer = read["patient"], read.get("payer", {})
    record, draft = read.get("documentation", {}), read.get("claim_draft", {})
    timezone = read["practice"]["timezone"]
    case = c.Case(
        as_of=read["as_of"],
        practice=c.Practice(**read["practice"]),
        patient=patient["id"],
        clinicians=tuple(c.Clinician(**one) for one in read["clinicians"]),
        intervals=tuple(_interval(one) for one in read["intervals"]),
        inquiry=_inquiry(read.get("inquiry")),
        additional_inquiries=_all(read, "additional_inquiries", _inquiry),
        payer_type=payer.get("type"),
        payer_covers=payer.get("covers"),
        patient_state=patient.get("state"),
        face_to_face_history=_all(patient, "face_to_face_history", _face_to_face),
        visits=_all(read, "visits", lambda one: c.Visit(**one)),
        visits_read_at=read.get("visits_read_at"),
        consents=_all(read, "consents", lambda one: _consent(one, timezone)),
        global_periods=_all(read, "global_periods", _global_period),
        other_claims=_all(read, "other_claims", _other_claim),
        other_patient_time=_all(read, "other_patient_time", lambda one: c.OtherPatientTime(**_timed(one))),
        prior_evisits=_all(read, "prior_evisits", lambda one: c.PriorEvisit(**one)),
        enrolments=_all(read, "enrolments", lambda one: c.Enrolment(one["program"], one["from"], one.get("to"))),
        notices=_all(read, "notices", lambda one: one["at"]),
        permanently_stored=record.get("permanently_stored"),
        content_attested=record.get("content_attested"),
        claim_pos=draft.get("pos"),
        claim_modifiers=draft.get("modifiers"),
        evaluate_family=read.get("evaluate_family"),
        settings=read.get("settings", {}),
    )
    _check_settings(case)
    return case


def _all(read: dict[str, Any], name: str, build: r.Reader) -> tuple[Any, ...] | None:
    """The list, built; None where it is absent: nobody has looked."""
    return None if name not in read else tuple(build(one) for one in read[name])


def _check_clinicians(read: dict[str, Any]) -> None:
    known = {one["id"] for one in read["clinicians"]}
    for index, interval in enumerate(read["intervals"]):
        if interval["clinician"] not in known:
            raise FactsError(f"/intervals/{index}/clinician", "is not the id of a listed clinician")


def _check_settings(case: c.Case) -> None:
    today = datetime.fromtimestamp(case.as_of // 1000, UTC).date()
    for family in families() if case.settings else ():
        for name, value in case.settings.items():
            try:
                rules_on(family, case.payer_type, today, {name: value})
            except ValueError as problem:
                raise FactsError(f"/settings/{name}", str(problem)) from None


_TIMES = {"start": "started_at", "end": "ended_at"}


def _timed(read: dict[str, Any]) -> dict[str, Any]:
    """With the names that `case.py` gives to a start and an end."""
    return {_TIMES.get(name, name): value for name, value in read.items()}


def _interval(read: dict[str, Any]) -> c.Interval:
    return c.Interval(**_timed(read))


def _inquiry(read: dict[str, Any] | None) -> c.Inquiry | None:
    return None if read is None else c.Inquiry(**read, given=frozenset(read))


def _face_to_face(read: dict[str, Any]) -> c.FaceToFace:
    return c.FaceToFace(read["date"], read["group"], read["specialty"], read.get("clinician"), read["face_to_face"])


def _consent(read: dict[str, Any], timezone: str) -> c.Consent:
    days = days_of(timezone)
    moments: dict[str, Any] = {
        name: read[name] if isinstance(read[name], int) else days.midnight(read[name])
        for name in ("at", "revoked_at")
        if name in read
    }
    return c.Consent(**(read | moments))


def _global_period(read: dict[str, Any]) -> c.GlobalPeriod:
    return c.GlobalPeriod(surgery_on=read["surgery_date"], **{k: v for k, v in read.items() if k != "surgery_date"})


def _other_claim(read: dict[str, Any]) -> c.OtherClaim:
    ranges = read.get("time_ranges")
    times = None if ranges is None else tuple(c.TimeRange(**_timed(one)) for one in ranges)
    return c.OtherClaim(**(read | {"time_ranges": times}))
