"""JSON over HTTP: thin routes that load, call one desk verb and dump."""

import re
from collections.abc import Callable
from threading import Lock
from typing import Any

import flask_smorest
import orjson
from flask import Flask, Response, request
from flask_cors import CORS
from flask_limiter import Limiter

from backend.api import facts, health, intervals, own_episodes, pairing
from backend.api.problems import MEDIA_TYPE, problem
from backend.config import Config
from backend.schemas.problem import Problem
from backend.schemas.wire import PROTOCOL
from backend.store.database import Store

EXTENSION_ID = "ofeccemahahekngldkiocbdehdijfgle"
"""Chromium makes it from the `key` in the extension's manifest; a test holds the two together."""

_EXTENSIONS = [
    f"chrome-extension://{EXTENSION_ID}",
    # Firefox makes an origin for each installation, which cannot be known beforehand.
    re.compile(r"moz-extension://[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z"),
]


class _Api(flask_smorest.Api):  # type: ignore[misc]
    """Describes the routes; errors are made into problems by the app, for all routes alike."""

    ERROR_SCHEMA = Problem
    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        self._lock = Lock()
        self._whole = False
        super().__init__(app)

    def _register_error_handlers(self) -> None:
        pass

    def _openapi_json(self) -> Response:
        return Response(orjson.dumps(self.described()), content_type="application/json")

    def described(self) -> dict[str, Any]:
        """The whole description. The many kinds of fact are added for whoever asks first: no start waits for them."""
        with self._lock:
            if not self._whole:
                facts.describe(self.spec)
                self._whole = True
            described: dict[str, Any] = self.spec.to_dict()
            return described


def register(app: Flask, store: Store, config: Config, limiter: Limiter) -> Callable[[], dict[str, Any]]:
    """Adds the routes under /api, /healthz, /readyz and /metrics, and returns what describes those of devices."""
    app.config.update(
        API_TITLE="Threadtime",
        API_VERSION=f"v{PROTOCOL}",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = _Api(app)
    del api.spec.components.schemas["PaginationMetadata"]  # no answer has pages
    api.spec.components.security_scheme("device", {"type": "http", "scheme": "bearer"})
    api.spec.components.response(
        "Problem", {"description": "An error, in words", "content": {MEDIA_TYPE: {"schema": Problem}}}
    )
    api.register_blueprint(intervals.routes(store))
    api.register_blueprint(own_episodes.routes(store))
    api.register_blueprint(pairing.routes(store, config, limiter))
    app.register_blueprint(facts.routes(store))
    app.register_blueprint(health.routes(store))
    app.before_request(_speaks_our_protocol)
    CORS(
        app,
        resources={r"/api/.*": {"origins": _EXTENSIONS}},
        methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Threadtime-Protocol"],
        expose_headers=["Threadtime-Protocol", "Retry-After"],
        supports_credentials=False,
        max_age=600,
    )
    return api.described


def _speaks_our_protocol() -> Response | None:
    """426 for a protocol that this server does not know, saying which side to update."""
    spoken = request.headers.get("Threadtime-Protocol")
    if spoken is None or spoken == str(PROTOCOL) or not request.path.startswith("/api/"):
        return None
    newer = spoken.isascii() and spoken.isdecimal() and int(spoken[:9]) > PROTOCOL
    update = "the server" if newer else "the extension"
    return problem(426, f"This server knows protocol {PROTOCOL} and not the one that was asked for: update {update}.")
