"""A practice in a real database file, worked through the desk's own verbs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from backend.billing.reading import instant_text
from backend.desk.devices import Device, add_device, device_of
from backend.desk.episodes import report_rows
from backend.desk.facts import Heard, Speaker, learn
from backend.desk.people import insert_user, new_user
from backend.desk.practices import Practice, create_practice
from backend.desk.record import Outcome, record
from backend.store import Store, open_store
from backend.store.folder import create_folder

KEY = bytes(range(32))
ZONE = ZoneInfo("America/New_York")
PASSWORD = "four words in a row"
CREDENTIALS = {"doctor": "MD", "nurse": "RN", "therapist": "PT", "colleague": "NP"}
MINUTE = 60_000


def at(text: str) -> int:
    """Milliseconds of a local time in the practice, as `2026-04-06 09:00`."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1000


def uuid7(started_at: int, number: int) -> str:
    """A UUIDv7 of that instant; the same for the same arguments."""
    tail = random.Random(f"{started_at} {number}").getrandbits(74)
    value = (started_at << 80) | (0x7 << 76) | ((tail >> 62) << 64) | (0b10 << 62) | (tail & (2**62 - 1))
    text = f"{value:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


@dataclass
class World:
    """`devices`: one for each clinician of CREDENTIALS."""

    store: Store
    practice: Practice
    devices: dict[str, Device] = field(default_factory=dict)
    made: int = 0

    @property
    def id(self) -> int:
        return self.practice.practice_id

    def row(self, start: int | str, seconds: float = 60, **others: Any) -> dict[str, Any]:
        """A row of the wire: active time from `start` on thread t1, with the given fields instead."""
        self.made += 1
        started_at = at(start) if isinstance(start, str) else start
        return {
            "id": uuid7(started_at, self.made),
            "portal": "medplum",
            "thread": "t1",
            "patient": None,
            "activity": "review_inquiry",
            "started_at": started_at,
            "ended_at": started_at + round(seconds * 1000),
            "ended_by": "hidden",
            "idle_after_seconds": 60,
            **others,
        }

    def send(self, *rows: dict[str, Any], by: str = "doctor", now: int | None = None) -> Outcome:
        """Records rows; without `now` as if they arrived when the last of them ended."""
        received_at = now if now is not None else max((row["ended_at"] for row in rows), default=0)
        return record(self.store, self.devices[by], list(enumerate(rows)), sent_at=received_at, received_at=received_at)

    def say(self, kind: str, *rows: dict[str, Any], now: int, by: str | None = None) -> list[Heard]:
        """Says facts, of the portal medplum unless a row names another; none of them is refused."""
        speaker = None if by is None else Speaker(self.devices[by].user_id, frozenset({"clinician"}))
        said = [{**({} if "interval" in row else {"portal": "medplum"}), **row} for row in rows]
        heard = learn(self.store, self.id, kind, said, source="test", now=now, by=speaker)
        assert [each for each in heard if each.outcome == "refused"] == []
        return heard

    def ask(self, at_: int | str, thread: str = "t1", *, now: int, **others: Any) -> None:
        """A patient's inquiry through the portal that was evaluated, with the given fields instead."""
        asked = {"thread": thread, "at": instant_text(at(at_) if isinstance(at_, str) else at_)}
        self.say(
            "inquiries",
            {**asked, "initiated_by": "patient", "channel": "portal", "evaluative": True, **others},
            now=now,
        )

    def resolve(self, patient: str, thread: str = "t1", *, now: int) -> None:
        self.say("threads", {"thread": thread, "patient": patient}, now=now)

    def report(self, now: str | int, *, as_of: int | None = None) -> list[dict[str, Any]]:
        """Every episode as the report has it."""
        return report_rows(
            self.store,
            self.id,
            start=date(2000, 1, 1),
            end=date(2099, 12, 31),
            as_of=as_of,
            now=at(now) if isinstance(now, str) else now,
        )


def hilltop(store: Store, *, now: int, admin_name: str = "Boss") -> Practice:
    """Another practice on the same store; its administrator signs in as boss@hilltop.example."""
    return create_practice(
        store,
        name="Hilltop",
        timezone="America/Denver",
        admin_email="boss@hilltop.example",
        admin_name=admin_name,
        password=PASSWORD,
        kinds=["other"],
        now=now,
    )


@contextmanager
def world(folder: Path, database: str | None = None, clinicians: Iterable[str] = CREDENTIALS) -> Iterator[World]:
    """Riverside in New York with its clinicians, each with a device, in a new data folder or that database."""
    data = folder / "data"
    create_folder(data)
    store = open_store(data, KEY, database=database)
    try:
        made = World(
            store,
            create_practice(
                store,
                name="Riverside",
                timezone="America/New_York",
                admin_email="manager@riverside.example",
                admin_name="Rosa Lind",
                password=PASSWORD,
                kinds=["medplum", "other"],
                now=at("2026-01-01 09:00"),
            ),
        )
        for name in clinicians:
            email = f"{name}@riverside.example"
            user = new_user(
                made.id,
                email=email,
                name=name.title(),
                roles=["clinician"],
                credential=CREDENTIALS[name],
                specialty="family_medicine",
            )
            # Nobody signs in here, and a real password's hash takes its time on purpose.
            store.write(partial(insert_user, user=user, password_hash="none", now=at("2026-01-01 09:00")))
            token = add_device(store, made.id, clinician_email=email, name="desk", now=at("2026-01-01 09:00"))
            device = device_of(store, token)
            assert device is not None
            made.devices[name] = device
        yield made
    finally:
        store.close()


LOOKED_THROUGH = ("visits", "consents", "global_periods", "other_claims", "enrolments")


def make_reportable(world: World, *, patient: str, portal: str = "medplum", now: int) -> None:
    """Says through the desk's own verb what a commercial payer's episode needs beside an inquiry."""
    about = {"portal": portal, "patient": patient}
    seen = {"date": "2025-09-18", "specialty": "family_medicine", "face_to_face": True}
    world.say("coverage", {**about, "type": "commercial", "covers": True}, now=now)
    world.say("face_to_face", {**about, **seen}, now=now)
    read_at = instant_text(now)
    world.say("readings", *({**about, "list": name, "read_at": read_at} for name in LOOKED_THROUGH), now=now)
    with world.store.read() as connection:
        rows = connection.execute(
            "SELECT thread.reference FROM thread JOIN patient USING (practice_id, patient_id)"
            " WHERE thread.practice_id = ? AND thread.portal = ? AND patient.reference = ?",
            (world.id, portal, patient),
        ).fetchall()
    documented = {"portal": portal, "permanently_stored": True, "content_attested": True}
    world.say("documentation", *({**documented, "thread": row[0]} for row in rows), now=now)
