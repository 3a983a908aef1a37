"""A made-up month: each patient's facts as `evaluate` takes them, and the same as devices and files say it.

month = Month(seed=1, people={"MD": "user id", ...})
month.cases     {"p7": facts object}
month.rows      {"MD": [rows of POST /api/v1/intervals]}
month.files     {"visits": [rows of a CSV file]}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")
FIRST = date(2026, 4, 1)
AS_OF = "2026-05-20T12:00:00-04:00"
READ_AT = "2026-05-19T06:00:00-04:00"
PATIENTS = 40
SLOT_MINUTES = 15
"""Each patient has these minutes of every day, so that no clinician is at two patients at once."""

PEOPLE = {
    "MD": "family_medicine",
    "NP": "family_medicine",
    "DO": "cardiology",
    "PT": "physical_therapy",
    "LCSW": "social_work",
    "RN": "nursing",
}
TEAMS = (("MD",), ("NP",), ("DO",), ("PT",), ("LCSW",), ("MD", "NP"), ("MD", "DO"), ("RN", "MD"), ("MD", "PT"))
COUNTED = ("review_inquiry", "review_records", "develop_plan", "order_or_prescribe", "communicate_online")
OTHER = ("documentation", "scheduling", "results_only", "idle")
ATTESTED = ("manual", "attested_reading")


class Month:
    """The same seed and people give the same month."""

    def __init__(self, seed: int, people: Mapping[str, str]) -> None:
        self.dice = Random(seed)
        self.people = people
        self.plain = True  # whether little stands against the patient at hand
        self.cases: dict[str, dict[str, Any]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.files: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for number in range(PATIENTS):
            self._patient(number)

    def draft(self, patient: str, on: str, draft: Mapping[str, Any]) -> None:
        """The claim's draft of an episode, whose first day is known once its work is."""
        self.cases[patient]["claim_draft"] = dict(draft)
        self._say("claim_drafts", patient, on=on, **draft)

    def _patient(self, number: int) -> None:
        patient, thread, day = f"p{number}", f"t{number}", FIRST + timedelta(days=self.dice.randrange(30))
        team = self.dice.choice(TEAMS)
        self.plain = self.dice.random() < 0.55
        self.cases[patient] = facts = {
            "as_of": AS_OF,
            "practice": {"group": "riverside", "timezone": ZONE.key},
            "patient": {"id": patient},
            "clinicians": [
                {"id": self.people[type_], "type": type_, "group": "riverside", "specialty": PEOPLE[type_]}
                for type_ in team
            ],
            "inquiry": self._inquiry(thread, self._at(day, 7)),
            "intervals": self._intervals(number, thread, team, day, self.dice.randrange(2, 11)),
            "other_patient_time": [],
        }
        if self.dice.random() < 0.25:
            later = self._inquiry(f"{thread}-b", self._at(day, 7) + timedelta(days=self.dice.randrange(1, 4)))
            more = self._intervals(number, f"{thread}-b", team, day + timedelta(days=1), 2)
            facts |= {"additional_inquiries": [later], "intervals": facts["intervals"] + more}
        self._lists(patient, facts, day, team)
        self._scalars(patient, facts)

    def _inquiry(self, thread: str, at: datetime) -> dict[str, Any]:
        odd = {} if self.plain else {"practice": 1, "null": 2}
        said = {
            "at": at.isoformat(),
            "initiated_by": self._choose(patient=10, proxy=2, **odd),
            "channel": self._choose(portal=10, secure_email=2, **({"email": 1, "app": 1, "null": 1} if odd else {})),
            "hipaa_compliant": self.dice.choice((None, None, None, True)),
            "evaluative": True if self.plain else self.dice.choice((True,) * 6 + (False, None)),
            "problem": None,
            "thread": thread,
            "diagnoses": self.dice.choice(([], ["J06.9"])),
        }
        spoken = {name: value for name, value in said.items() if value not in (None, [], thread)}
        attested = spoken.pop("evaluative", None) if self.dice.random() < 0.5 else None
        self.files["inquiries"].append({"portal": "medplum", "thread": thread, **spoken})
        if attested is not None:
            who = {"attested_by": _address(self.dice.choice(("MD", "PT")))}
            self.files["attested_evaluative"].append({"thread": thread, "evaluative": attested, **who})
        return said

    def _intervals(
        self, number: int, thread: str, team: tuple[str, ...], first: date, count: int
    ) -> list[dict[str, Any]]:
        found = []
        for _ in range(count):
            type_ = self.dice.choice(team)
            entry = self.dice.choice(("measured",) * 9 + ATTESTED)
            longest = {"measured": 300, "attested_reading": 180, "manual": 420}[entry]
            activity = self.dice.choice(COUNTED * 3 + OTHER)
            may_count = activity in COUNTED and type_ != "RN" and team != ("MD", "PT")
            # What counts for nobody is kept only where it falls into the seven days.
            on = first + timedelta(days=self.dice.choice((0, 0, 0, 1, 2, 5, 8) if may_count else (0, 1, 2)))
            starts = self._at(on, 8) + timedelta(minutes=number * SLOT_MINUTES, seconds=self.dice.randrange(0, 480))
            ends = starts + timedelta(seconds=self.dice.randrange(60, longest + 1))
            id_ = self._uuid7(starts)
            attested = None if entry == "measured" else self.dice.choice((True, True, False, None))
            self.rows[type_].append(
                {
                    "id": id_,
                    "portal": "medplum",
                    "thread": thread,
                    "patient": f"p{number}",
                    "activity": activity,
                    "started_at": _ms(starts),
                    "ended_at": _ms(ends),
                    "ended_by": "hidden" if entry == "measured" else "manual",
                    "idle_after_seconds": 60,
                    "entry": entry,
                    **({"reason": "a call"} if entry == "manual" else {}),
                }
            )
            if attested is not None:
                said = {"interval": id_, "thread": thread, "attested": attested, "attested_by": _address(type_)}
                self.files["attested_time"].append(said)
            found.append(
                {
                    "id": id_,
                    "clinician": self.people[type_],
                    "thread": thread,
                    "start": starts.isoformat(),
                    "end": ends.isoformat(),
                    "activity": activity,
                    "entry": entry,
                    # Whoever sends a reading has said that it was work, unless they say otherwise.
                    "attested": True if entry == "attested_reading" and attested is None else attested,
                    **({} if entry == "measured" else {"entered_at": datetime.now(ZONE).isoformat()}),
                }
            )
        return found

    def _lists(self, patient: str, facts: dict[str, Any], day: date, team: tuple[str, ...]) -> None:
        """Each list unknown, read and empty, or with a row or two; and the same rows in files, with its reading."""
        specialty = self.dice.choice([*(PEOPLE[type_] for type_ in team), "dermatology"])
        group = self.dice.choice(("riverside", "riverside", "elsewhere"))
        makers = {
            "visits": lambda: {
                "at": (self._at(day, self.dice.randrange(7, 18)) + self._some_days(-9, 10)).isoformat(),
                "kind": self._choose(office_em=3, telehealth_video_em=1, therapy_or_assessment=2, null=1),
                "group": group,
                "specialty": specialty,
                "status": self._choose(completed=4, cancelled=2, no_show=1, scheduled=1),
                "related_to_inquiry": self.dice.choice((True, False, None)),
            },
            "consents": lambda: {
                "at": (self._at(day, 9) + self._some_days(-500, 3)).isoformat(),
                "method": self._choose(verbal=2, written=1, electronic=1),
                "scope": "ctbs",
                "documented": self.dice.choice((True, True, True, None, False)),
            },
            "face_to_face": lambda: {
                "date": (day + self._some_days(-1300, -5)).isoformat(),
                "group": group,
                "specialty": specialty,
                "face_to_face": self.dice.random() < 0.9,
            },
            "global_periods": lambda: {
                "surgery_date": (day + self._some_days(-100, 5)).isoformat(),
                "days": self.dice.choice((0, 10, 90)),
                "group": group,
                "specialty": specialty,
            },
            "other_claims": lambda: {
                "code": self.dice.choice(("99457", "99490", "98016", "99091", "G0556")),
                "month": day.isoformat()[:7],
                "same_communication": self.dice.choice((True, False, False, None)),
            },
            "enrolments": lambda: {
                "program": self.dice.choice(("apcm", "ccm", "rpm")),
                "from": (day + self._some_days(-200, 60)).isoformat(),
            },
            "prior_evisits": lambda: {
                "window_start": (day + self._some_days(-10, 10)).isoformat(),
                "group": "riverside",
                "family": self.dice.choice(("em", "nonphysician")),
                "status": self.dice.choice(("billed", "rejected")),
            },
            "notices": lambda: {"at": (self._at(day, 6) + self._some_days(-20, 2)).isoformat()},
        }
        fullness = {"visits": 0.35, "consents": 0.7, "face_to_face": 0.9, "notices": 0.5}
        for name, make in makers.items():
            if self.dice.random() < 0.08 and name != "prior_evisits":
                continue  # nobody has looked
            rows = [make()] if self.dice.random() < (0 if self.plain else fullness.get(name, 0.12)) else []
            if self.plain and name == "consents":
                rows = [{**make(), "at": (self._at(day, 9) - timedelta(days=30)).isoformat(), "documented": True}]
            if self.plain and name == "face_to_face":
                seen = {"date": (day - timedelta(days=300)).isoformat(), "group": "riverside", "face_to_face": True}
                rows = [{**seen, "specialty": each} for each in sorted({PEOPLE[type_] for type_ in team})]
            place = facts["patient"] if name == "face_to_face" else facts
            place["face_to_face_history" if name == "face_to_face" else name] = rows
            for row in rows:
                self._say(name, patient, **row)
            self._say("readings", patient, list=name, read_at=READ_AT)
            if name == "visits":
                facts["visits_read_at"] = READ_AT

    def _scalars(self, patient: str, facts: dict[str, Any]) -> None:
        payer = self._choose(commercial=5, medicare_ffs=3, medicare_advantage=1, medicaid=1, null=1)
        covers = self.dice.choice((True, True, False, None))
        if payer is not None:
            facts["payer"] = {"type": payer, "covers": covers}
            self._say("coverage", patient, type=payer, covers=covers)
        stored, content = self.dice.choice((True,) * 8 + (False, None)), self.dice.choice((True, None))
        facts["documentation"] = {"permanently_stored": stored, "content_attested": content}
        threads = {row["thread"] for rows in self.rows.values() for row in rows if row["patient"] == patient}
        asked = [facts["inquiry"], *facts.get("additional_inquiries", ())]
        for thread in sorted(threads | {inquiry["thread"] for inquiry in asked}):
            said = {"permanently_stored": stored, "content_attested": content}
            self.files["documentation"].append({"thread": thread, **_spoken(said)})

    def _say(self, kind: str, patient: str, /, **said: Any) -> None:
        self.files[kind].append({"patient": patient, **_spoken(said)})

    def _choose(self, **weights: int) -> str | None:
        [name] = self.dice.choices(list(weights), weights=list(weights.values()))
        return None if name == "null" else name

    def _some_days(self, first: int, last: int) -> timedelta:
        return timedelta(days=self.dice.randrange(first, last))

    def _at(self, day: date, hour: int) -> datetime:
        return datetime(day.year, day.month, day.day, hour, tzinfo=ZONE)

    def _uuid7(self, at: datetime) -> str:
        chance = self.dice.getrandbits(74)
        text = f"{_ms(at):012x}7{chance >> 62:03x}{8 + (chance >> 60 & 3):x}{chance & (1 << 60) - 1:015x}"
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _spoken(said: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value is not None}


def _address(type_: str) -> str:
    return f"{type_.lower()}@practice.example"


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
