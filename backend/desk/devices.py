"""Devices: the browsers that send intervals and the feeds that say facts, each under a person's name with a token."""

import uuid
from dataclasses import dataclass

from backend.auth import tokens
from backend.auth.roles import may
from backend.errors import BadInput, NotFound
from backend.store import people as rows
from backend.store.connection import Connection
from backend.store.database import Store


@dataclass(frozen=True, slots=True)
class Device:
    """`roles`: the user's, as they are now."""

    practice_id: int
    device_id: str
    user_id: str
    name: str
    roles: frozenset[str]


def add_device(store: Store, practice_id: int, *, clinician_email: str, name: str, now: int) -> str:
    """The device's token, which is shown once and stored as a digest. NotFound when nobody of the practice has that
    address, BadInput when that person neither records time nor says facts."""
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
        rows.insert_device(connection, practice_id, uuid.uuid4().hex, user.user_id, shown, tokens.digest(token), now)

    store.write(work)
    return token


def device_of(store: Store, token: str) -> Device | None:
    """The device that holds this token, or None; a device of a user who is no longer active is none."""
    practice_id = tokens.practice_of(token, "tt")
    if practice_id is None:
        return None
    with store.read() as connection:
        found = rows.find_device(connection, practice_id, tokens.digest(token))
    if found is None:
        return None
    device_id, user_id, name, roles = found
    return Device(practice_id, device_id, user_id, name, frozenset(roles))
