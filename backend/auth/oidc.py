"""OpenID Connect as its client: discovery, the code flow with PKCE, and what an ID token has to prove.

OpenID Connect Core 1.0 (3.1), Discovery 1.0 (4), RFC 7636 (PKCE), RFC 9207 (the issuer in the answer). Nothing of what
a provider says goes into a message or the log but the code of an error of RFC 6749.
"""

import base64
import hashlib
import hmac
import ipaddress
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from backend.errors import BadInput, Busy, ProviderTrouble

CONNECT_SECONDS, READ_SECONDS = 5, 10
LEEWAY_SECONDS = 60
"""By how much the provider's clock may differ from this machine's."""
SCOPE = "openid"
"""No name and no e-mail address is asked for: none is used."""

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that only the provider can make. HS256 would be made with the client secret, `none` with nothing."""

_DISCOVERY = "/.well-known/openid-configuration"
_LONGEST_SUBJECT = 255
_ERROR = re.compile(r"[a-z_]{1,40}")

_talks = BoundedSemaphore(4)
"""A provider that is slow holds no more than these of the server's threads: devices go on sending."""


@dataclass(frozen=True, slots=True)
class Client:
    """What this server is to a provider; `redirect`: the address to which the provider sends browsers back."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    redirect: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What a provider says of itself. `names_itself`: its answers say whose they are (RFC 9207)."""

    issuer: str
    authorization: str
    token: str
    keys: str
    secret_in_body: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class Secrets:
    """What binds one flow to one browser; made anew from the browser's secret and the state, so nowhere stored."""

    nonce: str
    verifier: str

    @classmethod
    def of(cls, browser: str, state: str) -> "Secrets":
        nonce, verifier = (
            base64.urlsafe_b64encode(hmac.digest(browser.encode(), f"{use}\0{state}".encode(), hashlib.sha256))
            .rstrip(b"=")
            .decode()
            for use in ("nonce", "verifier")
        )
        return cls(nonce, verifier)


def checked_issuer(text: str) -> str:
    """The address of an issuer; BadInput when it cannot be one."""
    issuer = text.strip()
    if not _is_safe(issuer) or urlsplit(issuer).query or urlsplit(issuer).fragment:
        raise BadInput("An issuer is an address like https://login.practice.example; http only on this machine.")
    return issuer


def discover(issuer: str) -> Endpoints:
    """What the provider publishes about itself. ProviderTrouble: unreachable, or what it publishes cannot be used."""
    with _talking("", "") as session:
        found = _document(session, issuer.rstrip("/") + _DISCOVERY)
    issuer_, authorization, token, keys = (
        str(found.get(name)) for name in ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    )
    if not all(_is_safe(each) for each in (issuer_, authorization, token, keys)):
        raise _untrusted("The provider's own description names no addresses that can be used.")
    methods = found.get("token_endpoint_auth_methods_supported")
    if not isinstance(methods, list):
        methods = ["client_secret_basic"]  # what it means where it is not said
    return Endpoints(
        issuer_,
        authorization,
        token,
        keys,
        secret_in_body="client_secret_basic" not in methods and "client_secret_post" in methods,
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def endpoints_of(client: Client) -> Endpoints:
    """As `discover`; ProviderTrouble too when another issuer answers in this one's place."""
    found = discover(client.issuer)
    if found.issuer != client.issuer:
        raise _untrusted("Another provider answered than the one that is set here.")
    return found


def address_to_ask(client: Client, endpoints: Endpoints, *, state: str, secrets: Secrets) -> str:
    """Where the browser goes."""
    session = OAuth2Session(client.client_id, code_challenge_method="S256", scope=SCOPE, redirect_uri=client.redirect)
    address, _ = session.create_authorization_url(
        endpoints.authorization, state=state, code_verifier=secrets.verifier, nonce=secrets.nonce
    )
    return str(address)


def subject_of(
    client: Client, endpoints: Endpoints, *, code: str, issuer: str | None, secrets: Secrets, now: int
) -> str:
    """Who the provider says has signed in: the subject of a valid ID token. `issuer`: what the answer says of whose it
    is; `now` in milliseconds. ProviderTrouble: unreachable, not_accepted, failed or untrusted."""
    if (issuer is not None or endpoints.names_itself) and issuer != client.issuer:
        raise _untrusted("The answer came from another provider than the one that is set here.")
    method = "client_secret_post" if endpoints.secret_in_body else "client_secret_basic"
    with _talking(client.client_id, client.secret, method) as session:
        token = _exchanged(session, client, endpoints, code, secrets.verifier)
        published = _document(session, endpoints.keys)
    claims = _claims(client, token, published, secrets.nonce, now)
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
        raise _untrusted("The ID token does not say who signed in.")
    return subject


def _exchanged(
    session: OAuth2Session, client: Client, endpoints: Endpoints, code: str, verifier: str
) -> dict[str, Any]:
    try:
        token: dict[str, Any] = session.fetch_token(
            endpoints.token,
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=client.redirect,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
        )
    except OAuthError as refused:
        if refused.error in ("invalid_client", "unauthorized_client"):
            raise ProviderTrouble("The provider does not accept this server's client.", code="not_accepted") from None
        raise failed(refused.error) from None
    except (requests.RequestException, ValueError) as error:
        raise _unreachable() from error
    return token


def _claims(client: Client, token: dict[str, Any], published: dict[str, Any], nonce: str, now: int) -> CodeIDToken:
    """The claims of the ID token, each of them checked."""
    options = {
        "iss": {"essential": True, "value": client.issuer},
        "aud": {"essential": True, "value": client.client_id},
    }
    wanted = {"nonce": nonce, "client_id": client.client_id, "access_token": token.get("access_token")}
    try:
        signed = jwt.decode(token["id_token"], _keys(published), algorithms=ALGORITHMS)
        claims = CodeIDToken(signed.claims, signed.header, options, wanted)
        claims.validate(now=now // 1000, leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, KeyError, TypeError) as wrong:  # whatever is in it, it is not what was asked for
        raise _untrusted("The provider's ID token is not valid.") from wrong
    return claims


def _keys(published: dict[str, Any]) -> KeySet:
    """Those that may sign: a key of another kind, such as one that is a secret, is not looked at."""
    found = [
        each
        for each in published["keys"]
        if isinstance(each, dict) and each.get("kty") in ("RSA", "EC") and each.get("use") != "enc"
    ]
    return KeySet.import_key_set({"keys": found})


@contextmanager
def _talking(client_id: str, secret: str, method: str = "none") -> Iterator[OAuth2Session]:
    """A session with a provider. Busy: too many are open."""
    if not _talks.acquire(timeout=CONNECT_SECONDS):
        raise Busy("Too many people are signing in by the provider at this moment.", retry_after_seconds=10)
    try:
        with OAuth2Session(client_id, secret, token_endpoint_auth_method=method) as session:
            yield session
    finally:
        _talks.release()


def _document(session: OAuth2Session, address: str) -> dict[str, Any]:
    """A JSON object that the provider publishes."""
    try:
        answer = session.get(
            address, withhold_token=True, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False
        )
        found = answer.json() if answer.status_code == 200 else None
    except requests.RequestException as error:
        raise _unreachable() from error
    if not isinstance(found, dict):
        raise _unreachable()
    return found


def failed(error: object) -> ProviderTrouble:
    """The provider ended the sign-in with an error of RFC 6749."""
    named = error if isinstance(error, str) and _ERROR.fullmatch(error) else "an error without a name"
    return ProviderTrouble(f"The provider ended the sign-in with {named}.", code="failed")


def _unreachable() -> ProviderTrouble:
    return ProviderTrouble("The provider gives no answer that can be read.", code="unreachable")


def _untrusted(message: str) -> ProviderTrouble:
    return ProviderTrouble(message, code="untrusted")


def _is_safe(address: str) -> bool:
    """Whether what is sent there, nobody on the way reads."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
        port_is_one = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not host or not port_is_one or parts.username is not None or not address.isprintable() or " " in address:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
