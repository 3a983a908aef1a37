"""Work made at random: patients who share threads, seconds and corrections, over months."""

from __future__ import annotations

import random
from typing import Any

from backend.desk.episodes import approve
from tests.desk.world import CREDENTIALS, MINUTE, World, at, make_reportable

DAY = 24 * 60 * MINUTE
START = at("2026-03-01 08:00")
PATIENTS = ("zq-a", "zq-b", "zq-c", "zq-d")
ACTIVITIES = ("review_inquiry", "documentation", "chart_review", "idle", "compose_reply")


def tangled(world: World, seed: int, *, now: int, close: bool = False) -> None:
    """200 days of it, some of it approved. `close`: within the same few hours, so that much of it is claimed twice."""
    chance = random.Random(seed)
    sent: list[dict[str, Any]] = []
    for _ in range(120):
        moment = (
            START
            + chance.randrange(6 if close else 200) * DAY
            + chance.randrange(60) * (MINUTE if close else 7 * MINUTE)
        )
        patient = chance.choice([None, *PATIENTS])
        row = world.row(
            moment,
            chance.randrange(20, 300),
            thread=f"zq-t{chance.randrange(9)}" if patient is None or chance.random() < 0.8 else None,
            patient=patient,
            activity=chance.choice(ACTIVITIES),
        )
        if sent and chance.random() < 0.1:
            wrong = chance.choice(sent)
            row |= {"corrects": wrong["id"], "reason": "it was otherwise", "entry": "manual"}
        if world.send(row, by=chance.choice(list(CREDENTIALS))).accepted:
            sent.append(row)
    for number in range(9):
        if chance.random() < 0.7:
            asked = START + chance.randrange(150) * DAY
            world.ask(asked, thread=f"zq-t{number}", now=asked)
        if chance.random() < 0.3:
            world.resolve(chance.choice(PATIENTS), thread=f"zq-t{number}", now=START)
    for patient in PATIENTS[:2]:
        make_reportable(world, patient=patient, now=START + 50 * DAY)
    for row in world.report(now):
        if row["status"] == "reportable" and chance.random() < 0.5:
            approve(world.store, world.id, row["episode_id"], by=None, now=START + 300 * DAY)
