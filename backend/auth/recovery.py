"""Recovery codes: each stands once for the code of an app that is lost."""

import hashlib
import secrets

COUNT = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_codes() -> list[str]:
    """Ten codes of 118 bits, in six groups of four: enough that a plain digest of one cannot be tried out."""
    return ["-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(6)) for _ in range(COUNT)]


def digest(code: str) -> bytes:
    """32 bytes: what is stored; the same however the code is typed, in capitals, without hyphens."""
    plain = "".join(each for each in code.lower() if each.isalnum())
    return hashlib.sha256(b"recovery\0" + plain.encode()).digest()
