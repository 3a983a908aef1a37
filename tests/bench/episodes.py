"""Episodes for the measures of counting: twenty intervals each, every kind of time that does not count among them.

Staff, idle and other work, time of another family or group, time after the seven days and shared time stand in each;
work before the inquiry, entered work and work before the consent in every fourth, fifth and tenth; time that another
claim has, another patient claims, or an inquiry takes that is left out, in every fiftieth.

They stand in two tables, clustered by episode, so that one pass in the order of the file meets each episode whole.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import starmap
from pathlib import Path
from typing import Any

import orjson
from sqlcipher3 import dbapi2

from backend.billing.case import (
    Case,
    Clinician,
    Consent,
    Inquiry,
    Interval,
    OtherClaim,
    OtherPatientTime,
    Practice,
    TimeRange,
)
from backend.billing.counted import count
from backend.store.connection import Connection, connect

INTERVALS = 20  # of an episode
SECOND, MINUTE, HOUR, DAY = 1000, 60_000, 3_600_000, 86_400_000
BEGIN = 1_775_484_000_000  # Monday, 6 April 2026, 10:00 in New York
AS_OF = BEGIN + 90 * DAY
PRACTICE = Practice("G1", "America/New_York")
CLINICIANS = (
    Clinician("doctor", "MD", "G1", "family_medicine"),
    Clinician("second", "DO", "G1", "family_medicine"),
    Clinician("therapist", "PT", "G1", "physical_therapy"),
    Clinician("nurse", "RN", "G1", "nursing"),
    Clinician("outsider", "MD", "G2", "cardiology"),
)
# (clinician, activity) of an episode's intervals in turn; the last lies after the seven days.
WORK = (
    ("doctor", "review_inquiry"),
    ("doctor", "review_records"),
    ("nurse", "scheduling"),
    ("second", "review_records"),
    ("doctor", "develop_plan"),
    ("doctor", "idle"),
    ("nurse", "review_records"),
    ("doctor", "communicate_online"),
    ("second", "develop_plan"),
    ("doctor", "documentation"),
    ("therapist", "review_records"),
    ("doctor", "idle"),
    ("outsider", "review_records"),
    ("doctor", "review_records"),
    ("second", "communicate_online"),
    ("doctor", "scheduling"),
    ("doctor", "develop_plan"),
    ("nurse", "scheduling"),
    ("doctor", "documentation"),
    ("doctor", "review_inquiry"),
)
SAID = frozenset(("evaluative", "thread"))  # a later inquiry takes the first one's word for the rest

SCHEMA = (
    "CREATE TABLE episode (episode_id TEXT PRIMARY KEY, payer_type TEXT NOT NULL, facts TEXT NOT NULL)"
    " STRICT, WITHOUT ROWID",
    "CREATE TABLE interval (episode_id TEXT NOT NULL, started_at INTEGER NOT NULL, interval_id TEXT NOT NULL,"
    " user_id TEXT NOT NULL, ended_at INTEGER NOT NULL, activity TEXT NOT NULL, thread TEXT, tab TEXT, problem TEXT,"
    " entry TEXT NOT NULL, PRIMARY KEY (episode_id, started_at, interval_id)) STRICT, WITHOUT ROWID",
)
# One row an episode: its intervals travel as one text, which is several times cheaper than a row each.
SPANS = "SELECT episode_id, json_group_array(started_at), json_group_array(ended_at) FROM interval GROUP BY episode_id"
WHOLE = (
    "SELECT episode_id, json_group_array(json_array(interval_id, user_id, started_at, ended_at, activity, thread, tab,"
    " problem, entry)) FROM interval GROUP BY episode_id"
)
FACTS_OF = "SELECT episode_id, payer_type, facts FROM episode ORDER BY episode_id"

Row = tuple[Any, ...]


def made(episodes: int) -> Iterator[tuple[Row, list[Row]]]:
    """Each episode's row and the rows of its intervals; the same for the same number."""
    chance = random.Random(episodes)
    for number in range(episodes):
        begun_at = BEGIN + chance.randrange(60 * 60 * 24 * 20) * SECOND
        name = f"episode-{number:08}"
        facts: dict[str, Any] = {"asked_at": begun_at + 20 * SECOND if number % 4 == 0 else begun_at - HOUR}
        facts["consent_at"] = begun_at + 8 * MINUTE if number % 10 == 1 else begun_at - 30 * DAY
        if number % 50 == 2:  # another claim has some of the time already
            facts["credited"] = ["doctor", begun_at, begun_at + 20 * MINUTE]
        if number % 50 == 3:  # another patient claims it too
            facts["claimed"] = ["second", begun_at, begun_at + 20 * MINUTE]
        if number % 50 == 4:  # a message that needed no evaluation, with its own thread
            facts["left_out_at"] = begun_at + MINUTE
        payer = "medicare_ffs" if number % 2 else "commercial"
        yield (name, payer, json.dumps(facts)), list(_intervals(chance, name, number, begun_at))


def _intervals(chance: random.Random, name: str, number: int, begun_at: int) -> Iterator[Row]:
    at = begun_at
    for turn, (clinician, activity) in enumerate(WORK):
        start = begun_at + 9 * DAY if turn == INTERVALS - 1 else at
        length = chance.randrange(5 * SECOND, 2 * MINUTE)
        entry = "manual" if number % 5 == 0 and turn == 8 else "measured"
        thread = f"{name}-b" if number % 50 == 4 and turn in (4, 13) else f"{name}-a"
        identity = f"{chance.getrandbits(128):032x}"
        yield name, start, identity, clinician, start + length, activity, thread, f"tab-{clinician}", None, entry
        at = start + chance.choice((length, length // 2, 20 * SECOND, length + HOUR))


def write(path: Path, key: bytes | None, episodes: int) -> None:
    """A file of that many episodes, encrypted where a key is given."""
    connection = opened(path, key)
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute("BEGIN IMMEDIATE")
    for episode, intervals in made(episodes):
        connection.execute("INSERT INTO episode VALUES (?, ?, ?)", episode)
        connection.executemany(f"INSERT INTO interval VALUES ({', '.join('?' * 10)})", intervals)
    connection.execute("COMMIT")
    connection.close()


def opened(path: Path, key: bytes | None) -> Connection:
    """The product's own connection; without a key its driver alone, which then reads and writes a plain file."""
    if key is not None:
        return connect(path, key)
    plain: Connection = dbapi2.connect(str(path), isolation_level=None)
    return plain


def recount(connection: Connection) -> Iterator[tuple[str, tuple[int, dict[str, int]]]]:
    """Counted and excluded seconds of every episode, from its intervals and its facts."""
    counted = ((name, count(case)) for name, case in cases(connection))
    return ((name, (one.counted_seconds, one.excluded)) for name, one in counted)


def cases(connection: Connection) -> Iterator[tuple[str, Case]]:
    """Every stored episode as billing reads it, in order."""
    together = zip(connection.execute(FACTS_OF), connection.execute(WHOLE), strict=True)
    for (name, payer, facts), (_, intervals) in together:
        yield name, _case(name, payer, orjson.loads(facts), tuple(starmap(Interval, orjson.loads(intervals))))


def _case(name: str, payer: str, facts: dict[str, Any], intervals: tuple[Interval, ...]) -> Case:
    left_out_at, credited, claimed = (facts.get(word) for word in ("left_out_at", "credited", "claimed"))
    return Case(
        as_of=AS_OF,
        practice=PRACTICE,
        patient=name,
        clinicians=CLINICIANS,
        intervals=intervals,
        inquiry=_inquiry(facts["asked_at"], f"{name}-a", evaluative=True),
        additional_inquiries=() if left_out_at is None else (_inquiry(left_out_at, f"{name}-b", evaluative=False),),
        payer_type=payer,
        visits=(),
        consents=(Consent(facts["consent_at"], "verbal", "ctbs", True),),
        other_claims=() if credited is None else (OtherClaim("99490", time_ranges=(TimeRange(*credited),)),),
        other_patient_time=() if claimed is None else (OtherPatientTime(claimed[0], "-", *claimed[1:], settled=False),),
        evaluate_family="em",
    )


def _inquiry(at: int, thread: str, *, evaluative: bool) -> Inquiry:
    return Inquiry(at, "patient", "portal", True, evaluative, "problem", thread, given=SAID)
