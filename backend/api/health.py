"""GET /healthz: the process answers. GET /readyz: its database does, too."""

from flask import Blueprint, Response

from backend.store.database import Store


def routes(store: Store) -> Blueprint:
    """The two routes, over this store."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/healthz")
    def healthz() -> Response:
        return _ok()

    @blueprint.get("/readyz")
    def readyz() -> Response:
        with store.read() as connection:
            connection.execute("SELECT 1").fetchone()
        return _ok()

    return blueprint


def _ok() -> Response:
    return Response("ok\n", content_type="text/plain; charset=utf-8")
