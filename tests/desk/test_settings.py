"""A practice's settings: dated, said and never overwritten; episodes are decided by those of their first day."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
from sqlcipher3 import dbapi2

from backend.desk.episodes import approve
from backend.desk.settings import Setting, change_setting, list_settings, value_of
from backend.desk.verify import verify
from backend.errors import BadInput
from backend.store.connection import Connection
from tests.desk.world import World, at, make_reportable

NOW = at("2026-04-20 12:00")


def change(world: World, name: str, value: Any, from_on: str | None = None, payer: str | None = None) -> date:
    first = None if from_on is None else date.fromisoformat(from_on)
    return change_setting(world.store, world.id, name=name, value=value, payer=payer, from_on=first, by=None, now=NOW)


def listed(world: World, name: str, now: int = NOW) -> Setting:
    return next(each for each in list_settings(world.store, world.id, now=now) if each.name == name)


def cardiologist(world: World, name: str) -> None:
    user_id = world.devices[name].user_id

    def work(connection: Connection) -> None:
        connection.execute("UPDATE user SET specialty = 'cardiology' WHERE user_id = ?", (user_id,))

    world.store.write(work)


def six_and_six(world: World) -> None:
    """Six minutes of a family doctor and, after them, six of a cardiologist, for one patient who asked once."""
    cardiologist(world, "colleague")
    for minute in range(6):
        world.send(world.row(f"2026-04-06 09:{minute:02d}", 60, patient="123"))
        world.send(world.row(f"2026-04-06 10:{minute:02d}", 60, patient="123"), by="colleague")
    world.ask("2026-04-06 08:00", now=NOW)
    make_reportable(world, patient="123", now=NOW)
    seen = {"portal": "medplum", "patient": "123", "date": "2025-09-19", "face_to_face": True}
    world.say("face_to_face", {**seen, "specialty": "cardiology"}, now=NOW)


def said_of(world: World) -> list[tuple[str, str | None, int]]:
    return sorted((row["status"], row["code"], row["counted_seconds"]) for row in world.report(NOW))


def test_every_setting_is_listed_with_its_default_until_something_is_said(riverside: World) -> None:
    found = list_settings(riverside.store, riverside.id, now=NOW)
    assert len(found) == 17
    assert all(each.value == each.default and not each.said for each in found)
    lookback = listed(riverside, "lookback_days")
    assert (lookback.kind, lookback.unit, lookback.minimum, lookback.maximum) == ("integer", "days", 6, 7)
    assert lookback.meaning.endswith(".")
    assert "D3" in lookback.source
    assert listed(riverside, "aggregate_by").choices == ("group", "specialty")


def test_what_is_said_is_listed_with_its_day_and_nothing_is_overwritten(riverside: World) -> None:
    assert change(riverside, "lookback_days", 6) == date(2026, 4, 20)
    change(riverside, "lookback_days", None, "2026-05-01")
    found = listed(riverside, "lookback_days")
    assert [(word.value, word.from_on.isoformat()) for word in found.said] == [(6, "2026-04-20"), (None, "2026-05-01")]
    assert (found.value, [word.value for word in found.coming]) == (6, [None])
    assert listed(riverside, "lookback_days", at("2026-05-01 00:00")).value == 7


@pytest.mark.parametrize("change_by_hand", ["UPDATE practice_setting SET value = '7'", "DELETE FROM practice_setting"])
def test_the_database_itself_refuses_to_change_what_was_said(riverside: World, change_by_hand: str) -> None:
    change(riverside, "lookback_days", 6)
    with pytest.raises(dbapi2.IntegrityError, match="append-only"):
        riverside.store.write(lambda connection: connection.execute(change_by_hand))
    assert listed(riverside, "lookback_days").value == 6


def test_a_payer_may_have_its_own_value(riverside: World) -> None:
    change(riverside, "telehealth_pos", ["10"], payer="commercial")
    found = listed(riverside, "telehealth_pos")
    assert (found.value, found.of_payers) == (["02", "10"], {"commercial": ["10"]})


def test_who_said_it_is_listed_by_name(riverside: World) -> None:
    change_setting(
        riverside.store, riverside.id, name="lookback_days", value=6, payer=None, from_on=None,
        by=riverside.devices["doctor"].user_id, now=NOW,
    )  # fmt: skip
    [word] = listed(riverside, "lookback_days").said
    assert (word.by, word.said_at) == ("Doctor", NOW)


@pytest.mark.parametrize(
    ("name", "value", "payer", "message"),
    [
        ("lookback", 7, None, "settings are aggregate_by"),
        ("lookback_days", 3, None, "from 6 to 7"),
        ("aggregate_by", "thread", None, "one of group, specialty"),
        ("aggregate_by", "group", "commercial", "same for every payer"),
        ("telehealth_pos", ["02"], "moon", "payers are medicare_ffs"),
    ],
)
def test_what_is_not_allowed_is_refused_and_not_kept(
    riverside: World, name: str, value: Any, payer: str | None, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        change(riverside, name, value, payer=payer)
    assert not any(each.said for each in list_settings(riverside.store, riverside.id, now=NOW))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("lookback_days", "6", 6),
        ("lookback_days", "six", "six"),
        ("aggregate_by", "specialty", "specialty"),
        ("aggregate_by", '"specialty"', "specialty"),
        ("telehealth_pos", "02", ["02"]),
        ("telehealth_pos", "10", ["10"]),
        ("telehealth_pos", "02, 10", ["02", "10"]),
        ("telehealth_pos", '["02", "10"]', ["02", "10"]),
        ("telehealth_pos", "", []),
        ("nothing", "6", "6"),
    ],
)
def test_a_typed_value_is_read_as_its_setting_wants_it(name: str, text: str, value: Any) -> None:
    assert value_of(name, text) == value


def test_a_setting_decides_the_episodes_from_its_day_on_and_stands_on_the_determination(riverside: World) -> None:
    for day in ("2026-04-06", "2026-04-14"):
        riverside.send(riverside.row(f"{day} 09:00", 300, patient="123", activity="documentation", thread=day))
        riverside.send(riverside.row(f"{day} 10:00", 300, patient="123", thread=day))
    activities = [*listed(riverside, "counted_activities").default, "documentation"]
    change(riverside, "counted_activities", activities, "2026-04-10")
    before, after = riverside.report(NOW)
    assert (before["counted_seconds"], before["settings"]) == (300, {})
    assert (after["counted_seconds"], after["settings"]) == (600, {"counted_activities": activities})
    assert verify(riverside.store, now=NOW) == []


def test_a_payers_own_value_decides_that_payers_episodes(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 300, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    make_reportable(riverside, patient="123", now=NOW)
    change(riverside, "telehealth_pos", ["11"], "2026-04-01", payer="medicaid")
    assert riverside.report(NOW)[0]["settings"] == {}
    change(riverside, "telehealth_pos", ["11"], "2026-04-01", payer="commercial")
    assert riverside.report(NOW)[0]["settings"] == {"telehealth_pos": ["11"]}
    assert verify(riverside.store, now=NOW) == []


def test_an_approved_episode_stays_and_is_flagged_when_a_setting_would_decide_otherwise(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 400, patient="123"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    make_reportable(riverside, patient="123", now=NOW)
    [row] = riverside.report(NOW)
    approve(riverside.store, riverside.id, row["episode_id"], by=None, now=NOW)
    change(riverside, "counted_activities", ["communicate_online"], "2026-04-01")
    [stays] = riverside.report(NOW)
    assert (stays["status"], stays["code"], stays["settings"]) == ("reportable", row["code"], {})
    with riverside.store.read() as connection:
        assert connection.execute("SELECT flagged FROM episode").fetchone()[0] == 1
    assert verify(riverside.store, now=NOW) == []


def test_a_later_release_is_waited_for(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 400, patient="123", activity="review_inquiry"))
    riverside.ask("2026-04-06 08:00", now=NOW)
    make_reportable(riverside, patient="123", now=NOW)
    change(riverside, "release_after_days", 20, "2026-04-01")
    [row] = riverside.report(NOW)
    assert (row["status"], row["hold_until"]) == ("hold", "2026-04-26")
    with riverside.store.read() as connection:
        assert connection.execute("SELECT due_at FROM patient WHERE reference = '123'").fetchone()[0] == at(
            "2026-04-21 00:00"
        )


# --- specialties kept apart -------------------------------------------------------------------------------------------


def test_two_specialties_add_up_in_the_group_and_are_two_episodes_where_they_are_kept_apart(riverside: World) -> None:
    six_and_six(riverside)
    assert said_of(riverside) == [("reportable", "99422", 720)]
    change(riverside, "aggregate_by", "specialty", "2026-04-01")
    assert said_of(riverside) == [("reportable", "99421", 360)] * 2
    for row in riverside.report(NOW):
        assert row["settings"] == {"aggregate_by": "specialty"}
        assert row["excluded"] == [{"seconds": 360, "reason": "other_group"}]
    assert verify(riverside.store, now=NOW) == []
    change(riverside, "aggregate_by", None, "2026-04-01")
    assert said_of(riverside) == [("reportable", "99422", 720)]
    assert verify(riverside.store, now=NOW) == []


def test_an_approved_episode_of_another_specialty_is_no_earlier_e_visit(riverside: World) -> None:
    six_and_six(riverside)
    change(riverside, "aggregate_by", "specialty", "2026-04-01")
    first, second = riverside.report(NOW)
    approve(riverside.store, riverside.id, first["episode_id"], by=None, now=NOW)
    assert {row["episode_id"]: row["status"] for row in riverside.report(NOW)} == {
        first["episode_id"]: "reportable",
        second["episode_id"]: "reportable",
    }
    approve(riverside.store, riverside.id, second["episode_id"], by=None, now=NOW)
    assert [row["blocking"] for row in riverside.report(NOW)] == [[], []]
    assert verify(riverside.store, now=NOW) == []


def test_an_approved_episode_of_one_specialty_keeps_its_days_when_the_group_adds_up_again(riverside: World) -> None:
    six_and_six(riverside)
    change(riverside, "aggregate_by", "specialty", "2026-04-01")
    approve(riverside.store, riverside.id, riverside.report(NOW)[0]["episode_id"], by=None, now=NOW)
    change(riverside, "aggregate_by", None, "2026-04-01")
    assert said_of(riverside) == [("reportable", "99421", 360)]
    assert verify(riverside.store, now=NOW) == []


def test_episodes_that_grew_by_specialty_in_any_order_are_those_that_their_rows_give(riverside: World) -> None:
    cardiologist(riverside, "colleague")
    change(riverside, "aggregate_by", "specialty", "2026-04-10")
    rows = [
        (riverside.row(f"2026-04-{day:02d} {hour:02d}:00", 100, patient="123", thread=f"t{day % 3}"), who)
        for day in (1, 3, 6, 9, 10, 12, 16, 19)
        for hour, who in ((9, "doctor"), (10, "colleague"), (11, "nurse"), (12, "therapist"))
    ]
    dice = random.Random(4)
    dice.shuffle(rows)
    for number, (row, who) in enumerate(rows):
        riverside.send(row, by=who, now=NOW)
        if number % 7 == 0:
            riverside.report(NOW)
    shown = [
        (row["window_start"], row["family"], row["counted_seconds"], len(row["settings"]))
        for row in riverside.report(NOW)
    ]
    assert verify(riverside.store, now=NOW) == []
    assert sum(seconds for *_, seconds, _ in shown) <= 100 * 24
    assert {start >= "2026-04-10" for start, _, _, changed in shown if changed} <= {True}
