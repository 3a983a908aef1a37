"""Who is behind the rows of history.py: each patient's threads, and the work that counts, by clinician.

people = patients(history(...), zone=ZoneInfo("America/New_York"), before=...)
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.demo.history import Device

Row = dict[str, Any]
Span = tuple[int, int]

PHYSICIANS = ("MD", "NP", "PA")
SHORTEST_SECONDS = 300
UNCOUNTED = "documentation"


@dataclass
class Patient:
    """One patient's work. `reference` None: nobody knows whose the thread is."""

    portal: str
    reference: str | None
    zone: ZoneInfo
    threads: dict[str, tuple[int, str]] = field(default_factory=dict)
    """thread: (its first row's start, the credential of whoever it was)."""
    worked: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    """credential: what counts of that clinician's time, in milliseconds."""
    by_hand: dict[str, tuple[str, str]] = field(default_factory=dict)
    """interval: (its thread, the credential)."""

    def add(self, who: str, row: Row) -> None:
        """Rows come in the order of time."""
        if who != "RN" or row["thread"] not in self.threads:
            begun, reader = self.threads.get(row["thread"], (row["started_at"], who))
            self.threads[row["thread"]] = (begun, who if reader == "RN" else reader)
        if who != "RN" and row["activity"] != UNCOUNTED:
            self.worked[who].append((row["started_at"], row["ended_at"]))
        if row.get("entry") == "manual":
            self.by_hand[row["id"]] = (row["thread"], who)

    @property
    def who(self) -> str:
        """Who began."""
        return min(self.worked, key=lambda who: min(self.worked[who]))

    @property
    def first(self) -> date:
        """Day 1 of the first episode."""
        return self.day(min(min(spans) for spans in self.worked.values())[0])

    @property
    def is_plain(self) -> bool:
        """Whether it is known who it is and one family has worked long enough."""
        families = {who in PHYSICIANS for who in self.worked}
        return self.reference is not None and len(families) == 1 and _seconds(self.spans()) >= SHORTEST_SECONDS

    def spans(self) -> list[Span]:
        """What counts of the seven days, in order; overlapping time is one."""
        ends = self.first + timedelta(days=7)
        found: list[Span] = []
        for start, end in sorted(span for spans in self.worked.values() for span in spans):
            if found and start <= found[-1][1]:
                found[-1] = (found[-1][0], max(found[-1][1], end))
            elif self.day(start) < ends:
                found.append((start, end))
        return found

    def halves(self) -> int | None:
        """An instant between two sittings, after which there is still enough for a code."""
        spans = self.spans()
        later = [k for k in range(1, len(spans)) if _seconds(spans[k:]) >= SHORTEST_SECONDS]
        return spans[later[0]][0] - 30_000 if later else None

    def day(self, at: int) -> date:
        return datetime.fromtimestamp(at / 1000, self.zone).date()


def _seconds(spans: Iterable[Span]) -> int:
    return sum(end - start for start, end in spans) // 1000


def patients(rows: Mapping[Device, Iterable[Row]], zone: ZoneInfo, *, before: int) -> list[Patient]:
    """Everybody in the rows that ended before an instant, by the order of their first rows."""
    found: dict[tuple[str, str], Patient] = {}
    everything = [(row["started_at"], row["id"], who, row) for (who, _), own in rows.items() for row in own]
    for _, _, who, row in sorted(everything, key=lambda each: each[:2]):
        if row["ended_at"] < before:
            name = (row["portal"], row["patient"] or row["thread"])
            found.setdefault(name, Patient(row["portal"], row["patient"], zone)).add(who, row)
    return list(found.values())


def learned(people: Iterable[Patient]) -> Iterable[Row]:
    """Every third thread of which the portal named no patient: somebody has said whose it is."""
    for patient in [each for each in people if each.reference is None][::3]:
        [thread] = patient.threads
        patient.reference = f"9{thread[-3:]}"
        yield {"portal": patient.portal, "thread": thread, "patient": patient.reference}
