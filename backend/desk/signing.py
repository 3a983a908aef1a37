"""Signing in: the password, the lock after too many wrong ones, the code where a person has a second factor."""

from dataclasses import dataclass
from typing import NamedTuple

from backend.audit import VISITOR
from backend.auth import passwords, recovery, tokens, totp
from backend.desk.people import User, audit_own, end_session, user_of
from backend.errors import NotSignedIn
from backend.store import Connection, Store, factors
from backend.store import people as rows

FAILURES = 10
"""Wrong passwords or codes in a row that lock an account."""
LOCK_MS = 15 * 60_000
CODE_WITHIN_MS = 5 * 60_000
"""How long a right password waits for its code."""

WRONG = (
    "The e-mail address or the password is not right. "
    f"After {FAILURES} wrong tries in a row an account is locked for {LOCK_MS // 60_000} minutes."
)
"""The same for an unknown address, a wrong password, a locked and a deactivated account."""


class SignedIn(NamedTuple):
    """A new session's token, and whose it is."""

    token: str
    user: User


@dataclass(frozen=True, slots=True)
class CodeAsked:
    """The password was right; the token shows that together with the code."""

    step: str


def sign_in(
    store: Store, *, email: str, password: str, now: int, replaces: str | None = None, browser: str | None = None
) -> SignedIn | CodeAsked:
    """A new session, or what it still needs; `replaces` (the token the browser came with) ends. `browser`: a name to
    tell the session by. NotSignedIn for a wrong address, a wrong password, a locked account or a user who is not
    active, all in the same words and the same time."""
    with store.read() as connection:
        found = rows.find_by_email(connection, email.strip().lower())
    right = password_is_right(store, found, password, now)
    if found is None or not right:
        if found is not None:  # an address that nobody has is in no practice's audit
            store.write_soon(lambda connection: _audit_failed(store, connection, found, now), found.practice_id)
        raise NotSignedIn(WRONG)
    outdated = found.password_hash is not None and passwords.is_outdated(found.password_hash)
    renewed = passwords.hashed_again(password) if outdated else None
    token = tokens.new_token("ts" if found.totp_secret is None else "tc", found.practice_id)

    def work(connection: Connection) -> None:
        if renewed:
            rows.set_password(connection, found.practice_id, found.user_id, renewed)
        if found.totp_secret is None:
            _begin(store, connection, found, token, replaces=replaces, browser=browser, now=now)
        else:
            factors.put_step(connection, found.practice_id, found.user_id, tokens.digest(token), now)

    store.write(work)
    return SignedIn(token, user_of(found)) if found.totp_secret is None else CodeAsked(token)


def answer_code(
    store: Store, *, step: str, code: str, now: int, replaces: str | None = None, browser: str | None = None
) -> SignedIn:
    """The session, for the code of the app or a recovery code. NotSignedIn: a wrong or used code, or a `step` that is
    over; the latter begins anew with the password."""
    practice_id = tokens.practice_of(step, "tc")
    if practice_id is None:
        raise NotSignedIn(_OVER)
    token = tokens.new_token("ts", practice_id)

    def work(connection: Connection) -> SignedIn | str:
        waiting = factors.find_step(connection, practice_id, tokens.digest(step))
        found = rows.find_user(connection, practice_id, waiting[0]) if waiting else None
        if waiting is None or found is None or not found.active:
            raise NotSignedIn(_OVER)
        if now - waiting[1] >= CODE_WITHIN_MS:
            raise NotSignedIn(_OVER)
        if _is_locked(found, now):
            _audit_failed(store, connection, found, now)
            return _OVER
        if not code_is_right(connection, found, code, now):
            count_failure(connection, found, now)  # returned, not raised: a refusal would take the count back
            _audit_failed(store, connection, found, now)
            return _WRONG_CODE
        factors.drop_step(connection, practice_id, found.user_id)
        _begin(store, connection, found, token, replaces=replaces, browser=browser, now=now)
        return SignedIn(token, user_of(found))

    done = store.write(work)
    if isinstance(done, str):
        raise NotSignedIn(done)
    return done


_WRONG_CODE = "This code is not right, or it was used before. The app shows a new one every 30 seconds."
_OVER = "Signing in took too long, or there were too many wrong tries. Begin anew with the password."


def password_is_right(store: Store, found: rows.UserRow | None, password: str, now: int) -> bool:
    """Whether it is the person's password and the account is open; a wrong one counts toward the lock.

    What is refused takes as long for an account that is open, one that is not, and an address that nobody has: each
    waits for one hash and one commit.
    """
    account = found if found is not None and found.active and not _is_locked(found, now) else None
    if passwords.matches(None if account is None else account.password_hash, password):
        return True

    def work(connection: Connection) -> None:
        if account is not None:
            count_failure(connection, account, now)

    store.write(work)
    return False


def count_failure(connection: Connection, found: rows.UserRow, now: int) -> None:
    factors.count_failure(connection, found.practice_id, found.user_id, most=FAILURES, locked_until=now + LOCK_MS)


def code_is_right(connection: Connection, found: rows.UserRow, code: str, now: int) -> bool:
    """Whether it is the app's present code or a recovery code; either serves once."""
    if found.totp_secret is None:
        return False
    step = totp.step_of(found.totp_secret, code, now=now, after=found.totp_step)
    if step is not None:
        factors.set_step(connection, found.practice_id, found.user_id, step)
        return True
    return factors.use_recovery_code(connection, found.practice_id, found.user_id, recovery.digest(code))


def _begin(
    store: Store,
    connection: Connection,
    found: rows.UserRow,
    token: str,
    *,
    replaces: str | None,
    browser: str | None,
    now: int,
) -> None:
    if replaces:
        end_session(connection, replaces)
    factors.forget_failures(connection, found.practice_id, found.user_id)
    rows.insert_session(connection, found.practice_id, tokens.digest(token), found.user_id, browser, now)
    audit_own(store, connection, found.practice_id, found.user_id, "signed_in", now)


def _audit_failed(store: Store, connection: Connection, tried: rows.UserRow, now: int) -> None:
    store.audit.add(
        connection,
        tried.practice_id,
        at=now,
        actor=VISITOR,
        action="sign_in_failed",
        subject=("user", tried.user_id),
    )


def _is_locked(found: rows.UserRow, now: int) -> bool:
    return found.locked_until is not None and now < found.locked_until
