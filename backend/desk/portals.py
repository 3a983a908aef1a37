"""Portals: the installations that a practice works in."""

import re
from urllib.parse import urlsplit

from backend.errors import BadInput, Conflict
from backend.store import Connection, Store
from backend.store import practices as rows

_KEY = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")


def add_portal(store: Store, practice_id: int, *, key: str, kind: str, origin: str, now: int) -> None:
    """Adds another installation: `key` is what its intervals carry, `kind` names the portal file, `origin` is where
    it lives. BadInput: a key or an origin that cannot be one. Conflict: the key is in use."""
    if not _KEY.fullmatch(key):
        raise BadInput("A portal's key has 1 to 60 lower-case letters, digits, dots, hyphens or underscores.")
    place = _origin(origin)

    def work(connection: Connection) -> None:
        if key in rows.portal_keys(connection, practice_id):
            raise Conflict(f"There is a portal called {key} already.")
        rows.insert_portal(connection, practice_id, key=key, kind=kind, origin=place, created_at=now)

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
