"""Every verb leaves its entry, with surrogate ids alone; reading does, too; a restore names the head before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from backend.audit import Actor, Head
from backend.auth import passwords
from backend.desk.audit import audit_restored, export_audit, list_entries
from backend.desk.devices import add_device
from backend.desk.episodes import approve, find_episodes, get_episode, list_episodes
from backend.desk.export import export_intervals
from backend.desk.facts import learn
from backend.desk.people import add_user, sign_out
from backend.desk.portals import add_portal
from backend.desk.practices import create_practice
from backend.desk.settings import change_setting
from backend.desk.signing import sign_in
from backend.desk.verify import verify
from backend.errors import BadInput, Conflict, NotFound, NotSignedIn
from backend.store import Store, open_folder
from backend.store.folder import create_folder
from backend.store.keys import create_key
from tests.desk.world import PASSWORD, World, at, make_reportable

NOW = at("2026-04-20 12:00")
MANAGER = "manager@riverside.example"


def entries(store: Store, practice_id: int = 1, *, after: int = 0) -> list[tuple[str, str, str | None, dict]]:
    """(action, actor's kind, subject's id, detail) of what is in the audit."""
    return [
        (
            each["action"],
            each["actor_kind"],
            each["subject_id"],
            {} if each["detail"] is None else json.loads(each["detail"]),
        )
        for each in export_audit(store, practice_id, now=NOW)
    ][after:-1]


def new_entries(world: World, work) -> list[tuple[str, str, str | None, dict]]:
    """What `work` adds to the audit (and the look before it, which is itself an entry)."""
    before = len(entries(world.store, world.id)) + 1
    work()
    return entries(world.store, world.id, after=before)


def test_a_practice_begins_with_its_own_entry_and_its_first_user(riverside: World) -> None:
    (created, _, id_, detail), (added, by, _, roles), *more = entries(riverside.store)
    assert (created, id_) == ("practice_created", "1")
    assert detail == {"timezone": "America/New_York", "portals": ["medplum", "other"]}
    assert (added, by, roles["roles"]) == ("user_added", "command", ["manager", "admin"])
    assert {each[0] for each in more} == {"device_added"}


def test_adding_people_portals_and_devices_is_recorded(riverside: World) -> None:
    def work() -> None:
        user = add_user(
            riverside.store,
            riverside.id,
            email="np@riverside.example",
            name="Nell Page",
            roles=["clinician"],
            credential="NP",
            password=PASSWORD,
            now=NOW,
        )
        made.append(user.user_id)
        add_device(riverside.store, riverside.id, clinician_email="np@riverside.example", name="Nell's", now=NOW)
        add_portal(riverside.store, riverside.id, key="two", kind="medplum", origin="https://two.example", now=NOW)

    made: list[str] = []
    user, device, portal = new_entries(riverside, work)
    assert user == ("user_added", "command", made[0], {"roles": ["clinician"], "credential": "NP", "specialty": None})
    assert (device[0], device[3]) == ("device_added", {"user": made[0]})
    assert portal == ("portal_added", "command", "two", {"kind": "medplum", "origin": "https://two.example"})


def test_signing_in_and_out_and_failing_to_are_recorded(riverside: World) -> None:
    def work() -> None:
        with pytest.raises(NotSignedIn):
            sign_in(riverside.store, email=MANAGER, password="wrong", now=NOW)
        with pytest.raises(NotSignedIn):
            sign_in(riverside.store, email="nobody@riverside.example", password="wrong", now=NOW)
        token, user = sign_in(riverside.store, email=MANAGER, password=PASSWORD, now=NOW)
        who.append(user.user_id)
        sign_out(riverside.store, token, NOW)
        sign_out(riverside.store, token, NOW)

    who: list[str] = []
    assert new_entries(riverside, work) == [
        ("signed_in", "user", who[0], {}),
        ("signed_out", "user", who[0], {}),
        ("sign_in_failed", "visitor", who[0], {}),  # nobody waited for it
    ]


def test_a_refused_address_takes_as_long_whoever_has_it(riverside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed try waits for one commit, so that its time does not tell whether somebody has the address."""
    monkeypatch.setattr(passwords, "matches", lambda stored, given: False)
    waits: list[object] = []
    monkeypatch.setattr(riverside.store, "write", waits.append)
    for tries, email in enumerate((MANAGER, "nobody@riverside.example"), 1):
        with pytest.raises(NotSignedIn):
            sign_in(riverside.store, email=email, password="wrong", now=NOW)
        assert len(waits) == tries
    monkeypatch.undo()


def test_a_setting_is_recorded_with_its_day(riverside: World) -> None:
    [(action, actor, name, detail)] = new_entries(
        riverside,
        lambda: change_setting(
            riverside.store,
            riverside.id,
            name="aggregate_by",
            value="specialty",
            payer=None,
            from_on=date(2026, 5, 1),
            by="u1",
            now=NOW,
        ),
    )
    assert (action, actor, name) == ("setting_changed", "user", "aggregate_by")
    assert detail == {"value": "specialty", "payer": None, "from": "2026-05-01"}


def test_a_request_of_intervals_is_one_entry_of_its_device(riverside: World) -> None:
    rows = [riverside.row("2026-04-06 09:00", 60), riverside.row("2026-04-06 09:05", 60)]
    found = new_entries(riverside, lambda: [riverside.send(*rows), riverside.send(*rows)])
    [(action, actor, subject, detail)] = found
    assert (action, actor, detail["intervals"]) == ("time_recorded", "device", 2), "what was known adds nothing"
    assert subject == riverside.devices["doctor"].user_id


def test_facts_are_one_entry_a_hundred_rows_with_counts(riverside: World) -> None:
    def say(*rows: dict, dry_run: bool = False) -> None:
        learn(riverside.store, riverside.id, "face_to_face", rows, source="csv", now=NOW, dry_run=dry_run)

    seen = {"portal": "medplum", "specialty": "family_medicine", "date": "2026-01-05", "face_to_face": True}
    rows = [{**seen, "patient": f"p{number}"} for number in range(150)]
    first, second = new_entries(riverside, lambda: say(*rows, {"nonsense": 1}))
    assert [first[3]["new"], second[3]["new"], second[3]["refused"]] == [100, 50, 1]
    assert first[:3] == ("facts_learned", "command", "face_to_face")
    assert new_entries(riverside, lambda: say(*rows)) == [], "nothing new was said"
    assert new_entries(riverside, lambda: say({**rows[0], "patient": "other"}, dry_run=True)) == []


def test_an_approval_a_report_and_an_export_are_recorded(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 280), riverside.row("2026-04-06 09:10", 280))
    riverside.resolve("123", now=NOW)
    riverside.ask("2026-04-06 07:30", now=NOW)
    make_reportable(riverside, patient="123", now=NOW)
    [row] = riverside.report(NOW)
    id_ = row["episode_id"]
    [approved] = new_entries(riverside, lambda: approve(riverside.store, riverside.id, id_, by="u1", now=NOW))
    assert approved[:3] == ("episode_approved", "user", id_)

    def again() -> None:
        with pytest.raises(Conflict):
            approve(riverside.store, riverside.id, id_, by="u1", now=NOW)

    assert new_entries(riverside, again) == [], "what was refused did not happen"
    [report] = new_entries(riverside, lambda: riverside.report(NOW))
    assert report[3] == {"from": "2000-01-01", "to": "2099-12-31", "as_of": None, "episodes": 1}
    [taken] = new_entries(riverside, lambda: list(export_intervals(riverside.store, riverside.id, now=NOW)))
    assert taken[0] == "intervals_exported"


def test_reading_is_recorded_and_what_is_not_there_is_not_read(riverside: World) -> None:
    riverside.send(riverside.row("2026-04-06 09:00", 200, patient="123"))
    [row] = riverside.report(NOW)
    store, practice_id = riverside.store, riverside.id

    def read() -> None:
        get_episode(store, practice_id, row["episode_id"], now=NOW, by="u1")
        list_episodes(store, practice_id, now=NOW, by="u1")
        find_episodes(store, practice_id, "123", now=NOW, by="u1")
        with pytest.raises(NotFound):
            get_episode(store, practice_id, "0" * 32, now=NOW, by="u1")

    assert new_entries(riverside, read) == [
        ("episode_read", "user", row["episode_id"], {}),
        ("episodes_listed", "user", None, {"episodes": 1}),
        ("episodes_listed", "user", None, {"episodes": 1}),
    ]


def test_a_check_is_recorded_with_what_it_found(riverside: World) -> None:
    [(action, actor, _, detail)] = new_entries(riverside, lambda: verify(riverside.store, now=NOW))
    assert (action, actor, detail) == ("verified", "command", {"problems": 0})
    assert new_entries(riverside, lambda: verify(riverside.store)) == []


def test_the_audit_holds_no_reference_name_address_or_token(riverside: World) -> None:
    canary, passphrase = "canary-0000-4711", "violet-harbour-quickstep-9"
    riverside.send(riverside.row("2026-04-06 09:00", 200, patient=canary, thread=f"{canary}-t"))
    riverside.say("coverage", {"patient": canary, "type": "commercial", "covers": True}, now=NOW)
    riverside.ask("2026-04-06 07:30", thread=f"{canary}-t", now=NOW, problem=canary)
    find_episodes(riverside.store, riverside.id, canary, now=NOW)
    add_user(
        riverside.store,
        riverside.id,
        email=f"{canary}@riverside.example",
        name=canary,
        roles=["staff"],
        password=passphrase,
        now=NOW,
    )
    token, _ = sign_in(riverside.store, email=f"{canary}@riverside.example", password=passphrase, now=NOW)
    device = add_device(
        riverside.store, riverside.id, clinician_email=f"{canary}@riverside.example", name=canary, now=NOW
    )
    sign_out(riverside.store, token, NOW)
    text = json.dumps(list(export_audit(riverside.store, riverside.id, now=NOW)))
    with riverside.store.read() as connection:
        for table in ("audit_entry", "audit_detail"):
            text += repr([tuple(row) for row in connection.execute(f"SELECT * FROM {table}")])
    assert "time_recorded" in text
    for secret in (canary, passphrase, token, token[-43:], device, device[-43:], "@riverside"):
        assert secret not in text


def test_a_day_is_listed_newest_first_in_the_practices_zone_page_by_page(riverside: World) -> None:
    midnight = at("2026-04-07 00:00")
    for offset in range(-150, 150):
        riverside.store.write(
            lambda connection, offset=offset: riverside.store.audit.add(
                connection,
                riverside.id,
                at=midnight + offset,
                actor=Actor("device", riverside.devices["doctor"].device_id),
                action="signed_in" if offset % 2 else "signed_out",
                subject=("user", riverside.devices["doctor"].user_id),
            )
        )
    first = list_entries(riverside.store, riverside.id, on=date(2026, 4, 7), now=NOW)
    second = list_entries(riverside.store, riverside.id, on=date(2026, 4, 7), before=first.next, now=NOW)
    lines = first.lines + second.lines
    assert [each.at for each in lines] == list(range(midnight + 149, midnight - 1, -1))
    assert (len(first.lines), second.next) == (100, None)
    assert {(each.actor, each.who, each.subject_name) for each in lines} == {("device", "Doctor", "Doctor")}
    only = list_entries(riverside.store, riverside.id, on=date(2026, 4, 7), action="signed_in", now=NOW)
    assert len(only.lines) == 75
    assert list_entries(riverside.store, riverside.id, on=None, now=midnight - 1).on == date(2026, 4, 6)
    for wrong in ({"on": None, "action": "nonsense"}, {"on": date(1, 1, 1)}, {"on": date(9999, 12, 31)}):
        with pytest.raises(BadInput):
            list_entries(riverside.store, riverside.id, now=NOW, **wrong)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A data folder and its key, with one practice."""
    data, key = tmp_path / "data", tmp_path / "keys" / "key"
    create_folder(data)
    create_key(data, key)
    store = open_folder(data, key, now=NOW)
    create_practice(
        store,
        name="Riverside",
        timezone="America/New_York",
        admin_email=MANAGER,
        admin_name="Rosa Lind",
        password=PASSWORD,
        kinds=["medplum"],
        now=NOW,
    )
    store.close()
    yield data, key


def test_a_backup_in_the_databases_place_is_found_until_a_restore_says_so(folder: tuple[Path, Path]) -> None:
    data, key = folder
    backup = (data / "threadtime.db").read_bytes()
    store = open_folder(data, key, now=NOW)
    sign_in(store, email=MANAGER, password=PASSWORD, now=NOW)
    store.close()
    (data / "threadtime.db").write_bytes(backup)

    store = open_folder(data, key, now=NOW)
    missing = "Audit entries 3 to 3 are missing at the end: the head names them."
    assert verify(store) == [missing]
    assert store.move_audit_heads() == [1]
    old = store.audit.heads.read().heads[1]
    audit_restored(store, now=NOW)
    assert verify(store) == []
    heads = store.audit.heads.read()
    assert heads.before == [{1: old}]
    assert old == Head(3, old.seal)
    [_, _, (action, _, _, detail)] = entries(store)
    assert (action, detail) == ("restored", {"before": {"count": 3, "seal": old.seal.hex()}})
    store.close()
    store = open_folder(data, key, now=NOW)
    assert store.audit.heads.read().before == [{1: old}], "kept when the head moves on"
    assert verify(store) == []
    store.close()


def test_a_head_that_is_missing_or_damaged_is_a_problem(folder: tuple[Path, Path]) -> None:
    data, key = folder
    store = open_folder(data, key, now=NOW)
    path = store.audit.heads.path
    whole = path.read_bytes()
    path.unlink()
    assert "is missing" in verify(store)[0]
    path.write_text("nonsense")
    assert "is damaged" in verify(store)[0]
    path.write_bytes(whole)
    assert verify(store) == []
    store.close()
