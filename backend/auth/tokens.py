"""Random secrets that name their practice, and the digests that are stored in their place.

A token is `<kind>_<practice id>_<43 URL-safe characters>`; the secret part holds 256 bits, so a plain SHA-256 is enough
and looking it up by that digest gives nothing away by its timing. The practice's id stands in front so that every
query can lead with it.
"""

import hashlib
import re
import secrets
from typing import Literal

Kind = Literal["tt", "ts", "tl", "tc", "to"]
"""`tt`: a device's token. `ts`: a session in a browser. `tl`: a one-time link. `tc`: a right password that waits for
the code of the second factor. `to`: the state that goes to the organisation's provider and comes back."""

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_SHAPE = re.compile(r"(tt|ts|tl|tc|to)_([1-9][0-9]{0,15})_([A-Za-z0-9_-]{43})", re.ASCII)


def new_secret() -> str:
    """43 URL-safe characters, 256 bits."""
    return secrets.token_urlsafe(32)


def is_secret(text: str) -> bool:
    """Whether it has the shape of one."""
    return _SECRET.fullmatch(text) is not None


def new_token(kind: Kind, practice_id: int) -> str:
    return f"{kind}_{practice_id}_{new_secret()}"


def practice_of(token: str, kind: Kind) -> int | None:
    """The practice a token speaks of, or None when it has not the shape of a token of this kind."""
    found = _SHAPE.fullmatch(token)
    return int(found[2]) if found and found[1] == kind else None


def digest(token: str) -> bytes:
    """32 bytes: what is stored, never the token."""
    return hashlib.sha256(token.encode()).digest()


def form_token(secret: str) -> str:
    """What stands in a page's forms: proves that the page was made for the holder of `secret` without showing it."""
    return hashlib.sha256(b"form\0" + secret.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Equality in constant time, for any text."""
    return secrets.compare_digest(one.encode(), other.encode())
