"""Thirty days of a made-up practice, as the rows that its clinicians' browsers would have sent.

    rows = history(seed=7, today=date(2026, 4, 6), zone=ZoneInfo("America/New_York"), now=...)

gives, for each device, intervals in the shape of `POST /api/v1/intervals`. The same arguments give the same rows. What
no browser would see (patients' names, messages) does not exist here either.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DAYS = 30
LONGEST_SECONDS = 300
OPENS, CLOSES = time(8), time(18)


@dataclass(frozen=True)
class Person:
    email: str
    name: str
    role: str
    credential: str
    specialty: str | None
    devices: tuple[str, ...] = ("desk",)


PEOPLE = {
    "MD": Person("ada.okafor@riverside.example", "Ada Okafor", "clinician", "MD", "family_medicine", ("desk", "home")),
    "NP": Person("ruth.lindqvist@riverside.example", "Ruth Lindqvist", "clinician", "NP", "family_medicine"),
    "PA": Person("sam.ortiz@riverside.example", "Sam Ortiz", "clinician", "PA", "family_medicine", ("desk", "home")),
    "PT": Person("noor.haddad@riverside.example", "Noor Haddad", "clinician", "PT", "physical_therapy"),
    "LCSW": Person("jo.tanaka@riverside.example", "Jo Tanaka", "clinician", "LCSW", "social_work"),
    "RN": Person("pat.meyer@riverside.example", "Pat Meyer", "staff", "RN", None),
}
PORTALS = ("medplum", "medplum-east")
SOLO = ("MD", "NP", "PA", "PT", "LCSW")

# (a kind of story, how many of it); the names are the functions of Story below.
STORIES = (
    ("glance", 18),
    ("five_to_ten", 36),
    ("eleven_to_twenty", 28),
    ("over_twenty", 14),
    ("nurse_first", 12),
    ("nurse_only", 4),
    ("two_tabs", 8),
    ("two_devices", 6),
    ("two_patients_at_once", 4),
    ("two_professions", 8),
    ("long_after", 8),
    ("by_hand", 6),
    ("unknown_patient", 6),
)

Device = tuple[str, str]
"""(the clinician's credential, the device's name)."""


@dataclass
class History:
    """Rows as they come to be; `cursors` keep one clinician from being at two threads by accident."""

    dice: random.Random
    first: date
    zone: ZoneInfo
    now: int
    rows: dict[Device, list[dict[str, Any]]] = field(default_factory=dict)
    cursors: dict[tuple[str, date], int] = field(default_factory=dict)
    threads: int = 0

    def thread(self, patient: str | None = "") -> dict[str, Any]:
        """A new thread of a new patient, or of the one given."""
        self.threads += 1
        portal = PORTALS[0] if self.threads % 5 else PORTALS[1]
        named = f"{4000 + self.threads}" if patient == "" else patient
        return {"portal": portal, "thread": f"thr-{self.threads:04d}", "patient": named}

    def free(self, who: str, day: date, seconds: int) -> int:
        """When `who` next has `seconds` in a row on `day` or a later one, in milliseconds; they are taken then."""
        while True:
            opens = self._instant(day, OPENS) + self.dice.randrange(0, 3600) * 1000
            begins = max(self.cursors.get((who, day), 0), opens)
            if day.weekday() < 5 and begins + seconds * 1000 <= self._instant(day, CLOSES):
                self.take(who, begins, seconds)
                return begins
            day += timedelta(days=1)

    def take(self, who: str, begins: int, seconds: int) -> None:
        """Nothing else of `who` begins before this is over, and a walk to the kettle."""
        day = datetime.fromtimestamp(begins / 1000, self.zone).date()
        ends = begins + (seconds + self.dice.randrange(60, 900)) * 1000
        self.cursors[who, day] = max(self.cursors.get((who, day), 0), ends)

    def session(
        self, who: str, place: dict[str, Any], begins: int, seconds: int, *, device: str = "desk", first: bool = False
    ) -> None:
        """One sitting at one thread: rows of at most five minutes without a gap, the first of them reading."""
        left, reading = seconds, True
        while left > 0:
            length = min(left, LONGEST_SECONDS)
            left -= length
            activity = "review_inquiry" if reading and first else self._activity()
            ended_by = "limit" if left else self.dice.choice(["navigate", "hidden", "blur", "idle", "close"])
            self._add((who, device), place, begins, length, activity=activity, ended_by=ended_by)
            begins, reading = begins + length * 1000, False

    def entered(self, who: str, place: dict[str, Any], begins: int, seconds: int) -> None:
        """Work that no browser saw, such as a call, entered by hand."""
        said = {"entry": "manual", "reason": "called the patient about the message"}
        self._add((who, "desk"), place, begins, seconds, activity="communicate_phone", ended_by="manual", **said)

    def _add(self, device: Device, place: dict[str, Any], begins: int, seconds: int, **fields: Any) -> None:
        row = {
            "id": self._uuid7(begins),
            **place,
            "started_at": begins,
            "ended_at": begins + seconds * 1000,
            "idle_after_seconds": 60,
            **fields,
        }
        if row["ended_at"] < self.now - 60_000:
            self.rows.setdefault(device, []).append(row)

    def visits(self, who: str, place: dict[str, Any], day: date, seconds: int, *, sittings: int = 2) -> None:
        """`seconds` of work on a thread in some sittings, on `day` and up to four days after it."""
        edges = sorted(self.dice.randrange(20, seconds - 20) for _ in range(sittings - 1))
        for index, (start, end) in enumerate(zip([0, *edges], [*edges, seconds], strict=True)):
            if end > start:
                on = day if index == 0 else day + timedelta(days=self.dice.randrange(0, 5))
                self.session(who, place, self.free(who, on, end - start), end - start, first=index == 0)

    def _activity(self) -> str:
        kinds = ("communicate_online", "review_records", "develop_plan", "order_or_prescribe", "documentation")
        return self.dice.choices(kinds, weights=(10, 4, 3, 2, 1))[0]

    def _instant(self, day: date, at: time) -> int:
        return round(datetime.combine(day, at, self.zone).timestamp() * 1000)

    def _uuid7(self, at: int) -> str:
        """A UUIDv7 whose instant is `at` and whose rest comes from the dice."""
        chance = self.dice.getrandbits(74)
        text = f"{at:012x}7{chance >> 62:03x}{8 + (chance >> 60 & 3):x}{chance & (1 << 60) - 1:015x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


class Story:
    """The kinds of things that happen; each takes the history, a clinician and the day on which it begins."""

    @staticmethod
    def glance(past: History, who: str, day: date) -> None:
        past.visits(who, past.thread(), day, past.dice.randrange(45, 299), sittings=past.dice.choice([1, 2]))

    @staticmethod
    def five_to_ten(past: History, who: str, day: date) -> None:
        past.visits(who, past.thread(), day, past.dice.randrange(310, 650))

    @staticmethod
    def eleven_to_twenty(past: History, who: str, day: date) -> None:
        past.visits(who, past.thread(), day, past.dice.randrange(670, 1240), sittings=3)

    @staticmethod
    def over_twenty(past: History, who: str, day: date) -> None:
        past.visits(who, past.thread(), day, past.dice.randrange(1300, 2700), sittings=4)

    @staticmethod
    def nurse_first(past: History, who: str, day: date) -> None:
        place = past.thread()
        past.visits("RN", place, day, past.dice.randrange(120, 400), sittings=1)
        past.visits(who, place, day + timedelta(days=1), past.dice.randrange(200, 900))

    @staticmethod
    def nurse_only(past: History, who: str, day: date) -> None:
        past.visits("RN", past.thread(), day, past.dice.randrange(120, 700), sittings=1)

    @staticmethod
    def two_tabs(past: History, who: str, day: date) -> None:
        """Two threads of one patient, read side by side: their common time counts once."""
        one = past.thread()
        other = {**past.thread(one["patient"]), "portal": one["portal"]}
        begins = past.free(who, day, 900)
        past.session(who, one, begins, 480, first=True)
        past.session(who, other, begins + 240_000, 400)

    @staticmethod
    def two_devices(past: History, who: str, day: date) -> None:
        """One thread on two screens of one clinician at once."""
        who, place = past.dice.choice(["MD", "PA"]), past.thread()
        begins = past.free(who, day, 900)
        past.session(who, place, begins, 420, first=True)
        past.session(who, place, begins + 200_000, 500, device="home")

    @staticmethod
    def two_patients_at_once(past: History, who: str, day: date) -> None:
        """Two screens at two patients: the seconds that both claim count for neither."""
        who = past.dice.choice(["MD", "PA"])
        begins = past.free(who, day, 900)
        past.session(who, past.thread(), begins, 600, first=True)
        past.session(who, past.thread(), begins + 450_000, 420, device="home", first=True)

    @staticmethod
    def two_professions(past: History, who: str, day: date) -> None:
        """A physician's and a therapist's work for one patient: two episodes, of two families."""
        place = past.thread()
        past.visits(past.dice.choice(["MD", "NP", "PA"]), place, day, past.dice.randrange(320, 900))
        past.visits(past.dice.choice(["PT", "LCSW"]), place, day, past.dice.randrange(320, 1000))

    @staticmethod
    def long_after(past: History, who: str, day: date) -> None:
        """Work on a thread after its seven days are over."""
        place = past.thread()
        past.visits(who, place, day, past.dice.randrange(320, 640), sittings=1)
        later = day + timedelta(days=past.dice.randrange(8, 11))
        past.session(who, place, past.free(who, later, 240), 240)

    @staticmethod
    def by_hand(past: History, who: str, day: date) -> None:
        """Too little at the screen, and a call that was entered by hand."""
        place = past.thread()
        past.visits(who, place, day, past.dice.randrange(180, 290), sittings=1)
        past.entered(who, place, past.free(who, day, 600), 600)

    @staticmethod
    def unknown_patient(past: History, who: str, day: date) -> None:
        """A portal's page that names no patient: the thread stands for one."""
        past.visits(who, past.thread(None), day, past.dice.randrange(320, 700))


def history(*, seed: int, today: date, zone: ZoneInfo, now: int) -> dict[Device, list[dict[str, Any]]]:
    """Every device's rows, oldest first; all of them end before `now` (milliseconds)."""
    past = History(random.Random(seed), today - timedelta(days=DAYS), zone, now)
    for story in _stories(past.dice):
        day = past.first + timedelta(days=past.dice.randrange(0, DAYS - 3))
        story(past, past.dice.choice(SOLO), day)
    return {device: sorted(rows, key=lambda row: row["started_at"]) for device, rows in sorted(past.rows.items())}


def _stories(dice: random.Random) -> Iterator[Any]:
    named = [name for name, count in STORIES for _ in range(count)]
    dice.shuffle(named)
    return (getattr(Story, name) for name in named)
