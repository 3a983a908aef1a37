"""Practices: one billing TIN each, in one time zone."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.audit import COMMAND, by_user
from backend.auth import passwords
from backend.billing.rulebook import book
from backend.desk.people import audit_user, insert_user, new_user
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store, patients
from backend.store import practices as rows


@dataclass(frozen=True, slots=True)
class Practice:
    practice_id: int
    key: str
    name: str
    timezone: str


SETTINGS = ("office", "rhc", "fqhc")
"""An ordinary practice, a rural health clinic, a federally qualified health center: their codes differ."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a practice says of itself. `zone_is_fixed`: something is recorded, so the zone stays."""

    key: str
    name: str
    timezone: str
    setting: str
    zone_is_fixed: bool


def create_practice(
    store: Store,
    *,
    name: str,
    timezone: str,
    admin_email: str,
    admin_name: str,
    password: str,
    kinds: Iterable[str],
    now: int,
) -> Practice:
    """The new practice, with its first user (admin and manager) and one portal of each kind under the kind's name.

    BadInput: a name without a letter or digit, an unknown zone, or a user that `add_user` would refuse. Conflict: a
    practice of that name, or a user of that address, is there already.
    """
    shown, key, kinds = _name(name), _key(name), tuple(kinds)
    _check_zone(timezone)
    new_user(0, email=admin_email, name=admin_name, roles=("admin", "manager"))
    password_hash = passwords.new_hash(password, about=(shown, admin_name, admin_email))

    def work(connection: Connection) -> Practice:
        if rows.by_key(connection, key) is not None:
            raise Conflict(f"There is a practice called {key} already.")
        seen = book().digest
        practice_id = rows.insert(connection, key=key, name=shown, timezone=timezone, rules_seen=seen, created_at=now)
        for kind in kinds:
            rows.insert_portal(connection, practice_id, key=kind, kind=kind, origin=None, created_at=now)
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=COMMAND,
            action="practice_created",
            subject=("practice", str(practice_id)),
            detail={"timezone": timezone, "portals": list(kinds)},
        )
        admin = new_user(practice_id, email=admin_email, name=admin_name, roles=("admin", "manager"))
        insert_user(connection, admin, password_hash=password_hash, now=now)
        audit_user(store, connection, admin, by=None, now=now)
        return Practice(practice_id, key, shown, timezone)

    return store.write(work)


def get_practice(store: Store, key: str | None = None) -> Practice:
    """The practice of that key, or the only one; NotFound says which there are, BadInput that one must be named."""
    with store.read() as connection:
        if key is not None:
            found = rows.by_key(connection, key)
            if found is None:
                raise NotFound(f"There is no practice {key!r} here; {_which(rows.keys(connection))}")
        else:
            known = rows.keys(connection)
            if len(known) != 1:
                raise (BadInput if known else NotFound)(f"Name the practice; {_which(known)}")
            found = rows.by_key(connection, known[0])
    return Practice(found["practice_id"], found["key"], found["name"], found["timezone"])


def set_up_of(store: Store, practice_id: int) -> SetUp:
    with store.read() as connection:
        found = rows.by_id(connection, practice_id)
        fixed = rows.has_records(connection, practice_id)
    return SetUp(found["key"], found["name"], found["timezone"], found["setting"], zone_is_fixed=fixed)


def change_practice(
    store: Store, practice_id: int, *, name: str, timezone: str, setting: str, by: str, now: int
) -> None:
    """Sets the name, the zone and the kind of practice; a change of the kind has every open episode decided again.

    BadInput: a name, zone or kind that cannot be one. Conflict: another zone, when something is recorded already: days
    that were days in the old one would begin and end elsewhere.
    """
    shown = _name(name)
    _check_zone(timezone)
    if setting not in SETTINGS:
        raise BadInput(f"A practice is one of {', '.join(SETTINGS)}.")

    def work(connection: Connection) -> None:
        before = rows.by_id(connection, practice_id)
        if timezone != before["timezone"] and rows.has_records(connection, practice_id):
            raise Conflict("The time zone stays: something is recorded already, and its days are days in this zone.")
        rows.update(connection, practice_id, name=shown, timezone=timezone, setting=setting)
        if setting != before["setting"]:
            patients.mark_practice_due(connection, practice_id)
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=by_user(by),
            action="practice_changed",
            subject=("practice", str(practice_id)),
            detail={"timezone": timezone, "setting": setting},
        )

    store.write(work)


def _name(text: str) -> str:
    shown = " ".join(text.split())
    if not _key(shown) or len(shown) > 200:
        raise BadInput("A practice's name has 1 to 200 characters, a letter or a digit among them.")
    return shown


def _check_zone(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"There is no time zone {timezone[:50]!r}; one is named like America/New_York.") from None


def _which(keys: list[str]) -> str:
    return f"there are {', '.join(keys)}." if keys else "there is none yet."


def _key(name: str) -> str:
    """The name in plain lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
