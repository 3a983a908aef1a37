"""The accounts of a practice: who has one, inviting, changing, deactivating, a new password by a one-time link.

`by` is who does it; None: the command line, which may everything. Whoever does not manage administrators touches no
administrator's account and makes nobody one. A practice keeps one administrator who can sign in.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from backend.audit import Action, by_user
from backend.desk.delegations import end_within, move_within
from backend.desk.links import make_link
from backend.desk.people import User, audit_user, insert_user, may_touch, new_user, user_of
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store, factors, identities, patients
from backend.store import accounts as rows
from backend.store import people as users

State = Literal["active", "waiting", "deactivated"]


@dataclass(frozen=True, slots=True)
class Account:
    """`state` waiting: no way to sign in yet, or none any more. `link_until`: when an unused link expires.
    `locked_until`: of a lock that holds now."""

    user: User
    state: State
    link_until: int | None
    locked_until: int | None
    has_second_factor: bool
    has_password: bool
    by_provider: bool
    """Linked with the organisation's provider that is set now."""


def accounts_of(store: Store, practice_id: int, now: int) -> list[Account]:
    """Everybody, by name."""
    with store.read() as connection:
        links = rows.links(connection, practice_id)
        found = users.of_practice(connection, practice_id)
        linked = identities.linked(connection, practice_id)
    return [_account(each, links.get(each.user_id), linked, now) for each in found]


def account_of(store: Store, practice_id: int, user_id: str, now: int) -> Account:
    """NotFound when nobody of the practice has that id."""
    with store.read() as connection:
        links = rows.links(connection, practice_id)
        linked = identities.linked(connection, practice_id)
        return _account(_find(connection, practice_id, user_id), links.get(user_id), linked, now)


def invite(
    store: Store,
    by: User,
    *,
    email: str,
    name: str,
    roles: Iterable[str],
    credential: str | None,
    specialty: str | None,
    now: int,
) -> tuple[User, str]:
    """The new person, and the token of the link by which they choose a password. BadInput as in `new_user`, Conflict
    when the address is in use."""
    user = new_user(by.practice_id, email=email, name=name, roles=roles, credential=credential, specialty=specialty)
    may_touch(by, (), user.roles)

    def work(connection: Connection) -> str:
        insert_user(connection, user, password_hash=None, now=now)
        audit_user(store, connection, user, by=by.user_id, now=now)
        return make_link(connection, user.practice_id, user.user_id, by=by.user_id, now=now)

    return user, store.write(work)


def change_account(
    store: Store,
    by: User,
    user_id: str,
    *,
    name: str,
    roles: Iterable[str],
    credential: str | None,
    specialty: str | None,
    now: int,
) -> None:
    """Sets name, roles, credential and specialty; the roles hold from the person's next request. Another credential or
    specialty has every open episode decided again. BadInput as in `new_user`."""

    def work(connection: Connection) -> None:
        before = _find(connection, by.practice_id, user_id)
        after = new_user(
            by.practice_id, email=before.email, name=name, roles=roles, credential=credential, specialty=specialty
        )
        may_touch(by, before.roles, after.roles)
        if "admin" not in after.roles:
            keep_an_administrator(connection, before)
        rows.update_user(
            connection,
            by.practice_id,
            user_id,
            name=after.name,
            roles=after.roles,
            credential=after.credential,
            specialty=after.specialty,
        )
        if (before.credential, before.specialty) != (after.credential, after.specialty):
            patients.mark_practice_due(connection, by.practice_id)
        said = {"roles": list(after.roles), "credential": after.credential, "specialty": after.specialty}
        _say(store, connection, before, "user_changed", by=by, now=now, detail=said)

    store.write(work)


def deactivate(store: Store, by: User, user_id: str, now: int, *, successor: str | None = None) -> None:
    """Closes the account: its sessions, devices and link end at once. What was recorded stays. `successor`: the user id
    of who answers from then on what still waits for the person; errors as of `delegations.move_work`."""

    def work(connection: Connection) -> None:
        user = _find(connection, by.practice_id, user_id)
        may_touch(by, user.roles, ())
        keep_an_administrator(connection, user)
        rows.set_active(connection, by.practice_id, user_id, active=False)
        rows.end_sessions(connection, by.practice_id, user_id)
        rows.revoke_devices(connection, by.practice_id, user_id, now)
        rows.drop_link(connection, by.practice_id, user_id)
        _say(store, connection, user, "user_deactivated", by=by, now=now)
        if successor is not None:
            move_within(store, connection, user, successor, by=by, now=now)

    store.write(work)


def reactivate(store: Store, by: User, user_id: str, now: int) -> None:
    """Opens a deactivated account again, with its password; devices are paired anew. Work that was moved as the person
    left is theirs to answer again. Conflict: somebody erased."""

    def work(connection: Connection) -> None:
        user = _find(connection, by.practice_id, user_id)
        may_touch(by, user.roles, ())
        if "@" not in user.email:
            raise Conflict("This person was erased; somebody who comes back is invited anew.")
        rows.set_active(connection, by.practice_id, user_id, active=True)
        _say(store, connection, user, "user_reactivated", by=by, now=now)
        end_within(store, connection, user, by=by, now=now, reason="left")

    store.write(work)


def reset_password(
    store: Store, practice_id: int, user_id: str, *, by: User | None, second_factor: bool, now: int
) -> str:
    """The token of a new link; the old password serves no more, and the person's sessions end at once.

    `second_factor`: takes that away as well, for somebody who lost the app and the recovery codes. BadInput: one's own
    account (a lost link would lock one out). Conflict: a deactivated account.
    """
    if by is not None and by.user_id == user_id:
        raise BadInput("Your own password is changed on the page Your account.")

    def work(connection: Connection) -> str:
        user = _find(connection, practice_id, user_id)
        may_touch(by, user.roles, ())
        if not user.active:
            raise Conflict("This account is deactivated; reactivate it first.")
        rows.clear_password(connection, practice_id, user_id)
        rows.end_sessions(connection, practice_id, user_id)
        factors.forget_failures(connection, practice_id, user_id)
        if second_factor:
            factors.set_factor(connection, practice_id, user_id, secret=None, step=None)
            factors.put_recovery_codes(connection, practice_id, user_id, ())
        taken = {"second_factor": "taken away"} if second_factor else None
        _say(store, connection, user, "password_reset", by=by, now=now, detail=taken)
        return make_link(connection, practice_id, user_id, by=None if by is None else by.user_id, now=now)

    return store.write(work)


def reset_by_email(store: Store, email: str, *, second_factor: bool, now: int) -> tuple[User, str]:
    """As `reset_password`, from the command line, for whoever signs in with that address in whatever practice."""
    with store.read() as connection:
        found = users.find_by_email(connection, email.strip().lower())
    if found is None:
        raise NotFound("Nobody signs in here with that e-mail address.")
    token = reset_password(store, found.practice_id, found.user_id, by=None, second_factor=second_factor, now=now)
    return user_of(found), token


def _say(
    store: Store,
    connection: Connection,
    about: users.UserRow,
    action: Action,
    *,
    by: User | None,
    now: int,
    detail: dict[str, Any] | None = None,
) -> None:
    """The audit's entry about a person's account."""
    store.audit.add(
        connection,
        about.practice_id,
        at=now,
        actor=by_user(None if by is None else by.user_id),
        action=action,
        subject=("user", about.user_id),
        detail=detail,
    )


def _find(connection: Connection, practice_id: int, user_id: str) -> users.UserRow:
    found = users.find_user(connection, practice_id, user_id)
    if found is None:
        raise NotFound("There is nobody here by that address.")
    return found


def keep_an_administrator(connection: Connection, user: users.UserRow) -> None:
    """Conflict: without this person nobody is left who looks after the accounts."""
    if rows.who_can_sign_in(connection, user.practice_id, "admin") == {user.user_id}:
        raise Conflict(
            "This is the only administrator who can sign in. Make somebody else administrator first, and let them "
            "choose a password or sign in by your organisation's account."
        )


def _account(found: users.UserRow, link_until: int | None, linked: set[str], now: int) -> Account:
    has_password, by_provider = found.password_hash is not None, found.user_id in linked
    state: State = "active" if has_password or by_provider else "waiting"
    return Account(
        user_of(found),
        state if found.active else "deactivated",
        link_until if link_until is not None and now < link_until else None,
        found.locked_until if found.locked_until is not None and now < found.locked_until else None,
        found.totp_secret is not None,
        has_password,
        by_provider,
    )
