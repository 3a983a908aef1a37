import time

import pytest
from argon2 import PasswordHasher
from argon2.low_level import Type

from backend.auth import passwords
from backend.errors import BadInput
from tests.conftest import HASHER_IN_FORCE, NOBODY_IN_FORCE

GOOD = "four words in a row"


@pytest.fixture(autouse=True)
def in_force(monkeypatch):
    monkeypatch.setattr(passwords, "_hasher", HASHER_IN_FORCE)
    monkeypatch.setattr(passwords, "NOBODY", NOBODY_IN_FORCE)


def test_a_password_matches_its_own_hash_and_no_other():
    stored = passwords.new_hash(GOOD)
    assert passwords.matches(stored, GOOD)
    assert not passwords.matches(stored, GOOD + " ")
    assert not passwords.matches(stored, "")


def test_a_hash_is_argon2id_and_never_the_same_twice():
    one, other = passwords.new_hash(GOOD), passwords.new_hash(GOOD)
    assert one.startswith("$argon2id$")
    assert one != other


def test_the_same_keys_on_two_systems_are_one_password():
    assert passwords.matches(passwords.new_hash("caf\u00e9 au lait, s'il"), "cafe\u0301 au lait, s'il")


@pytest.mark.parametrize("password", ["", "short", "a" * 11, "a" * 257])
def test_a_password_too_short_or_too_long_is_refused_with_what_to_do(password):
    with pytest.raises(BadInput, match="characters"):
        passwords.new_hash(password)


def test_nobody_is_never_matched_and_costs_what_somebody_costs():
    assert not passwords.is_outdated(passwords.NOBODY)
    assert not passwords.matches(None, GOOD)
    stored = passwords.new_hash(GOOD)

    def cost(hash_: str | None) -> float:
        began = time.thread_time()
        passwords.matches(hash_, "a wrong password")
        return time.thread_time() - began

    somebody, nobody = min(cost(stored) for _ in range(5)), min(cost(None) for _ in range(5))
    assert 0.5 < nobody / somebody < 2


def test_a_hash_with_other_parameters_is_outdated_and_still_matches():
    weaker = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1, type=Type.ID).hash(GOOD)
    assert passwords.is_outdated(weaker)
    assert passwords.matches(weaker, GOOD)


def test_a_stored_text_that_is_no_hash_matches_nothing():
    assert not passwords.matches("not a hash", GOOD)


def test_a_generated_password_is_long_enough_and_new_each_time():
    made = {passwords.generated() for _ in range(100)}
    assert len(made) == 100
    assert all(passwords.matches(passwords.new_hash(each), each) for each in list(made)[:1])
