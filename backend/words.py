"""Sentences for people, in English: statuses, exclusions, durations, days.

The rules' data carries its own sentences; what stands here are the names of the closed lists that the rooms hand up as
ids, and the way numbers and days are written.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")

EXCLUDED = {
    "other_group": "work for another group practice",
    "other_family": "work of the other code family",
    "staff": "staff time",
    "idle": "idle time",
    "activity": "an activity that does not count",
    "before_inquiry": "before the patient wrote",
    "after_window": "after the seventh day",
    "inquiry_left_out": "belongs to an inquiry that is left out",
    "unattested": "entered by hand, not yet confirmed",
    "credited_elsewhere": "already credited to another service",
    "claimed_twice": "claimed by two patients at once",
    "no_consent": "not covered by consent",
    "overlap": "overlaps time that is already counted",
}

FAMILIES = {
    "em": "physicians and others who report E/M",
    "nonphysician": "qualified nonphysician professionals",
    "staff": "staff",
}

ASKED = {
    "clinician": "the clinician",
    "staff": "the staff",
    "manager": "the manager",
    "biller": "the biller",
    "feed": "the record system",
}

STATUSES = {"reportable": "reportable", "hold": "on hold", "not_reportable": "not reportable"}

INITIATORS = {"patient": "the patient", "proxy": "somebody for the patient", "practice": "the practice"}

CHANNELS = {
    "portal": "the portal",
    "secure_email": "secure e-mail",
    "app": "an app",
    "email": "ordinary e-mail",
    "sms": "a text message",
    "phone": "the telephone",
}


def named(words: dict[str, str], value: str | None, nothing: str = "not known") -> str:
    """The words of a closed list for `value`; a value the list does not know is shown as itself."""
    return nothing if value is None else words.get(value, value.replace("_", " "))


def number(count: int) -> str:
    """`Nine`, `Twelve`, `1,204`: how a sentence begins with a number."""
    return NUMBERS[count] if 0 <= count < len(NUMBERS) else f"{count:,}"


def clock(seconds: int) -> str:
    """`12:00`, `63:05`: minutes and seconds for a column of figures."""
    return f"{seconds // 60}:{seconds % 60:02d}"


def duration(seconds: int) -> str:
    """`12 min 00 s`: minutes and seconds for a sentence."""
    return f"{seconds // 60} min {seconds % 60:02d} s"


def day(on: date) -> str:
    """`6 April 2026`."""
    return f"{on.day} {on:%B %Y}"


def short_day(on: date) -> str:
    """`6 Apr`."""
    return f"{on.day} {on:%b}"


def short_days(first: date, last: date, *, today: date) -> str:
    """`6 to 12 Apr`, `30 Mar to 5 Apr`; with the year where it is not today's."""
    year = "" if last.year == today.year else f" {last.year}"
    return f"{first.day if first.month == last.month else short_day(first)} to {short_day(last)}{year}"


def days(first: date, last: date) -> str:
    """`6 to 12 April 2026`, `30 March to 5 April 2026`, `29 December 2026 to 4 January 2027`."""
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first)} to {day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%B} to {day(last)}"
    return f"{first.day} to {day(last)}"


def instant(at: int, zone: ZoneInfo) -> str:
    """`6 April 2026, 07:30` in the practice's zone; `at` in milliseconds since the epoch."""
    local = local_time(at, zone)
    return f"{day(local.date())}, {local:%H:%M}"


def local_time(at: int, zone: ZoneInfo) -> datetime:
    """The practice's wall clock at an instant, without binary fractions of a second."""
    return datetime.fromtimestamp(at // 1000, zone)


def zone_name(key: str) -> str:
    """`New York time` for `America/New_York`; `UTC` stays."""
    place = key.rsplit("/", 1)[-1].replace("_", " ")
    return place if "/" not in key else f"{place} time"
