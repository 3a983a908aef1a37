import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.auth import passwords
from backend.auth.guessable import is_guessable
from backend.errors import BadInput

ABOUT = ("Riverside Family Practice", "Robin Doe-Marsh", "robin@riverside.example")


@pytest.mark.parametrize(
    "password",
    [
        "Riverside2026!!",
        "riversidefamilypractice",
        "robindoemarsh1",
        "Robin.Doe.Marsh",
        "robin@riverside",
        "password1234",
        "P@ssw0rd2026!",
        "Welcome-Welcome",
        "Summer2026!!!",
        "qwertyuiop12",
        "poiuytrewq99",
        "1qaz2wsx3edc",
        "123456789012",
        "abcdefghijkl",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "Threadtime-Admin-2026",
    ],
)
def test_what_a_guesser_tries_first_is_refused(password):
    assert is_guessable(password, ABOUT)
    with pytest.raises(BadInput, match="easy to guess"):
        passwords.new_hash(password, ABOUT)


@pytest.mark.parametrize(
    "password",
    [
        "four words in a row",
        "correct horse battery staple",
        "river-stone-lantern",
        "my dog eats old shoes",
        "k7mx-2pqa-wq3r",
    ],
)
def test_words_that_have_nothing_to_do_with_each_other_are_good(password):
    assert not is_guessable(password, ABOUT)


def test_a_name_in_a_password_is_no_harm_where_enough_is_left():
    assert is_guessable("robin robin1", ABOUT)
    assert not is_guessable("robin sails to norway", ABOUT)


def test_a_generated_password_is_never_refused():
    assert not any(is_guessable(passwords.generated(), ABOUT) for _ in range(300))


@given(st.text(max_size=300), st.lists(st.text(max_size=60), max_size=4))
def test_any_text_gets_an_answer(password, about):
    assert is_guessable(password, about) in (True, False)
