"""Passwords: argon2id hashes, and an answer that takes as long for an unknown address as for a wrong password."""

import secrets
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from backend.auth.guessable import is_guessable
from backend.errors import BadInput

LEAST, MOST = 12, 256
"""Characters of a password. The upper bound only keeps a request from hashing a book."""

_hasher = PasswordHasher()  # argon2id with RFC 9106's low-memory parameters: 64 MiB, 3 passes, 4 lanes

NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$Hmi/BEMV8RPg3RJk7gCXlQ$SXYwFpDsxQ3QWDC7FORqN92X+ZZPr4bQnP3AqPa/hVc"
"""The hash of a password that was thrown away. It is checked where no user is found; a test holds its parameters to
those in force, since it only serves while checking it costs the same."""


def new_hash(password: str, about: Iterable[str] = ()) -> str:
    """The hash to store; BadInput for a password that is too short, too long or too easy to guess for somebody who
    knows `about`: the practice's name, the person's name and address."""
    plain = _normal(password)
    if len(plain) < LEAST:
        raise BadInput(f"A password needs at least {LEAST} characters; a few words in a row are good.")
    if len(plain) > MOST:
        raise BadInput(f"A password has at most {MOST} characters.")
    if is_guessable(plain, about):
        raise BadInput(
            "This password is easy to guess: leave out names, years, common words and rows of keys. Four words that "
            "have nothing to do with each other are good."
        )
    return _hasher.hash(plain)


def hashed_again(password: str) -> str:
    """The hash, by the parameters in force, of a password that somebody uses already, good or not."""
    return _hasher.hash(_normal(password))


def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed; None (no such user) is False and costs the same time."""
    plain = _normal(password)[: MOST + 1]
    try:
        _hasher.verify(stored or NOBODY, plain)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return stored is not None


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than those in force."""
    return _hasher.check_needs_rehash(stored)


def generated() -> str:
    """A password to show once: 118 bits in six groups that can be read aloud."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(6))


def _normal(password: str) -> str:
    # The same keys give different code points on different systems; NFKC makes them one (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password)
