"""How long a practice keeps what: its words, dated and added to, and what they mean today."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from backend.audit import by_user
from backend.billing.days import anniversary, days_of
from backend.errors import BadInput
from backend.store import Connection, Store, practices
from backend.store import retention as rows

PROOF = "6 years"
"""How long what proves a claim is kept at least: 45 CFR 164.316(b)(2)(i) asks it of documentation, counted from when it
was made or last in effect, whichever is later. A state, a payer's contract or 42 CFR 422.504(d) may ask ten."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`least`: what a practice may not go below, and why."""

    meaning: str
    least: str
    why: str


KINDS: Mapping[str, Kind] = {
    "intervals": Kind(
        f"Recorded intervals, from the end of their episode on; of an approved episode for {PROOF} in any case",
        "1 year",
        "a claim may be sent for a year (42 CFR 424.44), and needs its time until then",
    ),
    "records": Kind(
        "All that is stored of a patient, from the last that happened with them on",
        PROOF,
        "what proves a claim is kept that long (45 CFR 164.316(b)(2)(i))",
    ),
    "audit": Kind(
        "What the audit's entries say beyond who, what and when; the entries themselves stay",
        PROOF,
        "the audit is kept that long (45 CFR 164.316(b)(2)(i))",
    ),
}

_PERIOD = re.compile(r"([1-9]\d{0,3}) ?(day|month|year)s?")


@dataclass(frozen=True, slots=True)
class Word:
    """`period` None: for good."""

    period: str | None
    from_on: date


@dataclass(frozen=True, slots=True)
class Kept:
    """How long a kind is kept: `period` today, None for good; `coming`: words that begin after today."""

    name: str
    kind: Kind
    period: str | None
    coming: tuple[Word, ...]


def period_of(text: str) -> str:
    """`7 years` of what a person typed, such as `7 Year`. BadInput says how a period is written."""
    found = _PERIOD.fullmatch(" ".join(text.lower().split()))
    if found is None:
        raise BadInput("A period is written like 7 years, 18 months or 400 days.")
    return f"{found[1]} {found[2]}{'' if found[1] == '1' else 's'}"


def before(period: str, today: date) -> date:
    """The day that lies a period before today."""
    text, unit = period.split()
    count = int(text)
    try:
        if unit.startswith("year"):
            return anniversary(today, -count)
        if unit.startswith("month"):
            years, month = divmod(today.year * 12 + today.month - 1 - count, 12)
            last = (date(years, month + 1, 28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            return last.replace(day=min(today.day, last.day))
        return today - timedelta(days=count)
    except (ValueError, OverflowError):
        return date.min  # longer than the calendar: nothing is as old as that


def ends(period: str, first: date) -> date:
    """The first day on which what happened on `first` has come of age."""
    day = first + (first - before(period, first)) - timedelta(days=5)  # months differ by at most three days
    while before(period, day) < first:
        day += timedelta(days=1)
    return day


def keep_for(
    store: Store,
    practice_id: int,
    *,
    kind: str,
    period: str | None,
    from_on: date | None,
    by: str | None,
    now: int,
) -> date:
    """Says how long a kind of data is kept (None: for good), from a day on (None: today); returns that day.

    BadInput: there is no such kind, the period cannot be read, or it is shorter than the least.
    """
    if kind not in KINDS:
        raise BadInput(f"There is no kind {kind[:50]!r} of data to keep; there are {', '.join(KINDS)}.")
    said = None if period is None else period_of(period)

    def work(connection: Connection) -> date:
        today = today_of(connection, practice_id, now)
        if said is not None and before(said, today) > before(KINDS[kind].least, today):
            raise BadInput(f"{kind} cannot be kept for less than {KINDS[kind].least}: {KINDS[kind].why}.")
        first = today if from_on is None else from_on
        rows.insert(connection, practice_id, kind=kind, period=said, from_on=first, by=by, recorded_at=now)
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=by_user(by),
            action="retention_set",
            subject=("retention", kind),
            detail={"period": said, "from": first.isoformat()},
        )
        return first

    return store.write(work, practice_id)


def list_retention(store: Store, practice_id: int, *, now: int) -> list[Kept]:
    """How long each kind is kept."""
    with store.read() as connection:
        today = today_of(connection, practice_id, now)
        said = rows.of_practice(connection, practice_id)
    return [Kept(name, kind, *_of_kind(name, said, today)) for name, kind in KINDS.items()]


def periods_today(connection: Connection, practice_id: int, today: date) -> dict[str, str]:
    """kind -> how long it is kept, of the kinds that are not kept for good."""
    said = rows.of_practice(connection, practice_id)
    found = {name: _of_kind(name, said, today)[0] for name in KINDS}
    return {name: period for name, period in found.items() if period is not None}


def proof_period(connection: Connection, practice_id: int, today: date) -> str:
    """How long what proves a claim is kept: as long as the practice keeps records, and never less than PROOF."""
    period = periods_today(connection, practice_id, today).get("records", PROOF)
    return min(period, PROOF, key=lambda each: before(each, today))


def today_of(connection: Connection, practice_id: int, now: int) -> date:
    """The practice's day."""
    return days_of(practices.by_id(connection, practice_id)["timezone"]).date_of(now)


def _of_kind(name: str, said: Iterable[Any], today: date) -> tuple[str | None, tuple[Word, ...]]:
    """The latest word that holds today, and those that are still to come."""
    words = [Word(row["period"], date.fromisoformat(row["from_on"])) for row in said if row["kind"] == name]
    holding = [word for word in words if word.from_on <= today]
    return holding[-1].period if holding else None, tuple(word for word in words if word.from_on > today)
