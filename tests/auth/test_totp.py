"""RFC 6238, appendix B, and what a code may be used for."""

import base64

import pytest

from backend.auth import recovery, totp

RFC = base64.b32encode(b"12345678901234567890").decode()
NOW = 1_790_000_010_000
PRESENT = NOW // 30_000


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_codes_are_those_of_the_standard(second, code):
    assert totp.code(RFC, second // 30, digits=8) == code


@pytest.mark.parametrize(("drift", "taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_is_taken_within_one_step_of_the_present(drift, taken):
    step = totp.step_of(RFC, totp.code(RFC, PRESENT + drift), now=NOW, after=None)
    assert step == (PRESENT + drift if taken else None)


def test_a_code_that_was_used_and_those_before_it_serve_no_more():
    for step in (PRESENT - 1, PRESENT):
        assert totp.step_of(RFC, totp.code(RFC, step), now=NOW, after=PRESENT) is None
    assert totp.step_of(RFC, totp.code(RFC, PRESENT + 1), now=NOW, after=PRESENT) == PRESENT + 1


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "é", "1234567", "٣٣٣٣٣٣"])
def test_what_is_no_code_is_not_taken(typed):
    assert totp.step_of(RFC, typed, now=NOW, after=None) is None


def test_a_code_may_be_typed_in_groups():
    code = totp.code(RFC, PRESENT)
    assert totp.step_of(RFC, f" {code[:3]} {code[3:]} ", now=NOW, after=None) == PRESENT


def test_the_address_is_what_apps_read():
    secret = totp.new_secret()
    address = totp.address(secret, account="rosa+a@riverside.example")
    assert address.startswith("otpauth://totp/Threadtime:rosa%2Ba%40riverside.example?")
    assert f"secret={secret}" in address and "issuer=Threadtime" in address
    assert totp.grouped(secret).replace(" ", "") == secret
    assert len(base64.b32decode(secret)) == 20


def test_a_recovery_code_is_the_same_in_capitals_and_without_hyphens():
    codes = recovery.new_codes()
    assert len(set(codes)) == recovery.COUNT
    assert recovery.digest(codes[0]) == recovery.digest(f" {codes[0].upper().replace('-', ' ')}")
    assert recovery.digest(codes[0]) != recovery.digest(codes[1])
