"""Who answers for a clinician who is away or has left: what the colleague sees and says, until when, whose it stays."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from backend.desk import accounts, people
from backend.desk.audit import export_audit
from backend.desk.delegations import Standing, end_delegation, move_work, name_colleague, standing
from backend.desk.episodes import get_episode
from backend.desk.facts import Heard, Speaker, learn
from backend.errors import BadInput, Conflict, NotAllowed, NotFound
from backend.store import delegations as stored
from backend.store import facts
from backend.store.people import find_by_email
from tests.desk.test_own_episodes import DAY, FIRST, NOW, ids, say, told
from tests.desk.world import CREDENTIALS, MINUTE, World, at, hilltop

LATER = NOW + DAY


def user(world: World, name: str) -> people.User:
    with world.store.read() as connection:
        found = find_by_email(connection, f"{name}@riverside.example")
    assert found is not None
    return people.user_of(found)


def name(world: World, to: str = "colleague", *, by: str = "doctor", last_on: str = "", now: int = NOW) -> None:
    name_colleague(world.store, user(world, by), user(world, to).user_id, last_on=last_on, now=now)


def end(world: World, *, by: str = "doctor", now: int = LATER) -> None:
    end_delegation(world.store, user(world, by), user(world, "doctor").user_id, now)


def of(world: World, who: str, now: int = NOW) -> Standing:
    return standing(world.store, world.id, user(world, who).user_id, now)


def hear(world: World, kind: str, row: dict[str, Any], *, by: str = "colleague", now: int = NOW) -> Heard:
    speaker = Speaker(world.devices[by].user_id, frozenset({"clinician"}))
    [heard] = learn(world.store, world.id, kind, [row], source="api", now=now, by=speaker)
    return heard


def evaluated(yes: bool = True, whose: str = "doctor") -> dict[str, Any]:
    about = {"portal": "medplum", "thread": "t1", "evaluative": yes}
    return about | {"attested_by": f"{whose}@riverside.example"}


def worked(world: World) -> dict[str, Any]:
    """The doctor's measured time on a thread that was asked on, and a call that only their word makes count."""
    call = world.row("2026-04-06 15:00", 900, patient="123", entry="manual", activity="communicate_phone",
                     ended_by="manual", reason="call with the patient")  # fmt: skip
    world.send(world.row(FIRST, 400, patient="123"), call)
    world.ask("2026-04-06 08:00", evaluative=None, now=NOW)
    return call


def actions(world: World) -> list[tuple[str, str, str]]:
    """What the audit says of delegations: (action, who, about whom)."""
    names = {each.user_id: each.name.lower() for each in map(partial(user, world), (*CREDENTIALS, "manager"))}
    wanted = {"colleague_named", "work_moved", "delegation_ended", "answered_for_colleague"}
    return [
        (each["action"], names[each["actor_id"]], names[each["subject_id"]])
        for each in export_audit(world.store, world.id, now=LATER)
        if each["action"] in wanted
    ]


def test_a_colleague_sees_and_answers_what_waits_and_the_time_stays_whose_it_was(riverside: World) -> None:
    call = worked(riverside)
    assert told(riverside, by="colleague")["episodes"] == []
    name(riverside)
    [episode] = told(riverside, by="colleague")["episodes"]
    assert (episode["colleagues"], episode["own_seconds"], episode["counted_seconds"]) == (["Doctor"], 0, 400)
    assert [each["name"] for each in episode["others"]] == ["Doctor"]
    doctor = user(riverside, "doctor").user_id
    assert ids(episode) == [f"evaluative:t1:for:{doctor}", f"time:{call['id']}:for:{doctor}"]
    assert all(each["text"].startswith("For Doctor: ") for each in episode["questions"])
    for question in episode["questions"]:
        say(riverside, question["options"][0]["facts"], by="colleague")
    [episode] = told(riverside, by="colleague")["episodes"]
    assert (episode["questions"], episode["counted_seconds"], episode["own_seconds"]) == ([], 1300, 0)
    [row] = riverside.report(NOW)
    assert [(each["id"], each["seconds"]) for each in row["clinicians"]] == [(doctor, 1300)]
    assert row["rendering_clinician"] == doctor
    with riverside.store.read() as connection:
        said = connection.execute(
            "SELECT by, said_for FROM fact WHERE kind LIKE 'attested%' ORDER BY fact_id"
        ).fetchall()
    assert {tuple(each) for each in said} == {(user(riverside, "colleague").user_id, doctor)}
    assert actions(riverside) == [
        ("colleague_named", "doctor", "doctor"),
        ("answered_for_colleague", "colleague", "doctor"),
        ("answered_for_colleague", "colleague", "doctor"),
    ]


def test_what_was_answered_stays_and_nothing_more_is_seen_or_said_once_it_is_ended(riverside: World) -> None:
    worked(riverside)
    name(riverside)
    assert hear(riverside, "attested_evaluative", evaluated()).outcome == "new"
    end(riverside)
    assert told(riverside, by="colleague", now=LATER)["episodes"] == []
    refused = hear(riverside, "attested_evaluative", evaluated(yes=False), now=LATER)
    assert refused.outcome == "refused" and "who has named them" in str(refused.reason)
    [own] = told(riverside, now=LATER)["episodes"]
    assert own["facts"]["evaluative"] is True
    end(riverside, now=LATER + 1)  # nothing is left to end, and nothing says so
    assert [each[0] for each in actions(riverside)].count("delegation_ended") == 1


def test_it_ends_by_itself_with_its_last_day_in_the_practices_zone(riverside: World) -> None:
    worked(riverside)
    name(riverside, last_on="2026-04-09")
    midnight = at("2026-04-10 00:00")
    assert len(told(riverside, by="colleague", now=midnight - 1)["episodes"]) == 1
    assert told(riverside, by="colleague", now=midnight)["episodes"] == []
    assert hear(riverside, "attested_evaluative", evaluated(), now=midnight).outcome == "refused"
    assert str(of(riverside, "doctor").delegation.last_on) == "2026-04-09"
    assert of(riverside, "doctor", midnight).delegation is None


@pytest.mark.parametrize("when", [NOW - 1, LATER])
def test_a_word_outside_the_dates_counts_for_nothing_however_it_came_there(riverside: World, when: int) -> None:
    call = worked(riverside)
    name(riverside)
    end(riverside)
    doctor, colleague = (user(riverside, each).user_id for each in ("doctor", "colleague"))

    def slip_in(connection: Any, *, at_: int) -> None:
        facts.insert(
            connection, riverside.id, kind="attested_time", key=f'{doctor} ["{call["id"]}"]',
            body={"interval": call["id"], "attested": True}, patient_id=None, portal="medplum", thread="t1",
            source="api", by=colleague, said_for=doctor, recorded_at=at_,
        )  # fmt: skip
        connection.execute("UPDATE patient SET due_at = 0 WHERE practice_id = ?", (riverside.id,))

    riverside.store.write(partial(slip_in, at_=when))
    assert riverside.report(LATER)[0]["counted_seconds"] == 400
    riverside.store.write(partial(slip_in, at_=LATER - 1))
    assert riverside.report(LATER)[0]["counted_seconds"] == 1300


def test_what_the_colleague_has_said_themselves_stands_and_their_later_word_counts(riverside: World) -> None:
    call = worked(riverside)
    name(riverside)
    say(riverside, [{"kind": "attested_evaluative", "row": evaluated(yes=False)}])
    refused = hear(riverside, "attested_evaluative", evaluated())
    assert refused.reason == "the colleague has said this themselves, and only they say otherwise"
    withdrawn = hear(riverside, "attested_evaluative", {**evaluated(yes=False), "withdrawn": True})
    assert withdrawn.outcome == "refused"
    word = {"interval": call["id"], "attested": True}
    address = {"attested_by": "doctor@riverside.example"}
    assert hear(riverside, "attested_time", word | address).outcome == "new"
    assert hear(riverside, "attested_time", word | address | {"withdrawn": True}).outcome == "changed"
    assert hear(riverside, "attested_time", word | address).outcome == "new"
    assert hear(riverside, "attested_time", word | {"attested": False}, by="doctor").outcome == "changed"
    assert hear(riverside, "attested_time", word | address).outcome == "refused"
    assert riverside.report(NOW)[0]["counted_seconds"] == 400


def test_nobody_answers_who_was_not_named_or_for_whom_or_where_nobody_worked(riverside: World) -> None:
    call = worked(riverside)
    name(riverside)
    assert told(riverside, by="therapist")["episodes"] == []
    assert hear(riverside, "attested_evaluative", evaluated(), by="therapist").outcome == "refused"
    assert hear(riverside, "attested_evaluative", evaluated(whose="colleague"), by="doctor").outcome == "refused"
    other = hear(riverside, "attested_evaluative", {**evaluated(), "thread": "t2"})
    assert other.reason == "the colleague has recorded no time there, so this is not yours to say"
    own = hear(riverside, "attested_time", {"interval": call["id"], "attested": True})
    assert own.reason == "interval is another clinician's; only its own can say this"


def test_what_both_would_be_asked_is_asked_once(riverside: World) -> None:
    worked(riverside)
    riverside.send(riverside.row("2026-04-07 09:00", 320, patient="123"), by="colleague")
    name(riverside)
    [episode] = told(riverside, by="colleague")["episodes"]
    assert [each.split(":")[0] for each in ids(episode)] == ["evaluative", "time"]
    assert (ids(episode)[0], episode["own_seconds"], episode["colleagues"]) == ("evaluative:t1", 320, ["Doctor"])


def test_the_page_of_an_episode_says_who_answered_for_whom(riverside: World) -> None:
    worked(riverside)
    name(riverside)
    say(riverside, [{"kind": "attested_evaluative", "row": evaluated()}], by="colleague")
    [row] = riverside.report(NOW)
    found = get_episode(riverside.store, riverside.id, row["episode_id"], by=None, now=NOW)
    [word] = [each.latest for each in found.told if each.kind == "attested_evaluative"]
    assert (word.by, word.said_for) == ("Colleague", "Doctor")


class TestWhoCanBeNamed:
    def refuse(self, world: World, words: str, to: str, *, by: str = "doctor", last_on: str = "") -> None:
        to_id = user(world, to).user_id if to in (*CREDENTIALS, "manager") else to
        with pytest.raises((BadInput, Conflict), match=words):
            name_colleague(world.store, user(world, by), to_id, last_on=last_on, now=NOW)
        assert of(world, by).delegation is None

    def test_an_active_clinician_of_the_same_family(self, riverside: World) -> None:
        assert [each.name for each in of(riverside, "doctor").choices] == ["Colleague"]
        assert not of(riverside, "nurse").can_delegate
        self.refuse(riverside, "nobody stands in for themselves", "doctor")
        self.refuse(riverside, "same codes", "therapist")
        self.refuse(riverside, "same codes", "nurse")
        self.refuse(riverside, "same codes", "manager")
        self.refuse(riverside, "load the page again", "f" * 32)
        self.refuse(riverside, "Choose the colleague", "")
        self.refuse(riverside, "Nothing waits for Nurse", "doctor", by="nurse")

    def test_one_who_can_sign_in(self, riverside: World) -> None:
        manager, colleague = user(riverside, "manager"), user(riverside, "colleague")
        accounts.reset_password(
            riverside.store, riverside.id, colleague.user_id, by=manager, second_factor=False, now=NOW
        )
        self.refuse(riverside, "cannot sign in yet", "colleague")
        accounts.deactivate(riverside.store, manager, colleague.user_id, NOW)
        self.refuse(riverside, "account is deactivated", "colleague")
        assert of(riverside, "doctor").choices == []

    def test_one_of_this_practice(self, riverside: World) -> None:
        other = hilltop(riverside.store, now=NOW)
        with riverside.store.read() as connection:
            boss = find_by_email(connection, "boss@hilltop.example")
        assert boss is not None
        self.refuse(riverside, "load the page again", boss.user_id)
        with pytest.raises(NotFound):
            end_delegation(riverside.store, people.user_of(boss), user(riverside, "doctor").user_id, NOW)
        with pytest.raises(NotFound):
            move_work(riverside.store, people.user_of(boss), user(riverside, "doctor").user_id, boss.user_id, NOW)
        with pytest.raises(NotFound):
            standing(riverside.store, other.practice_id, user(riverside, "doctor").user_id, NOW)

    @pytest.mark.parametrize(
        ("last_on", "words"),
        [("soon", "written like"), ("2026-04-07", "in the past"), ("2028-01-01", "more than a year")],
    )
    def test_a_last_day_that_is_none(self, riverside: World, last_on: str, words: str) -> None:
        self.refuse(riverside, words, "colleague", last_on=last_on)

    def test_nobody_who_is_away_and_nothing_is_handed_on(self, riverside: World) -> None:
        worked(riverside)
        add(riverside, "third")
        name(riverside)  # doctor -> colleague
        self.refuse(riverside, "not handed on", "doctor", by="colleague")  # a circle
        self.refuse(riverside, "not handed on", "doctor", by="third")
        name(riverside, "third", by="colleague")
        assert [each.name for each in of(riverside, "third").answers_for] == ["Colleague"]
        assert [each.name for each in of(riverside, "colleague").answers_for] == ["Doctor"]
        third = user(riverside, "third").user_id
        refused = learn(
            riverside.store, riverside.id, "attested_evaluative", [evaluated()], source="api", now=NOW,
            by=Speaker(third, frozenset({"clinician"})),
        )  # fmt: skip
        assert refused[0].outcome == "refused"

    def test_a_newer_one_takes_the_place_of_the_one_before(self, riverside: World) -> None:
        worked(riverside)
        add(riverside, "third")
        name(riverside)
        name(riverside, "third", now=NOW + 1)
        assert of(riverside, "doctor", NOW + 1).delegation.to_name == "Third"
        assert told(riverside, by="colleague", now=NOW + 1)["episodes"] == []

    def test_one_who_changes_to_another_family_serves_no_more(self, riverside: World) -> None:
        worked(riverside)
        name(riverside)
        colleague = user(riverside, "colleague")
        accounts.change_account(
            riverside.store, user(riverside, "manager"), colleague.user_id, name=colleague.name,
            roles=colleague.roles, credential="PT", specialty=None, now=NOW,
        )  # fmt: skip
        assert told(riverside, by="colleague")["episodes"] == []
        assert hear(riverside, "attested_evaluative", evaluated()).outcome == "refused"
        assert not of(riverside, "doctor").delegation.serves


class TestLeaving:
    def test_work_moves_as_the_account_is_deactivated_and_back_as_it_is_opened_again(self, riverside: World) -> None:
        worked(riverside)
        manager, doctor, colleague = (user(riverside, each) for each in ("manager", "doctor", "colleague"))
        accounts.deactivate(riverside.store, manager, doctor.user_id, NOW, successor=colleague.user_id)
        found = of(riverside, "doctor").delegation
        assert (found.to_name, found.reason, found.by_name, found.serves) == ("Colleague", "left", "Rosa Lind", True)
        [episode] = told(riverside, by="colleague")["episodes"]
        say(riverside, episode["questions"][1]["options"][0]["facts"], by="colleague")
        assert riverside.report(NOW)[0]["clinicians"][0]["id"] == doctor.user_id
        accounts.reactivate(riverside.store, manager, doctor.user_id, LATER)
        assert told(riverside, by="colleague", now=LATER)["episodes"] == []
        assert riverside.report(LATER)[0]["counted_seconds"] == 1300
        assert [each[:2] for each in actions(riverside)] == [
            ("work_moved", "rosa lind"),
            ("answered_for_colleague", "colleague"),
            ("delegation_ended", "rosa lind"),
        ]

    def test_a_successor_who_cannot_leaves_the_account_as_it_is(self, riverside: World) -> None:
        manager, doctor, therapist = (user(riverside, each) for each in ("manager", "doctor", "therapist"))
        with pytest.raises(BadInput, match="same codes"):
            accounts.deactivate(riverside.store, manager, doctor.user_id, NOW, successor=therapist.user_id)
        assert user(riverside, "doctor").active

    def test_later_on_and_ended(self, riverside: World) -> None:
        worked(riverside)
        manager, doctor, colleague = (user(riverside, each) for each in ("manager", "doctor", "colleague"))
        with pytest.raises(Conflict, match="still here"):
            move_work(riverside.store, manager, doctor.user_id, colleague.user_id, NOW)
        accounts.deactivate(riverside.store, manager, doctor.user_id, NOW)
        assert told(riverside, by="colleague")["episodes"] == []
        move_work(riverside.store, manager, doctor.user_id, colleague.user_id, NOW)
        assert len(told(riverside, by="colleague")["episodes"]) == 1
        end(riverside, by="manager")
        assert told(riverside, by="colleague", now=LATER)["episodes"] == []

    def test_what_a_person_arranged_before_they_left_or_came_back_stays(self, riverside: World) -> None:
        manager, doctor = user(riverside, "manager"), user(riverside, "doctor")
        name(riverside)
        accounts.deactivate(riverside.store, manager, doctor.user_id, NOW)
        accounts.reactivate(riverside.store, manager, doctor.user_id, NOW)
        assert of(riverside, "doctor").delegation.to_name == "Colleague"

    def test_a_manager_moves_nothing_of_an_administrators(self, riverside: World) -> None:
        add(riverside, "chief", roles=("clinician", "admin"))
        add(riverside, "office", roles=("manager",))
        manager, office, chief = (user(riverside, each) for each in ("manager", "office", "chief"))
        accounts.deactivate(riverside.store, manager, chief.user_id, NOW)
        for verb in (
            partial(move_work, to_id=user(riverside, "doctor").user_id, now=NOW),
            partial(end_delegation, now=NOW),
        ):
            with pytest.raises(NotAllowed):
                verb(riverside.store, office, chief.user_id)


def add(world: World, who: str, roles: tuple[str, ...] = ("clinician",)) -> None:
    made = people.new_user(world.id, email=f"{who}@riverside.example", name=who.title(), roles=roles, credential="MD")
    world.store.write(partial(people.insert_user, user=made, password_hash="none", now=NOW))


def test_the_database_itself_keeps_every_delegation(riverside: World) -> None:
    name(riverside)
    for verb in ("UPDATE delegation SET until = 1", "DELETE FROM delegation"):
        with pytest.raises(Exception, match="append-only"):
            riverside.store.write(lambda connection, verb=verb: connection.execute(verb))
    doctor = user(riverside, "doctor").user_id
    early = stored.DelegationRow(doctor, None, NOW - 10 * MINUTE, None, "ended", doctor)
    riverside.store.write(lambda connection: stored.insert(connection, riverside.id, early))
    assert of(riverside, "doctor").delegation is None, "a clock that went back ends it all the same"
