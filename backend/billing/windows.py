"""Which inquiry opens the seven days, which are left out, and when the days run.

Building episodes and judging one use the same function, so that an episode's window is the determination's window.
Instants are milliseconds; spans are half-open.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from itertools import accumulate
from operator import attrgetter

from backend.billing.case import Inquiry, Instant, Interval
from backend.billing.days import MS_A_DAY, Days
from shared_rules.conditions import Rules

BY_TIME = attrgetter("started_at", "ended_at", "id")  # the order of intervals
BEGINNING: Instant = -(1 << 62)  # before every instant: where nobody knows when the patient wrote


@dataclass(frozen=True, slots=True)
class Period:
    """The seven days. `starts_at` is the first instant of day 1, `ends_at` the first after day 7."""

    anchored_at: Instant
    starts_at: Instant
    ends_at: Instant
    window_start: date
    window_end: date


@dataclass(frozen=True, slots=True)
class Opening:
    """What opened the period. `inquiries`: sorted by time, what a later one lacks filled in from the first.

    `anchoring`: index of the inquiry that anchors, None where there is none. `left_out`: indexes of those left out
    with their time. `period`: None where nobody has reviewed an inquiry that is not left out.
    """

    inquiries: tuple[Inquiry, ...]
    anchoring: int | None
    left_out: frozenset[int]
    period: Period | None

    @property
    def from_at(self) -> Instant:
        """Time before this instant is before the inquiry."""
        if self.anchoring is None:
            return BEGINNING
        return known_from(self.inquiries[self.anchoring])


def known_from(inquiry: Inquiry) -> Instant:
    """When the patient's message came, or the first work on a thread; the beginning of time where nobody knows."""
    return BEGINNING if inquiry.at is None else inquiry.at


def sort_key(inquiry: Inquiry) -> tuple[Instant, tuple[str, ...]]:
    """By time, the same for any order in which inquiries are given; unknown times first.

    Everything that is said of an inquiry breaks a tie: two that differ in anything never change places.
    """
    said = (inquiry.thread, inquiry.problem, *(getattr(inquiry, name) for name in _TIE_BREAKERS))
    texts = ("" if value is None else str(value) for value in said)
    return (known_from(inquiry), (*texts, *sorted(inquiry.given)))


_TIE_BREAKERS = tuple(f.name for f in fields(Inquiry) if f.name not in ("at", "thread", "problem", "given"))


_INHERITED = ("initiated_by", "channel", "hipaa_compliant", "evaluative", "problem", "thread", "diagnoses")


def effective(first: Inquiry | None, others: Sequence[Inquiry]) -> tuple[Inquiry, ...]:
    """All inquiries; a field that a later one leaves absent takes the first one's value."""
    if first is None:
        return tuple(others)
    filled = []
    for other in others:
        absent = {name: getattr(first, name) for name in _INHERITED if name not in other.given}
        filled.append(replace(other, **absent) if absent and not other.implied else other)
    return (first, *filled)


def period_from(anchored_at: Instant, rules: Rules, days: Days) -> Period:
    """The period that a first review at this instant opens."""
    length = rules["parameters"]["period_days"]
    day = days.date_of(anchored_at)
    if rules["parameters"]["period_mode"] == "hours":
        ends_at = anchored_at + length * MS_A_DAY
        return Period(anchored_at, anchored_at, ends_at, day, days.date_of(ends_at - 1))
    last = day + timedelta(days=length - 1)
    return Period(anchored_at, days.midnight(day), days.midnight(last + timedelta(days=1)), day, last)


class Reviews:
    """Intervals that may open a period, searchable by time.

    `intervals` in any order; all of them may open one.
    """

    def __init__(self, intervals: Iterable[Interval]) -> None:
        self.intervals = sorted(intervals, key=BY_TIME)
        self._starts = [i.started_at for i in self.intervals]
        self._latest_ends = list(accumulate((i.ended_at for i in self.intervals), max))

    def first_at(self, from_at: Instant, belongs: "Belongs | None" = None) -> Instant | None:
        """The first instant of review at or after `from_at`, of time that `belongs` keeps; None if there is none.

        from_at            ^
        intervals   |===|  :  |==|          -> the start of the second
        intervals   |=========|             -> from_at itself
        """
        found: Instant | None = None
        first = min(bisect_right(self._latest_ends, from_at), bisect_left(self._starts, from_at))
        for interval in self.intervals[first:]:
            if found is not None and interval.started_at >= found:
                break
            for start, end in [(interval.started_at, interval.ended_at)] if belongs is None else belongs.kept(interval):
                if end > from_at or start >= from_at:
                    at = max(start, from_at)
                    found = at if found is None else min(found, at)
        return found


class Belongs:
    """To which inquiry time belongs: by thread; where a thread is shared or null, to the last one before it.

    inquiry 1 ^           inquiry 2 ^
    |------- 1 --------------------||------ 2 -----|
    """

    def __init__(self, inquiries: Sequence[Inquiry], left_out: frozenset[int]) -> None:
        self.inquiries = inquiries
        self.left_out = left_out
        self._by_thread: dict[str | None, list[int]] = {}
        for k, inquiry in enumerate(inquiries):
            self._by_thread.setdefault(inquiry.thread, []).append(k)
        self._anywhere = self._by_thread.pop(None, [])

    def _candidates(self, thread: str | None) -> Sequence[int]:
        own = self._by_thread.get(thread, ())
        if own and self._anywhere:
            return sorted((*own, *self._anywhere))
        return own or self._anywhere or range(len(self.inquiries))

    def parts(self, thread: str | None, start: Instant, end: Instant) -> list[tuple[Instant, Instant, int]]:
        """`[start, end)` in order, cut where the next inquiry takes over: `(start, end, index of inquiry)`."""
        candidates = self._candidates(thread)
        if len(candidates) == 1:
            return [(start, end, candidates[0])]
        owner, parts = candidates[0], []
        for k in candidates[1:]:
            at = self.inquiries[k].at
            if at is not None and at >= max(end, start + 1):
                break
            if at is not None and at > start:
                parts.append((start, at, owner))
                start = at
            owner = k
        parts.append((start, end, owner))
        return parts

    def kept(self, interval: Interval) -> list[tuple[Instant, Instant]]:
        """The parts of the interval whose inquiry is not left out."""
        parts = self.parts(interval.thread, interval.started_at, interval.ended_at)
        return [(start, end) for start, end, owner in parts if owner not in self.left_out]


def stands_out(inquiry: Inquiry, related: bool | None, rules: Rules) -> bool:
    """Whether this inquiry is one that is left out beside others: said, not merely unknown."""
    parameters = rules["parameters"]
    by_practice = inquiry.initiated_by is not None and inquiry.initiated_by not in parameters["inquiry_initiators"]
    return inquiry.evaluative is False or by_practice or is_insecure(inquiry, rules) or related is True


def is_insecure(inquiry: Inquiry, rules: Rules) -> bool:
    """Whether the channel is known to be no secure platform."""
    parameters = rules["parameters"]
    if inquiry.channel in parameters["insecure_channels"]:
        return True
    return inquiry.hipaa_compliant is False and inquiry.channel not in parameters["non_digital_channels"]


def open_period(
    inquiries: Sequence[Inquiry], related: Sequence[bool | None], reviews: Reviews, rules: Rules, days: Days
) -> Opening:
    """The period that the first review of these inquiries opens.

    `inquiries` are sorted and effective, and none lies in an earlier period; `related`: whether each is about a visit
    shortly before it. With several inquiries within the seven days those that stand out are left out with their time,
    and the first that is not anchors; if all stand out, none is left out.

        inquiry 1 (left out) ^  inquiry 2 ^
        thread 1                |===|                |=|
        thread 2                             |====|
        period                               |-------- 7 days --------
    """
    everyone = tuple(inquiries)
    nobody: frozenset[int] = frozenset()
    first_at = reviews.first_at(known_from(everyone[0]) if everyone else BEGINNING)
    anchoring = 0 if everyone else None
    if first_at is None:
        alone = len(everyone) == 1
        anchoring = anchoring if alone else _first_kept(everyone, _left_out(everyone, related, rules, None))
        return Opening(everyone, anchoring, nobody, None)
    period = period_from(first_at, rules, days)
    left_out = _left_out(everyone, related, rules, period.ends_at)
    kept = _first_kept(everyone, left_out)
    if not left_out or kept is None:
        return Opening(everyone, anchoring, nobody, period)
    if kept > 0:
        first_at = reviews.first_at(known_from(everyone[kept]), Belongs(everyone, left_out))
        if first_at is None:
            return Opening(everyone, kept, left_out, None)
        period = period_from(first_at, rules, days)
        left_out = _left_out(everyone, related, rules, period.ends_at)
    return Opening(everyone, kept, left_out, period)


def _left_out(
    inquiries: Sequence[Inquiry], related: Sequence[bool | None], rules: Rules, ends_at: Instant | None
) -> frozenset[int]:
    """Those of the period that stand out; none where all do."""
    members = [k for k, q in enumerate(inquiries) if ends_at is None or q.at is None or q.at < ends_at]
    out = frozenset(k for k in members if stands_out(inquiries[k], related[k], rules))
    return frozenset() if len(out) == len(members) else out


def _first_kept(inquiries: Sequence[Inquiry], left_out: frozenset[int]) -> int | None:
    return next((k for k in range(len(inquiries)) if k not in left_out), None)
