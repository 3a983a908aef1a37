"""A case's recorded time as text: what counted, day by day, and the sum of its seconds by reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from backend.billing.case import Case, Instant
from backend.billing.days import MS_A_SECOND, Days
from backend.billing.determination import Piece
from backend.reports.lines import credentials_of, heading, person, short, wrapped
from backend.words import EXCLUDED, day, duration, local_time, named, short_day, zone_name

Answer = Mapping[str, Any]

MOST_STRETCHES = 40
WIDEST_COLUMN = 36

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Pieces of one clinician, thread and fate that touch, half-open."""

    clinician: str
    thread: str | None
    started_at: Instant
    ended_at: Instant
    reason: str | None  # None: counted


def _stretches(pieces: Iterable[Piece]) -> list[_Stretch]:
    """The pieces by time, those of one clinician, thread and fate that touch made one."""
    found: list[_Stretch] = []
    latest: dict[tuple[str, str | None, str | None], int] = {}
    for piece in pieces:
        key = (piece.clinician, piece.thread, piece.reason)
        index = latest.get(key)
        if index is not None and found[index].ended_at == piece.started_at:
            found[index] = replace(found[index], ended_at=piece.ended_at)
        else:
            latest[key] = len(found)
            found.append(_Stretch(piece.clinician, piece.thread, piece.started_at, piece.ended_at, piece.reason))
    return found


def recorded(answer: Answer, pieces: Sequence[Piece], case: Case, calendar: Days, width: int) -> Iterator[str]:
    """The timeline: under each day its stretches, the first of them where there are very many, then what is left.

    `pieces`: sorted by time, as the determination gives them. `width`: columns.
    """
    yield from heading("Recorded time, day by day")
    found = _stretches(pieces)
    if not found:
        yield "  No time was recorded."
        return
    yield from wrapped(f"Days and times are in {zone_name(case.practice.timezone)}.", width)
    shown, rest = found[:MOST_STRETCHES], found[MOST_STRETCHES:]
    fine = any(each.started_at % MS_A_SECOND or each.ended_at % MS_A_SECOND for each in shown)
    credentials = credentials_of(case)
    rows = [_Row(each, calendar, credentials, fine=fine) for each in shown]
    columns = [_column(row.cells[n] for row in rows) for n in range(len(rows[0].cells) - 1)]
    on = None
    for row in rows:
        if row.on != on:
            on = row.on
            yield from wrapped(_day_heading(on, answer, calendar), width)
        yield from row.lines(columns, width)
    if rest:
        yield from wrapped(_more(rest, calendar), width)


def _column(cells: Iterable[str]) -> int:
    """How wide a column is; a cell that is unusually long moves its own line only."""
    widths = [len(cell) for cell in cells]
    return max((width for width in widths if width <= WIDEST_COLUMN), default=0)


class _Row:
    """A stretch as cells: when, seconds, clinician, thread, fate."""

    def __init__(self, stretch: _Stretch, calendar: Days, credentials: Mapping[str, str], *, fine: bool) -> None:
        self.on = calendar.date_of(stretch.started_at)
        ends_on = calendar.date_of(stretch.ended_at)
        zoned = _hours(self.on, calendar) != 24 or _hours(ends_on, calendar) != 24
        start = _clock(stretch.started_at, calendar, zoned=zoned, fine=fine)
        end = _clock(stretch.ended_at, calendar, zoned=zoned, fine=fine)
        when = f"{start} – {end}" + ("" if ends_on == self.on else f" on {short_day(ends_on)}")
        self.cells = (
            when,
            _in_seconds(stretch.ended_at - stretch.started_at, fine=fine),
            person(stretch.clinician, credentials),
            "no thread" if stretch.thread is None else short(stretch.thread),
            "counted" if stretch.reason is None else f"not counted: {named(EXCLUDED, stretch.reason)}",
        )

    def lines(self, columns: Sequence[int], width: int) -> list[str]:
        """On one line where the page is wide enough; else what does not fit goes under the clinician."""
        when, seconds, *others, fate = self.cells
        left = f"{when:<{columns[0]}}  {seconds:>{columns[1]}}"
        middle = "  ".join(f"{cell:<{size}}" for cell, size in zip(others, columns[2:], strict=True))
        indent = 4 + len(left) + 2
        hanging = indent if indent < width // 2 else 6
        if indent + len(middle) + 2 + len(fate) <= width:
            return [f"    {left}  {middle}  {fate}"]
        return [*wrapped(f"{left}  {middle}".rstrip(), width, 4, hanging), *wrapped(fate, width, hanging)]


def _clock(at: Instant, calendar: Days, *, zoned: bool, fine: bool) -> str:
    local = local_time(at, calendar.zone)
    return f"{local:%H:%M:%S}" + (f".{at % MS_A_SECOND:03d}" if fine else "") + (f" {local:%Z}" if zoned else "")


def _hours(on: date, calendar: Days) -> float:
    """How long a local day is: 24 hours, but for the two on which the clocks change."""
    return (calendar.midnight(on + _ONE_DAY) - calendar.midnight(on)) / MS_A_SECOND / 3600


def _day_heading(on: date, answer: Answer, calendar: Days) -> str:
    place = ""
    if answer["window_start"]:
        start, end = date.fromisoformat(answer["window_start"]), date.fromisoformat(answer["window_end"])
        place = ", before day 1" if on < start else f", day {(on - start).days + 1}" if on <= end else ""
        place = place or f", after day {(end - start).days + 1}"
    hours = _hours(on, calendar)
    changed = "" if hours == 24 else f"; the clocks change: a day of {hours:g} hours"
    return f"{on:%A} {day(on)}{place}{changed}"


def _in_seconds(milliseconds: int, *, fine: bool = False) -> str:
    return f"{milliseconds / MS_A_SECOND:,.3f} s" if fine else f"{milliseconds // MS_A_SECOND:,} s"


def _more(rest: Sequence[_Stretch], calendar: Days) -> str:
    counted = sum(each.ended_at - each.started_at for each in rest if each.reason is None)
    excluded = sum(each.ended_at - each.started_at for each in rest if each.reason is not None)
    until = day(calendar.date_of(max(each.ended_at - 1 for each in rest)))
    stretches_ = "1 more stretch" if len(rest) == 1 else f"{len(rest):,} more stretches"
    return f"… and {stretches_} until {until}: {_in_seconds(counted)} counted, {_in_seconds(excluded)} not counted."


def seconds_by_reason(answer: Answer, case: Case, width: int) -> Iterator[str]:
    """The sum in whole seconds, counted + excluded = recorded, then the intervals that stand in no sum."""
    counted = answer["counted_seconds"]
    rows = [(counted, "counted")]
    rows += [(each["seconds"], f"not counted: {named(EXCLUDED, each['reason'])}") for each in answer["excluded"]]
    raw = sum(seconds for seconds, _ in rows)
    figures = max(len(f"{raw:,} s"), len("0 s"))
    spoken = len(duration(raw))
    yield from heading("Seconds by reason")
    for index, (seconds, what) in enumerate(rows):
        sign = "+" if index else " "
        yield from _sum_line(sign, seconds, what, figures, spoken, width)
    yield f"  {'─' * (figures + spoken + 6)}"
    yield from _sum_line("=", raw, "recorded", figures, spoken, width)
    yield from _left_aside(case, width)


def _sum_line(sign: str, seconds: int, what: str, figures: int, spoken: int, width: int) -> list[str]:
    left = f"{sign} {f'{seconds:,} s':>{figures}}  {duration(seconds):>{spoken}}"
    return wrapped(f"{left}    {what}", width, hanging=len(left) + 6)


def _left_aside(case: Case, width: int) -> Iterator[str]:
    """What was given and stands in no sum."""
    again = len(case.intervals) - len({each.id for each in case.intervals})
    empty = sum(each.started_at == each.ended_at for each in case.intervals)
    for count, what in ((again, "repeated the id of an earlier one and is left aside"), (empty, "lasted no time")):
        if count:
            yield from wrapped(f"{count:,} of the {len(case.intervals):,} intervals given {what}.", width)
