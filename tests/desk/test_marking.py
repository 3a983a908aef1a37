"""What somebody who answers for a colleague may mark: what measured time was, and nothing else of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.desk.test_delegations import LATER, actions, end, name, worked
from tests.desk.test_own_episodes import FIRST, NOW, told
from tests.desk.world import World, at


def mark(world: World, of_: dict[str, Any], *, now: int = NOW, by: str = "colleague", **changes: Any) -> Any:
    made = {**of_, "id": world.row(now)["id"], "activity": "refill_admin", "ended_by": "manual"}
    return world.send({**made, "corrects": of_["id"], "reason": "marked as refill", **changes}, by=by, now=now)


def test_a_mark_and_its_undoing_leave_the_time_with_who_worked(riverside: World) -> None:
    first = riverside.row(FIRST, 400, patient="123")
    riverside.send(first)
    name(riverside)
    [shown] = told(riverside, by="colleague")["episodes"][0]["intervals"]
    assert (shown["id"], shown["colleague"]) == (first["id"], "Doctor")
    assert len(mark(riverside, first).accepted) == 1
    doctor, colleague = (riverside.devices[each] for each in ("doctor", "colleague"))
    with riverside.store.read() as connection:
        found = connection.execute("SELECT user_id, device_id FROM interval WHERE corrects IS NOT NULL").fetchone()
    assert tuple(found) == (doctor.user_id, colleague.device_id)
    assert [each["counted_seconds"] for each in told(riverside)["episodes"]] in ([], [0])
    assert len(mark(riverside, first, now=NOW + 1, activity="review_inquiry").accepted) == 1
    [episode] = told(riverside, now=NOW + 2)["episodes"]
    assert (episode["counted_seconds"], episode["own_seconds"]) == (400, 400)
    assert [each[0] for each in actions(riverside)] == ["colleague_named", *["answered_for_colleague"] * 2]


def test_sending_it_again_after_the_end_is_a_duplicate_and_a_new_one_is_refused(riverside: World) -> None:
    first = riverside.row(FIRST, 400, patient="123")
    riverside.send(first)
    name(riverside)
    made = {"id": riverside.row(NOW)["id"], "activity": "scheduling", "corrects": first["id"], "reason": "marked"}
    sent = first | made
    assert riverside.send(sent, by="colleague", now=NOW).accepted == [sent["id"]]
    end(riverside)
    assert riverside.send(sent, by="colleague", now=LATER).duplicate == [sent["id"]]
    [(_, _, reason)] = mark(riverside, first, now=LATER).rejected
    assert reason == "corrects names no interval of this clinician"


@pytest.mark.parametrize(
    "changes",
    [
        {"ended_at": at(FIRST) + 500_000},
        {"activity": "documentation"},
        {"thread": "t2"},
        {"patient": "124"},
        {"entry": "attested_reading"},
    ],
)
def test_nothing_but_what_it_was_can_be_changed(riverside: World, changes: dict[str, Any]) -> None:
    first = riverside.row(FIRST, 400, patient="123")
    riverside.send(first)
    name(riverside)
    assert len(mark(riverside, first, **changes).rejected) == 1


def test_what_the_colleague_marked_or_entered_themselves_stands(riverside: World) -> None:
    call = worked(riverside)
    first = riverside.row("2026-04-06 10:00", 400, patient="123")
    riverside.send(first)
    assert len(mark(riverside, first, by="doctor").accepted) == 1
    name(riverside)
    shown = [each["id"] for each in told(riverside, by="colleague")["episodes"][0]["intervals"]]
    assert first["id"] not in shown and call["id"] not in shown and len(shown) == 1
    assert len(mark(riverside, first, now=NOW + 1, activity="review_inquiry").rejected) == 1
    assert len(mark(riverside, call).rejected) == 1
