"""Episodes in the states that a manager meets, made through the desk's own verbs."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.audit import COMMAND
from backend.billing.reading import instant_text
from backend.desk.aging import apply_retention
from backend.desk.episodes import approve
from backend.desk.facts import Speaker, learn
from backend.desk.retention import keep_for
from backend.desk.settings import change_setting
from tests.desk.world import World, make_reportable

DAY = 86_400_000
MINUTE = 60_000
STATES = ("waiting", "blocked", "ready", "approved")
"""On hold with several facts missing, not reportable for several reasons, reportable, approved and flagged since."""


def make_states(world: World, *, now: int, surgeon: str) -> None:
    """One patient of each state, named for it, whose only episode began twelve days before `now`.

    `surgeon`: an e-mail address of the practice.
    """
    begin = now - 12 * DAY
    change_setting(
        world.store,
        world.id,
        name="attested_reading_max_seconds",
        value=240,
        payer=None,
        from_on=datetime.fromtimestamp(begin / 1000 - 3 * 86_400, UTC).date(),
        by=None,
        now=begin,
    )
    for place, patient in enumerate(STATES):
        work_at = begin + place * 10 * MINUTE
        world.send(
            world.row(work_at, 280, patient=patient, thread=f"thr-{patient}"),
            world.row(work_at + DAY, 90, patient=patient, thread=f"thr-{patient}"),
            now=now - 3000,
        )
    for patient in STATES[1:]:
        world.ask(begin - 3_600_000, f"thr-{patient}", now=now - 2500)
        make_reportable(world, patient=patient, now=now - 2000)
    _contradict(world, begin, now, surgeon)
    world.report(now - 1000)
    [approved] = [each for each in world.report(now - 1000) if each["patient"] == "approved"]
    approve(world.store, world.id, approved["episode_id"], by=None, now=now - 900)
    world.say("other_claims", {"patient": "approved", "code": "99457", "same_communication": True}, now=now - 500)
    world.report(now)


def make_closed(world: World, *, now: int) -> None:
    """An episode of two years ago, of the patient `closed`, whose intervals went by age."""
    begin = now - 730 * DAY
    world.send(
        world.row(begin, 280, patient="closed", thread="thr-closed"),
        world.row(begin + 2 * DAY, 140, patient="closed", thread="thr-closed"),
        now=now - 400,
    )
    world.ask(begin - 3_600_000, "thr-closed", now=now - 300)
    keep_for(world.store, world.id, kind="intervals", period="1 year", from_on=None, by=None, now=now)
    [removed] = apply_retention(world.store, world.id, actor=COMMAND, now=now)
    assert removed.counts.intervals == 2


def _contradict(world: World, begin: int, now: int, surgeon: str) -> None:
    """Much is said about the patient `blocked`, some of it twice, some of it taken back."""
    about = {"portal": "medplum", "patient": "blocked"}
    manager = Speaker(_manager(world), frozenset({"manager"}))

    def say(kind: str, *rows: dict[str, object], at: int) -> None:
        heard = learn(world.store, world.id, kind, rows, source="api", now=at, by=manager)
        assert {each.outcome for each in heard} <= {"new", "changed"}, heard

    visits = [
        {**about, "at": instant_text(begin + days * DAY), "kind": "office_em", "status": "completed",
         "specialty": "family_medicine", "related_to_inquiry": True}
        for days in (-500, -400, -300, -200, -100, -3, 3)
    ]  # fmt: skip
    say("visits", *visits, at=now - 1900)
    say("visits", {**visits[-1], "status": "cancelled"}, at=now - 1800)
    say("visits", {**visits[-1], "withdrawn": True}, at=now - 1700)
    operated = datetime.fromtimestamp(begin / 1000, UTC).date().isoformat()
    surgery = {**about, "surgery_date": operated, "days": 90, "specialty": "family_medicine"}
    say("global_periods", {**surgery, "surgeon": surgeon}, at=now - 1600)
    say("coverage", {**about, "type": "commercial", "covers": False}, at=now - 1500)
    world.say("attested_evaluative", {"thread": "thr-blocked", "evaluative": False}, by="doctor", now=now - 1400)


def _manager(world: World) -> str:
    with world.store.read() as connection:
        found = connection.execute("SELECT user_id FROM user WHERE practice_id = ? ORDER BY created_at", (world.id,))
        return str(found.fetchone()[0])
