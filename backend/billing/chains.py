"""The windows of one family's work, opened one after another by the settings in force on their first day.

A chain is whose work adds up: the group's, or one specialty's of it (setting `aggregate_by`). An era is a run of days
on which that is the same; where it changes, the windows that are open already keep their days:

    era           |------- group --------|----------- specialty ------------|
    the group's        [-- 7 days --] [-- 7 days --]
    cardiology                                        [-- 7 days --]
    dermatology                                           [-- 7 days --]
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from typing import Any

from backend.billing.case import Case, Clinician, Inquiry, Instant, Interval
from backend.billing.counting import anchors, standing_reason
from backend.billing.days import Days, days_of
from backend.billing.rulebook import family_of, rules_on
from backend.billing.visits import visits_nearby
from backend.billing.windows import Opening, Period, Reviews, open_period, sort_key
from shared_rules.conditions import Rules

SettingsOn = Callable[[date], Mapping[str, Any]]
"""The settings that hold for an episode whose first day this is."""

# Of stored inquiries nothing is taken from another one: what nobody has said of an inquiry is not known.
ALL_SAID = frozenset(each.name for each in fields(Inquiry))


@dataclass(slots=True)
class Window:
    """An episode before its intervals are given to it.

    `settled_on`: the day whose settings it was opened by, which is its first one. `specialty`: whose work adds up in
    it; None: the group's.
    """

    period: Period
    inquiries: list[Inquiry]
    settled_on: date
    specialty: str | None = None
    provisional: bool = False
    episode_id: str | None = None

    @property
    def from_at(self) -> Instant:
        """The first inquiry, or day 1."""
        return min([self.period.starts_at, *map(at_of, self.inquiries)])

    def concerns(self, specialty: str | None) -> bool:
        """Whether work that adds up in one of both could add up in the other."""
        return self.specialty is None or specialty is None or self.specialty == specialty

    def crosses(self, period: Period) -> bool:
        return self.period.starts_at < period.ends_at and period.starts_at < self.period.ends_at

    def holds(self, at: Instant) -> bool:
        """Whether what is asked at that instant belongs to it; of an approved one the days alone say so."""
        first = self.from_at if self.episode_id is None else self.period.starts_at
        return first <= at < self.period.ends_at


@dataclass(frozen=True, slots=True)
class Era:
    """Days on which specialties are kept apart, or are not."""

    first_on: date
    last_on: date
    apart: bool

    def holds(self, day: date) -> bool:
        return self.first_on <= day <= self.last_on


@dataclass(slots=True)
class Work:
    """One patient's intervals (sorted, each id once) as one family's rules read them.

    `facts` has the practice, the people, the visits and claims. `settings` None: the rules' own, on every day.
    `evaluated`: what was attested of threads whose inquiry nobody knows.
    """

    facts: Case
    intervals: Sequence[Interval]
    family: str
    settings: SettingsOn | None
    evaluated: Mapping[str | None, bool] = field(default_factory=dict)
    days: Days = field(init=False)
    people: Mapping[str, Clinician] = field(init=False)
    _rules: dict[date, Rules] = field(default_factory=dict, init=False)
    _reasons: dict[tuple[Any, ...], str | None] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.days = days_of(self.facts.practice.timezone)
        self.people = {c.id: c for c in reversed(self.facts.clinicians)}

    def rules(self, day: date) -> Rules:
        """The rules of an episode whose first day this is."""
        if day not in self._rules:
            self._rules[day] = rules_on(self.family, None, day, self.settings(day) if self.settings else {})
        return self._rules[day]

    def reason(self, interval: Interval, rules: Rules, specialty: str | None) -> str | None:
        """Why the interval could not count whenever it was; None where it may."""
        asked = interval.clinician, interval.activity, specialty, id(rules)  # kept in _rules, so the id stays its own
        if asked not in self._reasons:
            self._reasons[asked] = standing_reason(
                interval, self.people, self.facts.practice.group, self.family, rules, specialty=specialty
            )
        return self._reasons[asked]

    def specialty_of(self, clinician: str) -> str | None:
        """The specialty in which the clinician reports this family for the group; None for everybody else."""
        person = self.people[clinician]
        own = person.group == self.facts.practice.group and family_of(person.type) == self.family
        return person.specialty if own else None

    def specialties(self) -> list[str]:
        """Of everybody who worked and reports this family."""
        return sorted({own for c in {i.clinician for i in self.intervals} if (own := self.specialty_of(c)) is not None})

    def eras(self) -> list[Era]:
        """In order; together they hold every day. None where nothing was done."""
        if not self.intervals:
            return []
        if self.settings is None:
            worked = {self.days.date_of(self.intervals[0].started_at)}
        else:
            worked = {self.days.date_of(at) for i in self.intervals for at in (i.started_at, i.ended_at)}
        eras: list[Era] = []
        for day in sorted(worked):
            apart = self.rules(day)["parameters"]["aggregate_by"] == "specialty"
            if not eras:
                eras.append(Era(date.min, date.max, apart))
            elif eras[-1].apart is not apart:
                eras[-1] = Era(eras[-1].first_on, day - timedelta(days=1), eras[-1].apart)
                eras.append(Era(day, date.max, apart))
        return eras


@dataclass(frozen=True, slots=True)
class _Opened:
    """What some inquiries open, and the day whose settings open it."""

    opening: Opening
    period: Period
    settled_on: date


class Chain:
    """The group's work, or one specialty's (`specialty`), whose windows follow one another."""

    def __init__(self, work: Work, specialty: str | None) -> None:
        self.work = work
        self.specialty = specialty
        self._reviews: dict[str, Reviews] = {}
        self._by_own_day = self._reviews_by_own_day()

    def open(self, known: Sequence[Inquiry], windows: list[Window], era: Era) -> None:
        """Adds a window for each inquiry that none contains yet and that opens one in this era.

        `known` is sorted. Inquiries across an approved window join it; those in an open one of an earlier era are its
        own already.
        """
        before = sorted((w for w in windows if w.concerns(self.specialty)), key=lambda w: w.period.starts_at)
        seen = {q.thread for w in before for q in w.inquiries}
        implied = _implied(known, self._by_own_day.intervals, seen, self.work.evaluated)
        inquiries = sorted([*known, *implied], key=sort_key)
        position = 0
        while position < len(inquiries):
            window = next((w for w in before if w.holds(at_of(inquiries[position]))), None)
            if window is None:
                opened = self._opening(inquiries, position)
                if opened is None:
                    return  # nobody has reviewed anything since this inquiry, so nor since a later one
                window = next((w for w in before if w.crosses(opened.period)), None)
                if window is None and not era.holds(opened.settled_on):
                    position += 1
                    continue
                if window is None:
                    window = self._window(opened)
                    windows.append(window)
            position = self._joined(inquiries, position, window)

    def _joined(self, inquiries: Sequence[Inquiry], position: int, window: Window) -> int:
        """Gives the window the inquiries from this position on until it ends; returns the next one's position."""
        own = window.specialty == self.specialty or window.episode_id is not None
        while position < len(inquiries) and at_of(inquiries[position]) < window.period.ends_at:
            if own and not any(inquiries[position] is each for each in window.inquiries):
                window.inquiries.append(inquiries[position])
            position += 1
        return position

    def _window(self, opened: _Opened) -> Window:
        opening = opened.opening
        provisional = opening.inquiries[opening.anchoring or 0].implied
        return Window(opened.period, [], opened.settled_on, self.specialty, provisional)

    def _reviews_by(self, rules: Rules) -> Reviews:
        """The reviews that may open a period by these rules."""
        kind = f"{rules['version']} {rules['changed_settings']}"
        if kind not in self._reviews:
            self._reviews[kind] = Reviews(i for i in self.work.intervals if self._may_open(i, rules))
        return self._reviews[kind]

    def _reviews_by_own_day(self) -> Reviews:
        """Those that may open a period by the rules of the day on which they were done."""
        work = self.work
        if work.settings is None:
            return self._reviews_by(work.rules(work.days.date_of(work.intervals[0].started_at)))
        return Reviews(i for i in work.intervals if self._may_open(i, work.rules(work.days.date_of(i.started_at))))

    def _may_open(self, interval: Interval, rules: Rules) -> bool:
        return self.work.reason(interval, rules, self.specialty) is None and anchors(interval, rules)

    def _opening(self, inquiries: Sequence[Inquiry], position: int) -> _Opened | None:
        """What the inquiry at this position opens, together with those that come within its seven days."""
        opened = self._opening_of(inquiries[position : position + 1])
        upto = position + 1
        while opened is not None and upto < len(inquiries) and at_of(inquiries[upto]) < opened.period.ends_at:
            while upto < len(inquiries) and at_of(inquiries[upto]) < opened.period.ends_at:
                upto += 1
            together = self._opening_of(inquiries[position:upto])
            if together is None:  # nobody has reviewed one that is not left out: the first stands for them all
                break
            opened = together
        return opened

    def _opening_of(self, inquiries: Sequence[Inquiry]) -> _Opened | None:
        """What they open by the settings of the day on which that begins; None where nobody has reviewed them.

        A change of settings may move the beginning across itself, to and fro: then those of the earliest day hold.
        """
        first_at = self._by_own_day.first_at(at_of(inquiries[0]))
        tried: dict[date, _Opened] = {}
        day = None if first_at is None else self.work.days.date_of(first_at)
        while day is not None and day not in tried:
            rules = self.work.rules(day)
            opening = self._opening_by(rules, inquiries)
            if opening.period is None:
                break
            tried[day] = _Opened(opening, opening.period, day)
            day = opening.period.window_start
            if self.work.rules(day) is rules:
                return _Opened(opening, opening.period, day)
        return tried[min(tried)] if tried else None

    def _opening_by(self, rules: Rules, inquiries: Sequence[Inquiry]) -> Opening:
        days = self.work.days
        nearby = visits_nearby(replace(self.work.facts, inquiry=inquiries[0]), rules, days)
        return open_period(inquiries, nearby.related_each(inquiries), self._reviews_by(rules), rules, days)


def at_of(inquiry: Inquiry) -> Instant:
    """When an inquiry came that stands in a sorted history: there, none is without a time."""
    return 0 if inquiry.at is None else inquiry.at


def _implied(
    known: Sequence[Inquiry],
    reviews: Sequence[Interval],
    seen: Iterable[str | None],
    evaluated: Mapping[str | None, bool],
) -> list[Inquiry]:
    """For each thread whose inquiry nobody knows, one at its first review; not for those that a window has `seen`.

    An inquiry without a thread may be of any; work without a thread belongs to the last inquiry before it.
    """
    threads = {q.thread for q in known}
    if None in threads:
        return []
    if known:
        first_at = at_of(known[0])
        reviews = [i for i in reviews if i.thread is not None or i.started_at < first_at]
    threads.update(seen)
    first: dict[str | None, Instant] = {}
    for interval in reviews:
        if interval.thread not in threads:
            first.setdefault(interval.thread, interval.started_at)
    return [
        Inquiry(at, thread=thread, evaluative=evaluated.get(thread), given=ALL_SAID, implied=True)
        for thread, at in first.items()
    ]
