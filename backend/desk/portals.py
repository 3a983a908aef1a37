"""Portals: the installations that a practice works in."""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from backend.audit import by_user
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store
from backend.store import practices as rows

FILES = Path(__file__).parents[2] / "extension" / "portals"
OWN_KIND = "own"  # a portal file that the practice wrote; it lies in the extension or in the browsers' policy
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


@dataclass(frozen=True, slots=True)
class Portal:
    """`origin` None: nobody has said yet where it lives."""

    key: str
    kind: str
    origin: str | None


@lru_cache(maxsize=1)
def portal_kinds() -> tuple[str, ...]:
    """The kinds of portal that the extension can read."""
    return tuple(sorted(file.stem for file in FILES.glob("*.json")))


def verified_kinds() -> tuple[str, ...]:
    """The kinds whose file was made at a running portal; a new practice has one portal of each (docs/decisions/007)."""
    files = {kind: json.loads((FILES / f"{kind}.json").read_text("utf-8")) for kind in portal_kinds()}
    return tuple(kind for kind, file in files.items() if file["seen"] == "running")


def portals_of(store: Store, practice_id: int) -> list[Portal]:
    """By key."""
    with store.read() as connection:
        return [Portal(*row) for row in rows.portals(connection, practice_id)]


def add_portal(
    store: Store, practice_id: int, *, key: str, kind: str, origin: str, now: int, by: str | None = None
) -> None:
    """Adds another installation: `key` is what its intervals carry, `kind` names the shipped file or is OWN_KIND,
    `origin` is where it lives. BadInput: a key, kind or origin that cannot be one. Conflict: the key is in use."""
    if not _KEY.fullmatch(key):
        raise BadInput("A portal's key has 1 to 60 lower-case letters, digits, dots, hyphens or underscores.")
    if kind not in (*portal_kinds(), OWN_KIND):
        known = ", ".join(portal_kinds())
        raise BadInput(
            f"There is no portal file for the kind {kind[:60]}; there is one for: {known}. "
            f"A portal file of the practice's own is of the kind {OWN_KIND}."
        )
    place = _origin(origin)

    def work(connection: Connection) -> None:
        if key in rows.portal_keys(connection, practice_id):
            raise Conflict(f"There is a portal called {key} already.")
        rows.insert_portal(connection, practice_id, key=key, kind=kind, origin=place, created_at=now)
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=by_user(by),
            action="portal_added",
            subject=("portal", key),
            detail={"kind": kind, "origin": place},
        )

    store.write(work)


def move_portal(store: Store, practice_id: int, *, key: str, origin: str, by: str, now: int) -> None:
    """Says where a portal lives. BadInput: an origin that cannot be one. NotFound: no such portal."""
    place = _origin(origin)

    def work(connection: Connection) -> None:
        if not rows.set_portal_origin(connection, practice_id, key, place):
            raise NotFound("There is no portal of that key in this practice.")
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=by_user(by),
            action="portal_moved",
            subject=("portal", key),
            detail={"origin": place},
        )

    store.write(work)


def _origin(text: str) -> str:
    """`scheme://host[:port]` of an address; what else it holds is refused, for a portal is a whole installation."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or parts.scheme not in ("http", "https") or parts.path.strip("/") or parts.query or parts.username:
        raise BadInput("A portal's origin looks like https://portal.example.org, without a path.")
    return f"{parts.scheme}://{host}" + (f":{port}" if port else "")
