"""The lock after wrong tries, and the second factor, at instants that the test chooses."""

from functools import partial

import pytest

from backend.auth import passwords, totp
from backend.config import Config
from backend.desk import own_account, people, signing
from backend.errors import BadInput, Conflict, NotSignedIn
from backend.store.people import set_password
from tests.desk.world import PASSWORD, world

NOW = 1_790_000_010_000
MINUTE = 60_000
DOCTOR = "doctor@riverside.example"


HASH = passwords.new_hash(PASSWORD)


@pytest.fixture
def store(tmp_path):
    """Riverside, where the doctor and the nurse have a password."""
    with world(tmp_path) as riverside:
        for who in ("doctor", "nurse"):
            set_ = partial(set_password, practice_id=riverside.id, user_id=riverside.devices[who].user_id)
            riverside.store.write(partial(set_, password_hash=HASH))
        yield riverside.store


def enter(store, now=NOW, password=PASSWORD):
    return signing.sign_in(store, email=DOCTOR, password=password, now=now, browser="Firefox on Linux")


def code(secret, now):
    return totp.code(secret, now // 30_000)


@pytest.fixture
def enrolled(store):
    """(the secret, the recovery codes) of the doctor, who enrolled a minute before NOW."""
    token, user = enter(store, NOW - MINUTE)
    own_account.begin_enrolment(store, user, password=PASSWORD, now=NOW - MINUTE)
    secret = own_account.enrolment_of(store, user).secret.replace(" ", "")
    code_ = code(secret, NOW - MINUTE)
    return secret, own_account.confirm_enrolment(store, user, token, code=code_, now=NOW - MINUTE)


def fail(store, times, now=NOW):
    for _ in range(times):
        with pytest.raises(NotSignedIn):
            enter(store, now, "a wrong password")


def test_ten_wrong_passwords_lock_the_account_for_fifteen_minutes(store):
    fail(store, 10)
    with pytest.raises(NotSignedIn, match="locked for 15 minutes"):
        enter(store, NOW + 15 * MINUTE - 1)
    assert enter(store, NOW + 15 * MINUTE).user.email == DOCTOR


def test_a_sign_in_forgets_the_failures_before_it(store):
    fail(store, 9)
    enter(store)
    fail(store, 9)
    assert enter(store)


def test_an_unknown_address_a_locked_and_a_wrong_password_read_the_same(store):
    def words(email, password):
        with pytest.raises(NotSignedIn) as refused:
            signing.sign_in(store, email=email, password=password, now=NOW)
        return refused.value.message

    wrong = words(DOCTOR, "a wrong password")
    fail(store, 9)
    assert {wrong, words("nobody@riverside.example", PASSWORD), words(DOCTOR, PASSWORD)} == {signing.WRONG}


def test_with_a_second_factor_the_password_alone_opens_nothing(store, enrolled):
    asked = enter(store)
    assert isinstance(asked, signing.CodeAsked)
    assert people.session(store, asked.step, NOW, Config()) is None
    done = signing.answer_code(store, step=asked.step, code=code(enrolled[0], NOW), now=NOW)
    assert people.session(store, done.token, NOW, Config()).user.email == DOCTOR


def test_a_code_serves_once(store, enrolled):
    right = code(enrolled[0], NOW)
    signing.answer_code(store, step=enter(store).step, code=right, now=NOW)
    with pytest.raises(NotSignedIn, match="used before"):
        signing.answer_code(store, step=enter(store).step, code=right, now=NOW)


def test_the_code_that_enrolled_does_not_sign_in(store, enrolled):
    with pytest.raises(NotSignedIn):
        signing.answer_code(
            store, step=enter(store, NOW - MINUTE).step, code=code(enrolled[0], NOW - MINUTE), now=NOW - MINUTE
        )


def test_a_recovery_code_serves_once_in_place_of_the_app(store, enrolled):
    _, codes = enrolled
    _, user = signing.answer_code(store, step=enter(store).step, code=codes[3].upper(), now=NOW)
    assert own_account.factor_of(store, user) == own_account.Factor(True, 9)
    with pytest.raises(NotSignedIn):
        signing.answer_code(store, step=enter(store).step, code=codes[3], now=NOW)


def test_a_step_serves_once_and_for_five_minutes(store, enrolled):
    step = enter(store).step
    with pytest.raises(NotSignedIn, match="Begin anew"):
        late = NOW + 5 * MINUTE
        signing.answer_code(store, step=step, code=code(enrolled[0], late), now=late)
    signing.answer_code(store, step=step, code=code(enrolled[0], NOW), now=NOW)
    with pytest.raises(NotSignedIn, match="Begin anew"):
        signing.answer_code(store, step=step, code=enrolled[1][0], now=NOW)


def test_ten_wrong_codes_lock_the_account_and_right_passwords_do_not_reset_the_count(store, enrolled):
    for _ in range(10):
        with pytest.raises(NotSignedIn, match="not right"):
            signing.answer_code(store, step=enter(store).step, code="000000x", now=NOW)
    with pytest.raises(NotSignedIn):
        enter(store)


@pytest.mark.parametrize("step", ["", "x", "tc_1_" + "a" * 43, "ts_1_" + "a" * 43])
def test_what_is_no_step_opens_nothing(store, enrolled, step):
    with pytest.raises(NotSignedIn, match="Begin anew"):
        signing.answer_code(store, step=step, code=code(enrolled[0], NOW), now=NOW)


def test_neither_secrets_of_steps_nor_recovery_codes_are_stored(store, enrolled):
    step = enter(store).step
    with store.read() as connection:
        kept = [
            bytes(value) if isinstance(value, bytes) else str(value).encode()
            for table in ("sign_in_step", "recovery_code", "user", "session")
            for row in connection.execute(f"SELECT * FROM {table}")
            for value in row
        ]
    assert not [each for each in (step, *enrolled[1]) if any(each.encode() in value for value in kept)]


def test_turning_it_off_asks_for_the_password_and_makes_it_enough(store, enrolled):
    _, user = signing.answer_code(store, step=enter(store).step, code=code(enrolled[0], NOW), now=NOW)
    with pytest.raises(BadInput, match="not right"):
        own_account.turn_off_factor(store, user, password="a wrong password", now=NOW)
    own_account.turn_off_factor(store, user, password=PASSWORD, now=NOW)
    assert enter(store).user == user
    with pytest.raises(BadInput, match="no second factor"):
        own_account.new_recovery_codes(store, user, password=PASSWORD, now=NOW)


def test_new_recovery_codes_end_the_old_ones(store, enrolled):
    _, user = signing.answer_code(store, step=enter(store).step, code=code(enrolled[0], NOW), now=NOW)
    new = own_account.new_recovery_codes(store, user, password=PASSWORD, now=NOW)
    assert not set(new) & set(enrolled[1])
    with pytest.raises(NotSignedIn):
        signing.answer_code(store, step=enter(store).step, code=enrolled[1][0], now=NOW)
    assert signing.answer_code(store, step=enter(store).step, code=new[0], now=NOW)


def test_enrolling_twice_or_without_the_password_or_by_a_wrong_code_is_refused(store):
    token, user = enter(store)
    with pytest.raises(BadInput, match="not right"):
        own_account.begin_enrolment(store, user, password="a wrong password", now=NOW)
    with pytest.raises(BadInput, match="begin anew"):
        own_account.confirm_enrolment(store, user, token, code="123456", now=NOW)
    own_account.begin_enrolment(store, user, password=PASSWORD, now=NOW)
    with pytest.raises(BadInput, match="code is not right"):
        own_account.confirm_enrolment(store, user, token, code="x", now=NOW)
    secret = own_account.enrolment_of(store, user).secret.replace(" ", "")
    own_account.confirm_enrolment(store, user, token, code=code(secret, NOW), now=NOW)
    with pytest.raises(Conflict, match="already"):
        own_account.begin_enrolment(store, user, password=PASSWORD, now=NOW)


def test_sessions_are_listed_and_ended_by_their_own_person_alone(store):
    here, user = enter(store)
    other, _ = enter(store, NOW + MINUTE)
    listed = own_account.sessions_of(store, user, here, now=NOW + MINUTE, config=Config())
    assert [(each.browser, each.is_this) for each in listed] == [
        ("Firefox on Linux", False),
        ("Firefox on Linux", True),
    ]
    _, nurse = signing.sign_in(store, email="nurse@riverside.example", password=PASSWORD, now=NOW)
    own_account.end_session(store, nurse, listed[0].id_, NOW)
    assert people.session(store, other, NOW + MINUTE, Config())
    own_account.end_session(store, user, listed[0].id_, NOW)
    assert people.session(store, other, NOW + MINUTE, Config()) is None
    with pytest.raises(BadInput, match="no session"):
        own_account.end_session(store, user, "not hex", NOW)


def test_a_session_that_has_ended_is_not_listed(store):
    here, user = enter(store)
    assert own_account.sessions_of(store, user, here, now=NOW + 15 * MINUTE, config=Config()) == []


def test_changing_the_password_ends_the_other_sessions_and_keeps_this_one(store):
    here, user = enter(store)
    other, _ = enter(store)
    change = {"old": PASSWORD, "now": NOW}
    with pytest.raises(BadInput, match="easy to guess"):
        own_account.change_password(store, user, here, new="riverside-2026", **change)
    own_account.change_password(store, user, here, new="cold tea on the stairs", **change)
    assert people.session(store, here, NOW, Config())
    assert people.session(store, other, NOW, Config()) is None
    with pytest.raises(BadInput, match="not right"):
        own_account.change_password(store, user, here, new="warm tea on the stairs", **change)
    assert enter(store, password="cold tea on the stairs")


def test_ending_all_others_ends_them(store):
    here, user = enter(store)
    other, _ = enter(store)
    own_account.end_other_sessions(store, user, here, NOW)
    assert people.session(store, here, NOW, Config())
    assert people.session(store, other, NOW, Config()) is None
