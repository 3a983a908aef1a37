"""The simulator of late and moved data: random histories, delivered in any order, end in the same episodes.

A history is a list of deliveries: batches of intervals (a backlog may come weeks late), threads that are resolved to
a patient, inquiry times that are learned. It is delivered in two orders, settled at random points on the way, and
both ways must end in the same episodes. Then what is reportable is approved half way, and the rest must not change it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pytest

from backend.desk.determine import settle
from backend.desk.episodes import approve, get_episode
from backend.desk.verify import verify
from backend.errors import Conflict
from tests.desk.world import CREDENTIALS, MINUTE, World, at, make_reportable, uuid7, world

DAY = 24 * 60 * MINUTE
MONDAY = at("2026-04-06 00:00")
LATER = at("2026-05-20 12:00")
"""When everything was delivered, and every look-ahead has closed."""
THREADS = ("t0", "t1", "t2")
PATIENTS = ("p0", "p1")


@dataclass(frozen=True)
class Batch:
    by: str
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Resolved:
    thread: str
    patient: str


@dataclass(frozen=True)
class Asked:
    thread: str
    at: int
    initiated_by: str | None


Delivery = Batch | Resolved | Asked


def some_row(dice: Random) -> dict[str, Any]:
    started_at = (
        MONDAY + dice.randint(0, 22) * DAY + dice.choice((1, 540, 544, 1436)) * MINUTE + dice.randint(0, 3) * 700
    )
    thread = dice.choice((*THREADS, *THREADS, None))
    row = {
        "id": uuid7(started_at, dice.getrandbits(32)),
        "portal": "medplum",
        "thread": thread,
        "patient": dice.choice((None, None, None, *PATIENTS) if thread else PATIENTS),
        "activity": dice.choice(("review_inquiry", "review_inquiry", "communicate_online", "documentation")),
        "started_at": started_at,
        "ended_at": started_at + dice.choice((1, 30_500, 120_000, 299_999, 300_000)),
        "ended_by": "hidden",
        "idle_after_seconds": 60,
    }
    return row if dice.random() < 0.85 else row | {"entry": "linked_chart"}


def sound_work(dice: Random) -> list[Delivery]:
    """What a reportable episode of p0 is made of: asked on thread t9 early, worked on for over five minutes."""
    day = MONDAY + dice.randint(0, 6) * DAY
    parts = [day + dice.randint(0, 5) * DAY + (700 + 6 * n) * MINUTE for n in range(dice.randint(2, 6))]
    rows = tuple(
        {
            "id": uuid7(started_at, dice.getrandbits(32)),
            "portal": "medplum",
            "thread": "t9",
            "patient": None,
            "activity": "review_inquiry",
            "started_at": started_at,
            "ended_at": started_at + 299_000,
            "ended_by": "hidden",
            "idle_after_seconds": 60,
        }
        for started_at in parts
    )
    asked_at = day + 7 * 60 * MINUTE
    return [Batch("doctor", rows), Asked("t9", asked_at, "patient"), Resolved("t9", "p0")]


def some_history(dice: Random) -> list[Delivery]:
    found: list[Delivery] = []
    for _ in range(dice.randint(1, 6)):
        batch = tuple(some_row(dice) for _ in range(dice.randint(1, 4)))
        found.append(Batch(dice.choice(("doctor", "doctor", *CREDENTIALS)), batch))
    for thread in THREADS:
        if dice.random() < 0.4:
            found.append(Resolved(thread, dice.choice(PATIENTS)))
    for thread, day in {(dice.choice(THREADS), dice.randint(0, 20)) for _ in range(dice.randint(0, 4))}:
        found.append(Asked(thread, MONDAY + day * DAY + 8 * 60 * MINUTE, dice.choice(("patient", None))))
    return found


def deliver(riverside: World, delivery: Delivery, now: int) -> None:
    if isinstance(delivery, Batch):
        riverside.send(*delivery.rows, by=delivery.by, now=LATER)
    elif isinstance(delivery, Resolved):
        riverside.resolve(delivery.patient, delivery.thread, now=now)
    else:
        riverside.ask(delivery.at, delivery.thread, initiated_by=delivery.initiated_by, now=now)


def play(riverside: World, history: Sequence[Delivery], dice: Random) -> None:
    """Delivers in this order, a day after the other; now and then somebody looks."""
    for number, delivery in enumerate(history):
        now = MONDAY + (number + 3) * DAY
        deliver(riverside, delivery, now)
        if dice.random() < 0.5:
            settle(riverside.store, riverside.id, now)


def ended(riverside: World) -> list[tuple[Any, ...]]:
    """What the episodes say, without the ids that were drawn at random and without how they came to it."""
    found = []
    for row in riverside.report(LATER):
        view = get_episode(riverside.store, riverside.id, row["episode_id"], now=LATER)
        rendering = [each.name for each in view.clinicians if each.id == row["rendering_clinician"]]
        answer = {**view.determination, "changes": [], "rendering_clinician": rendering}
        pieces = [(p.interval_id, p.clinician_name, p.started_at, p.ended_at, p.counted, p.reason) for p in view.pieces]
        found.append(
            (view.patient, view.family, view.window_start, view.window_end, sorted(view.threads), pieces, answer)
        )
    return sorted(found, key=repr)


def check_arithmetic(riverside: World) -> None:
    """No second of a clinician counts twice, and every sum adds up."""
    counted: list[tuple[str, str, int, int]] = []
    for row in riverside.report(LATER):
        view = get_episode(riverside.store, riverside.id, row["episode_id"], now=LATER)
        assert sum(view.days) == sum(each["seconds"] for each in row["threads"]) == row["counted_seconds"]
        assert sum(each["seconds"] for each in row["clinicians"]) == row["counted_seconds"]
        raw = sum(piece.ended_at - piece.started_at for piece in view.pieces)
        assert row["counted_seconds"] + sum(each["seconds"] for each in row["excluded"]) == raw // 1000
        counted += [(p.clinician, view.family, p.started_at, p.ended_at) for p in view.pieces if p.counted]
    counted.sort()
    for before, after in pairwise(counted):
        assert before[:2] != after[:2] or before[3] <= after[2], "a second counts in two places"


def any_order(seed: int, folder: Path, other: str | None = None) -> None:
    """`other`: the database of the second order of arrival; the first one arrives in a file."""
    dice = Random(seed)
    history = some_history(dice) + (sound_work(dice) if dice.random() < 0.5 else [])
    dice.shuffle(history)
    ends = []
    for order, database in (("one", None), ("other", other)):
        with world(folder / order, database) as riverside:
            play(riverside, history, dice)
            for patient in PATIENTS:
                make_reportable(riverside, patient=patient, now=LATER)
            ends.append(ended(riverside))
            check_arithmetic(riverside)
            assert verify(riverside.store, now=LATER) == []
            assert settle(riverside.store, riverside.id, LATER) == 0
        dice.shuffle(history)
    assert ends[0] == ends[1]


def approved_stays(seed: int, folder: Path) -> int:
    """How many episodes were approved half way."""
    dice = Random(seed)
    late = [*some_history(dice), *late_words(dice)]
    dice.shuffle(late)
    early = [late.pop() for _ in range(dice.randint(0, len(late) // 3))] + sound_work(dice)
    with world(folder) as riverside:
        play(riverside, early, dice)
        for patient in PATIENTS:
            make_reportable(riverside, patient=patient, now=LATER)
        before = approve_all(riverside)
        for delivery in late:
            deliver(riverside, delivery, LATER)
            if dice.random() < 0.5:
                settle(riverside.store, riverside.id, LATER)
        reported = {row["episode_id"] for row in riverside.report(LATER)}
        assert before.keys() <= reported
        for episode_id, part in before.items():
            assert approved_part(get_episode(riverside.store, riverside.id, episode_id, now=LATER)) == part
        check_arithmetic(riverside)
        assert verify(riverside.store, now=LATER) == []
    return len(before)


def late_words(dice: Random) -> list[Delivery]:
    """What is learned late about the thread of the sound work: it was another patient's, was asked at other times."""
    words: list[Delivery] = [Asked("t9", MONDAY + day * DAY + 6 * 60 * MINUTE, "patient") for day in (0, 3, 9)]
    words.append(Resolved("t9", "p1"))
    words += [Batch(each.by, each.rows) for each in sound_work(dice) if isinstance(each, Batch)]
    return [each for each in words if dice.random() < 0.6]


def approve_all(riverside: World) -> dict[str, tuple[Any, ...]]:
    """Approves what is reportable; what is approved by its episode's id."""
    before = {}
    for row in riverside.report(LATER):
        if row["status"] != "reportable":
            with pytest.raises(Conflict):
                approve(riverside.store, riverside.id, row["episode_id"], by=None, now=LATER)
            continue
        approve(riverside.store, riverside.id, row["episode_id"], by=None, now=LATER)
        view = get_episode(riverside.store, riverside.id, row["episode_id"], now=LATER)
        before[row["episode_id"]] = approved_part(view)
    return before


def approved_part(view: Any) -> tuple[Any, ...]:
    return (
        view.patient,
        view.portal,
        view.family,
        view.window_start,
        view.window_end,
        view.threads,
        view.days,
        view.determination,
        view.pieces,
        view.clinicians,
        view.approved_at,
    )


@pytest.mark.parametrize("seed", range(30))
def test_any_order_of_arrival_ends_in_the_same_episodes(seed: int, tmp_path: Path, database: str | None) -> None:
    any_order(seed, tmp_path, database)


def test_an_approved_episode_never_changes(tmp_path: Path) -> None:
    approved = [approved_stays(seed, tmp_path / str(seed)) for seed in range(30)]
    assert sum(approved) >= 15, "too few histories hold what can be approved"


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(10))
def test_many_histories(hundred: int, tmp_path: Path) -> None:
    for seed in range(1000 + hundred * 100, 1100 + hundred * 100):
        any_order(seed, tmp_path / f"order-{seed}")
        approved_stays(seed, tmp_path / f"approved-{seed}")
