"""People: who they are, and the sessions of their browsers."""

import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from backend.audit import Action, by_user
from backend.auth import passwords, tokens
from backend.auth.roles import ROLES, may
from backend.config import Config
from backend.errors import BadInput, Conflict, NotAllowed
from backend.store import people as rows
from backend.store import practices
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
    credential, specialty = (" ".join((each or "").split()) or None for each in (credential, specialty))
    if any(each and len(each) > 60 for each in (credential, specialty)):
        raise BadInput("A credential and a specialty have at most 60 characters.")
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
    by: str | None = None,
) -> User:
    """The new user, able to sign in. `by`: who adds them; None: a command.

    BadInput as in `new_user`, Conflict when the address is in use.
    """
    user = new_user(practice_id, email=email, name=name, roles=roles, credential=credential, specialty=specialty)
    with store.read() as connection:
        practice_name = practices.by_id(connection, practice_id)["name"]
    password_hash = passwords.new_hash(password, about=(practice_name, user.name, user.email))

    def work(connection: Connection) -> None:
        insert_user(connection, user, password_hash=password_hash, now=now)
        audit_user(store, connection, user, by=by, now=now)

    store.write(work)
    return user


def insert_user(connection: Connection, user: User, *, password_hash: str | None, now: int) -> None:
    """Stores a user inside a unit of work that is already open (a practice and its first user come together).

    `password_hash` None: the person chooses a password by a one-time link."""
    if rows.is_taken(connection, user.email):
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


def audit_user(store: Store, connection: Connection, user: User, *, by: str | None, now: int) -> None:
    """The entry that says that a user was added."""
    store.audit.add(
        connection,
        user.practice_id,
        at=now,
        actor=by_user(by),
        action="user_added",
        subject=("user", user.user_id),
        detail={"roles": list(user.roles), "credential": user.credential, "specialty": user.specialty},
    )


def may_touch(by: User | None, before: Iterable[str], after: Iterable[str]) -> None:
    """NotAllowed when `by` (None: the command line) may not change an account from these roles to those."""
    if by is not None and "admin" in {*before, *after} and not may(by.roles, "manage administrators"):
        raise NotAllowed("Only an administrator makes somebody administrator or changes an administrator's account.")


def names(store: Store, practice_id: int) -> dict[str, str]:
    """User id -> name of everybody in the practice."""
    with store.read() as connection:
        return rows.names(connection, practice_id)


def audit_own(store: Store, connection: Connection, practice_id: int, user_id: str, action: Action, now: int) -> None:
    """The entry of what a person does to their own account or session, in the unit of work that does it."""
    store.audit.add(connection, practice_id, at=now, actor=by_user(user_id), action=action, subject=("user", user_id))


def session(store: Store, token: str | None, now: int, config: Config) -> Session | None:
    """Who holds this token, or None when it names no session or one that has ended: unused for
    `config.session_idle_seconds`, older than `config.session_absolute_seconds`, signed out, or of a user who is no
    longer active. Using a session keeps it alive."""
    practice_id = tokens.practice_of(token, "ts") if token else None
    if token is None or practice_id is None:
        return None
    name = tokens.digest(token)
    found = store.look_up(lambda connection: rows.find_session(connection, practice_id, name))
    if found is None or not found.user.active:
        return None
    if now - found.created_at >= config.session_absolute_seconds * 1000:
        return None
    if now - found.seen_at >= config.session_idle_seconds * 1000:
        return None
    if now - found.seen_at >= TOUCH_AFTER_MS:
        store.write(lambda connection: rows.touch_session(connection, practice_id, name, now), practice_id)
    return Session(user_of(found.user), found.practice_name, found.timezone, tokens.form_token(token))


def sign_out(store: Store, token: str, now: int) -> None:
    """Ends the session; a token that names none is no error."""

    def work(connection: Connection) -> None:
        practice_id = tokens.practice_of(token, "ts")
        found = None if practice_id is None else rows.find_session(connection, practice_id, tokens.digest(token))
        if found is not None:
            end_session(connection, token)
            audit_own(store, connection, found.user.practice_id, found.user.user_id, "signed_out", now)

    store.write(work)


def end_session(connection: Connection, token: str) -> None:
    """Ends a session inside a unit of work that is already open."""
    practice_id = tokens.practice_of(token, "ts")
    if practice_id is not None:
        rows.delete_session(connection, practice_id, tokens.digest(token))


def user_of(found: rows.UserRow) -> User:
    """The user of a stored row."""
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
