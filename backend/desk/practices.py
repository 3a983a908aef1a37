"""Practices: one billing TIN each, in one time zone."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from backend.auth import passwords
from backend.billing.rulebook import book
from backend.desk.people import insert_user, new_user
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store
from backend.store import practices as rows


@dataclass(frozen=True, slots=True)
class Practice:
    practice_id: int
    key: str
    name: str
    timezone: str


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
    shown, key, kinds = " ".join(name.split()), _key(name), tuple(kinds)
    if not key or len(shown) > 200:
        raise BadInput("A practice's name has 1 to 200 characters, a letter or a digit among them.")
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"There is no time zone {timezone[:50]!r}; one is named like America/New_York.") from None
    new_user(0, email=admin_email, name=admin_name, roles=("admin", "manager"))
    password_hash = passwords.new_hash(password)

    def work(connection: Connection) -> Practice:
        if rows.by_key(connection, key) is not None:
            raise Conflict(f"There is a practice called {key} already.")
        seen = book().digest
        practice_id = rows.insert(connection, key=key, name=shown, timezone=timezone, rules_seen=seen, created_at=now)
        for kind in kinds:
            rows.insert_portal(connection, practice_id, key=kind, kind=kind, origin=None, created_at=now)
        admin = new_user(practice_id, email=admin_email, name=admin_name, roles=("admin", "manager"))
        insert_user(connection, admin, password_hash=password_hash, now=now)
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


def _which(keys: list[str]) -> str:
    return f"there are {', '.join(keys)}." if keys else "there is none yet."


def _key(name: str) -> str:
    """The name in plain lower-case letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
