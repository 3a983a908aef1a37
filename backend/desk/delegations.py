"""Delegations: who may answer for a clinician who is away or has left, and see what still waits for them.

Nothing that was recorded moves: time, and whose it is, stays with who worked. A clinician has one delegation at most; a
newer one takes its place. It is never handed on: whoever answers for somebody and is away in their turn hands over
their own work alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from backend.audit import Action, by_user
from backend.billing.days import days_of
from backend.billing.rulebook import families, family_of
from backend.desk.people import User, may_touch
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store, accounts, practices
from backend.store import delegations as rows
from backend.store import people as users

LONGEST_DAYS = 366
"""How far ahead an end day may lie: a year that is mistyped is noticed."""


@dataclass(frozen=True, slots=True)
class Colleague:
    """For whom somebody may answer now."""

    user_id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who answers for a clinician, and until when: `last_on`, the last day in the practice's zone, or None.

    `serves` False: that person can answer no more, for they have left, or changed to another family.
    """

    to_id: str
    to_name: str
    serves: bool
    since: int
    last_on: date | None
    reason: Literal["away", "left"]
    by_name: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a page says of one clinician: who answers for them, for whom they answer, and who could be chosen.

    `can_delegate` False: nothing ever waits for this person's word, as their time does not count.
    """

    can_delegate: bool
    delegation: Delegation | None
    answers_for: list[Colleague]
    choices: list[Colleague]


def standing(store: Store, practice_id: int, user_id: str, now: int) -> Standing:
    """NotFound when nobody of the practice has that id."""
    with store.read() as connection:
        everybody = {each.user_id: each for each in users.of_practice(connection, practice_id)}
        if user_id not in everybody:
            raise NotFound("There is nobody here by that address.")
        user = everybody[user_id]
        held = rows.of_user(connection, practice_id, user_id, now)
        away = rows.away(connection, practice_id, now)
        answers = answers_for(connection, practice_id, user_id, now)
        days = days_of(practices.by_id(connection, practice_id)["timezone"])
        able = accounts.who_can_sign_in(connection, practice_id, "clinician")
    delegation = None
    if held is not None and held.to_user is not None:
        to = everybody[held.to_user]
        delegation = Delegation(
            to.user_id,
            to.name,
            to.user_id in able and _family(to) == _family(user),
            held.since,
            None if held.until is None else days.date_of(held.until - 1),
            "left" if held.reason == "left" else "away",
            everybody[held.made_by].name,
        )
    choices = [
        _colleague(each)
        for each in everybody.values()
        if each.user_id in able - away - {user_id} and _family(each) == _family(user) is not None
    ]
    return Standing(_family(user) is not None, delegation, answers, choices)


def answers_for(connection: Connection, practice_id: int, user_id: str, at: int) -> list[Colleague]:
    """For whom this clinician may answer at that instant, by name; nobody, where the two are of one family no more."""
    held = rows.to_user(connection, practice_id, user_id, at)
    if not held:
        return []
    everybody = {each.user_id: each for each in users.of_practice(connection, practice_id)}
    own = _family(everybody[user_id])
    if own is None or user_id not in accounts.who_can_sign_in(connection, practice_id, "clinician"):
        return []
    return [_colleague(each) for each in _by_name(everybody[each.user_id] for each in held) if _family(each) == own]


def name_colleague(store: Store, by: User, to_id: str, *, last_on: str, now: int) -> None:
    """From now on a colleague may answer for `by`, to the end of the day `last_on` (ISO; empty: until it is ended).

    BadInput: a colleague who cannot, or a day that is none. Conflict: the colleague is away, or nothing waits for `by`.
    """

    def work(connection: Connection) -> None:
        user = _find(connection, by.practice_id, by.user_id)
        until = _until(connection, by.practice_id, last_on, now)
        _delegate(store, connection, user, to_id, by=by, reason="away", until=until, now=now)

    store.write(work, by.practice_id)


def move_work(store: Store, by: User, user_id: str, to_id: str, now: int) -> None:
    """From now on a colleague answers what still waits for somebody who has left. Errors as of `name_colleague`;
    Conflict: an account that is still active."""

    def work(connection: Connection) -> None:
        user = _find(connection, by.practice_id, user_id)
        may_touch(by, user.roles, ())
        if user.active:
            raise Conflict(
                f"{user.name} is still here, and names a colleague on their own page Your account. Deactivate the "
                "account to move the work of somebody who has left."
            )
        move_within(store, connection, user, to_id, by=by, now=now)

    store.write(work, by.practice_id)


def move_within(store: Store, connection: Connection, user: users.UserRow, to_id: str, *, by: User, now: int) -> None:
    """The same inside a unit of work that is already open."""
    _delegate(store, connection, user, to_id, by=by, reason="left", until=None, now=now)


def end_delegation(store: Store, by: User, user_id: str, now: int) -> None:
    """From now on nobody answers for that clinician but they themselves; where nobody does, nothing changes."""

    def work(connection: Connection) -> None:
        user = _find(connection, by.practice_id, user_id)
        if by.user_id != user_id:
            may_touch(by, user.roles, ())
        end_within(store, connection, user, by=by, now=now)

    store.write(work, by.practice_id)


def end_within(
    store: Store, connection: Connection, user: users.UserRow, *, by: User, now: int, reason: str | None = None
) -> None:
    """The same inside a unit of work that is already open; with `reason`, only a delegation that was made for it."""
    held = rows.of_user(connection, user.practice_id, user.user_id, now)
    if held is None or reason not in (None, held.reason):
        return
    ended = rows.DelegationRow(user.user_id, None, now, None, "ended", by.user_id)
    rows.insert(connection, user.practice_id, ended)
    _say(store, connection, user, "delegation_ended", by=by, now=now, to=held.to_user)


def _delegate(
    store: Store,
    connection: Connection,
    user: users.UserRow,
    to_id: str,
    *,
    by: User,
    reason: Literal["away", "left"],
    until: int | None,
    now: int,
) -> None:
    to = _successor(connection, user, to_id, now)
    row = rows.DelegationRow(user.user_id, to.user_id, now, until, reason, by.user_id)
    rows.insert(connection, user.practice_id, row)
    action: Action = "colleague_named" if reason == "away" else "work_moved"
    _say(store, connection, user, action, by=by, now=now, to=to.user_id, until=until)


def _successor(connection: Connection, user: users.UserRow, to_id: str, now: int) -> users.UserRow:
    """Who is to answer for the user; refused where they could not."""
    if _family(user) is None:
        raise Conflict(f"Nothing waits for {user.name}: only clinicians whose time counts are asked anything.")
    if not to_id:
        raise BadInput("Choose the colleague who is to answer.")
    to = users.find_user(connection, user.practice_id, to_id)
    if to is None:
        raise BadInput("This is no colleague of this practice; load the page again and choose one.")
    if to.user_id == user.user_id:
        raise BadInput("Choose somebody else: nobody stands in for themselves.")
    if not to.active:
        raise BadInput(f"{to.name}’s account is deactivated. Choose a clinician who works here.")
    if _family(to) != _family(user):
        raise BadInput(
            f"{to.name} cannot answer for {user.name}: both have to be clinicians whose time is for the same codes."
        )
    if to.user_id not in accounts.who_can_sign_in(connection, user.practice_id, "clinician"):
        raise BadInput(f"{to.name} cannot sign in yet. Choose somebody else, or wait until they can.")
    held = rows.of_user(connection, user.practice_id, to.user_id, now)
    if held is not None:
        raise Conflict(
            f"Somebody else answers for {to.name} at present, and what is handed over is not handed on. Choose a "
            "colleague who is here."
        )
    return to


def _until(connection: Connection, practice_id: int, last_on: str, now: int) -> int | None:
    """The midnight after that day in the practice's zone."""
    if not last_on.strip():
        return None
    days = days_of(practices.by_id(connection, practice_id)["timezone"])
    today = days.date_of(now)
    try:
        last = date.fromisoformat(last_on.strip())
    except ValueError:
        raise BadInput("The last day is written like 2026-04-06; leave it out to end it yourself.") from None
    if last < today:
        raise BadInput("The last day is in the past. Choose today or a later day, or leave it out.")
    if last > today + timedelta(days=LONGEST_DAYS):
        raise BadInput("The last day is more than a year away. Choose a nearer one, or leave it out.")
    return days.midnight(last + timedelta(days=1))


def _family(user: users.UserRow) -> str | None:
    """Whose codes the clinician's time is for; None: it never counts, or this is no clinician."""
    if "clinician" not in user.roles or not user.credential:
        return None
    family = family_of(user.credential)
    return family if family in families() else None


def _by_name(some: Iterable[users.UserRow]) -> list[users.UserRow]:
    return sorted(some, key=lambda each: (each.name, each.email))


def _colleague(user: users.UserRow) -> Colleague:
    return Colleague(user.user_id, user.name, user.email)


def _find(connection: Connection, practice_id: int, user_id: str) -> users.UserRow:
    found = users.find_user(connection, practice_id, user_id)
    if found is None:
        raise NotFound("There is nobody here by that address.")
    return found


def _say(
    store: Store,
    connection: Connection,
    user: users.UserRow,
    action: Action,
    *,
    by: User,
    now: int,
    to: str | None,
    until: int | None = None,
) -> None:
    """The audit's entry about the clinician for whom somebody answers."""
    detail = {"successor": to} | ({} if until is None else {"until": until})
    store.audit.add(
        connection,
        user.practice_id,
        at=now,
        actor=by_user(by.user_id),
        action=action,
        subject=("user", user.user_id),
        detail=detail,
    )
