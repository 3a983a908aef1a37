"""A patient's whole history, cut into episodes.

    built = build_episodes(practice=..., clinicians=..., inquiries=..., intervals=..., taken=..., settings=...)
    kept, joined = keep_identity(existing, built)

An episode opens at the first countable review after an inquiry that no earlier window contains, and occupies its
seven days. Each family is built by itself, over the same intervals:

    inquiries         ^a    ^b                           ^c
    reviews            |=| |==|  |=|       |==|           |==|
    windows           [-- a, b: 7 days --]               [-- c: 7 days --]
    after the window                       |==|           (stays with a and b, and is not counted)
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from backend.billing.case import Clinician, Inquiry, Instant, Interval, Practice
from backend.billing.counting import anchors, standing_reason
from backend.billing.days import days_of
from backend.billing.rulebook import families, rules_on
from backend.billing.windows import Opening, Period, Reviews, open_period, sort_key
from shared_rules.conditions import Rules


@dataclass(frozen=True, slots=True)
class TakenEpisode:
    """An approved or billed episode: its seven days never move, whatever is learned later."""

    episode_id: str
    family: str
    window_start: date
    window_end: date


@dataclass(frozen=True, slots=True)
class ExistingEpisode:
    """An episode that has an id already and that nobody has approved."""

    episode_id: str
    family: str
    anchored_at: Instant
    opened_at: Instant


@dataclass(frozen=True, slots=True)
class BuiltEpisode:
    """One episode of one family.

    `anchored_at`: the instant of the first countable review (of a taken episode: local midnight of its day 1).
    `starts_at`: from where on the patient's time belongs to this episode and no earlier one.
    `inquiries`: first the one that comes first. A thread whose inquiry nobody knows stands there as `implied`.
    `intervals`: everything in its stretch of time, excluded time (staff, idle, after the window) too, sorted.
    `provisional`: it is anchored by work, since no inquiry before it is known.
    `episode_id`: of a taken episode its id, else None.
    """

    family: str
    anchored_at: Instant
    starts_at: Instant
    window_start: date
    window_end: date
    inquiries: tuple[Inquiry, ...]
    intervals: tuple[Interval, ...]
    provisional: bool
    episode_id: str | None = None


def build_episodes(
    *,
    practice: Practice,
    clinicians: Sequence[Clinician],
    inquiries: Sequence[Inquiry],
    intervals: Sequence[Interval],
    taken: Sequence[TakenEpisode] = (),
    settings: Mapping[str, Any] | None = None,
) -> list[BuiltEpisode]:
    """The episodes of one patient, of each family by itself, sorted by family and window.

    `inquiries`: every one that is known, of all threads. `related_to_prior_visit` of each says whether it is left out
    beside others for a visit; the rest of rule inquiry-left-out is read from the inquiry. `taken`: their windows stay;
    inquiries whose work would open a window across one belong to it, and it is returned with what belongs to it.

    Depends on what is given and never on its order. A family without a countable interval has no episode (staff
    alone give none). Each second of each interval lies in at most one episode of a family: an interval that runs
    over the border of two is split there, both parts under its id. Time that could not count whenever it was (staff,
    idle, the other family) is kept with the episode into whose days it falls, and else with none.
    """
    ordered = sorted(_first_of_each_id(intervals), key=lambda i: (i.started_at, i.ended_at, i.id))
    known = sorted((replace(q, given=_ALL_SAID) for q in inquiries if q.at is not None), key=sort_key)
    found: list[BuiltEpisode] = []
    for family in families():
        builder = _Builder(practice, clinicians, ordered, family, settings or {})
        found += builder.build(known, [t for t in taken if t.family == family])
    return found


# Of stored inquiries nothing is taken from another one: what nobody has said of an inquiry is not known.
_ALL_SAID = frozenset(field.name for field in fields(Inquiry))


def _first_of_each_id(intervals: Sequence[Interval]) -> list[Interval]:
    seen: dict[str, Interval] = {}
    for interval in intervals:
        seen.setdefault(interval.id, interval)
    return list(seen.values())


@dataclass(slots=True)
class _Window:
    """An episode before its intervals are given to it."""

    period: Period
    inquiries: list[Inquiry]
    provisional: bool = False
    episode_id: str | None = None

    def crosses(self, period: Period) -> bool:
        return self.period.starts_at < period.ends_at and period.starts_at < self.period.ends_at

    def holds(self, at: Instant) -> bool:
        return self.period.starts_at <= at < self.period.ends_at


class _Builder:
    """The episodes of one family of one patient. `intervals` are sorted."""

    def __init__(
        self,
        practice: Practice,
        clinicians: Sequence[Clinician],
        intervals: Sequence[Interval],
        family: str,
        settings: Mapping[str, Any],
    ) -> None:
        self.group = practice.group
        self.people = {c.id: c for c in reversed(clinicians)}
        self.intervals = intervals
        self.family = family
        self.days = days_of(practice.timezone)
        self.settings = settings
        self._reviews: dict[str, Reviews] = {}

    def build(self, known: Sequence[Inquiry], taken: Sequence[TakenEpisode]) -> list[BuiltEpisode]:
        """`known` is sorted."""
        windows = [self._taken_window(t) for t in taken]
        if self.intervals:
            reviewed = self._reviews_by(self._rules(self.intervals[0].started_at)).intervals
            self._open(sorted([*known, *_implied(known, reviewed)], key=sort_key), windows)
        windows.sort(key=lambda w: (w.period.starts_at, w.episode_id or ""))
        return self._filled(windows)

    def _taken_window(self, taken: TakenEpisode) -> _Window:
        starts_at = self.days.midnight(taken.window_start)
        ends_at = self.days.midnight(taken.window_end + timedelta(days=1))
        period = Period(starts_at, starts_at, ends_at, taken.window_start, taken.window_end)
        return _Window(period, [], episode_id=taken.episode_id)

    def _rules(self, at: Instant) -> Rules:
        return rules_on(self.family, None, self.days.date_of(at), self.settings)

    def _reason(self, interval: Interval, rules: Rules) -> str | None:
        return standing_reason(interval, self.people, self.group, self.family, rules)

    def _reviews_by(self, rules: Rules) -> Reviews:
        """The reviews that may open a period by this version's activities."""
        version = rules["version"]
        if version not in self._reviews:
            self._reviews[version] = Reviews(
                self.intervals, lambda i: self._reason(i, rules) is None and anchors(i, rules)
            )
        return self._reviews[version]

    def _open(self, inquiries: Sequence[Inquiry], windows: list[_Window]) -> None:
        """Opens a window for each inquiry that none contains yet; inquiries across a taken one join it."""
        taken = sorted(windows, key=lambda w: w.period.starts_at)
        position = 0
        while position < len(inquiries):
            window = next((w for w in taken if w.holds(_at(inquiries[position]))), None)
            if window is None:
                opening = self._opening(inquiries, position)
                if opening.period is None:
                    return  # nobody has reviewed anything since this inquiry, so nor since a later one
                window = next((w for w in taken if opening.period is not None and w.crosses(opening.period)), None)
                if window is None:
                    window = _Window(opening.period, [], opening.inquiries[opening.anchoring or 0].implied)
                    windows.append(window)
            while position < len(inquiries) and _at(inquiries[position]) < window.period.ends_at:
                window.inquiries.append(inquiries[position])
                position += 1

    def _opening(self, inquiries: Sequence[Inquiry], position: int) -> Opening:
        """What the inquiry at this position opens, together with those that come within its seven days."""
        opening = self._opening_of(inquiries[position : position + 1])
        upto = position + 1
        while opening.period is not None and upto < len(inquiries) and _at(inquiries[upto]) < opening.period.ends_at:
            while upto < len(inquiries) and _at(inquiries[upto]) < opening.period.ends_at:
                upto += 1
            together = self._opening_of(inquiries[position:upto])
            if together.period is None:  # nobody has reviewed one that is not left out: the first stands for them all
                break
            opening = together
        return opening

    def _opening_of(self, inquiries: Sequence[Inquiry]) -> Opening:
        related = [q.related_to_prior_visit for q in inquiries]
        rules = self._rules(_at(inquiries[0]))
        opening = open_period(inquiries, related, self._reviews_by(rules), rules, self.days)
        if opening.period is not None:
            in_force = self._rules(opening.period.anchored_at)
            if in_force is not rules:
                opening = open_period(inquiries, related, self._reviews_by(in_force), in_force, self.days)
        return opening

    def _filled(self, windows: Sequence[_Window]) -> list[BuiltEpisode]:
        """The windows, sorted by time, each with the part of the intervals that is its own."""
        if not windows:
            return []
        borders = _borders(windows)
        parts: list[list[Interval]] = [[] for _ in windows]
        rules = [self._rules(window.period.anchored_at) for window in windows]
        for interval in self.intervals:
            for index, part in _split(interval, borders):
                may_count = self._reason(part, rules[index]) is None
                own = part if may_count else _clipped(part, borders[index], windows[index].period.ends_at)
                if own is not None:
                    parts[index].append(own)
        return [
            BuiltEpisode(
                family=self.family,
                anchored_at=window.period.anchored_at,
                starts_at=border,
                window_start=window.period.window_start,
                window_end=window.period.window_end,
                inquiries=tuple(window.inquiries),
                intervals=tuple(its_own),
                provisional=window.provisional,
                episode_id=window.episode_id,
            )
            for window, border, its_own in zip(windows, borders, parts, strict=True)
        ]


def _at(inquiry: Inquiry) -> Instant:
    """When an inquiry came that stands in a sorted history: there, none is without a time."""
    return 0 if inquiry.at is None else inquiry.at


def _implied(known: Sequence[Inquiry], reviews: Sequence[Interval]) -> list[Inquiry]:
    """For each thread whose inquiry nobody knows, one at its first review.

    An inquiry without a thread may be of any; work without a thread belongs to the last inquiry before it.
    """
    threads = {q.thread for q in known}
    if None in threads:
        return []
    if known:
        first_at = _at(known[0])
        reviews = [i for i in reviews if i.thread is not None or i.started_at < first_at]
    first: dict[str | None, Instant] = {}
    for interval in reviews:
        if interval.thread not in threads:
            first.setdefault(interval.thread, interval.started_at)
    return [Inquiry(at, thread=thread, given=_ALL_SAID, implied=True) for thread, at in first.items()]


def _borders(windows: Sequence[_Window]) -> list[Instant]:
    """From where on time belongs to each window: its first inquiry or day 1, but never inside the window before."""
    borders: list[Instant] = []
    ended_at: Instant | None = None
    for window in windows:
        border = min([window.period.starts_at, *map(_at, window.inquiries)])
        borders.append(border if ended_at is None else max(border, ended_at))
        ended_at = window.period.ends_at
    return borders


def _split(interval: Interval, borders: Sequence[Instant]) -> list[tuple[int, Interval]]:
    """The interval, cut at the borders: `(index of window, part)`. Before the first border it is the first one's.

    borders    |        |            |
    interval       |========|
    parts          |=0==|=1=|
    """
    index = max(bisect_right(borders, interval.started_at) - 1, 0)
    parts: list[tuple[int, Interval]] = []
    rest = interval
    while index + 1 < len(borders) and rest.ended_at > borders[index + 1]:
        parts.append((index, replace(rest, ended_at=borders[index + 1])))
        rest = replace(rest, started_at=borders[index + 1])
        index += 1
    parts.append((index, rest))
    return parts


def _clipped(interval: Interval, start: Instant, end: Instant) -> Interval | None:
    """The part of the interval inside `[start, end)`, None where there is none."""
    if start <= interval.started_at and interval.ended_at <= end:
        return interval
    started_at, ended_at = max(interval.started_at, start), min(interval.ended_at, end)
    return replace(interval, started_at=started_at, ended_at=ended_at) if started_at < ended_at else None


def keep_identity(
    existing: Sequence[ExistingEpisode], built: Sequence[BuiltEpisode]
) -> tuple[list[tuple[str | None, BuiltEpisode]], list[tuple[str, str]]]:
    """Which id each built episode keeps, and which episodes were joined.

    Returns `(kept, joined)`: kept in the order of `built`, with None where a new id is due; joined as
    `(gone id, id it went into)`. An existing episode goes where its first review lies now. Where several became one,
    the id of the earlier one stays; what came to lie in a taken episode went into that. An existing id in neither
    list has no work left in its family (its intervals went to another patient).
    """
    places: dict[str, list[int]] = {}
    for index, episode in enumerate(built):
        places.setdefault(episode.family, []).append(index)
    for own in places.values():
        own.sort(key=lambda index: built[index].starts_at)
    ids: list[str | None] = [episode.episode_id for episode in built]
    joined: list[tuple[str, str]] = []
    for old in sorted(existing, key=lambda e: (e.anchored_at, e.opened_at, e.episode_id)):
        own = places.get(old.family, [])
        if not own:
            continue
        place = own[max(bisect_right([built[i].starts_at for i in own], old.anchored_at) - 1, 0)]
        standing = ids[place]
        if standing is None:
            ids[place] = old.episode_id
        else:
            joined.append((old.episode_id, standing))
    return list(zip(ids, built, strict=True)), joined
