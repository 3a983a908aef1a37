"""A case, counted: its period opened, its time sifted, and the same under answers that nobody has given yet."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from backend.billing.case import Case, Inquiry, Interval
from backend.billing.consents import ConsentFound, consent_of, consent_spans
from backend.billing.counting import (
    Assumption,
    Counting,
    Fragment,
    Piece,
    Sifted,
    anchors,
    standing_reasons,
)
from backend.billing.days import MS_A_SECOND, Days, days_of
from backend.billing.rulebook import band, family_of, rules_on
from backend.billing.spans import Span
from backend.billing.visits import VisitsNearby, unrelated_problems, visits_nearby
from backend.billing.windows import BY_TIME, Belongs, Opening, Period, Reviews, effective, open_period, sort_key
from backend.billing.work import Work, work_done
from shared_rules.conditions import Rules


@dataclass(slots=True)
class Counted:
    """A case, counted: everything that its facts are read from."""

    case: Case
    family: str
    rules: Rules
    days: Days
    nearby: VisitsNearby
    opening: Opening
    counting: Counting
    sifted: Sifted
    consent: ConsentFound | None  # None without a period
    consent_limit: Sequence[Span] | None  # outside of which time is dropped; None where consent is no matter
    kept: list[Fragment]  # under consent, shared time still on each
    pieces: list[Piece]
    counted_seconds: int
    excluded: dict[str, int]
    work: Work
    what_if: dict[str, Any]  # facts about the same time under other answers; empty without a period

    def hold_until(self) -> str | None:
        """The day of release while it has not come, else None."""
        if self.opening.period is None:
            return None
        release = self.opening.period.window_start + timedelta(days=self.rules["parameters"]["release_after_days"])
        return release.isoformat() if self.days.date_of(self.case.as_of) < release else None


def count(case: Case) -> Counted:
    """Opens the period, counts the time in it and attributes every other second to its reason."""
    intervals = _once_each(case.intervals)
    family = family_to_evaluate(case)
    days = days_of(case.practice.timezone)
    rules = rules_on(family, case.payer_type, _provisional_day(case, intervals, days), case.settings)
    nearby, opening, specialty = _opened_by_one(case, intervals, family, rules, days)
    if opening.period is not None:
        in_force = rules_on(family, case.payer_type, opening.period.window_start, case.settings)
        if in_force is not rules:
            rules = in_force
            nearby, opening, specialty = _opened_by_one(case, intervals, family, rules, days)
    counting = Counting(case, rules, family, opening, intervals, unrelated_problems(nearby, opening), specialty)
    sifted = counting.sift()
    consent, limit = None, None
    if opening.period is not None:
        spans = consent_spans(case.consents, opening.period, rules, days)
        consent = consent_of(counting.worked_spans(sifted.worked), spans, opening.period, rules)
        if case.payer_type in rules["parameters"]["consent_required_payers"]:
            limit = consent.spans
    kept, pieces = counting.settle(sifted, limit)
    seconds, excluded = counting.sums(sifted, limit)
    work = work_done(counting, sifted, kept, days)
    counted = Counted(
        case=case,
        family=family,
        rules=rules,
        days=days,
        nearby=nearby,
        opening=opening,
        counting=counting,
        sifted=sifted,
        consent=consent,
        consent_limit=limit,
        kept=kept,
        pieces=pieces,
        counted_seconds=seconds,
        excluded=excluded,
        work=work,
        what_if={},
    )
    if opening.period is not None:
        counted.what_if = what_if_facts(counted)
    return counted


def family_to_evaluate(case: Case) -> str:
    """The one asked for; else em if an em clinician of the group worked, else nonphysician."""
    if case.evaluate_family is not None:
        return case.evaluate_family
    physicians = {c.id for c in case.clinicians if c.group == case.practice.group and family_of(c.type) == "em"}
    return "em" if any(i.clinician in physicians for i in case.intervals) else "nonphysician"


def _once_each(intervals: Sequence[Interval]) -> list[Interval]:
    """One of each id, the first that was given, sorted by time."""
    first = {interval.id: interval for interval in reversed(intervals)}
    return sorted(first.values(), key=BY_TIME)


def _provisional_day(case: Case, intervals: Sequence[Interval], days: Days) -> date:
    """A day to choose rules by until the period is known."""
    asked_at = None if case.inquiry is None else case.inquiry.at
    if asked_at is not None:
        return days.date_of(asked_at)
    return days.date_of(intervals[0].started_at if intervals else case.as_of)


def _opened_by_one(
    case: Case, intervals: Sequence[Interval], family: str, rules: Rules, days: Days
) -> tuple[VisitsNearby, Opening, str | None]:
    """What opens, and the specialty that is kept apart: the one asked for, else that of the first review of all."""
    apart = rules["parameters"]["aggregate_by"] == "specialty"
    specialty = case.evaluate_specialty if apart else None
    nearby, opening = _opened(case, intervals, family, rules, days, specialty)
    if apart and specialty is None and opening.period is not None:
        specialty = _specialty_of_first(case, opening, _reviews(case, intervals, family, rules, None))
        nearby, opening = _opened(case, intervals, family, rules, days, specialty)
    return nearby, opening, specialty


def _specialty_of_first(case: Case, opening: Opening, reviews: Reviews) -> str | None:
    """The specialty of whose review opened the period; of several at that instant, of the one that began first."""
    people = {c.id: c for c in reversed(case.clinicians)}
    at = None if opening.period is None else opening.period.anchored_at
    belongs = Belongs(opening.inquiries, opening.left_out)
    for review in reviews.intervals:
        kept = belongs.kept(review) if opening.left_out else [(review.started_at, review.ended_at)]
        if at is not None and any(start == at or start <= at < end for start, end in kept):
            return people[review.clinician].specialty
    return None


def _reviews(
    case: Case,
    intervals: Sequence[Interval],
    family: str,
    rules: Rules,
    specialty: str | None,
    *,
    attested: bool = False,
) -> Reviews:
    """The intervals that may open the period."""
    people = {c.id: c for c in reversed(case.clinicians)}
    reasons = standing_reasons(intervals, people, case.practice.group, family, rules, specialty=specialty)
    return Reviews(
        interval
        for interval, reason in zip(intervals, reasons, strict=True)
        if reason is None and anchors(interval, rules, attested=attested)
    )


def _opened(
    case: Case,
    intervals: Sequence[Interval],
    family: str,
    rules: Rules,
    days: Days,
    specialty: str | None,
    *,
    attested: bool = False,
) -> tuple[VisitsNearby, Opening]:
    nearby = visits_nearby(case, rules, days)
    inquiries = sorted(effective(case.inquiry, case.additional_inquiries or ()), key=sort_key)
    reviews = _reviews(case, intervals, family, rules, specialty, attested=attested)
    return nearby, open_period(inquiries, nearby.related_each(inquiries), reviews, rules, days)


def _has_entered(counted: Counted, *, answered: bool) -> bool:
    entries = counted.rules["parameters"]["entered_entries"]
    return any(
        i.entry in entries and (i.attested is True if answered else i.attested is None)
        for i in counted.counting.intervals
    )


def seconds_if(counted: Counted, assumption: Assumption) -> int:
    """Counted seconds under an assumption; what would be attested may also open the period earlier."""
    counting = counted.counting
    if assumption.attested:
        nearby, opening = _opened(
            counted.case,
            counting.intervals,
            counted.family,
            counted.rules,
            counted.days,
            counting.specialty,
            attested=True,
        )
        counting = replace(counting, opening=opening, unrelated_problems=unrelated_problems(nearby, opening))
    worked = counting.sift(assumption).worked
    return counting.length(worked, counted.consent_limit) // MS_A_SECOND


def code_hangs_on(counted: Counted, inquiry: int) -> bool:
    """Whether the band would be another without this inquiry's time."""
    without = seconds_if(counted, Assumption(without_inquiries=frozenset({inquiry})))
    return band(counted.rules, without * MS_A_SECOND) != band(counted.rules, counted.counted_seconds * MS_A_SECOND)


def what_if_facts(counted: Counted) -> dict[str, Any]:
    """The counted seconds under other answers, and what consent says."""
    consent = counted.consent
    plain = counted.counted_seconds
    unanswered = _has_entered(counted, answered=False)
    claimed = "claimed_twice" in {reason for *_, reason in counted.sifted.excluded}
    facts: dict[str, Any] = {
        "counted_seconds_if_attested": seconds_if(counted, Assumption(attested=True)) if unanswered else plain,
        "counted_seconds_if_settled": seconds_if(counted, Assumption(settled=True)) if claimed else plain,
        "counted_seconds_measured": (
            seconds_if(counted, Assumption(measured_only=True)) if _has_entered(counted, answered=True) else plain
        ),
        "consent": None if consent is None else consent.state,
        "counted_seconds_under_consent": _under_consent(counted),
        "other_patients_known": counted.case.other_patient_time is not None,
    }
    facts["counted_seconds_if_both"] = facts[
        "counted_seconds_if_settled" if not unanswered else "counted_seconds_if_attested"
    ]
    if unanswered and (claimed or any(not other.settled for other in counted.case.other_patient_time or ())):
        facts["counted_seconds_if_both"] = seconds_if(counted, Assumption(attested=True, settled=True))
    return facts


def _under_consent(counted: Counted) -> int | None:
    if counted.consent is None or counted.consent.under_ms is None:
        return None
    return counted.counting.length(counted.sifted.worked, counted.consent.spans) // MS_A_SECOND


def relation_left_open(counted: Counted) -> bool:
    """Whether a later kept inquiry may be about a visit before it, and the code hangs on it."""
    opening = counted.opening
    if len(opening.inquiries) < 2:
        return False
    related = counted.nearby.related_each(opening.inquiries)
    return any(
        related[k] is None and code_hangs_on(counted, k)
        for k, later in enumerate(opening.inquiries)
        if k != opening.anchoring and k not in opening.left_out and asked_in_period(later, opening.period)
    )


def asked_in_period(inquiry: Inquiry, period: Period | None) -> bool:
    return period is not None and (inquiry.at is None or inquiry.at < period.ends_at)
