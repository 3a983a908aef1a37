"""When a patient's consent stood, and how much of the time it covers."""

from collections.abc import Sequence
from dataclasses import dataclass

from backend.billing.case import Consent
from backend.billing.days import Days, anniversary
from backend.billing.rulebook import band
from backend.billing.spans import Span, clip, intersect, total, union
from backend.billing.windows import Period
from shared_rules.conditions import Rules


@dataclass(frozen=True, slots=True)
class ConsentSpans:
    """`sure`: time under a consent that is noted; `possible`: also under one of which nobody knows whether it is."""

    sure: list[Span]
    possible: list[Span]


@dataclass(frozen=True, slots=True)
class ConsentFound:
    """`state`: all, part, none, or None (not known and it would decide). `spans`: the time that may be counted, None
    where no list says. `under_ms`: what would be counted if consent were required; None where that is not known."""

    state: str | None
    spans: list[Span] | None
    under_ms: int | None


def consent_spans(consents: Sequence[Consent] | None, period: Period, rules: Rules, days: Days) -> ConsentSpans | None:
    """The time under consent: from its instant to the local midnight that starts the anniversary, or its revocation.

    given         ^                              ^ anniversary, local midnight
    consent       |==============================|
    revoked       |=========|
    """
    if consents is None:
        return None
    parameters = rules["parameters"]
    sure: list[Span] = []
    possible: list[Span] = []
    for consent in consents:
        if consent.documented is False or consent.method not in parameters["consent_methods"]:
            continue
        if consent.scope.strip().lower() not in parameters["consent_scopes"]:
            continue
        end = days.midnight(anniversary(days.date_of(consent.at), parameters["consent_years"]))
        if consent.revoked_at is not None:
            end = min(end, consent.revoked_at)
        span = (consent.at, end)
        possible.append(span)
        if consent.documented:
            sure.append(span)
    clean = union(possible)
    found = ConsentSpans(union(sure) if sure != possible else clean, clean)
    if parameters["consent_covers"] == "whole_period":
        return ConsentSpans(_whole_period(found.sure, period), _whole_period(found.possible, period))
    return found


def _whole_period(spans: list[Span], period: Period) -> list[Span]:
    inside = clip(spans, period.anchored_at, period.ends_at)
    return [(min(period.starts_at, period.anchored_at), period.ends_at)] if inside else []


def consent_of(worked: Sequence[Span], found: ConsentSpans | None, period: Period, rules: Rules) -> ConsentFound:
    """How consent covers the worked time (a clean list: what would count, consent aside).

    Whether a consent was noted decides only where the band, or whether anything is left, hangs on it.
    """
    if found is None:
        return ConsentFound(None, None, None)
    if found.sure == found.possible and len(found.sure) == 1 and worked:
        start, end = found.sure[0]
        if start <= worked[0][0] and worked[-1][1] <= end:  # the most frequent answer, at once
            return ConsentFound("all", found.sure, total(worked))
    sure_ms = total(intersect(worked, found.sure))
    possible_ms = sure_ms if found.possible == found.sure else total(intersect(worked, found.possible))
    sure = _state(worked, sure_ms, found.sure, period)
    possible = _state(worked, possible_ms, found.possible, period)
    same_band = band(rules, sure_ms) == band(rules, possible_ms)
    if sure == possible == "none" or (sure != "none" and same_band):
        return ConsentFound(sure, found.sure, sure_ms)
    return ConsentFound(None, found.possible, None)


def _state(worked: Sequence[Span], covered_ms: int, spans: Sequence[Span], period: Period) -> str:
    if not worked:
        return "all" if clip(spans, period.anchored_at, period.ends_at) else "none"
    if covered_ms == 0:
        return "none"
    return "all" if covered_ms == total(worked) else "part"
