"""The timeline of an episode: a lane a clinician, a column a day, counted time solid and the rest hatched."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from backend.reports.pictures import draw
from backend.words import clock, local_time, short_day

WIDTH, NAMES_WIDTH, RIGHT = 1100, 150, 10
TOP, LANE_HEIGHT, BELOW = 48, 42, 40
LEAST_WIDTH = 7.0
"""Five minutes of a nine-day picture are a third of a unit: narrower than this nothing could be seen or pointed at."""
MOST_DAYS_BEFORE, MOST_DAYS_AFTER = 3, 7
"""Days outside the window that are drawn when there is time on them; what lies farther stands in the table alone."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of one clinician's recorded time, half-open; `says` is what a pointer resting on it reads, `lane` the
    clinician's id."""

    lane: str
    started_at: int
    ended_at: int
    counted: bool
    says: str


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float
    says: tuple[str, ...]


_DAY = timedelta(days=1)


class _Scale:
    """Where an instant stands: each local day has the same width, also the two a year that are not 24 hours long."""

    def __init__(self, first: date, last: date, zone: ZoneInfo) -> None:
        self.days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        self.zone = zone
        self.day_width = (WIDTH - NAMES_WIDTH - RIGHT) / len(self.days)

    def of_day(self, on: date) -> float:
        return NAMES_WIDTH + (on - self.days[0]).days * self.day_width

    def span(self, first: date, end: date) -> tuple[float, float]:
        """Where `first` begins, and the width up to the beginning of `end`."""
        return self.of_day(first), (end - first).days * self.day_width

    def of_instant(self, at: int) -> float:
        on = local_time(at, self.zone).date()
        begins, ends = _midnight(on, self.zone), _midnight(on + _DAY, self.zone)
        return self.of_day(on) + (at - begins) / (ends - begins) * self.day_width

    def shows(self, on: date) -> bool:
        return self.days[0] <= on <= self.days[-1]


def timeline(
    stretches: Sequence[Stretch],
    *,
    lanes: Mapping[str, str],
    window: tuple[date, date],
    release_on: date,
    inquiries: Sequence[int],
    zone: ZoneInfo,
) -> Markup:
    """The picture; `lanes` are the clinicians (id -> name) from top to bottom, `window` the first and last of the seven
    days, `release_on` the day on which the look-ahead closes, `inquiries` the instants at which the patient wrote.

                 Mon 6     Tue 7     Wed 8   ...  Sun 12    Mon 13    Tue 14
                |         |         |            |         :look-ahead:
        Moss    |  ## #   |         |  //        |         :         :
        Roy     |         | ###     |            |         :         :
                |<------------- the seven days ----------->|
    """
    scale = _Scale(*_range(stretches, window, release_on, zone), zone)
    drawn = [each for each in stretches if scale.shows(local_time(each.started_at, zone).date())]
    bottom = TOP + LANE_HEIGHT * len(lanes)
    return draw(
        "timeline.svg",
        width=WIDTH,
        height=bottom + BELOW,
        top=TOP,
        bottom=bottom,
        left=NAMES_WIDTH,
        right=WIDTH - RIGHT,
        days=[(scale.of_day(on), f"{on:%a} {on.day}" if scale.day_width >= 54 else on.day) for on in scale.days],
        lanes=[(TOP + LANE_HEIGHT * index, name, _short(name)) for index, name in enumerate(lanes.values())],
        shade=scale.span(window[0], window[1] + _DAY),
        look_ahead=scale.span(window[1] + _DAY, release_on),
        counted=_boxes([each for each in drawn if each.counted], lanes, scale, offset=6, height=16),
        excluded=_boxes([each for each in drawn if not each.counted], lanes, scale, offset=26, height=10),
        inquiries=_letters(inquiries, scale, zone),
        label=_label(stretches, scale, len(stretches) - len(drawn)),
    )


def _midnight(on: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(on, time(), zone).timestamp() * 1000)


def _range(
    stretches: Sequence[Stretch], window: tuple[date, date], release_on: date, zone: ZoneInfo
) -> tuple[date, date]:
    starts, ends = window[0], max(window[1], release_on)
    worked = [local_time(each.started_at, zone).date() for each in stretches]
    earlier = [on for on in worked if timedelta() < starts - on <= timedelta(days=MOST_DAYS_BEFORE)]
    later = [on for on in worked if timedelta() < on - ends <= timedelta(days=MOST_DAYS_AFTER)]
    return min(earlier, default=starts), max(later, default=ends)


def _boxes(
    stretches: Sequence[Stretch], lanes: Iterable[str], scale: _Scale, *, offset: int, height: int
) -> list[_Box]:
    """One box a stretch; those of a lane whose boxes would touch become one that says all of them."""
    boxes: list[_Box] = []
    for index, lane in enumerate(lanes):
        y = TOP + LANE_HEIGHT * index + offset
        row: list[_Box] = []
        for each in sorted((one for one in stretches if one.lane == lane), key=lambda one: one.started_at):
            x = round(scale.of_instant(each.started_at), 1)
            ends = max(x + LEAST_WIDTH, round(scale.of_instant(each.ended_at), 1))
            if row and x <= row[-1].x + row[-1].width + 1:
                before = row.pop()
                row.append(
                    _Box(before.x, y, max(ends, before.x + before.width) - before.x, height, (*before.says, each.says))
                )
            else:
                row.append(_Box(x, y, ends - x, height, (each.says,)))
        boxes += row
    return boxes


def _letters(inquiries: Sequence[int], scale: _Scale, zone: ZoneInfo) -> list[tuple[float, str]]:
    """Where a letter stands and its time, which is left out where the letter before leaves no room."""
    letters: list[tuple[float, str]] = []
    for at in sorted(at for at in inquiries if scale.shows(local_time(at, zone).date())):
        x = round(scale.of_instant(at), 1)
        crowded = bool(letters) and x - letters[-1][0] < 56
        letters.append((x, "" if crowded else f"{local_time(at, zone):%H:%M}"))
    return letters


def _short(name: str) -> str:
    return name if len(name) <= 21 else name[:20].rstrip() + "…"


def _label(stretches: Sequence[Stretch], scale: _Scale, left_out: int) -> str:
    counted = sum(each.ended_at - each.started_at for each in stretches if each.counted) // 1000
    rest = sum(each.ended_at - each.started_at for each in stretches if not each.counted) // 1000
    what = "1 piece lies" if left_out == 1 else f"{left_out} pieces lie"
    beyond = f" {what} outside this range." if left_out else ""
    return (
        f"Timeline, {short_day(scale.days[0])} to {short_day(scale.days[-1])}: {clock(counted)} counted, "
        f"{clock(rest)} recorded and not counted. The table below has every piece.{beyond}"
    )
