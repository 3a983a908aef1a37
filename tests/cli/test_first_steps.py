"""A practice is created, its people and devices are added."""

import re
import stat

import pytest

from tests.cli.conftest import ADMIN, DOCTOR


def test_init_without_a_terminal_prints_the_zone_and_a_generated_password(home):
    printed = home.done("init", TZ="Europe/Berlin")
    assert "Europe/Berlin" in printed
    assert re.search(r"password: [a-z0-9-]{20,}$", printed, re.MULTILINE)


def test_init_takes_its_answers_from_the_environment(home):
    printed = home.done(
        "init",
        THREADTIME_PRACTICE="Lakeside",
        THREADTIME_TIMEZONE="America/Chicago",
        THREADTIME_ADMIN=ADMIN,
        THREADTIME_ADMIN_PASSWORD="correct horse battery",
    )
    assert "Lakeside (America/Chicago)" in printed
    assert ADMIN in printed
    assert "correct horse battery" not in printed


def test_init_says_where_the_key_lies_and_what_losing_it_means(home):
    printed = home.done("init")
    [key] = home.key_files()
    assert str(key) in printed
    assert "without the key nobody can read the data" in printed
    assert len(key.read_bytes()) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_the_key_lies_where_the_environment_names_it(home, tmp_path):
    key = tmp_path / "elsewhere" / "riverside.key"
    printed = home.done("init", THREADTIME_KEY_FILE=str(key))
    assert str(key) in printed
    assert len(key.read_bytes()) == 32
    assert home.key_files() == []


def test_a_key_is_never_overwritten(home):
    home.done("init")
    [key] = home.key_files()
    before = key.read_bytes()
    assert "already" in home.refused("init")
    home.done("init", "--practice", "A second one", "--admin", "second@practice.example")
    assert key.read_bytes() == before


def test_a_lost_key_is_not_replaced(home):
    home.done("init")
    [key] = home.key_files()
    key.unlink()
    assert "key" in home.refused("init", "--practice", "Another")
    assert home.key_files() == []


def test_init_can_be_tried_again_after_an_answer_that_cannot_be(home):
    assert "time zone" in home.refused("init", "--timezone", "Mars/Olympus")
    home.done("init", "--timezone", "America/New_York")


def test_where_there_are_several_practices_one_must_be_named(home):
    home.done("init", "--practice", "North")
    home.done("init", "--practice", "South", "--admin", "south@practice.example")
    add = ("user", "add", "--email", DOCTOR, "--name", "Robin Doe", "--role", "staff", "--credential", "RN")
    assert "north, south" in home.refused(*add)
    home.done(*add, "--practice", "south")
    device = ("device", "add", "--clinician", DOCTOR, "--name", "desk")
    assert home.refused(*device, "--practice", "north")
    assert home.done(*device, "--practice", "south")
    assert home.refused(*device, "--practice", "west")


def test_a_device_token_is_the_only_thing_on_standard_output(home):
    token = home.set_up()
    assert re.fullmatch(r"tt_1_[A-Za-z0-9_-]{43}", token)


def test_a_person_gets_the_password_of_the_environment_or_one_that_is_shown(home):
    home.done("init")
    add = ("user", "add", "--name", "Robin Doe", "--role", "clinician", "--role", "biller", "--credential", "NP")
    shown = home.done(*add, "--email", "one@practice.example")
    assert re.search(r"password [a-z0-9-]{20,}$", shown.strip())
    hidden = home.done(*add, "--email", "two@practice.example", THREADTIME_USER_PASSWORD="correct horse battery")
    assert "password" not in hidden


def test_another_installation_of_a_portal_gets_a_key_of_its_own(home):
    home.done("init")
    add = ("portal", "add", "--key", "east", "--kind", "medplum", "--origin")
    assert "east" in home.done(*add, "https://east.example")
    assert "already" in home.refused(*add, "https://west.example")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("portal", "add", "--key", "x", "--kind", "telepathy", "--origin", "https://x.example"), "medplum"),
        (("portal", "add", "--key", "x", "--kind", "medplum", "--origin", "x"), "https://"),
        (("user", "add", "--email", "nobody", "--name", "N", "--role", "staff"), "e-mail"),
        (("user", "add", "--email", DOCTOR, "--name", "N", "--role", "clinician"), "credential"),
        (("device", "add", "--clinician", DOCTOR, "--name", "desk"), "add the user first"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_give_instead(home, words, said):
    home.done("init")
    assert said in home.refused(*words)
