"""What makes a long password easy to guess: names, common words, keyboard runs, years, repetition.

A password is worth its characters, where each piece that a guesser tries first counts as one: `Riverside2026!` in the
practice Riverside is worth three.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

ENOUGH = 8
"""Of what is left of a password, when each guessable piece counts as one character."""

_WORDS = (
    "password passwort passwd passcode letmein welcome changeme login logon signin secret default master access "
    "administrator admin root user guest manager temp test demo sample hello iloveyou love monkey dragon sunshine "
    "princess football baseball basketball superman batman shadow charlie "
    "spring summer autumn winter january february march april june july august september october november december "
    "monday tuesday wednesday thursday friday saturday sunday today "
    "threadtime portal epic medplum doctor nurse clinic clinician hospital practice medical medicine patient health "
    "office billing"
)
_ROWS = ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'", "zxcvbnm,./", "qwertzuiop", "azertyuiop", "qsdfghjklm")
_COLUMNS = ("1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "zaq1xsw2cde3vfr4bgt5nhy6mju7")
_LINES = (*_ROWS, *_COLUMNS, "abcdefghijklmnopqrstuvwxyz", "01234567890")
_RUN = 4  # characters beside each other that make a run
_STANDS_FOR = str.maketrans("013457@$!|", "oleastasil")
_YEAR = re.compile(r"(?:19|20)\d\d")
_SAME = re.compile(r"(.)\1{2,}")
_MARK = "\0"  # where a piece was


def is_guessable(password: str, about: Iterable[str] = ()) -> bool:
    """Whether too little is left of a password without what a guesser tries first; `about`: the practice's name, the
    person's name and e-mail address."""
    plain = _once(unicodedata.normalize("NFKC", password).lower())
    words = sorted({*_WORDS.split(" "), *(word for text in about for word in _parts(text))}, key=len, reverse=True)
    return min(_worth(plain, words), _worth(plain.translate(_STANDS_FOR), words)) < ENOUGH


def _worth(text: str, words: Iterable[str]) -> int:
    for word in words:
        text = text.replace(word, _MARK)
    for run in _runs(text):
        text = text.replace(run, _MARK)
    text = _SAME.sub(_MARK, _YEAR.sub(_MARK, text))
    return len(re.sub(f"{_MARK}+", _MARK, text))


def _runs(text: str) -> Iterator[str]:
    """The longest stretches of `text` that lie along a line of keys or the alphabet, either way; longest first."""
    lines = [line[::way] for line in _LINES for way in (1, -1)]
    found = set()
    at = 0
    while at <= len(text) - _RUN:
        length = max((_reach(text, at, line) for line in lines), default=0)
        if length >= _RUN:
            found.add(text[at : at + length])
        at += max(1, length if length >= _RUN else 1)
    yield from sorted(found, key=len, reverse=True)


def _reach(text: str, at: int, line: str) -> int:
    """How many characters of `text` from `at` stand in `line` in that order."""
    length = 0
    while at + length < len(text) and text[at : at + length + 1] in line:
        length += 1
    return length


def _once(text: str) -> str:
    """`abcabcabc` is `abc`: what is repeated counts once."""
    for length in range(1, len(text) // 2 + 1):
        if (text[:length] * (len(text) // length + 1)).startswith(text):
            return text[:length]
    return text


def _parts(text: str) -> Iterator[str]:
    """The words of a name or an address, and the name as one word."""
    plain = unicodedata.normalize("NFKC", text).lower()
    words = [word for word in re.split(r"[\W_]+", plain) if word]
    yield from (word for word in (*words, "".join(words)) if len(word) >= 3)
