"""Sessions through the desk's verbs, at instants that the test chooses."""

from dataclasses import replace

import pytest

from backend.config import Config
from backend.desk import devices, people, practices, signing
from backend.errors import BadInput, Conflict, NotFound, NotSignedIn
from backend.store.database import open_store
from backend.store.folder import create_folder
from backend.store.keys import create_key, read_key

PASSWORD = "four words in a row"
NOW = 1_790_000_000_000
MINUTE, HOUR = 60_000, 3_600_000
CONFIG = Config()
MANAGER = "manager@riverside.example"


@pytest.fixture
def store(tmp_path):
    data, key_file = tmp_path / "data", tmp_path / "key"
    create_folder(data)
    create_key(data, key_file)
    opened = open_store(data, read_key(data, key_file))
    yield opened
    opened.close()


def new_practice(store, name="Riverside", email=MANAGER):
    return practices.create_practice(
        store,
        name=name,
        timezone="America/New_York",
        admin_email=email,
        admin_name="Rosa Lind",
        password=PASSWORD,
        kinds=["medplum"],
        now=NOW,
    ).practice_id


@pytest.fixture
def practice_id(store):
    return new_practice(store)


@pytest.fixture
def token(store, practice_id):
    return signing.sign_in(store, email=MANAGER, password=PASSWORD, now=NOW)[0]


def add(store, practice_id, email, *roles, **more):
    return people.add_user(
        store, practice_id, email=email, name="Robin Doe", roles=roles, password=PASSWORD, now=NOW, **more
    )


def test_a_session_knows_its_user_and_the_practices_zone(store, token):
    found = people.session(store, token, NOW, CONFIG)
    assert (found.user.email, found.practice_name, found.timezone) == (MANAGER, "Riverside", "America/New_York")
    assert found.user.roles == ("manager", "admin")


def test_a_session_ends_after_fifteen_minutes_without_use(store, token):
    assert people.session(store, token, NOW + 15 * MINUTE - 1, CONFIG)
    assert people.session(store, token, NOW + 30 * MINUTE, CONFIG) is None


def test_using_a_session_keeps_it_alive(store, token):
    for minutes in range(0, 120, 14):
        assert people.session(store, token, NOW + minutes * MINUTE, CONFIG), f"after {minutes} minutes"


def test_a_session_ends_after_twelve_hours_however_much_it_is_used(store, token):
    for minutes in range(0, 12 * 60, 10):
        assert people.session(store, token, NOW + minutes * MINUTE, CONFIG)
    assert people.session(store, token, NOW + 12 * HOUR - 1, CONFIG)
    assert people.session(store, token, NOW + 12 * HOUR, CONFIG) is None


def test_a_clock_that_is_set_back_does_not_shorten_or_break_a_session(store, token):
    assert people.session(store, token, NOW + 5 * MINUTE, CONFIG)
    assert people.session(store, token, NOW, CONFIG)
    assert people.session(store, token, NOW + 19 * MINUTE, CONFIG)


def test_the_database_holds_no_session_token_only_its_digest(store, token):
    with store.read() as connection:
        rows = [tuple(row) for row in connection.execute("SELECT * FROM session")]
    assert len(rows) == 1
    assert not any(token in str(value) or token[-43:] in str(value) for row in rows for value in row)


def test_an_inactive_user_neither_signs_in_nor_keeps_a_session(store, token, practice_id):
    store.write(lambda connection: connection.execute("UPDATE user SET active = 0"))
    assert people.session(store, token, NOW, CONFIG) is None
    with pytest.raises(NotSignedIn):
        signing.sign_in(store, email=MANAGER, password=PASSWORD, now=NOW)


def test_an_address_signs_in_whatever_its_case(store, practice_id):
    assert signing.sign_in(store, email=" Manager@Riverside.EXAMPLE ", password=PASSWORD, now=NOW)


def test_a_password_hashed_with_older_parameters_is_hashed_anew_at_sign_in(store, practice_id):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    store.write(lambda connection: connection.execute("UPDATE user SET password_hash = ?", (weak,)))
    signing.sign_in(store, email=MANAGER, password=PASSWORD, now=NOW)
    with store.read() as connection:
        assert connection.execute("SELECT password_hash FROM user").fetchone()[0] != weak
    assert signing.sign_in(store, email=MANAGER, password=PASSWORD, now=NOW)


def test_one_address_signs_in_to_one_practice_only(store, practice_id):
    other = new_practice(store, "Hilltop", "boss@hilltop.example")
    with pytest.raises(Conflict, match="already signs in"):
        add(store, other, MANAGER.upper(), "manager")


@pytest.mark.parametrize(
    ("email", "name", "roles", "says"),
    [
        ("no address", "Robin", ["manager"], "looks like"),
        ("a@b c", "Robin", ["manager"], "looks like"),
        ("a@b.example", "  ", ["manager"], "name has"),
        ("a@b.example", "Robin", [], "at least one role"),
        ("a@b.example", "Robin", ["owner"], "no role 'owner'"),
        ("a@b.example", "Robin", ["clinician"], "needs a credential"),
    ],
)
def test_a_user_who_cannot_be_is_refused_with_what_to_give_instead(store, practice_id, email, name, roles, says):
    with pytest.raises(BadInput, match=says):
        people.add_user(store, practice_id, email=email, name=name, roles=roles, password=PASSWORD, now=NOW)


def test_a_device_is_known_by_its_token(store, practice_id):
    doctor = add(store, practice_id, "doctor@riverside.example", "clinician", credential="MD")
    token = devices.add_device(store, practice_id, clinician_email=doctor.email, name="laptop", now=NOW)
    found = devices.device_of(store, token)
    assert (found.practice_id, found.user_id, found.name) == (practice_id, doctor.user_id, "laptop")
    assert found.roles == {"clinician"}


def test_a_device_of_another_practice_is_never_meant(store, practice_id):
    other = new_practice(store, "Hilltop", "boss@hilltop.example")
    add(store, practice_id, "doctor@riverside.example", "clinician", credential="MD")
    with pytest.raises(NotFound):
        devices.add_device(store, other, clinician_email="doctor@riverside.example", name="laptop", now=NOW)
    token = devices.add_device(store, practice_id, clinician_email="doctor@riverside.example", name="laptop", now=NOW)
    assert devices.device_of(store, token.replace(f"tt_{practice_id}_", f"tt_{other}_")) is None


def test_a_device_of_a_user_who_is_gone_is_none(store, practice_id):
    add(store, practice_id, "doctor@riverside.example", "clinician", credential="MD")
    token = devices.add_device(store, practice_id, clinician_email="doctor@riverside.example", name="laptop", now=NOW)
    store.write(lambda connection: connection.execute("UPDATE user SET active = 0"))
    assert devices.device_of(store, token) is None


@pytest.mark.parametrize("role", ["clinician", "staff", "manager", "biller"])
def test_whoever_records_time_or_says_facts_may_hold_a_device(store, practice_id, role):
    add(store, practice_id, "pat@riverside.example", role, credential="NP")
    token = devices.add_device(store, practice_id, clinician_email="pat@riverside.example", name="feed", now=NOW)
    assert devices.device_of(store, token).roles == {role}


@pytest.mark.parametrize("role", ["auditor", "admin"])
def test_nobody_else_holds_a_device(store, practice_id, role):
    add(store, practice_id, "pat@riverside.example", role)
    with pytest.raises(BadInput, match="clinician, staff, a manager or a biller"):
        devices.add_device(store, practice_id, clinician_email="pat@riverside.example", name="feed", now=NOW)


def test_a_device_has_the_roles_that_its_user_has_now(store, practice_id):
    add(store, practice_id, "pat@riverside.example", "manager")
    token = devices.add_device(store, practice_id, clinician_email="pat@riverside.example", name="feed", now=NOW)
    store.write(lambda connection: connection.execute("UPDATE user SET roles = '[\"auditor\"]'"))
    assert devices.device_of(store, token).roles == {"auditor"}


@pytest.mark.parametrize("text", ["", "x", "ts_1_" + "a" * 43, "tt_1_" + "a" * 43, "tt_7_" + "a" * 43])
def test_what_is_no_device_token_is_no_device(store, practice_id, text):
    assert devices.device_of(store, text) is None


def test_a_session_token_is_no_device_token(store, token):
    assert devices.device_of(store, token) is None


def test_settings_decide_how_long_a_session_lives(store, token):
    short = replace(CONFIG, session_idle_seconds=60)
    assert people.session(store, token, NOW + MINUTE, short) is None
