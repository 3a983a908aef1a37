"""A counted case reduced to the scalar facts of shared_rules/facts.json; what nobody knows is None or absent."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from backend.billing.case import Clinician, Inquiry, Instant, Visit
from backend.billing.claims import claim_facts, established, evisit_facts, global_facts
from backend.billing.counted import (
    Counted,
    asked_in_period,
    code_hangs_on,
    relation_left_open,
)
from backend.billing.counting import REASONS, standing_reason
from backend.billing.rulebook import family_of
from backend.billing.visits import open_relations, visit_facts
from backend.billing.windows import Period

_NOTHING_EXCLUDED = {f"excluded_{reason}_seconds": 0 for reason in REASONS}


def facts_of(counted: Counted) -> dict[str, Any]:
    """Every fact that the case gives; what nobody knows is None or absent."""
    case = counted.case
    facts: dict[str, Any] = {
        "qualifying_review": counted.opening.period is not None,
        "staff_alone_worked": _staff_alone(counted),
        "practice_setting": case.practice.setting,
        "payer_type": case.payer_type,
        "payer_covers": case.payer_covers,
        "patient_known": case.patient is not None,
        "permanently_stored": case.permanently_stored,
        "content_attested": case.content_attested,
        "claim_pos": case.claim_pos,
        "inquiry_left_out": bool(counted.opening.left_out),
        "counted_seconds": counted.counted_seconds,
    }
    facts |= _NOTHING_EXCLUDED
    facts |= {f"excluded_{reason}_seconds": seconds for reason, seconds in counted.excluded.items()}
    facts |= _waiting_facts(counted) | _inquiry_facts(counted) | _draft_facts(counted)
    working = _working(counted)
    facts |= visit_facts(counted.nearby, counted.opening, _at_visits(counted))
    if facts.get("prior_em_related") is False and relation_left_open(counted):
        facts["prior_em_related"] = None
    if counted.opening.period is not None:
        facts |= _period_facts(counted, counted.opening.period) | counted.work.facts
        facts |= counted.what_if | _service_facts(counted, counted.opening.period, working)
    return facts


def relations_asked(counted: Counted) -> list[tuple[Visit, Inquiry]]:
    """The visits and inquiries of which only the clinician can say whether one is about the other."""
    return open_relations(counted.nearby, counted.opening, {each.specialty for each in _at_visits(counted)})


def _at_visits(counted: Counted) -> Sequence[Clinician]:
    """The clinicians to whose specialties visits are held."""
    return counted.work.people_aside_consent or _working(counted)


def _working(counted: Counted) -> Sequence[Clinician]:
    """The clinicians whose time is counted; if no second is, those with a countable interval in the period."""
    if counted.work.people_aside_consent:
        return counted.work.people or counted.work.people_aside_consent
    people = {c.id: c for c in reversed(counted.case.clinicians)}
    group, apart = counted.case.practice.group, counted.counting.specialty
    period = counted.opening.period
    present = {
        i.clinician
        for i in counted.counting.intervals
        if standing_reason(i, people, group, counted.family, counted.rules, specialty=apart) is None
        and period is not None
        and i.started_at < period.ends_at
        and i.ended_at >= period.anchored_at
    }
    return [c for c in counted.case.clinicians if c.id in present]


def _staff_alone(counted: Counted) -> bool:
    intervals = counted.counting.intervals
    if counted.opening.period is not None or not intervals:
        return False
    people = {c.id: family_of(c.type) for c in counted.case.clinicians}
    return all(people[i.clinician] == "staff" for i in intervals)


def _waiting_facts(counted: Counted) -> dict[str, Any]:
    """How long a first review is awaited."""
    asked_at = _asked_at(counted)
    if asked_at is None:
        return {}
    within = counted.rules["parameters"]["review_within_days"]
    until = counted.days.date_of(asked_at) + timedelta(days=within)
    return {"review_until": until.isoformat(), "review_overdue": counted.days.date_of(counted.case.as_of) > until}


def _asked_at(counted: Counted) -> Instant | None:
    """When the anchoring inquiry came, where somebody knows."""
    opening = counted.opening
    inquiry = None if opening.anchoring is None else opening.inquiries[opening.anchoring]
    return None if inquiry is None or inquiry.implied else inquiry.at


def _period_facts(counted: Counted, period: Period) -> dict[str, Any]:
    today = counted.days.date_of(counted.case.as_of)
    release = period.window_start + timedelta(days=counted.rules["parameters"]["release_after_days"])
    by_the_hour = counted.rules["parameters"]["period_mode"] == "hours"
    return {
        "window_start": period.window_start.isoformat(),
        "window_end": period.window_end.isoformat(),
        "date_of_service": period.window_start.isoformat(),
        "period_running": counted.case.as_of < period.ends_at if by_the_hour else today <= period.window_end,
        "lookahead_open": today < release,
        "hold_until": release.isoformat(),
    }


def _service_facts(counted: Counted, period: Period, working: Sequence[Clinician]) -> dict[str, Any]:
    case, rules, days = counted.case, counted.rules, counted.days
    asked_at = _asked_at(counted)
    tested = [period.window_start, *counted.work.on, *([] if asked_at is None else [days.date_of(asked_at)])]
    facts = {"established": established(case, period, rules, working)}
    facts |= evisit_facts(case, counted.family, period, rules)
    facts |= global_facts(case, tested, rules, working)
    facts |= claim_facts(case, period, counted.work.on, rules, days)
    return facts


def _inquiry_facts(counted: Counted) -> dict[str, Any]:
    """The anchoring inquiry's answers; a later kept one's unknown answer counts where it would change the code."""
    opening = counted.opening
    if opening.anchoring is None:
        return {"inquiry_at_known": False}
    inquiry = opening.inquiries[opening.anchoring]
    facts: dict[str, Any] = {
        "inquiry_at_known": inquiry.at is not None and not inquiry.implied,
        "initiated_by": inquiry.initiated_by,
        "channel": inquiry.channel,
        "hipaa_compliant": inquiry.hipaa_compliant,
        "evaluative": inquiry.evaluative,
        "about_other_patient": inquiry.about_other_patient,
    }
    for k, later in enumerate(opening.inquiries):
        if k == opening.anchoring or k in opening.left_out or not asked_in_period(later, opening.period):
            continue
        facts["about_other_patient"] = facts["about_other_patient"] or later.about_other_patient
        unknown = [name for name in ("initiated_by", "channel", "evaluative") if getattr(later, name) is None]
        if unknown and code_hangs_on(counted, k):
            facts |= dict.fromkeys(unknown)
    return facts


def _draft_facts(counted: Counted) -> dict[str, Any]:
    case, parameters = counted.case, counted.rules["parameters"]
    facts: dict[str, Any] = {}
    if case.claim_modifiers is not None:
        facts["claim_telehealth_modifier"] = any(m in parameters["telehealth_modifiers"] for m in case.claim_modifiers)
        rendering = counted.work.rendering
        due = [
            e["modifier"] for e in parameters["therapy_modifiers"] if rendering and e["credential"] == rendering.type
        ]
        facts["claim_therapy_modifier"] = any(modifier in case.claim_modifiers for modifier in due)
    if case.notices is not None:
        asked_at = _asked_at(counted)
        facts["notice_given"] = any(asked_at is None or at <= asked_at for at in case.notices)
    if case.patient_state is not None:
        held = [c.licensed_in for c in counted.work.people]
        outside = any(states is not None and case.patient_state not in states for states in held)
        facts["licensed_where_patient_is"] = False if outside else None if None in held else True
    return facts
