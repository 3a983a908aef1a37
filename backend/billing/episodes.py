"""A patient's whole history, cut into episodes.

    built = build_episodes(practice=..., clinicians=..., inquiries=..., intervals=..., taken=..., settings=...)

An episode opens at the first countable review after an inquiry that no earlier window contains, and occupies its
seven days. Each family is built by itself, over the same intervals:

    inquiries         ^a    ^b                           ^c
    reviews            |=| |==|  |=|       |==|           |==|
    windows           [-- a, b: 7 days --]               [-- c: 7 days --]
    after the window                       |==|           (stays with a and b, and is not counted)
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from backend.billing.case import Case, Clinician, Inquiry, Instant, Interval, OtherClaim, Practice, Visit
from backend.billing.chains import ALL_SAID, Chain, SettingsOn, Window, Work
from backend.billing.days import Days
from backend.billing.rulebook import families
from backend.billing.windows import BEGINNING, Period, known_from, sort_key


@dataclass(frozen=True, slots=True)
class TakenEpisode:
    """An episode whose seven days never move, whatever is learned later: approved, billed, or closed.

    `closed`: the intervals that made it were removed by age, so it stands as it was last judged; `threads` are those it
    had, whose inquiries and whose later work open no other. A closed one that is not `approved` is no prior e-visit.
    """

    episode_id: str
    family: str
    window_start: date
    window_end: date
    specialty: str | None = None  # whose work adds up in it; None: the group's
    approved: bool = True
    closed: bool = False
    threads: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class BuiltEpisode:
    """One episode of one family.

    `anchored_at`: the instant of the first countable review (of a taken episode: local midnight of its day 1).
    `starts_at`: from where on the patient's time belongs to this episode and no earlier one.
    `inquiries`: first the one that comes first. A thread whose inquiry nobody knows stands there as `implied`.
    `intervals`: everything in its stretch of time, excluded time (staff, idle, after the window) too, sorted.
    `provisional`: it is anchored by work, since no inquiry before it is known.
    `settled_on`: the day whose settings decide it: `window_start`, unless those would move it off that day.
    `episode_id`: of a taken episode its id, else None.
    `specialty`: whose work adds up in it; None: the group's.
    """

    family: str
    anchored_at: Instant
    starts_at: Instant
    window_start: date
    window_end: date
    inquiries: tuple[Inquiry, ...]
    intervals: tuple[Interval, ...]
    provisional: bool
    settled_on: date
    episode_id: str | None = None
    specialty: str | None = None


def build_episodes(
    *,
    practice: Practice,
    clinicians: Sequence[Clinician],
    inquiries: Sequence[Inquiry],
    intervals: Sequence[Interval],
    taken: Sequence[TakenEpisode] = (),
    visits: Sequence[Visit] | None = None,
    claims: Sequence[OtherClaim] | None = None,
    settings: SettingsOn | None = None,
    evaluated: Mapping[str | None, bool] | None = None,
) -> list[BuiltEpisode]:
    """The episodes of one patient, of each family by itself, sorted by family and window.

    `settings`: those that hold for an episode whose first day is the one given; None: the rules' own. Where they keep
    specialties apart, each specialty has episodes by itself, as if it were a family.

    `inquiries`: every one that is known, of all threads. `visits` and `claims` (those that are visits) say with
    `related_to_prior_visit` which is left out beside others for a visit; the rest of rule inquiry-left-out is read
    from the inquiry. `taken`: their windows stay; inquiries whose work would open a window across one belong to it,
    and it is returned with what belongs to it. `evaluated`: what was attested of threads (by their identifiers), for
    those whose inquiry nobody knows.

    Depends on what is given and never on its order. A family without a countable interval has no episode (staff
    alone give none). Each second of each interval lies in at most one episode of a family: an interval that runs
    over the border of two is split there, both parts under its id. Time that could not count whenever it was (staff,
    idle, the other family) is kept with the episode into whose days it falls, and else with none.
    """
    ordered = sorted(_first_of_each_id(intervals), key=lambda i: (i.started_at, i.ended_at, i.id))
    known = sorted((replace(q, given=ALL_SAID) for q in inquiries if q.at is not None), key=sort_key)
    facts = Case(
        as_of=0,
        practice=practice,
        patient=None,
        clinicians=tuple(clinicians),
        intervals=(),
        visits=None if visits is None else tuple(visits),
        other_claims=None if claims is None else tuple(claims),
    )
    found: list[BuiltEpisode] = []
    for family in families():
        work = Work(facts, ordered, family, settings, evaluated or {})
        found += _filled(work, _windows(work, known, [t for t in taken if t.family == family]))
    return found


def _first_of_each_id(intervals: Sequence[Interval]) -> list[Interval]:
    seen: dict[str, Interval] = {}
    for interval in intervals:
        seen.setdefault(interval.id, interval)
    return list(seen.values())


def _windows(work: Work, known: Sequence[Inquiry], taken: Sequence[TakenEpisode]) -> list[Window]:
    """The family's windows, sorted by time; `known` is sorted."""
    windows = [_taken_window(each, work.days) for each in taken]
    known = _left_to_open(known, taken, windows)
    chains: dict[str | None, Chain] = {}
    for era in work.eras():
        for specialty in work.specialties() if era.apart else (None,):
            if specialty not in chains:
                chains[specialty] = Chain(work, specialty)
            chains[specialty].open(known, windows, era)
    return sorted(windows, key=lambda w: (w.period.starts_at, w.specialty or "", w.episode_id or ""))


def _taken_window(taken: TakenEpisode, days: Days) -> Window:
    starts_at = days.midnight(taken.window_start)
    ends_at = days.midnight(taken.window_end + timedelta(days=1))
    period = Period(starts_at, starts_at, ends_at, taken.window_start, taken.window_end)
    return Window(period, [], taken.window_start, taken.specialty, episode_id=taken.episode_id)


def _left_to_open(
    known: Sequence[Inquiry], taken: Sequence[TakenEpisode], windows: Sequence[Window]
) -> Sequence[Inquiry]:
    """The inquiries that may still open a window. What was asked before a closed window ended, and after any other
    taken one before it, went into it: the work that would show so is gone.

    inquiries          ^a     ^b        ^c        ^d
    windows      [ approved ]    [ closed ]
    still open          -      -         -         d
    """
    both = sorted(zip(windows, taken, strict=True), key=lambda each: each[0].period.ends_at)
    begins = BEGINNING
    for window, episode in both:
        if episode.closed:
            own = [q for q in known if begins <= known_from(q) < window.period.ends_at]
            known = [q for q in known if not begins <= known_from(q) < window.period.ends_at]
            asked = {q.thread for q in own}
            at = window.period.starts_at
            own += [Inquiry(at=at, thread=each, implied=True) for each in episode.threads if each not in asked]
            window.inquiries.extend(own)
        else:
            begins = window.period.ends_at
    return known


def _filled(work: Work, windows: Sequence[Window]) -> list[BuiltEpisode]:
    """The windows, sorted by time, each with the part of the intervals that is its own."""
    if not windows:
        return []
    borders = _borders(windows)
    parts: list[list[Interval]] = [[] for _ in windows]
    rules = [work.rules(window.settled_on) for window in windows]
    lines = {each: _line(each, windows, borders) for each in {None, *(window.specialty for window in windows)}}
    for interval in work.intervals:
        line = lines.get(work.specialty_of(interval.clinician), lines[None])
        for place, part in _split(interval, line.borders) if line.own else ():
            index = line.own[place]
            may_count = work.reason(part, rules[index], windows[index].specialty) is None
            kept = part if may_count else _clipped(part, borders[index], windows[index].period.ends_at)
            if kept is not None:
                parts[index].append(kept)
        for index in line.others:
            kept = _clipped(interval, borders[index], windows[index].period.ends_at)
            if kept is not None:
                parts[index].append(kept)
    return [
        BuiltEpisode(
            family=work.family,
            anchored_at=window.period.anchored_at,
            starts_at=border,
            window_start=window.period.window_start,
            window_end=window.period.window_end,
            inquiries=tuple(window.inquiries),
            intervals=tuple(its_own),
            provisional=window.provisional,
            settled_on=window.settled_on,
            episode_id=window.episode_id,
            specialty=window.specialty,
        )
        for window, border, its_own in zip(windows, borders, parts, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Line:
    """Indexes of the windows that share out one specialty's time among them (`own`, from `borders` on), and of those
    that only show what falls into their days (`others`)."""

    own: list[int]
    borders: list[Instant]
    others: list[int]


def _line(specialty: str | None, windows: Sequence[Window], borders: Sequence[Instant]) -> _Line:
    own = [index for index, window in enumerate(windows) if window.specialty in (None, specialty)]
    others = [index for index, window in enumerate(windows) if window.specialty not in (None, specialty)]
    return _Line(own, [borders[index] for index in own], others)


def _borders(windows: Sequence[Window]) -> list[Instant]:
    """From where on time belongs to each window: its first inquiry or day 1, but never inside one before that could
    count the same time."""
    borders: list[Instant] = []
    ended: dict[str | None, Instant] = {}
    for window in windows:
        rivals = ended.values() if window.specialty is None else (ended.get(each) for each in (None, window.specialty))
        borders.append(max([window.from_at, *(at for at in rivals if at is not None)]))
        ended[window.specialty] = window.period.ends_at
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
        parts.append((index, rest._replace(ended_at=borders[index + 1])))
        rest = rest._replace(started_at=borders[index + 1])
        index += 1
    parts.append((index, rest))
    return parts


def _clipped(interval: Interval, start: Instant, end: Instant) -> Interval | None:
    """The part of the interval inside `[start, end)`, None where there is none."""
    if start <= interval.started_at and interval.ended_at <= end:
        return interval
    started_at, ended_at = max(interval.started_at, start), min(interval.ended_at, end)
    return interval._replace(started_at=started_at, ended_at=ended_at) if started_at < ended_at else None
