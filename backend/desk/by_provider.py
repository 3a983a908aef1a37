"""Signing in by the organisation's own provider: sending a browser there, and what comes of its return.

A browser is known by the secret in its cookie, a way there and back by its state; both are stored as digests. Who comes
back is known by issuer and subject, never by an e-mail address.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from backend.audit import VISITOR
from backend.auth import tokens
from backend.desk import links
from backend.desk.identities import link
from backend.desk.own_account import confirm
from backend.desk.people import User, audit_own, end_session, user_of
from backend.desk.providers import BACK, provider_by_key
from backend.errors import Conflict, NotFound, ProviderTrouble
from backend.store import Connection, Store, accounts
from backend.store import identities as rows
from backend.store import people as users

if TYPE_CHECKING:
    from backend.auth.oidc import Client

WITHIN_MS = 10 * 60_000
"""How long a browser may be away."""


@dataclass(frozen=True, slots=True)
class Away:
    """Where the browser goes, and the name of who is there."""

    address: str
    provider: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brings back in its address; None: it is not there."""

    state: str
    code: str | None
    error: str | None
    issuer: str | None


class Arrived(NamedTuple):
    """`token`: of a new session; None: an account was linked, in the session that there is. `after`: the page that was
    asked for."""

    token: str | None
    user: User
    after: str | None


@dataclass(frozen=True, slots=True)
class Here:
    """The browser that asks: the secret in its cookie, the address that it sees, the session it has, its name."""

    secret: str
    address: str
    replaces: str | None = None
    browser: str | None = None


def begin_sign_in(store: Store, practice_key: str, here: Here, *, after: str | None, now: int) -> Away:
    """NotFound: no practice of that key has a provider. ProviderTrouble: proxy, unreachable, untrusted."""
    with store.read() as connection:
        provider = provider_by_key(connection, practice_key)
    return _send(store, _there(provider), here, purpose="sign in", after=after, now=now)


def begin_linking(store: Store, user: User, here: Here, *, password: str, now: int) -> Away:
    """As `begin_sign_in`, for the account of who is signed in. BadInput: a wrong password. Conflict: it is linked."""
    with store.read() as connection:
        provider = _there(rows.provider(connection, user.practice_id))
        linked = rows.linked_at(connection, user.practice_id, user.user_id, provider.issuer)
    if linked is not None:
        raise Conflict("Your account is linked already. End that first to link another one.")
    confirm(store, user, password, now)
    return _send(store, provider, here, purpose="link", user_id=user.user_id, now=now)


def begin_joining(store: Store, token: str, here: Here, *, now: int) -> Away:
    """As `begin_sign_in`, for whoever holds a one-time link. NotFound: it is not valid."""
    with store.read() as connection:
        user = links.find_link(connection, token, now)[0]
        provider = _there(rows.provider(connection, user.practice_id))
    digest = tokens.digest(token)
    return _send(store, provider, here, purpose="join", user_id=user.user_id, link_digest=digest, now=now)


def come_back(store: Store, answer: Answer, here: Here, *, signed_in: User | None, now: int) -> Arrived:
    """What the browser was sent for. ProviderTrouble says why it came to nothing."""
    step, provider = _taken(store, answer.state, here.secret, now)
    practice_id = provider.practice_id
    if step.purpose == "link" and (signed_in is None or signed_in.user_id != step.user_id):
        raise _lost()
    try:
        subject = _who(provider, answer, here, now)
    except ProviderTrouble as trouble:
        why = trouble.code
        store.write(lambda connection: _audit_refused(store, connection, provider, why, step.user_id, now), practice_id)
        raise
    token = tokens.new_token("ts", practice_id)

    def work(connection: Connection) -> Arrived | ProviderTrouble:
        found = (
            _known(connection, provider, subject)
            if step.purpose == "sign in"
            else _linked(store, connection, provider, step, subject, now)
        )
        if isinstance(found, ProviderTrouble):  # returned, not raised: a refusal would take its entry back
            user_id = step.user_id or rows.user_by_identity(connection, practice_id, provider.issuer, subject)
            _audit_refused(store, connection, provider, found.code, user_id, now)
            return found
        if step.purpose != "link":
            if here.replaces:
                end_session(connection, here.replaces)
            users.insert_session(connection, practice_id, tokens.digest(token), found.user_id, here.browser, now)
            audit_own(store, connection, practice_id, found.user_id, "signed_in_by_provider", now)
        return Arrived(None if step.purpose == "link" else token, user_of(found), step.after)

    done = store.write(work, practice_id)
    if isinstance(done, ProviderTrouble):
        raise done
    return done


def _send(
    store: Store,
    provider: rows.ProviderRow,
    here: Here,
    *,
    purpose: rows.Purpose,
    user_id: str | None = None,
    link_digest: bytes | None = None,
    after: str | None = None,
    now: int,
) -> Away:
    if here.address != provider.address:
        raise ProviderTrouble(
            f"Signing in by {provider.name} is set up for {provider.address}, and this server was asked as "
            f"{here.address}.",
            code="proxy",
        )
    from backend.auth import oidc  # with Authlib, which a server that nobody signs in to by a provider need not load

    client, state = _client(provider), tokens.new_token("to", provider.practice_id)
    endpoints = oidc.endpoints_of(client)
    step = rows.StepRow(tokens.digest(here.secret), purpose, user_id, link_digest, after, now)
    digest = tokens.digest(state)
    store.write(
        lambda connection: rows.put_step(connection, provider.practice_id, digest, step, over_before=now - WITHIN_MS),
        provider.practice_id,
    )
    secrets = oidc.Secrets.of(here.secret, state)
    return Away(oidc.address_to_ask(client, endpoints, state=state, secrets=secrets), provider.name)


def _taken(store: Store, state: str, secret: str, now: int) -> tuple[rows.StepRow, rows.ProviderRow]:
    """The step that this browser began, which is over with it. ProviderTrouble: there is none such."""
    practice_id = tokens.practice_of(state, "to")
    if practice_id is None:
        raise _lost()

    def work(connection: Connection) -> tuple[rows.StepRow | None, rows.ProviderRow | None]:
        step = rows.take_step(connection, practice_id, tokens.digest(state), tokens.digest(secret))
        return step, rows.provider(connection, practice_id)

    step, provider = store.write(work, practice_id)
    if step is None or provider is None or now - step.created_at >= WITHIN_MS:
        raise _lost()
    return step, provider


def _who(provider: rows.ProviderRow, answer: Answer, here: Here, now: int) -> str:
    """The subject of who came back."""
    from backend.auth import oidc

    if answer.error == "access_denied":
        raise ProviderTrouble(f"{provider.name} did not let you in, or you said no there.", code="said_no")
    if answer.error is not None or answer.code is None:
        raise oidc.failed(answer.error)
    client = _client(provider)
    return oidc.subject_of(
        client,
        oidc.endpoints_of(client),
        code=answer.code,
        issuer=answer.issuer,
        secrets=oidc.Secrets.of(here.secret, answer.state),
        now=now,
    )


def _known(connection: Connection, provider: rows.ProviderRow, subject: str) -> users.UserRow | ProviderTrouble:
    """Whose account it is."""
    user_id = rows.user_by_identity(connection, provider.practice_id, provider.issuer, subject)
    found = None if user_id is None else users.find_user(connection, provider.practice_id, user_id)
    if found is None:
        return ProviderTrouble(
            f"{provider.name} knows you, and no account here is linked with who you are there.", code="unknown"
        )
    return found if found.active else _deactivated()


def _linked(
    store: Store, connection: Connection, provider: rows.ProviderRow, step: rows.StepRow, subject: str, now: int
) -> users.UserRow | ProviderTrouble:
    """The account of the step, linked from now on; where somebody joins, their one-time link is used up."""
    practice_id, user_id = provider.practice_id, step.user_id or ""
    found = users.find_user(connection, practice_id, user_id)
    if found is None or not found.active:
        return _deactivated()
    if step.link_digest is not None:
        open_link = accounts.find_link(connection, practice_id, step.link_digest)
        if open_link is None or open_link[0] != user_id or now >= open_link[1]:
            raise NotFound(links.GONE)
    try:
        link(store, connection, provider, user_id, subject, now)
    except ProviderTrouble as taken:
        return taken
    if step.link_digest is not None:
        links.use_up(connection, found)
    return found


def _there(provider: rows.ProviderRow | None) -> rows.ProviderRow:
    if provider is None:
        raise NotFound("No practice signs in by its own provider at this address.")
    return provider


def _client(provider: rows.ProviderRow) -> "Client":
    from backend.auth import oidc

    return oidc.Client(provider.issuer, provider.client_id, provider.client_secret, provider.address + BACK)


def _lost() -> ProviderTrouble:
    return ProviderTrouble(
        "This sign-in was begun in another browser, was used before, or took longer than ten minutes.", code="lost"
    )


def _deactivated() -> ProviderTrouble:
    return ProviderTrouble("Your account here is deactivated.", code="deactivated")


def _audit_refused(
    store: Store, connection: Connection, provider: rows.ProviderRow, why: str | None, user_id: str | None, now: int
) -> None:
    practice = str(provider.practice_id)
    store.audit.add(
        connection,
        provider.practice_id,
        at=now,
        actor=VISITOR,
        action="provider_refused",
        subject=("practice", practice) if user_id is None else ("user", user_id),
        detail={"why": why},
    )
