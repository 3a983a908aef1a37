"""What the counted time shows beside its length: who worked, on which days, and whether at once or late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from backend.billing.case import Clinician
from backend.billing.counting import Counting, Fragment, Sifted
from backend.billing.days import MS_A_DAY, MS_A_SECOND, Days
from backend.billing.spans import Span
from backend.billing.windows import Belongs


@dataclass(frozen=True, slots=True)
class Work:
    """`people`: whose time is counted, in the case's order; `people_aside_consent`: whose would be with consent.
    `on`: the local days with counted time, sorted. `rendering`: who is suggested to render the service. `facts`: what
    the rules may ask of it."""

    people: tuple[Clinician, ...]
    people_aside_consent: tuple[Clinician, ...]
    on: tuple[date, ...]
    rendering: Clinician | None
    facts: dict[str, Any]


def work_done(counting: Counting, sifted: Sifted, kept: Sequence[Fragment], days: Days) -> Work:
    """The work in the fragments that are kept (shared time still stands on each of them)."""
    by_clinician: dict[str, list[Fragment]] = {}
    for fragment in kept:
        by_clinician.setdefault(counting.intervals[fragment[2]].clinician, []).append(fragment)
    people = tuple(c for c in counting.case.clinicians if c.id in by_clinician)
    spans = counting.worked_spans(kept)
    alone = {c: counting.worked_spans(own) for c, own in by_clinician.items()}
    rendering = min(people, key=lambda c: _rank(c, by_clinician[c.id], alone[c.id], counting), default=None)
    late_ms = counting.rules["parameters"]["late_entry_days"] * MS_A_DAY
    worked_on = [counting.intervals[index] for *_, index in kept]
    facts = {
        "trainee_seconds": _trainee_ms(counting, sifted) // MS_A_SECOND,
        "late_entry": any(i.entered_at is not None and i.entered_at - i.ended_at > late_ms for i in worked_on),
        "clinicians_at_once": len(alone) > 1 and sum(map(_length, alone.values())) > _length(spans),
        "counted_clinicians": len(by_clinician),
        "counted_intervals": len(spans),
        "counted_threads": len({i.thread for i in worked_on}),
        "other_family_in_period": _other_family(counting, sifted),
        "problem_added": _problem_added(counting, kept),
        "rendering_credential": None if rendering is None else rendering.type,
    }
    aside_consent = people if len(kept) == len(sifted.worked) else _people_of(counting, sifted.worked)
    return Work(people, aside_consent, _days_of(spans, days), rendering, facts)


def _people_of(counting: Counting, fragments: Sequence[Fragment]) -> tuple[Clinician, ...]:
    """Whose fragments they are, in the case's order."""
    present = {counting.intervals[index].clinician for *_, index in fragments}
    return tuple(c for c in counting.case.clinicians if c.id in present)


def _length(spans: Sequence[Span]) -> int:
    return sum(end - start for start, end in spans)


def _rank(
    person: Clinician, own: Sequence[Fragment], spans: Sequence[Span], counting: Counting
) -> tuple[int, bool, int, str]:
    """Most time first; at a tie who made the plan, then who came first. Never the physician by default."""
    planned = any(counting.intervals[index].activity == "develop_plan" for *_, index in own)
    return -_length(spans), not planned, spans[0][0], person.id


def _days_of(spans: Sequence[Span], days: Days) -> tuple[date, ...]:
    found: dict[date, None] = {}
    for start, end in spans:
        first, last = days.date_of(start), days.date_of(end - 1)
        for n in range((last - first).days + 1):
            found[first + timedelta(days=n)] = None
    return tuple(found)


def _trainee_ms(counting: Counting, sifted: Sifted) -> int:
    trainees = counting.rules["parameters"]["trainee_credentials"]
    return sum(
        end - start
        for start, end, index, reason in sifted.excluded
        if reason == "staff" and counting.person(index).type in trainees
    )


def _other_family(counting: Counting, sifted: Sifted) -> bool:
    """Whether the other family has countable time in the period."""
    period, activities = counting.opening.period, counting.rules["parameters"]["counted_activities"]
    if period is None:
        return False
    from_at = max(counting.opening.from_at, period.starts_at)
    return any(
        reason == "other_family"
        and counting.intervals[index].activity in activities
        and start < period.ends_at
        and end > from_at
        for start, end, index, reason in sifted.excluded
    )


def _problem_added(counting: Counting, kept: Sequence[Fragment]) -> bool:
    """Whether a later kept inquiry brings another problem, on which counted time was spent."""
    opening = counting.opening
    if opening.anchoring is None or len(opening.inquiries) < 2:
        return False
    first = opening.inquiries[opening.anchoring]
    added = {
        k
        for k, q in enumerate(opening.inquiries)
        if k > opening.anchoring
        and k not in opening.left_out
        and (q.related_to_first is False or (None not in (q.problem, first.problem) and q.problem != first.problem))
    }
    belongs = Belongs(opening.inquiries, opening.left_out)
    return any(
        owner in added
        for start, end, index in kept
        for _, _, owner in belongs.parts(counting.intervals[index].thread, start, end)
    )
