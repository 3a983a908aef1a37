"""What people do with their own account: password, second factor, the list of their sessions.

Whatever makes the account easier to enter asks for the password again: an open session may be a borrowed browser.
"""

from dataclasses import dataclass

from backend.auth import passwords, recovery, tokens, totp
from backend.config import Config
from backend.desk.people import User, audit_own
from backend.desk.signing import password_is_right
from backend.errors import BadInput, Conflict, NotSignedIn
from backend.store import Connection, Store, factors, practices
from backend.store import accounts as rows
from backend.store import people as users

WRONG = "The password is not right."


@dataclass(frozen=True, slots=True)
class OwnSession:
    """`id_`: what ends it. `browser` None: it did not say. `is_this`: the one that asks."""

    id_: str
    browser: str | None
    created_at: int
    seen_at: int
    is_this: bool


@dataclass(frozen=True, slots=True)
class Factor:
    """The second factor: whether it is asked for, and how many recovery codes are left."""

    is_on: bool
    codes_left: int


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret that waits for its first code, in groups to be typed, and as the address that apps read."""

    secret: str
    address: str


def sessions_of(store: Store, user: User, token: str, *, now: int, config: Config) -> list[OwnSession]:
    """The person's sessions that have not ended; the one used last comes first. `token`: of the session that asks."""
    with store.read() as connection:
        found = rows.sessions_of(connection, user.practice_id, user.user_id)
    return [
        OwnSession(
            row["token_digest"].hex(),
            row["browser"],
            row["created_at"],
            row["seen_at"],
            row["token_digest"] == tokens.digest(token),
        )
        for row in found
        if now - row["seen_at"] < config.session_idle_seconds * 1000
        and now - row["created_at"] < config.session_absolute_seconds * 1000
    ]


def end_session(store: Store, user: User, id_: str, now: int) -> None:
    """Ends one of the person's sessions; one that has ended is no error. BadInput: no id of a session."""
    try:
        digest = bytes.fromhex(id_)
    except ValueError:
        raise BadInput("This is no session; load the page again.") from None

    def work(connection: Connection) -> None:
        if rows.end_session(connection, user.practice_id, user.user_id, digest):
            audit_own(store, connection, user.practice_id, user.user_id, "session_ended", now)

    store.write(work)


def end_other_sessions(store: Store, user: User, token: str, now: int) -> None:
    """Ends all the person's sessions but the one of `token`."""

    def work(connection: Connection) -> None:
        rows.end_sessions(connection, user.practice_id, user.user_id, but=tokens.digest(token))
        audit_own(store, connection, user.practice_id, user.user_id, "sessions_ended", now)

    store.write(work)


def change_password(store: Store, user: User, token: str, *, old: str, new: str, now: int) -> None:
    """Sets a new password and ends the person's other sessions. BadInput: the old one is wrong, or the new one is too
    short or easy to guess."""
    confirm(store, user, old, now)
    with store.read() as connection:
        practice_name = practices.by_id(connection, user.practice_id)["name"]
    password_hash = passwords.new_hash(new, about=(practice_name, user.name, user.email))

    def work(connection: Connection) -> None:
        users.set_password(connection, user.practice_id, user.user_id, password_hash)
        rows.end_sessions(connection, user.practice_id, user.user_id, but=tokens.digest(token))
        rows.drop_link(connection, user.practice_id, user.user_id)
        audit_own(store, connection, user.practice_id, user.user_id, "password_changed", now)

    store.write(work)


def factor_of(store: Store, user: User) -> Factor:
    with store.read() as connection:
        found = _own(connection, user)
        return Factor(
            found.totp_secret is not None, factors.recovery_codes_left(connection, user.practice_id, user.user_id)
        )


def begin_enrolment(store: Store, user: User, *, password: str, now: int) -> None:
    """Makes a secret, which counts once a code of it comes back. BadInput: a wrong password. Conflict: there is one."""
    confirm(store, user, password, now)

    def work(connection: Connection) -> None:
        _must_be_off(_own(connection, user))
        factors.set_waiting(connection, user.practice_id, user.user_id, totp.new_secret())

    store.write(work)


def enrolment_of(store: Store, user: User) -> Enrolment | None:
    """What is shown to the person whose secret waits for its first code."""
    with store.read() as connection:
        secret = _own(connection, user).totp_waiting
    if secret is None:
        return None
    return Enrolment(totp.grouped(secret), totp.address(secret, account=user.email))


def confirm_enrolment(store: Store, user: User, token: str, *, code: str, now: int) -> list[str]:
    """Turns the second factor on and returns the recovery codes, which are shown once; other sessions end. BadInput: a
    wrong code, or nothing waits for one."""
    codes = recovery.new_codes()

    def work(connection: Connection) -> None:
        found = _own(connection, user)
        _must_be_off(found)
        if found.totp_waiting is None:
            raise BadInput("There is no secret that waits for its code; begin anew.")
        step = totp.step_of(found.totp_waiting, code, now=now, after=None)
        if step is None:
            raise BadInput("This code is not right. Is the phone's clock right, and was the secret typed whole?")
        factors.set_factor(connection, user.practice_id, user.user_id, secret=found.totp_waiting, step=step)
        _put_codes(connection, user, codes)
        rows.end_sessions(connection, user.practice_id, user.user_id, but=tokens.digest(token))
        audit_own(store, connection, user.practice_id, user.user_id, "second_factor_on", now)

    store.write(work)
    return codes


def new_recovery_codes(store: Store, user: User, *, password: str, now: int) -> list[str]:
    """Ten new codes, shown once; the old ones serve no more. BadInput: a wrong password, or no second factor."""
    confirm(store, user, password, now)
    codes = recovery.new_codes()

    def work(connection: Connection) -> None:
        if _own(connection, user).totp_secret is None:
            raise BadInput("There is no second factor to have recovery codes for.")
        _put_codes(connection, user, codes)
        audit_own(store, connection, user.practice_id, user.user_id, "recovery_codes_made", now)

    store.write(work)
    return codes


def turn_off_factor(store: Store, user: User, *, password: str, now: int) -> None:
    """From now on the password is enough. BadInput: a wrong password."""
    confirm(store, user, password, now)

    def work(connection: Connection) -> None:
        factors.set_factor(connection, user.practice_id, user.user_id, secret=None, step=None)
        _put_codes(connection, user, [])
        audit_own(store, connection, user.practice_id, user.user_id, "second_factor_off", now)

    store.write(work)


def confirm(store: Store, user: User, password: str, now: int) -> None:
    """BadInput unless it is the person's password; a wrong one counts toward the lock."""
    with store.read() as connection:
        found = _own(connection, user)
    if not password_is_right(store, found, password, now):
        store.write(
            lambda connection: audit_own(store, connection, user.practice_id, user.user_id, "password_refused", now)
        )
        raise BadInput(WRONG)


def _own(connection: Connection, user: User) -> users.UserRow:
    found = users.find_user(connection, user.practice_id, user.user_id)
    if found is None:
        raise NotSignedIn("This account is not there any more.")
    return found


def _must_be_off(found: users.UserRow) -> None:
    if found.totp_secret is not None:
        raise Conflict("There is a second factor already; turn it off first.")


def _put_codes(connection: Connection, user: User, codes: list[str]) -> None:
    factors.put_recovery_codes(connection, user.practice_id, user.user_id, [recovery.digest(each) for each in codes])
