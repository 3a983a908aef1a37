"""POST /api/v1/pairing: a browser asks to be paired, and asks for its token until a person has answered."""

import time
from typing import Any

import orjson
from flask import Response, request
from flask_limiter import Limiter
from flask_smorest import Blueprint

from backend.api.body import read_json
from backend.api.description import described
from backend.config import Config
from backend.desk.pairing import begin, poll
from backend.schemas.pairing import (
    PairingAnswer,
    PairingRequest,
    TokenAnswer,
    TokenRequest,
    load_device_code,
    load_pairing,
)
from backend.store.database import Store

BODY_MAX = 4096
"""Bytes."""


def routes(store: Store, config: Config, limiter: Limiter) -> Blueprint:
    """The two routes, over this store."""
    blueprint = Blueprint("pairing", __name__, url_prefix="/api/v1", description="Pairing by code, shaped as RFC 8628")

    @limiter.limit(
        f"{config.pairing_tries_per_minute} per minute",
        error_message="Too many pairings were begun from here; wait a minute.",
    )
    def post_pairing() -> Response:
        device_name, browser = load_pairing(_body())
        asked = begin(store, device_name=device_name, browser=browser, now=time.time_ns() // 1_000_000)
        return _json(
            {
                "device_code": asked.device_code,
                "user_code": asked.user_code,
                "verification_uri": f"{request.host_url}pair",
                "expires_in": asked.expires_in,
                "interval": asked.interval,
            }
        )

    def post_token() -> Response:
        paired = poll(store, load_device_code(_body()), now=time.time_ns() // 1_000_000)
        return _json(
            {
                "access_token": paired.token,
                "token_type": "Bearer",
                "device_name": paired.device_name,
                "clinician": {"id": paired.user_id, "name": paired.user_name},
                "practice": paired.practice_name,
            }
        )

    begins = described(
        "Ask to be paired",
        body=PairingRequest,
        answer=PairingAnswer,
        answered="A code for the person to confirm",
        token=False,
        problems=("429",),
    )
    asks = described(
        "Ask for the token",
        body=TokenRequest,
        answer=TokenAnswer,
        answered="The token, once; 400 with a `code` until then",
        token=False,
    )
    blueprint.add_url_rule("/pairing", view_func=blueprint.doc(**begins)(post_pairing), methods=["POST"])
    blueprint.add_url_rule("/pairing/token", view_func=blueprint.doc(**asks)(post_token), methods=["POST"])
    return blueprint


def _body() -> object:
    body = read_json(request, most=BODY_MAX)
    body.repeated_in("")
    return body.content


def _json(answer: dict[str, Any]) -> Response:
    return Response(orjson.dumps(answer), content_type="application/json")
