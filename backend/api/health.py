"""GET /healthz: the process answers. GET /readyz: its database does, too. GET /metrics: what it measures of itself."""

import ipaddress

from flask import Blueprint, Response, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from backend.errors import NotAllowed
from backend.store.database import Store


def routes(store: Store) -> Blueprint:
    """The three routes, over this store."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _ok()

    @blueprint.get("/readyz")
    def readyz() -> Response:
        with store.read() as connection:
            connection.execute("SELECT 1").fetchone()
        return _ok()

    @blueprint.get("/metrics")
    def metrics() -> Response:
        # Behind a proxy the address is that of whoever asked it: figures are for this machine alone.
        if not _is_here(request.remote_addr):
            raise NotAllowed("The figures of this server are read on its own machine.")
        return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)

    return blueprint


def _is_here(address: str | None) -> bool:
    try:
        return ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _ok() -> Response:
    return Response("ok\n", content_type="text/plain; charset=utf-8")
