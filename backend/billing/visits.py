"""The visits near an episode, reduced to what the rules ask of them.

A visit before the inquiry looks back to it, one from the inquiry on looks ahead. An answer that nobody has given is
None here too: True settles a question, else one None leaves it open.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from backend.billing.case import UNSPECIFIED, Case, Clinician, Inquiry, Instant, Visit
from backend.billing.days import Days
from backend.billing.windows import Opening, Period
from shared_rules import engine
from shared_rules.conditions import Rules

_NO_VISIT = ("cancelled", "no_show")


@dataclass(frozen=True, slots=True)
class SeenVisit:
    """A visit on its local day. `certain`: it took place and is of a kind that matters; else one of both may be so."""

    visit: Visit
    on: date
    certain: bool


@dataclass(frozen=True, slots=True)
class VisitsNearby:
    """Every visit of the case that may matter to the family, and how it stands to each inquiry."""

    case: Case
    rules: Rules
    days: Days
    seen: tuple[SeenVisit, ...]
    scheduled: tuple[SeenVisit, ...]  # still so, though their time has passed

    def before(self, inquiry: Inquiry, seen: Iterable[SeenVisit] | None = None) -> list[SeenVisit]:
        """Visits in the look-back of an inquiry: before it, at most `lookback_days` local dates."""
        if inquiry.at is None or not self.seen + self.scheduled:
            return []
        day = self.days.date_of(inquiry.at)
        first = day - timedelta(days=self.rules["parameters"]["lookback_days"])
        return [s for s in (self.seen if seen is None else seen) if s.visit.at < inquiry.at and s.on >= first]

    def related(self, inquiry: Inquiry, *, is_first: bool) -> bool | None:
        """Whether the inquiry is about a visit of the group in its look-back; None: it may be.

        Visits say it of the first inquiry, or of single threads; a later inquiry says it itself, or that it is about
        the first one's matter.
        """
        if inquiry.related_to_prior_visit is not None:
            return inquiry.related_to_prior_visit
        own = [s for s in self.before(inquiry) if s.visit.group == self.case.practice.group]
        if not own:
            return False
        if is_first:
            return any_of(_and(s.certain, s.visit.related_to(inquiry)) for s in own)
        of_thread = any_of(_and(s.certain, dict(s.visit.related_threads).get(inquiry.thread or "")) for s in own)
        if of_thread is not None:
            return of_thread
        if not inquiry.related_to_first or self.case.inquiry is None:
            return None
        return self.related(self.case.inquiry, is_first=True)

    def related_each(self, inquiries: Iterable[Inquiry]) -> list[bool | None]:
        """The same of each inquiry."""
        return [self.related(q, is_first=q is self.case.inquiry) for q in inquiries]


def any_of(answers: Iterable[bool | None]) -> bool | None:
    """True if one is True, else None if one is not known, else False."""
    result: bool | None = False
    for answer in answers:
        if answer:
            return True
        if answer is None:
            result = None
    return result


def _and(certain: bool, answer: bool | None) -> bool | None:
    return answer if certain or answer is False else None


def visits_nearby(case: Case, rules: Rules, days: Days) -> VisitsNearby:
    """The case's visits and the claims that are visits, less those cancelled, missed, or of a kind without weight."""
    kinds = rules["parameters"]["visit_kinds"]
    seen, scheduled = [], []
    for visit in [*(case.visits or ()), *_claimed_visits(case, rules, days)]:
        if visit.status in _NO_VISIT or (visit.kind is not None and visit.kind not in kinds):
            continue
        found = SeenVisit(visit, days.date_of(visit.at), visit.kind is not None and visit.status == "completed")
        if visit.status != "scheduled":
            seen.append(found)
        elif visit.at <= case.as_of:
            scheduled.append(found)
    return VisitsNearby(case, rules, days, tuple(sorted(seen, key=_by_time)), tuple(sorted(scheduled, key=_by_time)))


def _by_time(seen: SeenVisit) -> tuple[Instant, str, str]:
    return seen.visit.at, seen.visit.group, seen.visit.specialty


def _claimed_visits(case: Case, rules: Rules, days: Days) -> list[Visit]:
    """Telephone and telemedicine claims: a completed visit where their first time range starts."""
    people = {c.id: c for c in case.clinicians}
    found = []
    for claim in case.other_claims or ():
        if not claim.time_ranges:
            continue
        first = min(claim.time_ranges, key=lambda r: (r.started_at, r.ended_at, r.clinician))
        day = days.date_of(first.started_at)
        if not engine.in_codes(rules["parameters"]["visit_claim_codes"], claim.code, day):
            continue
        person = people.get(first.clinician)
        group, specialty = (person.group, person.specialty) if person else (case.practice.group, "")
        kind = rules["parameters"]["visit_kinds"][0]
        found.append(Visit(first.started_at, kind, group, specialty, "completed", claim.same_communication))
    return found


def open_relations(nearby: VisitsNearby, opening: Opening, specialties: Iterable[str]) -> list[tuple[Visit, Inquiry]]:
    """Visits of the case and inquiries on threads where it matters whether one is about the other, and nobody said so.

    A visit in an inquiry's look-back, or one after the anchoring inquiry by another specialty than those whose time
    counts (`specialties`).
    """
    case, period = nearby.case, opening.period
    own = [s for s in nearby.seen if s.visit.group == case.practice.group and s.visit in (case.visits or ())]
    found = []
    for k, inquiry in enumerate(opening.inquiries):
        if inquiry.thread is None or inquiry.at is None or k in opening.left_out:
            continue
        is_first = inquiry is case.inquiry
        if inquiry.related_to_prior_visit is None:
            found += [(s.visit, inquiry) for s in nearby.before(inquiry, own) if _unsaid(s.visit, inquiry, is_first)]
        if period is not None and k == opening.anchoring:
            last = period.window_start + timedelta(days=nearby.rules["parameters"]["lookahead_days"])
            found += [
                (s.visit, inquiry)
                for s in own
                if s.visit.at >= inquiry.at and s.on <= last and s.visit.specialty not in specialties
                if _unsaid(s.visit, inquiry, is_first)
            ]
    return found


def _unsaid(visit: Visit, inquiry: Inquiry, is_first: bool) -> bool:
    if is_first:
        return visit.related_to(inquiry) is None
    return inquiry.thread not in dict(visit.related_threads) and not inquiry.related_to_first


def unrelated_problems(nearby: VisitsNearby, opening: Opening) -> frozenset[str]:
    """Problems of visits in the look-back that are attested as another matter: their time is not this inquiry's."""
    if opening.anchoring is None:
        return frozenset()
    inquiry = opening.inquiries[opening.anchoring]
    visits = [s.visit for s in nearby.before(inquiry) if s.certain]
    return frozenset(v.problem for v in visits if v.problem is not None and v.related_to(inquiry) is False)


def visit_facts(nearby: VisitsNearby, opening: Opening, working: Sequence[Clinician]) -> dict[str, Any]:
    """The facts about visits. `working`: the clinicians whose time counts, consent aside."""
    case, period = nearby.case, opening.period
    facts: dict[str, Any] = {"visits_known": case.visits is not None}
    inquiry = _asked(opening)
    if inquiry is not None:
        facts |= _look_back(nearby, inquiry, is_first=_first_anchors(case, opening))
    if period is not None and inquiry is not None and inquiry.at is not None:
        specialties = {c.specialty for c in working}
        facts |= _look_ahead(nearby, period, inquiry, inquiry.at, specialties)
        facts["visit_outcome_pending"] = _pending(nearby, period, inquiry, specialties)
        release = period.window_start + timedelta(days=nearby.rules["parameters"]["release_after_days"])
        read_at = case.as_of if case.visits_read_at is None else case.visits_read_at
        facts["visits_read_after_lookahead"] = nearby.days.date_of(read_at) >= release
    near = _near(nearby, period, inquiry) if nearby.seen else []
    facts["visit_other_group"] = any(s.visit.group != case.practice.group for s in near)
    facts["same_diagnosis"] = inquiry is not None and any(
        s.visit.related_to(inquiry) is False and set(inquiry.diagnoses).intersection(s.visit.diagnoses) for s in near
    )
    if case.visits is None:  # what the claims show stands; what they do not show is not known
        shown = ("prior_em_related", "subsequent_em", "same_day_em")
        facts |= {name: facts.get(name) or None for name in shown}
    return facts


def _first_anchors(case: Case, opening: Opening) -> bool:
    return opening.anchoring is None or opening.inquiries[opening.anchoring] is case.inquiry


def _asked(opening: Opening) -> Inquiry | None:
    """The inquiry that anchors. Where nobody knows when it came, the first review stands for its time."""
    inquiry = None if opening.anchoring is None else opening.inquiries[opening.anchoring]
    if inquiry is not None and inquiry.at is not None:
        return inquiry
    if opening.period is None:
        return None
    return replace(inquiry or Inquiry(None), at=opening.period.anchored_at)


def _look_back(nearby: VisitsNearby, inquiry: Inquiry, *, is_first: bool) -> dict[str, Any]:
    own = [s for s in nearby.before(inquiry) if s.visit.group == nearby.case.practice.group]
    related = nearby.related(inquiry, is_first=is_first)
    maybe = [s for s in own if not is_first or s.visit.related_to(inquiry) is not False]
    return {
        "prior_em_related": related,
        "prior_em_on": maybe[-1].on.isoformat() if maybe and related is not False else None,
        "prior_em_unrelated": related is False and bool(own),
    }


def _look_ahead(
    nearby: VisitsNearby, period: Period, inquiry: Inquiry, asked_at: Instant, specialties: set[str]
) -> dict[str, Any]:
    day_1 = period.window_start
    last = day_1 + timedelta(days=nearby.rules["parameters"]["lookahead_days"])
    own = [s for s in nearby.seen if s.visit.group == nearby.case.practice.group]
    ahead = [s for s in own if s.visit.at >= asked_at and s.on <= last]
    answers = [(s, _absorbs(s, inquiry, specialties)) for s in ahead]
    subsequent = any_of(answer for _, answer in answers)
    deciding = [s for s, answer in answers if answer is subsequent] if subsequent is not False else []
    same_day = any_of(True if s.certain else None for s in own if s.on == day_1)
    return {
        "subsequent_em": subsequent,
        "subsequent_em_on": deciding[0].on.isoformat() if deciding else None,
        "subsequent_em_other_specialty": any(
            s.certain and s.visit.specialty not in specialties and s.visit.related_to(inquiry) is False for s in ahead
        ),
        "same_day_em": same_day,
    }


def _absorbs(seen: SeenVisit, inquiry: Inquiry, specialties: set[str]) -> bool | None:
    """Whether a visit after the inquiry takes the episode in: always of the same specialty, else if related."""
    if seen.visit.specialty in specialties:
        return True if seen.certain else None
    if UNSPECIFIED in specialties and seen.visit.related_to(inquiry) is False:
        return None  # it may be of the same specialty
    return _and(seen.certain, seen.visit.related_to(inquiry))


def _pending(nearby: VisitsNearby, period: Period, inquiry: Inquiry, specialties: set[str]) -> bool:
    """Whether a visit that still stands as scheduled would decide, had it taken place."""
    own = [s for s in nearby.scheduled if s.visit.group == nearby.case.practice.group]
    day_1 = period.window_start
    last = day_1 + timedelta(days=nearby.rules["parameters"]["lookahead_days"])
    back = nearby.before(inquiry, own)
    if any(s.visit.related_to(inquiry) is not False or s.on == day_1 for s in back):
        return True
    ahead = [s for s in own if inquiry.at is not None and s.visit.at >= inquiry.at and s.on <= last]
    return any(s.on == day_1 or _absorbs(s, inquiry, specialties) is not False for s in ahead)


def _near(nearby: VisitsNearby, period: Period | None, inquiry: Inquiry | None) -> list[SeenVisit]:
    """Visits in the look-back and in the look-ahead."""
    if inquiry is None or inquiry.at is None:
        return []
    near = nearby.before(inquiry)
    if period is not None:
        last = period.window_start + timedelta(days=nearby.rules["parameters"]["lookahead_days"])
        near += [s for s in nearby.seen if s.visit.at >= inquiry.at and s.on <= last]
    return near
