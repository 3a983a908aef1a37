"""Pairing codes: eight letters that a person reads on one page and types on another, in two groups.

The first group finds the pairing, the second proves that the person has seen the code: so a wrong second group is a
wrong try at one certain code, which locks after five. The letters have no vowels, so that no code is a word, and none
that are taken for one another or for a digit (RFC 8628, 6.1).
"""

import secrets
from typing import NamedTuple

LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
GROUP = 4
"""Letters a group: 160,000 names and as many proofs."""

EXPIRES_SECONDS = 600
INTERVAL_SECONDS = 5
"""How often a browser may ask for its token."""
TRIES = 5
"""Wrong tries after which a code, or the person who types codes, is locked."""
LOCKED_SECONDS = 600
"""How long a person is locked after the last wrong code."""


class Code(NamedTuple):
    name: str
    proof: str

    @property
    def shown(self) -> str:
        """`BCDF-GHJK`."""
        return f"{self.name}-{self.proof}"


def new_code() -> Code:
    return Code(*("".join(secrets.choice(LETTERS) for _ in range(GROUP)) for _ in range(2)))


def read_code(typed: str) -> Code | None:
    """The code in what a person typed, whatever the case and whatever stands between the letters; None: not one."""
    letters = "".join(letter for letter in typed[:100].upper() if letter.isalnum())
    if len(letters) != 2 * GROUP or not set(letters) <= set(LETTERS):
        return None
    return Code(letters[:GROUP], letters[GROUP:])
