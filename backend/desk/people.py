"""People: who they are, and the sessions of their browsers."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from backend.auth import passwords, tokens
from backend.auth.roles import ROLES
from backend.config import Config
from backend.errors import BadInput, Conflict, NotSignedIn
from backend.store import people as rows
from backend.store.connection import Connection
from backend.store.database import Store

TOUCH_AFTER_MS = 20_000
"""A session's last use is written at most this often: a page with ten requests is one write. A session may so end up
to 20 s before its idle limit, never after it."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class User:
    user_id: str
    practice_id: int
    email: str
    name: str
    roles: tuple[str, ...]
    credential: str | None
    specialty: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `form_token` must come back with every form it sends."""

    user: User
    practice_name: str
    timezone: str
    form_token: str


def new_user(
    practice_id: int,
    *,
    email: str,
    name: str,
    roles: Iterable[str],
    credential: str | None = None,
    specialty: str | None = None,
) -> User:
    """A user who is not stored yet; BadInput says what to give instead."""
    address, shown = email.strip().lower(), " ".join(name.split())
    wanted = tuple(role for role in ROLES if role in set(roles))
    if not _EMAIL.fullmatch(address) or len(address) > 254:
        raise BadInput("An e-mail address looks like rosa.lind@practice.example.")
    if not shown or len(shown) > 200:
        raise BadInput("A name has 1 to 200 characters.")
    if unknown := sorted(set(roles) - set(ROLES)):
        raise BadInput(f"There is no role {unknown[0]!r}; the roles are {', '.join(ROLES)}.")
    if not wanted:
        raise BadInput(f"A user needs at least one role of {', '.join(ROLES)}.")
    if "clinician" in wanted and not credential:
        raise BadInput("A clinician needs a credential such as MD, NP or PT: it decides which codes their time is for.")
    return User(uuid.uuid4().hex, practice_id, address, shown, wanted, credential, specialty, True)


def add_user(
    store: Store,
    practice_id: int,
    *,
    email: str,
    name: str,
    roles: Iterable[str],
    credential: str | None = None,
    specialty: str | None = None,
    password: str,
    now: int,
) -> User:
    """The new user, able to sign in. BadInput as in `new_user`, Conflict when the address is in use."""
    user = new_user(practice_id, email=email, name=name, roles=roles, credential=credential, specialty=specialty)
    password_hash = passwords.new_hash(password)
    store.write(lambda connection: insert_user(connection, user, password_hash=password_hash, now=now))
    return user


def insert_user(connection: Connection, user: User, *, password_hash: str, now: int) -> None:
    """Stores a user inside a unit of work that is already open (a practice and its first user come together)."""
    if rows.find_by_email(connection, user.email) is not None:
        raise Conflict("This e-mail address already signs in here; each person has one.")
    rows.insert_user(
        connection,
        rows.UserRow(
            user.practice_id,
            user.user_id,
            user.email,
            user.name,
            user.roles,
            user.credential,
            user.specialty,
            user.active,
            password_hash,
        ),
        now,
    )


def names(store: Store, practice_id: int) -> dict[str, str]:
    """User id -> name of everybody in the practice."""
    with store.read() as connection:
        return rows.names(connection, practice_id)


def sign_in(store: Store, *, email: str, password: str, now: int, replaces: str | None = None) -> tuple[str, User]:
    """A new session's token and its user; `replaces` (the token the browser came with) ends. NotSignedIn for a wrong
    address, a wrong password or a user who is not active, all three in the same words and the same time."""
    with store.read() as connection:
        found = rows.find_by_email(connection, email.strip().lower())
    right = passwords.matches(found.password_hash if found and found.active else None, password)
    if found is None or not right:
        raise NotSignedIn("The e-mail address or the password is not right.")
    user = _user(found)
    token = tokens.new_token("ts", user.practice_id)
    outdated = found.password_hash is not None and passwords.is_outdated(found.password_hash)
    renewed = passwords.new_hash(password) if outdated else None

    def work(connection: Connection) -> None:
        if renewed:
            rows.set_password(connection, user.practice_id, user.user_id, renewed)
        if replaces:
            _end(connection, replaces)
        rows.insert_session(connection, user.practice_id, tokens.digest(token), user.user_id, now)

    store.write(work)
    return token, user


def session(store: Store, token: str | None, now: int, config: Config) -> Session | None:
    """Who holds this token, or None when it names no session or one that has ended: unused for
    `config.session_idle_seconds`, older than `config.session_absolute_seconds`, signed out, or of a user who is no
    longer active. Using a session keeps it alive."""
    practice_id = tokens.practice_of(token, "ts") if token else None
    if token is None or practice_id is None:
        return None
    name = tokens.digest(token)
    with store.read() as connection:
        found = rows.find_session(connection, practice_id, name)
    if found is None or not found.user.active:
        return None
    if now - found.created_at >= config.session_absolute_seconds * 1000:
        return None
    if now - found.seen_at >= config.session_idle_seconds * 1000:
        return None
    if now - found.seen_at >= TOUCH_AFTER_MS:
        store.write(lambda connection: rows.touch_session(connection, practice_id, name, now))
    return Session(_user(found.user), found.practice_name, found.timezone, tokens.form_token(token))


def sign_out(store: Store, token: str) -> None:
    """Ends the session; a token that names none is no error."""
    store.write(lambda connection: _end(connection, token))


def _end(connection: Connection, token: str) -> None:
    practice_id = tokens.practice_of(token, "ts")
    if practice_id is not None:
        rows.delete_session(connection, practice_id, tokens.digest(token))


def _user(found: rows.UserRow) -> User:
    return User(
        found.user_id,
        found.practice_id,
        found.email,
        found.name,
        found.roles,
        found.credential,
        found.specialty,
        found.active,
    )
