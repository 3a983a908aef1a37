"""Pairing by code, with the clock in hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.auth.codes import LETTERS, new_code, read_code
from backend.desk import pairing
from backend.desk.devices import device_of, is_revoked, list_devices, revoke_device
from backend.desk.people import User, add_user
from backend.desk.practices import create_practice
from backend.errors import BadInput, NotFound, NotPaired, TooManyTries
from backend.store.database import Store, open_store
from backend.store.folder import create_folder

NOW = 1_790_000_000_000
MINUTE = 60_000
PASSWORD = "four words in a row"


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    create_folder(tmp_path / "data")
    opened = open_store(tmp_path / "data", bytes(range(32)), database=database)
    yield opened
    opened.close()


@pytest.fixture
def people(store: Store) -> dict[str, User]:
    """A doctor and a nurse who record time, and an administrator alone."""
    made = create_practice(
        store,
        name="Riverside",
        timezone="America/New_York",
        admin_email="manager@riverside.example",
        admin_name="Rosa Lind",
        password=PASSWORD,
        kinds=["medplum"],
        now=NOW,
    )
    return {
        role: add_user(
            store,
            made.practice_id,
            email=f"{role}@riverside.example",
            name=name,
            roles=[role],
            credential=credential,
            password=PASSWORD,
            now=NOW,
        )
        for role, name, credential in (
            ("clinician", "Robin Doe", "MD"),
            ("staff", "Sam Ray", None),
            ("admin", "Ada", None),
        )
    }


def ask(store: Store, now: int = NOW) -> pairing.Asked:
    return pairing.begin(store, device_name="desk", browser="Chromium on Linux", now=now)


def code_of(store: Store, device_code: str, now: int) -> str | None:
    """Why there is no token."""
    with pytest.raises(NotPaired) as refused:
        pairing.poll(store, device_code, now=now)
    return refused.value.code


def test_a_yes_gives_a_token_once_and_to_whoever_said_it(store, people):
    asked = ask(store)
    assert code_of(store, asked.device_code, NOW + 5000) == "authorization_pending"
    found = pairing.find(store, people["staff"], asked.user_code.lower().replace("-", " "), now=NOW + 6000)
    assert (found.device_name, found.browser, found.asked_at) == ("desk", "Chromium on Linux", NOW)
    pairing.answer(store, people["staff"], asked.user_code, yes=True, now=NOW + 7000)
    paired = pairing.poll(store, asked.device_code, now=NOW + 8000)
    assert (paired.user_name, paired.practice_name) == ("Sam Ray", "Riverside")
    device = device_of(store, paired.token)
    assert device is not None
    assert device.user_id == people["staff"].user_id
    assert code_of(store, asked.device_code, NOW + 20_000) == "expired_token"


def test_a_no_denies_and_ends_it(store, people):
    asked = ask(store)
    pairing.answer(store, people["clinician"], asked.user_code, yes=False, now=NOW)
    assert code_of(store, asked.device_code, NOW + 5000) == "access_denied"
    assert list_devices(store, people["clinician"]) == []


def test_a_code_is_over_after_ten_minutes_for_both_sides(store, people):
    asked = ask(store)
    last = NOW + 10 * MINUTE
    assert pairing.find(store, people["clinician"], asked.user_code, now=last - 1)
    with pytest.raises(NotFound):
        pairing.find(store, people["clinician"], asked.user_code, now=last)
    assert code_of(store, asked.device_code, last) == "expired_token"
    ask(store, last)
    with store.read() as connection:
        assert connection.execute("SELECT count(*) FROM pairing").fetchone()[0] == 1


def test_who_asks_too_often_is_told_to_slow_down(store, people):
    asked = ask(store)
    assert code_of(store, asked.device_code, NOW + 100) == "authorization_pending"
    assert code_of(store, asked.device_code, NOW + 1100) == "slow_down"
    assert code_of(store, asked.device_code, NOW + 6100) == "authorization_pending"


def test_five_wrong_tries_lock_the_code(store, people):
    asked = ask(store)
    name, proof = asked.user_code.split("-")
    wrong = f"{name}-{'BBBB' if proof != 'BBBB' else 'CCCC'}"
    for person, tries in (("clinician", 4), ("staff", 1)):
        for _ in range(tries):
            with pytest.raises(NotFound):
                pairing.find(store, people[person], wrong, now=NOW)
    with pytest.raises(NotFound):
        pairing.answer(store, people["staff"], asked.user_code, yes=True, now=NOW)
    assert code_of(store, asked.device_code, NOW + 5000) == "access_denied"


def test_five_wrong_codes_lock_the_person_for_ten_minutes_and_nobody_else(store, people):
    asked = ask(store)
    for typed in ("", "x", "BBBB-BBBB-BBBB", "AEIO-UAEI", "ZZZZ-ZZZZ"):
        with pytest.raises(NotFound):
            pairing.find(store, people["clinician"], typed, now=NOW)
    for verb in (pairing.find, lambda *of, now: pairing.answer(*of, yes=True, now=now)):
        with pytest.raises(TooManyTries) as locked:
            verb(store, people["clinician"], asked.user_code, now=NOW + 1000)
        assert locked.value.retry_after_seconds == 599
    assert pairing.find(store, people["staff"], asked.user_code, now=NOW + 1000)
    later = ask(store, NOW + 10 * MINUTE)
    assert pairing.find(store, people["clinician"], later.user_code, now=NOW + 10 * MINUTE)


def test_a_yes_of_somebody_who_records_no_time_any_more_gives_no_token(store, people):
    asked = ask(store)
    pairing.answer(store, people["clinician"], asked.user_code, yes=True, now=NOW)
    gone = people["clinician"]
    store.write(
        lambda connection: connection.execute("UPDATE user SET active = 0 WHERE user_id = ?", (gone.user_id,)).rowcount
    )
    assert code_of(store, asked.device_code, NOW + 5000) == "access_denied"


def test_neither_secret_nor_token_is_stored(store, people):
    asked = ask(store)
    pairing.answer(store, people["clinician"], asked.user_code, yes=True, now=NOW)
    with store.read() as connection:
        before = [tuple(row) for row in connection.execute("SELECT * FROM pairing")]
    token = pairing.poll(store, asked.device_code, now=NOW).token
    with store.read() as connection:
        after = [tuple(row) for row in connection.execute("SELECT * FROM device")]
    assert asked.device_code not in str(before)
    assert token not in str(after)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b", "a\u202eb"])
def test_a_device_needs_a_name_that_can_be_shown(store, name):
    with pytest.raises(BadInput):
        pairing.begin(store, device_name=name, browser="Chromium", now=NOW)


def test_only_its_owner_and_an_administrator_see_and_revoke_a_device(store, people):
    asked = ask(store)
    pairing.answer(store, people["clinician"], asked.user_code, yes=True, now=NOW)
    token = pairing.poll(store, asked.device_code, now=NOW).token
    [device] = list_devices(store, people["admin"])
    assert (device.user_name, device.seen_at) == ("Robin Doe", None)
    assert list_devices(store, people["staff"]) == []
    with pytest.raises(NotFound):
        revoke_device(store, people["staff"], device.device_id, now=NOW)
    device_of(store, token, seen_at=NOW + 5)
    device_of(store, token, seen_at=NOW + 50)
    assert list_devices(store, people["clinician"])[0].seen_at == NOW + 5, "written once a minute"
    assert not is_revoked(store, token)
    revoke_device(store, people["admin"], device.device_id, now=NOW + 9)
    revoke_device(store, people["clinician"], device.device_id, now=NOW + 99)
    assert list_devices(store, people["clinician"])[0].revoked_at == NOW + 9
    assert device_of(store, token) is None
    assert is_revoked(store, token)


def test_codes_have_two_groups_of_letters_that_nobody_confuses():
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    for code in codes:
        assert set(code.name + code.proof) <= set(LETTERS)
        assert read_code(f" {code.shown.lower()} ") == code
    assert not set("AEIOUY0158") & set(LETTERS)
