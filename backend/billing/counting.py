"""Which of the raw time counts, and of the rest, for which one reason it does not.

An interval is cut at the borders of the inquiry, the period, the time of other services and patients, and consent; of
what is left on several intervals at once, one counts it. Every raw millisecond ends in exactly one piece.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

from backend.billing.case import Case, Clinician, Instant, Interval, OtherPatientTime, TimeRange
from backend.billing.days import MS_A_SECOND
from backend.billing.rulebook import family_of
from backend.billing.spans import Span, cut, union
from backend.billing.windows import Belongs, Opening
from shared_rules.conditions import Rules

# An excluded second has one reason: the first of these that applies.
REASONS = (
    "other_group",
    "other_family",
    "staff",
    "idle",
    "activity",
    "before_inquiry",
    "after_window",
    "inquiry_left_out",
    "unattested",
    "credited_elsewhere",
    "claimed_twice",
    "no_consent",
    "overlap",
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of one interval that has one fate: counted, or excluded for one reason."""

    interval_id: str
    clinician: str
    thread: str | None
    started_at: Instant
    ended_at: Instant
    counted: bool
    reason: str | None


People = Mapping[str, Clinician]  # by id
Fragment = tuple[Instant, Instant, int]  # start, end, index of the interval


@dataclass(frozen=True, slots=True)
class Sifted:
    """The fragments of each interval: `worked` would count, consent and overlap aside; `excluded` would not."""

    worked: list[Fragment]
    excluded: list[tuple[Instant, Instant, int, str]]


@dataclass(frozen=True, slots=True)
class Assumption:
    """What a count supposes that the facts do not say."""

    attested: bool = False  # every entered interval that nobody has answered for is attested
    settled: bool = False  # every second that two patients claim is credited to this one
    measured_only: bool = False
    without_inquiries: frozenset[int] = frozenset()  # left out besides those that are


@dataclass(slots=True)
class Counting:
    """One case's intervals against one opening. Build it once; `sift` under several assumptions."""

    case: Case
    rules: Rules
    family: str
    opening: Opening
    intervals: Sequence[Interval]  # each id once
    unrelated_problems: frozenset[str] = frozenset()  # of visits before the inquiry, attested as another matter
    specialty: str | None = None  # whose work adds up, where specialties are kept apart
    _people: Mapping[str, Clinician] = field(init=False)
    _standing: list[str | None] = field(init=False)
    _credited: dict[str, list[Span]] = field(init=False)
    _claimed: dict[str, list[Span]] = field(init=False)

    def __post_init__(self) -> None:
        self._people = {c.id: c for c in reversed(self.case.clinicians)}
        self._standing = standing_reasons(
            self.intervals, self._people, self.case.practice.group, self.family, self.rules, specialty=self.specialty
        )
        others = self.case.other_patient_time or ()
        self._claimed = _by_clinician(other for other in others if not other.settled)
        claims = self.case.other_claims or ()
        ranges = [r for claim in claims for r in claim.time_ranges or ()]
        self._credited = _by_clinician([*ranges, *(other for other in others if other.settled)])

    def sift(self, assumption: Assumption | None = None) -> Sifted:
        """Every millisecond of every interval, once: worked or excluded with its reason."""
        assumption = assumption or Assumption()
        left_out = self.opening.left_out | assumption.without_inquiries
        belongs = Belongs(self.opening.inquiries, left_out) if left_out else None
        sifted = Sifted([], [])
        from_at, period = self.opening.from_at, self.opening.period
        entered = self.rules["parameters"]["entered_entries"]
        busy = self._credited.keys() | self._claimed.keys()
        for index, interval in enumerate(self.intervals):
            start, end, reason = interval.started_at, interval.ended_at, self._standing[index]
            if end <= start:
                continue
            if reason is not None:
                sifted.excluded.append((start, end, index, reason))
            elif (  # most intervals: no border is near, and nothing else is to be asked
                start >= from_at
                and (period is None or end <= period.ends_at)
                and belongs is None
                and interval.clinician not in busy
                and interval.problem is None
                and interval.entry not in entered
            ):
                sifted.worked.append((start, end, index))
            else:
                self._cut(interval, index, belongs, assumption, sifted)
        return sifted

    def _cut(
        self, interval: Interval, index: int, belongs: Belongs | None, assumption: Assumption, sifted: Sifted
    ) -> None:
        start, end = interval.started_at, interval.ended_at
        from_at = self.opening.from_at
        if start < from_at:
            sifted.excluded.append((start, min(end, from_at), index, "before_inquiry"))
            start = from_at
        period = self.opening.period
        if period is not None and end > period.ends_at:
            sifted.excluded.append((max(start, period.ends_at), end, index, "after_window"))
            end = period.ends_at
        if start >= end:
            return
        if interval.problem is not None and interval.problem in self.unrelated_problems:
            sifted.excluded.append((start, end, index, "inquiry_left_out"))
            return
        if belongs is None:
            self._cut_by_credit(interval, index, start, end, assumption, sifted)
            return
        for part_start, part_end, owner in belongs.parts(interval.thread, start, end):
            if owner in belongs.left_out:
                sifted.excluded.append((part_start, part_end, index, "inquiry_left_out"))
            else:
                self._cut_by_credit(interval, index, part_start, part_end, assumption, sifted)

    def _cut_by_credit(
        self, interval: Interval, index: int, start: Instant, end: Instant, assumption: Assumption, sifted: Sifted
    ) -> None:
        if not _answered_for(interval, self.rules, assumption):
            sifted.excluded.append((start, end, index, "unattested"))
            return
        credited = self._credited.get(interval.clinician, [])
        claimed = [] if assumption.settled else self._claimed.get(interval.clinician, [])
        if not credited and not claimed:
            sifted.worked.append((start, end, index))
            return
        for free, elsewhere in cut((start, end), credited):
            if elsewhere:
                sifted.excluded.append((*free, index, "credited_elsewhere"))
                continue
            for part, twice in cut(free, claimed):
                if twice:
                    sifted.excluded.append((*part, index, "claimed_twice"))
                else:
                    sifted.worked.append((*part, index))

    def person(self, index: int) -> Clinician:
        """Whose interval it is."""
        return self._people[self.intervals[index].clinician]

    def worked_spans(self, fragments: Iterable[Fragment]) -> list[Span]:
        """The wall-clock time of the fragments, a clean list."""
        return union((start, end) for start, end, _ in fragments)

    def length(self, fragments: Iterable[Fragment], consent: Sequence[Span] | None = None) -> int:
        """Milliseconds counted: time shared by several once, or once for each clinician where that is set.

        `consent`: only time inside this clean list; None where consent is no matter.
        """
        if consent is not None:
            fragments = _inside(fragments, consent)
        if self.rules["parameters"]["simultaneous_clinicians"] == "once":
            return sum(end - start for start, end in self.worked_spans(fragments))
        apart: dict[str, list[Span]] = {}
        for start, end, index in fragments:
            apart.setdefault(self.intervals[index].clinician, []).append((start, end))
        return sum(end - start for spans in apart.values() for start, end in union(spans))

    def sums(self, sifted: Sifted, consent: Sequence[Span] | None) -> tuple[int, dict[str, int]]:
        """Counted seconds and excluded seconds by reason, in the reasons' order; reasons without a second are left out.

        Counted time is floored once. The rest of a second goes to the next reason, so that raw = counted + excluded.
        They are what the pieces add up to that `settle` makes.
        """
        by_reason = dict.fromkeys(REASONS, 0)
        for start, end, _, reason in sifted.excluded:
            by_reason[reason] += end - start
        kept = sifted.worked if consent is None else _inside(sifted.worked, consent)
        kept_ms, counted_ms = _summed(kept), self.length(kept)
        by_reason["no_consent"] = _summed(sifted.worked) - kept_ms
        by_reason["overlap"] = kept_ms - counted_ms
        return counted_ms // MS_A_SECOND, _floored(counted_ms % MS_A_SECOND, by_reason)

    def settle(self, sifted: Sifted, consent: Sequence[Span] | None) -> tuple[list[Fragment], list[Piece]]:
        """The fragments under consent, and all pieces, sorted by time.

        `consent`: a clean list outside of which time is dropped; None where consent is no matter.
        """
        excluded = list(sifted.excluded)
        kept: list[Fragment] = []
        if consent is None:
            kept = sifted.worked
        else:
            for start, end, index in sifted.worked:
                for part, inside in cut((start, end), consent):
                    if inside:
                        kept.append((*part, index))
                    else:
                        excluded.append((*part, index, "no_consent"))
        pieces = [self._piece(start, end, index, reason) for start, end, index, reason in excluded]
        pieces += [
            self._piece(start, end, index, None if counted else "overlap")
            for start, end, index, counted in self._shared_out(kept)
        ]
        pieces.sort(key=lambda p: (p.started_at, p.ended_at, p.interval_id, p.reason or ""))
        return kept, pieces

    def _piece(self, start: Instant, end: Instant, index: int, reason: str | None) -> Piece:
        interval = self.intervals[index]
        return Piece(interval.id, interval.clinician, interval.thread, start, end, reason is None, reason)

    def _shared_out(self, fragments: Sequence[Fragment]) -> list[tuple[Instant, Instant, int, bool]]:
        """Each fragment, cut where another takes or gives up the time: `(start, end, index, counted)`."""
        if self.rules["parameters"]["simultaneous_clinicians"] == "once":
            return _shared_out(fragments, self.intervals)
        apart: dict[str, list[Fragment]] = {}
        for fragment in fragments:
            apart.setdefault(self.intervals[fragment[2]].clinician, []).append(fragment)
        return [part for one in apart.values() for part in _shared_out(one, self.intervals)]


def standing_reasons(
    intervals: Iterable[Interval], people: People, group: str, family: str, rules: Rules, specialty: str | None = None
) -> list[str | None]:
    """`standing_reason` of each interval, asked once for each clinician and activity."""
    asked: dict[tuple[str, str], str | None] = {}
    reasons = []
    for interval in intervals:
        pair = (interval.clinician, interval.activity)
        if pair not in asked:
            asked[pair] = standing_reason(interval, people, group, family, rules, specialty=specialty)
        reasons.append(asked[pair])
    return reasons


def standing_reason(
    interval: Interval, people: People, group: str, family: str, rules: Rules, specialty: str | None = None
) -> str | None:
    """Why the whole interval does not count, by who worked and at what; None where it may.

    Work in another `specialty` than the one that is kept apart is as another group's."""
    person = people[interval.clinician]
    if person.group != group:
        return "other_group"
    own_family = family_of(person.type)
    if own_family != family:
        return "staff" if own_family == "staff" else "other_family"
    if specialty is not None and person.specialty != specialty:
        return "other_group"
    if interval.activity in rules["parameters"]["counted_activities"]:
        return None
    return "idle" if interval.activity == "idle" else "activity"


def _answered_for(interval: Interval, rules: Rules, assumption: Assumption) -> bool:
    """Whether the interval was measured, or entered and attested, and is not too long a reading."""
    parameters = rules["parameters"]
    if interval.entry not in parameters["entered_entries"]:
        return True
    if assumption.measured_only:
        return False
    longest = parameters["attested_reading_max_seconds"] * MS_A_SECOND
    if interval.entry == "attested_reading" and interval.ended_at - interval.started_at > longest:
        return False
    return interval.attested is True or (assumption.attested and interval.attested is None)


def anchors(interval: Interval, rules: Rules, *, attested: bool = False) -> bool:
    """Whether an interval of a qualifying clinician and a counted activity may open a period, whatever its length.

    `attested`: suppose that what nobody has answered for is attested.
    """
    if interval.entry not in rules["parameters"]["entered_entries"]:
        return True
    return interval.attested is True or (attested and interval.attested is None)


def _inside(fragments: Iterable[Fragment], clean: Sequence[Span]) -> list[Fragment]:
    """The parts of the fragments that lie in a clean list."""
    return [(*part, index) for start, end, index in fragments for part, inside in cut((start, end), clean) if inside]


def _summed(fragments: Iterable[Fragment]) -> int:
    """Their milliseconds; what several share is in the sum several times."""
    return sum(end - start for start, end, _ in fragments)


def _by_clinician(times: Iterable[OtherPatientTime | TimeRange]) -> dict[str, list[Span]]:
    found: dict[str, list[Span]] = {}
    for time in times:
        found.setdefault(time.clinician, []).append((time.started_at, time.ended_at))
    return {clinician: union(spans) for clinician, spans in found.items()}


def _shared_out(
    fragments: Sequence[Fragment], intervals: Sequence[Interval]
) -> list[tuple[Instant, Instant, int, bool]]:
    """One sweep: of the fragments that hold an instant, the interval that started first counts it (tie: its id).

    a (started first)  |=========|
    b                       |=========|
    counted            |==a======|=b==|
    overlap                 |-b--|
    """
    waiting = sorted(fragments)
    shared: list[tuple[Instant, Instant, int, bool]] = []
    active: list[tuple[Instant, str, int, Instant, Instant]] = []  # rank (interval's start, id), index, end, open since
    position, now = 0, 0
    while position < len(waiting) or active:
        if not active:
            now = waiting[position][0]
        while position < len(waiting) and waiting[position][0] <= now:
            start, end, index = waiting[position]
            heappush(active, (intervals[index].started_at, intervals[index].id, index, end, start))
            position += 1
        _, _, index, end, start = active[0]
        if end <= now:  # another counted its rest
            heappop(active)
            if start < end:
                shared.append((start, end, index, False))
            continue
        upto = end if position == len(waiting) else min(end, waiting[position][0])
        heappop(active)
        if start < now:
            shared.append((start, now, index, False))
        shared.append((now, upto, index, True))
        if upto < end:
            heappush(active, (intervals[index].started_at, intervals[index].id, index, end, upto))
        now = upto
    return _joined(shared)


def _joined(parts: list[tuple[Instant, Instant, int, bool]]) -> list[tuple[Instant, Instant, int, bool]]:
    """The same parts, with those of one interval and one fate that touch made one."""
    joined: list[tuple[Instant, Instant, int, bool]] = []
    for start, end, index, counted in sorted(parts, key=lambda p: (p[2], p[0])):
        if joined and joined[-1][1:] == (start, index, counted):
            joined[-1] = (joined[-1][0], end, index, counted)
        else:
            joined.append((start, end, index, counted))
    return joined


def _floored(carried_ms: int, amounts: Mapping[str, int]) -> dict[str, int]:
    seconds = {}
    for name, amount in amounts.items():
        if amount:
            whole, carried_ms = divmod(carried_ms + amount, MS_A_SECOND)
            if whole:
                seconds[name] = whole
    return seconds
