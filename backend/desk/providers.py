"""The organisation's own provider of a practice: setting it, removing it, what a sign-in page offers of it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from backend.audit import COMMAND, Action
from backend.auth import tokens
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store, accounts, people, practices
from backend.store import identities as rows

BACK = "/sign-in/back"
"""Where the provider sends browsers back to, behind the server's own address."""
LONGEST_NAME = 60
_KEY = re.compile(r"[a-z0-9-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Provider:
    """What may be shown of a provider: all but the secret. `redirect`: the address to register there."""

    issuer: str
    client_id: str
    name: str
    redirect: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a visitor may see: the button's name, the practice that it signs in to."""

    practice_key: str
    practice_name: str
    provider: str


def set_provider(
    store: Store,
    practice_id: int,
    *,
    issuer: str,
    client_id: str,
    client_secret: str,
    name: str | None,
    address: str,
    now: int,
) -> Provider:
    """The practice's only provider from now on, after it was asked for its description. `name`: what stands on the
    button; None: the issuer's host. `address`: of this server, as browsers know it.

    BadInput: something that cannot be used. ProviderTrouble: the provider cannot be reached, or is another one.
    Conflict: with another issuer no administrator could sign in any more.
    """
    from backend.auth import oidc  # with Authlib, which a server that nobody signs in to by a provider need not load

    wanted = oidc.checked_issuer(issuer)
    shown = " ".join((name or urlsplit(wanted).hostname or "").split())
    if not 0 < len(shown) <= LONGEST_NAME or not shown.isprintable():
        raise BadInput(f"The name on the button has 1 to {LONGEST_NAME} characters.")
    for what, text in (("client id", client_id), ("client secret", client_secret)):
        if not 0 < len(text) <= 2000 or not text.isprintable() or text != text.strip():
            raise BadInput(f"The {what} is empty, or has characters that cannot be in one.")
    own = _own_address(address)
    found = oidc.discover(wanted).issuer
    if found.rstrip("/") != wanted.rstrip("/"):
        raise BadInput("Another issuer answers at this address; give the issuer as the provider itself writes it.")
    row = rows.ProviderRow(practice_id, found, client_id, client_secret, shown, own, now)

    def work(connection: Connection) -> None:
        before = rows.provider(connection, practice_id)
        if before is not None and before.issuer != found:
            _keep_an_administrator(connection, practice_id)
        rows.put_provider(connection, row)
        _audit(store, connection, practice_id, "provider_set", found, now)

    store.write(work, practice_id)
    return _shown(row)


def provider_of(store: Store, practice_id: int) -> Provider | None:
    with store.read() as connection:
        found = rows.provider(connection, practice_id)
    return None if found is None else _shown(found)


def remove_provider(store: Store, practice_id: int, now: int) -> int:
    """Nobody signs in by it any more; how many people have no other way in. Who is linked stays so, should the same
    issuer come back. NotFound: there is none. Conflict: no administrator could sign in any more."""

    def work(connection: Connection) -> int:
        found = rows.provider(connection, practice_id)
        if found is None:
            raise NotFound("This practice has no provider for signing in.")
        _keep_an_administrator(connection, practice_id)
        cut_off = rows.linked(connection, practice_id) & accounts.without_password(connection, practice_id)
        rows.drop_provider(connection, practice_id)
        _audit(store, connection, practice_id, "provider_removed", found.issuer, now)
        return len(cut_off)

    return store.write(work, practice_id)


def offer_of(store: Store, practice_key: str) -> Offer | None:
    """What the sign-in page of that practice offers; None: nothing, or there is no such practice."""
    with store.read() as connection:
        found = provider_by_key(connection, practice_key)
        return None if found is None else _offer(connection, found)


def offer_to_visitor(store: Store, ended: str | None) -> Offer | None:
    """What the sign-in page offers where no practice is named: the provider of the only practice, or of the one whose
    session has ended in this browser (`ended`: the token it came with). Of other practices a visitor learns nothing."""
    practice_id = tokens.practice_of(ended or "", "ts")
    with store.read() as connection:
        if practice_id is not None and people.find_session(connection, practice_id, tokens.digest(ended or "")) is None:
            practice_id = None
        if practice_id is None:
            known = practices.some_ids(connection, 2)
            practice_id = known[0] if len(known) == 1 else None
        found = None if practice_id is None else rows.provider(connection, practice_id)
        return None if found is None else _offer(connection, found)


def provider_by_key(connection: Connection, practice_key: str) -> rows.ProviderRow | None:
    """The provider of the practice of that key, which may be anything that stands in an address."""
    if not _KEY.fullmatch(practice_key):
        return None
    practice = practices.by_key(connection, practice_key)
    return None if practice is None else rows.provider(connection, practice["practice_id"])


def _offer(connection: Connection, provider: rows.ProviderRow) -> Offer:
    practice = practices.by_id(connection, provider.practice_id)
    return Offer(practice["key"], practice["name"], provider.name)


def _own_address(text: str) -> str:
    from backend.auth import oidc

    try:
        address = oidc.checked_issuer(text)
    except BadInput:
        address = ""
    parts = urlsplit(address)
    if not address or parts.path.strip("/"):
        raise BadInput("The server's address is one like https://threadtime.example, without a path.")
    usual = {"https": ":443", "http": ":80"}[parts.scheme]  # which browsers leave away
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"


def _keep_an_administrator(connection: Connection, practice_id: int) -> None:
    if not accounts.who_can_sign_in(connection, practice_id, "admin", by_provider=False):
        raise Conflict(
            "No administrator could sign in any more: none of them has a password. Give one of them a link first, with "
            "`user reset`, and let them choose a password."
        )


def _audit(store: Store, connection: Connection, practice_id: int, action: Action, issuer: str, now: int) -> None:
    store.audit.add(
        connection,
        practice_id,
        at=now,
        actor=COMMAND,
        action=action,
        subject=("practice", str(practice_id)),
        detail={"issuer": issuer},
    )


def _shown(row: rows.ProviderRow) -> Provider:
    return Provider(row.issuer, row.client_id, row.name, row.address + BACK)
