"""The practice's days: between instants (milliseconds, UTC) and local dates of its IANA zone."""

from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from backend.billing.case import Instant

MS_A_SECOND = 1000
MS_A_DAY = 24 * 60 * 60 * MS_A_SECOND  # of elapsed time; a local day has an hour more or less twice a year


class Days:
    """The calendar of one zone. A local day begins at its first instant, also where midnight is skipped or doubled."""

    __slots__ = ("zone",)

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone

    def date_of(self, at: Instant) -> date:
        """The local date on which the instant falls."""
        return _local_date(self.zone, at // MS_A_SECOND)

    def midnight(self, day: date) -> Instant:
        """The first instant of the local day."""
        return _midnight(self.zone, day)


@lru_cache(maxsize=1 << 16)  # one case asks for the same few instants again and again
def _local_date(zone: ZoneInfo, second: int) -> date:
    return datetime.fromtimestamp(second, zone).date()


@lru_cache(maxsize=1 << 12)
def _midnight(zone: ZoneInfo, day: date) -> Instant:
    return int(datetime.combine(day, time.min, zone).timestamp()) * MS_A_SECOND


@lru_cache(maxsize=256)
def days_of(timezone: str) -> Days:
    """The days of an IANA zone; ValueError for a name that is none."""
    try:
        return Days(ZoneInfo(timezone))
    except (KeyError, ValueError, OSError) as problem:
        raise ValueError(f"{timezone} is not an IANA time zone") from problem


def anniversary(day: date, years: int) -> date:
    """The same date so many years later; 29 February falls on the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def month_of(day: date) -> str:
    """YYYY-MM."""
    return f"{day.year:04d}-{day.month:02d}"
