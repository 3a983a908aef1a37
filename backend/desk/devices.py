"""Devices: the browsers that send intervals and the feeds that say facts, each under a person's name with a token."""

import uuid
from dataclasses import dataclass

from backend.audit import by_user
from backend.auth import tokens
from backend.auth.roles import may
from backend.desk.people import User
from backend.errors import BadInput, NotFound
from backend.store import people as rows
from backend.store.connection import Connection
from backend.store.database import Store

TOUCH_AFTER_MS = 60_000
"""A device's last request is written at most this often."""


@dataclass(frozen=True, slots=True)
class Device:
    """`roles`: the user's, as they are now."""

    practice_id: int
    device_id: str
    user_id: str
    name: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class KeptDevice:
    """A device as the page of devices shows it. `seen_at`: its last request, to within a minute, or None."""

    device_id: str
    user_id: str
    user_name: str
    name: str
    browser: str | None
    created_at: int
    seen_at: int | None
    revoked_at: int | None


def add_device(
    store: Store, practice_id: int, *, clinician_email: str, name: str, now: int, by: str | None = None
) -> str:
    """The device's token, which is shown once and stored as a digest. `by`: who adds it; None: a command. NotFound when
    nobody of the practice has that address, BadInput when that person neither records time nor says facts."""
    shown = " ".join(name.split())
    if not shown or len(shown) > 200:
        raise BadInput("A device's name has 1 to 200 characters, for example: Rosa's laptop.")
    token = tokens.new_token("tt", practice_id)

    def work(connection: Connection) -> None:
        user = rows.find_by_email(connection, clinician_email.strip().lower())
        if user is None or user.practice_id != practice_id:
            raise NotFound("Nobody in this practice signs in with that e-mail address; add the user first.")
        if not may(user.roles, "hold a device"):
            raise BadInput("A device belongs to a clinician, staff, a manager or a biller; this user has no such role.")
        keep_device(store, connection, user, token, name=shown, by=by, now=now)

    store.write(work)
    return token


def keep_device(
    store: Store,
    connection: Connection,
    user: rows.UserRow,
    token: str,
    *,
    name: str,
    browser: str | None = None,
    by: str | None,
    now: int,
) -> None:
    """Stores a new device of the user, and its entry in the audit, inside a unit of work that is already open."""
    device = rows.DeviceRow(user.practice_id, uuid.uuid4().hex, user.user_id, name, browser, created_at=now)
    rows.insert_device(connection, device, tokens.digest(token))
    store.audit.add(
        connection,
        user.practice_id,
        at=now,
        actor=by_user(by),
        action="device_added",
        subject=("device", device.device_id),
        detail={"user": user.user_id},
    )


def device_of(store: Store, token: str, *, seen_at: int | None = None) -> Device | None:
    """The device that holds this token, or None: no such token, a revoked device, a user who is no longer active.

    With `seen_at`, the instant of a request, the device counts as seen then.
    """
    practice_id = tokens.practice_of(token, "tt")
    if practice_id is None:
        return None
    found = store.look_up(lambda connection: rows.find_device(connection, practice_id, tokens.digest(token)))
    if found is None or found[0].revoked_at is not None:
        return None
    kept, roles = found
    if seen_at is not None and seen_at - (kept.seen_at or 0) >= TOUCH_AFTER_MS:
        store.write(lambda connection: rows.touch_device(connection, practice_id, kept.device_id, seen_at), practice_id)
    return Device(practice_id, kept.device_id, kept.user_id, kept.name, frozenset(roles))


def is_revoked(store: Store, token: str) -> bool:
    """Whether this was the token of a device that has been revoked."""
    practice_id = tokens.practice_of(token, "tt")
    if practice_id is None:
        return False
    found = store.look_up(lambda connection: rows.find_device(connection, practice_id, tokens.digest(token)))
    return found is not None and found[0].revoked_at is not None


def list_devices(store: Store, user: User) -> list[KeptDevice]:
    """The person's own devices, and for an administrator everybody's: those in use first, the newest first."""
    of = None if may(user.roles, "see all devices") else user.user_id
    with store.read() as connection:
        return [_kept(row) for row in rows.devices(connection, user.practice_id, of)]


def get_device(store: Store, user: User, device_id: str) -> KeptDevice:
    """One of those that `list_devices` gives; NotFound for any other."""
    with store.read() as connection:
        return _own(connection, user, device_id)


def revoke_device(store: Store, user: User, device_id: str, *, now: int) -> KeptDevice:
    """Takes a device's token back, for good; one that was revoked before stays as it is. NotFound as in `get_device`.

    What the device sent stays; it is told with its next request.
    """

    def work(connection: Connection) -> KeptDevice:
        found = _own(connection, user, device_id)
        rows.revoke_device(connection, user.practice_id, device_id, user.user_id, now)
        if found.revoked_at is None:
            store.audit.add(
                connection,
                user.practice_id,
                at=now,
                actor=by_user(user.user_id),
                action="device_revoked",
                subject=("device", device_id),
                detail={"user": found.user_id},
            )
        return found

    return store.write(work)


def _own(connection: Connection, user: User, device_id: str) -> KeptDevice:
    found = rows.device(connection, user.practice_id, device_id)
    if found is None or not (found.user_id == user.user_id or may(user.roles, "see all devices")):
        raise NotFound("There is no such device among yours.")
    return _kept(found)


def _kept(row: rows.DeviceRow) -> KeptDevice:
    return KeptDevice(
        row.device_id,
        row.user_id,
        row.user_name,
        row.name,
        row.browser,
        row.created_at,
        row.seen_at,
        row.revoked_at,
    )
