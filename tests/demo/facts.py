"""What the practice's other systems say of the thirty days: the rows of one CSV file for each kind of fact.

    files = facts(history(...), seed=7, today=date(2026, 4, 6), zone=ZoneInfo("America/New_York"))

gives, for each kind (`backend.schemas.kinds`), rows in the words of `import csv`. Who wrote, saw, insured and consented
is made up from who worked when on which thread. Most patients have nothing against them; TALES says how many have what.
The same arguments give the same rows, and rows of today change nothing but today's.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.demo.history import PEOPLE, PORTALS, Device
from tests.demo.patients import PHYSICIANS, Patient, Row, learned, patients

SETTLED_AFTER_DAYS = 8
DIAGNOSES = ("J06.9", "M54.50", "I10", "F41.1", "L30.9", "N39.0")
READ_OF_EVERYBODY = ("global_periods", "other_claims", "prior_evisits", "enrolments", "notices")
READ_OF_EACH = ("visits", "consents", "face_to_face")

# (a tale of class Told below, of how many patients it is told, what such a patient's work has to be like). The first
# ones choose first.
TALES: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    # They stay reportable, with a warning.
    ("consented_halfway", 3, ("settled", "halved")),
    ("therapist_without_modifier", 2, ("settled", "therapist")),
    ("visit_elsewhere", 3, ("settled", "physician")),
    ("unrelated_visit_of_the_same_diagnosis", 3, ("settled", "physician")),
    ("reported_the_week_before", 3, ("settled",)),
    ("plan_does_not_pay", 2, ("settled",)),
    ("plan_unknown", 2, ("settled",)),
    ("payer_unknown", 2, ("settled",)),
    ("no_notice", 4, ("settled",)),
    ("content_not_attested", 2, ("settled",)),
    # They wait for an answer.
    ("time_not_attested", 2, ("by_hand", "settled")),
    ("relation_unknown", 5, ("settled", "physician")),
    ("evaluative_not_attested", 6, ("settled",)),
    ("schedule_not_read", 6, ("settled",)),
    ("visit_still_scheduled", 2, ("settled", "physician")),
    ("consents_not_read", 5, ("settled",)),
    ("neither_payer_nor_consent", 4, ("settled",)),
    ("inquiry_unknown", 2, ("settled",)),
    # They are blocked, some of them before their seven days are over.
    ("visit_afterwards", 4, ("settled", "physician")),
    ("visit_before", 4, ("physician",)),
    ("visit_on_the_day", 3, ("settled", "physician")),
    ("surgery", 3, ("settled", "physician")),
    ("never_seen", 4, ("settled",)),
    ("practice_wrote", 4, ()),
    ("came_by_email", 3, ()),
    ("came_by_phone", 3, ()),
    ("only_a_result", 4, ("settled",)),
    ("reported_this_week", 3, ("settled",)),
    ("claimed_by_another_service", 3, ("settled",)),
    ("in_a_bundle", 3, ("settled", "physician")),
    ("no_consent", 4, ("settled",)),
    ("telehealth_place", 2, ()),
    ("telehealth_modifier", 2, ()),
    ("not_kept_for_good", 3, ()),
)

NEEDS: Mapping[str, Callable[[Patient, date], bool]] = {
    "settled": lambda patient, today: patient.first + timedelta(days=SETTLED_AFTER_DAYS) <= today,
    "physician": lambda patient, today: patient.who in PHYSICIANS,
    "therapist": lambda patient, today: patient.who == "PT",
    "by_hand": lambda patient, today: bool(patient.by_hand),
    "halved": lambda patient, today: patient.halves() is not None,
}


class Told:
    """What is said of one patient; each tale changes it."""

    def __init__(self, patient: Patient, dice: random.Random, today: date) -> None:
        self.patient, self.dice = patient, dice
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self._threads()
        if patient.reference is not None:
            self._lists(today)

    def _threads(self) -> None:
        for thread, (begun, who) in self.patient.threads.items():
            asked_at = begun - self.dice.randrange(10, 240) * 60_000
            self._say_of(
                thread,
                "inquiries",
                at=self.instant(asked_at),
                initiated_by=self.dice.choice(["patient"] * 9 + ["proxy"]),
                channel=self.dice.choice(["portal"] * 6 + ["secure_email"]),
                diagnoses=self.dice.choice(DIAGNOSES),
            )
            if who != "RN":
                self._say_of(thread, "attested_evaluative", evaluative="yes", attested_by=PEOPLE[who].email)
            self._say_of(thread, "documentation", content_attested="yes")
        for interval, (thread, who) in self.patient.by_hand.items():
            self._say_of(thread, "attested_time", interval=interval, attested="yes", attested_by=PEOPLE[who].email)

    def _lists(self, today: date) -> None:
        first = self.patient.first if self.patient.worked else today
        for who in self.patient.worked:
            seen = first - timedelta(days=self.dice.randrange(40, 900))
            self.say("face_to_face", date=seen, specialty=PEOPLE[who].specialty, face_to_face="yes")
        agreed = first - timedelta(days=self.dice.randrange(30, 300))
        method = self.dice.choice(["verbal", "written", "electronic"])
        self.say("consents", at=agreed, method=method, scope="ctbs", documented="yes")
        self.say("notices", at=self.at(agreed, 9))
        payers = ["commercial"] * 5 + ["medicare_ffs"] * 2 + ["medicare_advantage", "medicaid"]
        self.say("coverage", **{"from": date(first.year, 1, 1), "type": self.dice.choice(payers), "covers": "yes"})
        for name in READ_OF_EACH:
            self.say("readings", list=name, read_at=self.at(today, 0))

    # How a tale is told.

    def say(self, kind: str, /, **fields: Any) -> None:
        self.rows[kind].append({"portal": self.patient.portal, "patient": self.patient.reference, **fields})

    def _say_of(self, thread: str, kind: str, /, **fields: Any) -> None:
        self.rows[kind].append({"portal": self.patient.portal, "thread": thread, **fields})

    def change(self, kind: str, /, **fields: Any) -> None:
        """Of every row of the kind; None: that is not said."""
        for row in self.rows[kind]:
            row.update(fields)

    def unsay(self, kind: str, /, **which: Any) -> None:
        self.rows[kind] = [row for row in self.rows[kind] if any(row[name] != which[name] for name in which)]

    def visit(self, on: date, *, hour: int = 15, **fields: Any) -> Row:
        """A visit of the clinician's own specialty, which took place."""
        physician = self.patient.who in PHYSICIANS
        row = {
            "id": f"enc-{self.patient.reference}",
            "at": self.at(on, hour),
            "kind": "office_em" if physician else "therapy_or_assessment",
            "specialty": PEOPLE[self.patient.who].specialty,
            "status": "completed",
            **fields,
        }
        self.say("visits", **row)
        return row

    def weekday(self, days: int) -> date:
        """That many days after day 1 (before it, where negative), or the next weekday away from it."""
        return _weekday(self.patient.first, days)

    def at(self, on: date, hour: int) -> str:
        return datetime.combine(on, time(hour), self.patient.zone).isoformat()

    def instant(self, at: int) -> str:
        return datetime.fromtimestamp(at // 1000, self.patient.zone).isoformat()

    # The tales.

    def consented_halfway(self) -> None:
        halves = self.patient.halves()
        assert halves is not None, "such a patient was chosen"
        self.change("consents", at=self.instant(halves))
        self.change("coverage", type="medicare_ffs")

    def therapist_without_modifier(self) -> None:
        self.change("coverage", type="medicare_ffs")
        self.say("claim_drafts", on=self.patient.first, pos="11")

    def visit_elsewhere(self) -> None:
        self.visit(self.weekday(-2), group="lakeside-orthopedics", specialty="orthopedics")

    def unrelated_visit_of_the_same_diagnosis(self) -> None:
        diagnoses = self.rows["inquiries"][0]["diagnoses"]
        visit = self.visit(self.weekday(-3), diagnoses=diagnoses)
        self._attest_related(visit, "no")

    def reported_the_week_before(self) -> None:
        self._reported(self.patient.first - timedelta(days=7))

    def plan_does_not_pay(self) -> None:
        self.change("coverage", type="commercial", covers="no")

    def plan_unknown(self) -> None:
        self.change("coverage", type="commercial", covers=None)

    def payer_unknown(self) -> None:
        self.unsay("coverage")

    def no_notice(self) -> None:
        self.unsay("notices")

    def content_not_attested(self) -> None:
        self.change("documentation", content_attested="no")

    def time_not_attested(self) -> None:
        self.unsay("attested_time")

    def relation_unknown(self) -> None:
        self.visit(self.weekday(-3))

    def evaluative_not_attested(self) -> None:
        self.unsay("attested_evaluative")

    def schedule_not_read(self) -> None:
        self.unsay("readings", list="visits")

    def visit_still_scheduled(self) -> None:
        self.visit(self.weekday(3), status="scheduled")

    def consents_not_read(self) -> None:
        self.unsay("consents")
        self.unsay("readings", list="consents")
        self.change("coverage", type="medicare_advantage")

    def neither_payer_nor_consent(self) -> None:
        self.unsay("coverage")
        self.unsay("consents")

    def inquiry_unknown(self) -> None:
        self.unsay("inquiries")

    def visit_afterwards(self) -> None:
        self.visit(self.weekday(3))

    def visit_before(self) -> None:
        self._attest_related(self.visit(self.weekday(-3)), "yes")

    def visit_on_the_day(self) -> None:
        self.visit(self.patient.first, hour=18, specialty="dermatology", related_to_inquiry="no")

    def surgery(self) -> None:
        specialty = PEOPLE[self.patient.who].specialty
        self.say("global_periods", surgery_date=self.weekday(-4), days=10, specialty=specialty)

    def never_seen(self) -> None:
        self.unsay("face_to_face")

    def practice_wrote(self) -> None:
        self.change("inquiries", initiated_by="practice")

    def came_by_email(self) -> None:
        self.change("inquiries", channel="email")

    def came_by_phone(self) -> None:
        self.change("inquiries", channel="phone")

    def only_a_result(self) -> None:
        self.change("attested_evaluative", evaluative="no")

    def reported_this_week(self) -> None:
        self._reported(self.patient.first - timedelta(days=3))

    def claimed_by_another_service(self) -> None:
        month = f"{self.patient.first:%Y-%m}"
        self.say("other_claims", code="99491", month=month, same_communication="yes")

    def in_a_bundle(self) -> None:
        self.change("coverage", type="medicare_ffs")
        self.say("enrolments", program="apcm", **{"from": date(self.patient.first.year, 1, 1)})

    def no_consent(self) -> None:
        self.change("coverage", type="medicare_advantage")
        self.change("consents", at=self.patient.first - timedelta(days=500))

    def telehealth_place(self) -> None:
        self.say("claim_drafts", on=self.patient.first, pos="10")

    def telehealth_modifier(self) -> None:
        self.say("claim_drafts", on=self.patient.first, pos="11", modifiers="95")

    def not_kept_for_good(self) -> None:
        self.change("documentation", permanently_stored="no")

    def _attest_related(self, visit: Row, answer: str) -> None:
        for thread, (_, who) in self.patient.threads.items():
            email = PEOPLE[who].email
            self._say_of(thread, "attested_related", visit_id=visit["id"], related=answer, attested_by=email)

    def _reported(self, first: date) -> None:
        family = "em" if self.patient.who in PHYSICIANS else "nonphysician"
        self.say("prior_evisits", window_start=first, family=family, status="billed")


def facts(rows: Mapping[Device, Iterable[Row]], *, seed: int, today: date, zone: ZoneInfo) -> dict[str, list[Row]]:
    """By kind, the rows of its file. `rows`: what history() gave."""
    dice = random.Random(seed)
    found: dict[str, list[Row]] = defaultdict(list)
    midnight = datetime.combine(today, time(), zone)
    for portal in PORTALS:
        found["attested_storage"].append({"portal": portal, "permanently_stored": "yes"})
        for name in READ_OF_EVERYBODY:
            found["portal_readings"].append({"portal": portal, "list": name, "read_at": midnight.isoformat()})
    people = patients(rows, zone, before=round(midnight.timestamp() * 1000))
    found["threads"] = list(learned(people))
    chosen = choose(people, dice, today)
    for index, patient in enumerate(people):
        told = Told(patient, dice, today)
        if index in chosen:
            getattr(told, chosen[index])()
        for kind, said in told.rows.items():
            found[kind] += said
    return {kind: said for kind, said in found.items() if said}


def choose(people: list[Patient], dice: random.Random, today: date) -> dict[int, str]:
    """Index of the patient: the name of the tale that is told."""
    left = [index for index, patient in enumerate(people) if patient.worked and patient.is_plain]
    dice.shuffle(left)
    chosen: dict[int, str] = {}
    for name, count, needs in TALES:
        fitting = [index for index in left if all(NEEDS[need](people[index], today) for need in needs)][:count]
        chosen |= dict.fromkeys(fitting, name)
        left = [index for index in left if index not in chosen]
    return chosen


def late_visit(episode: Mapping[str, Any], zone: ZoneInfo) -> Row:
    """A visit three days into an episode of the report, of which nobody had heard."""
    on = _weekday(date.fromisoformat(episode["window_start"]), 3)
    return {
        "portal": episode["threads"][0]["portal"],
        "patient": episode["patient"],
        "id": f"enc-{episode['patient']}-late",
        "at": datetime.combine(on, time(11), zone).isoformat(),
        "kind": "office_em",
        "specialty": PEOPLE["MD"].specialty,
        "status": "completed",
    }


def _weekday(first: date, days: int) -> date:
    day = first + timedelta(days=days)
    while day.weekday() >= 5:
        day += timedelta(days=1 if days > 0 else -1)
    return day
