"""The process of the organisation's provider: `oidc-provider-mock`, which can be told to lie.

Every client has to be registered, so that its secret and its redirect address are looked at; and the proof of PKCE,
which the mock takes unread, is checked here.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import flask
import oidc_provider_mock
from authlib import jose
from oidc_provider_mock._storage import storage  # the key that it signs with
from werkzeug.serving import make_server

LIES: dict[str, Any] = {}
CHALLENGES: dict[str, str] = {}
OTHER = jose.JsonWebKey.generate_key("RSA", 2048, is_private=True)


def made() -> flask.Flask:
    app = oidc_provider_mock.app(require_client_registration=True, require_nonce=True)
    app.before_request(refused)
    app.after_request(altered)

    @app.post("/lie")
    def lie() -> tuple[str, int]:
        LIES.clear()
        LIES.update(flask.request.get_json())
        return "", 204

    return app


def refused() -> tuple[dict[str, str], int] | None:
    """An exchange without the proof of PKCE, or one that is to fail."""
    form = flask.request.form
    if flask.request.path != "/oauth2/token":
        return None
    proof = text(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    if CHALLENGES.get(form.get("code", "")) != proof:
        return {"error": "invalid_grant"}, 400
    return ({"error": LIES["error"]}, 400) if "error" in LIES else None


def altered(response: flask.Response) -> flask.Response:
    """What the mock answers, with the lies of the moment."""
    path = flask.request.path
    if path == "/oauth2/authorize" and response.status_code == 302:
        response.headers["Location"] = sent_back(response.headers["Location"])
    if path.startswith("/.well-known/") and "published" in LIES:
        response.set_data(json.dumps({**response.get_json(), **LIES["published"]}))
    if path == "/oauth2/token" and response.status_code == 200:
        answer = response.get_json()
        response.set_data(json.dumps({**answer, "id_token": signed(answer["id_token"])}))
    return response


def sent_back(location: str) -> str:
    """Where the browser goes; the proof of PKCE is noted, and the state goes too where the person said no, which the
    mock forgets."""
    asked, answer = flask.request.args, parse_qs(urlsplit(location).query)
    if "code" in answer and asked.get("code_challenge_method") == "S256":
        CHALLENGES[answer["code"][0]] = asked["code_challenge"]
    return location if "state" in answer else f"{location}&{urlencode({'state': asked['state']})}"


def signed(token: str) -> str:
    """The ID token with other claims, and signed as the lies say."""
    head, body, _ = token.split(".")
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body))
    claims = {name: value for name, value in {**claims, **LIES.get("claims", {})}.items() if value is not None}
    match LIES.get("signed"):
        case "none":
            return f"{text(json.dumps({'alg': 'none'}).encode())}.{text(json.dumps(claims).encode())}."
        case "secret":
            return str(jose.jwt.encode({"alg": "HS256"}, claims, LIES["secret"].encode()).decode())
        case "other":
            return str(jose.jwt.encode(header, claims, OTHER).decode())
        case _:
            return str(jose.jwt.encode(header, claims, storage.jwk).decode())


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


if __name__ == "__main__":
    make_server(sys.argv[1], int(sys.argv[2]), made(), threaded=True).serve_forever()
