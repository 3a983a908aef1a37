"""Other services near an episode, reduced to facts: e-visits, global periods, claims, monthly bundles."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from backend.billing.case import UNSPECIFIED, Case, Clinician, Enrolment, GlobalPeriod, OtherClaim
from backend.billing.days import Days, anniversary, month_of
from backend.billing.visits import any_of
from backend.billing.windows import Period
from shared_rules import engine
from shared_rules.conditions import Rules


def established(case: Case, period: Period, rules: Rules, seen_by: Sequence[Clinician]) -> bool | None:
    """Whether one of these clinicians, or their specialty in the group, saw the patient in the years before day 1."""
    if case.face_to_face_history is None:
        return None
    years = rules["parameters"]["established_years"]
    answer: bool | None = False
    for service in case.face_to_face_history:
        if not service.face_to_face or not service.on < period.window_start < anniversary(service.on, years):
            continue
        for person in seen_by:
            same_group = service.group == person.group
            if service.clinician == person.id or (same_group and service.specialty == person.specialty):
                return True
            if same_group and person.specialty == UNSPECIFIED:
                answer = None
    return answer


def evisit_facts(case: Case, family: str, period: Period, rules: Rules) -> dict[str, Any]:
    """Other e-visits of patient, group and family near day 1."""
    if case.prior_evisits is None:
        return {}
    distance = rules["parameters"]["evisit_distance_days"]
    near = []
    for other in case.prior_evisits:
        counts = None if other.status is None else other.status in rules["parameters"]["evisit_statuses"]
        apart = abs((other.window_start - period.window_start).days)
        if other.group == case.practice.group and other.family == family and counts is not False and apart <= distance:
            near.append((apart, other.window_start, counts))
    near.sort(key=lambda found: found[:2])
    return {
        "prior_evisit_in_period": any_of(counts for apart, _, counts in near if apart < distance),
        "prior_evisit_adjacent": any_of(counts for apart, _, counts in near if apart == distance),
        "prior_evisit_on": near[0][1].isoformat() if near else None,
    }


def global_facts(case: Case, days_worked: Sequence[date], rules: Rules, working: Sequence[Clinician]) -> dict[str, Any]:
    """Surgical packages of a working clinician's group and specialty over one of these days."""
    if case.global_periods is None:
        return {}
    lengths = {entry["days"]: entry for entry in rules["parameters"]["global_periods"]}
    related_only = rules["parameters"]["global_period_scope"] == "related"
    found: list[tuple[bool | None, date]] = []
    for package in case.global_periods:
        length = lengths.get(package.days)
        binds = _binds(package, working)
        if length is None or length["before"] is None or binds is False:
            continue
        first = package.surgery_on - timedelta(days=length["before"])
        last = package.surgery_on + timedelta(days=length["after"])
        if any(first <= day <= last for day in days_worked):
            related = package.related_to_inquiry if related_only else True
            found.append((related and binds if related is not None else related, last))
    answer = any_of([*(binds for binds, _ in found), *_rest_of(case, "global_periods")])
    until = max((last for binds, last in found if binds is answer), default=None)
    return {"in_global_period": answer, "global_period_until": None if until is None else until.isoformat()}


def _binds(package: GlobalPeriod, working: Sequence[Clinician]) -> bool | None:
    """Whether one of them is the surgeon, or of the surgeon's specialty in the group."""
    answers: list[bool | None] = []
    for person in working:
        same_group = package.group == person.group
        own = package.surgeon == person.id or (same_group and package.specialty == person.specialty)
        answers.append(True if own else None if same_group and person.specialty == UNSPECIFIED else False)
    return any_of(answers)


def claim_facts(case: Case, period: Period, counted_days: Sequence[date], rules: Rules, days: Days) -> dict[str, Any]:
    """Services that may not share a communication or a month with this one."""
    facts: dict[str, Any] = {"apcm_in_month": _apcm(case, period, counted_days, rules, days)}
    if case.other_claims is None:
        return facts
    parameters = rules["parameters"]
    listed: list[bool | None] = _rest_of(case, "other_claims")
    unlisted = ctbs_nearby = undated = False
    for claim in case.other_claims:
        on = _claim_day(claim, period, days)
        same = claim.same_communication
        ctbs = engine.in_codes(parameters["ctbs_codes"], claim.code, on)
        if ctbs or engine.in_codes(parameters["same_communication_codes"], claim.code, on):
            open_question = same is None and not claim.time_ranges and _in_month(claim, period, days)
            listed.append(True if same else None if open_question else False)
            ctbs_nearby = ctbs_nearby or (ctbs and same is False and _in_period(claim, period, days))
        elif same and engine.in_codes(parameters["time_only_codes"], claim.code, on):
            unlisted = True
        if not claim.time_ranges and engine.in_codes(parameters["visit_claim_codes"], claim.code, on):
            undated = undated or _in_month(claim, period, days)
    return facts | {
        "listed_same_communication": any_of(listed),
        "unlisted_same_communication": unlisted,
        "ctbs_in_period": ctbs_nearby,
        "visit_claim_undated": undated,
    }


def _rest_of(case: Case, name: str) -> list[bool | None]:
    """What the part of a list says that nobody has read: that it is not known."""
    return [None] if name in case.unread else []


def _claim_dates(claim: OtherClaim, days: Days) -> list[date]:
    """The days that the claim itself names."""
    named = [] if claim.on is None else [claim.on]
    return named + [days.date_of(r.started_at) for r in claim.time_ranges or ()]


def _claim_day(claim: OtherClaim, period: Period, days: Days) -> date:
    """A day on which the claim's code has to exist: its own, else its month's first, else the date of service."""
    named = _claim_dates(claim, days)
    if named:
        return named[0]
    return period.window_start if claim.month is None else date.fromisoformat(f"{claim.month}-01")


def _in_month(claim: OtherClaim, period: Period, days: Days) -> bool:
    """Whether the claim is of a month of the period: a monthly service names one day for all of it."""
    months = {month_of(day) for day in _claim_dates(claim, days)} | ({claim.month} if claim.month else set())
    return not months or not months.isdisjoint({month_of(period.window_start), month_of(period.window_end)})


def _in_period(claim: OtherClaim, period: Period, days: Days) -> bool:
    """Whether the claim lies in the period; one that names no day, in a month of it; one that names nothing, yes."""
    named = _claim_dates(claim, days)
    if named:
        return any(period.window_start <= day <= period.window_end for day in named)
    return _in_month(claim, period, days)


def _apcm(case: Case, period: Period, counted_days: Sequence[date], rules: Rules, days: Days) -> bool | None:
    """Whether a monthly bundle covers a month with counted time or the month of day 1; by claim or by enrolment."""
    if case.other_claims == () and case.enrolments == ():
        return False
    codes = rules["parameters"]["apcm_codes"]
    months = {day.replace(day=1) for day in [period.window_start, *counted_days]}
    months = {m for m in months if any(entry["from"] is None or entry["from"] <= f"{m:%Y-%m}-31" for entry in codes)}
    if not months:
        return False
    names = {month_of(month) for month in months}
    answers: list[bool | None] = [None] if case.other_claims is None else _rest_of(case, "other_claims")
    for claim in case.other_claims or ():
        if engine.in_codes(codes, claim.code, _claim_day(claim, period, days)):
            claimed = {claim.month} if claim.month else {month_of(day) for day in _claim_dates(claim, days)}
            answers.append(None if not claimed else not names.isdisjoint(claimed))
    answers += [None] if case.enrolments is None else _rest_of(case, "enrolments")
    programs = rules["parameters"]["apcm_programs"]
    for enrolment in case.enrolments or ():
        answers.append(enrolment.program in programs and any(_active_in(enrolment, month) for month in months))
    return any_of(answers)


def _active_in(enrolment: Enrolment, month: date) -> bool:
    """Whether the enrolment is active on any day of the month that begins on this day."""
    next_month = (month + timedelta(days=31)).replace(day=1)
    return enrolment.from_on < next_month and (enrolment.to_on is None or enrolment.to_on >= month)
