import pytest

from backend.auth import tokens


def test_a_token_says_which_practice_it_speaks_of():
    assert tokens.practice_of(tokens.new_token("tt", 42), "tt") == 42


def test_a_session_is_no_device():
    assert tokens.practice_of(tokens.new_token("ts", 42), "tt") is None


NO_TOKENS = [
    "",
    "tt",
    "tt_1_",
    "tt_0_" + "a" * 43,
    "tt_-1_" + "a" * 43,
    "tt_٣_" + "a" * 43,
    "tt_1_" + "a" * 42,
    "tt_1_" + "a" * 44,
    "tt_1_" + "a" * 42 + "\n",
    " tt_1_" + "a" * 43,
    "tt_99999999999999999999_" + "a" * 43,
    "tt_1_" + "é" * 43,
]


@pytest.mark.parametrize("text", NO_TOKENS)
def test_what_has_not_the_shape_of_a_token_speaks_of_no_practice(text):
    assert tokens.practice_of(text, "tt") is None


def test_a_digest_is_not_the_token_and_differs_from_token_to_token():
    one, other = tokens.new_token("tt", 1), tokens.new_token("tt", 1)
    assert tokens.digest(one) != tokens.digest(other)
    assert one.encode() not in tokens.digest(one)


def test_any_two_texts_can_be_compared():
    assert tokens.same("é", "é")
    assert not tokens.same("é", "e")
