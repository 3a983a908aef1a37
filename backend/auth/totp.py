"""Codes of an authenticator app: RFC 6238 with HMAC-SHA-1, six digits and steps of 30 seconds, which all apps speak."""

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
DRIFT = 1
"""Steps before and after the present one whose code is taken too: phones' clocks are off, and people type slowly."""


def new_secret() -> str:
    """160 random bits in base32: 32 letters and digits, as apps take them."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, step: int, digits: int = DIGITS) -> str:
    """The code of a step (seconds since the epoch // 30)."""
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1)
    start = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(secret: str, given: str, *, now: int, after: int | None) -> int | None:
    """The step whose code was given, or None; `now` in milliseconds; `after`: the last step that was used, which with
    all before it serves no more."""
    typed = "".join(given.split())
    present = now // 1000 // STEP_SECONDS
    fitting = [
        step
        for step in range(present - DRIFT, present + DRIFT + 1)
        if hmac.compare_digest(code(secret, step).encode(), typed.encode()) and (after is None or step > after)
    ]
    return fitting[0] if fitting else None


def address(secret: str, *, account: str) -> str:
    """The otpauth address that apps read."""
    asked = urlencode({"secret": secret, "issuer": "Threadtime", "digits": DIGITS, "period": STEP_SECONDS})
    return f"otpauth://totp/Threadtime:{quote(account, safe='')}?{asked}"


def grouped(secret: str) -> str:
    """The secret in groups of four, to be typed."""
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
