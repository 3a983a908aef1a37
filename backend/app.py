"""Where everything meets: the Flask app, and the process that serves it."""

import ipaddress
import secrets
import signal
import time
from collections.abc import Callable
from contextlib import nullcontext
from types import FrameType
from typing import NoReturn

import structlog
from flask import Flask, Response, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from prometheus_client import Histogram
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from backend import api, journal, web
from backend.api.problems import problem, sentence
from backend.config import Config
from backend.errors import CannotStart, NotSignedIn, ThreadtimeError
from backend.jobs import ticking
from backend.listener import listen
from backend.schemas.wire import PROTOCOL
from backend.store.connection import DatabaseError
from backend.store.database import Store, open_folder, refuse_missing_database
from backend.store.folder import lock_folder
from backend.store.trouble import in_words
from backend.store.wall import stay_within
from backend.web.errors import error_page

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
        "object-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # not no-referrer: with it, browsers send forms with `Origin: null`
    "Threadtime-Protocol": str(PROTOCOL),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

REQUEST_SECONDS = Histogram("threadtime_request_seconds", "One request", ["method", "route", "status"])

log = structlog.get_logger()


def create_app(config: Config, store: Store) -> Flask:
    """The app over an open store: the API, the pages, and what all answers have in common."""
    app = Flask("backend", static_folder=None)
    app.before_request(_note_the_time)
    if not config.behind_proxy:  # a proxy passes on only the names it was told
        app.before_request(_host_check(config))
    app.teardown_request(lambda _: stay_within(None))
    app.after_request(_log_request)
    app.after_request(_add_headers(config))
    app.register_error_handler(ThreadtimeError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(DatabaseError, _unusable)
    app.register_error_handler(Exception, _unexpected)
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", headers_enabled=True)
    describe = api.register(app, store, config, limiter)
    web.register(app, store, config, limiter, describe)
    return app


def serve(config: Config, *, ready: Callable[[str], None] | None = None) -> None:
    """Serves until SIGTERM or SIGINT; then finishes the requests at work and what waits for the writer.

    `ready` is called with the server's address once it listens. CannotStart says in one line what stands in the way:
    no folder, no key, no database or a damaged one, another server on the folder's file, a host outside loopback
    without a proxy, a port in use.
    """
    if not config.behind_proxy and not _is_loopback(config.host):
        raise CannotStart(
            f"Listening on {config.host} would send patients' data over the network in plain text: put a TLS proxy on "
            "this machine in front and say so with --behind-proxy."
        )
    journal.configure()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _stop)
    alone = lock_folder(config.data) if config.database is None else nullcontext()  # before the migrations
    with alone:
        store = _opened(config)
        try:
            server = listen(create_app(config, store), config)
            with ticking(store):
                address = (
                    f"http://{config.host if ':' not in config.host else f'[{config.host}]'}:{server.effective_port}"
                )
                log.info("serving", address=address)
                if ready is not None:
                    ready(address)
                server.run()
        finally:
            store.close()
            log.info("stopped")


def _opened(config: Config) -> Store:
    """The folder's store, whole as far as a start has the time to look."""
    refuse_missing_database(config.data, config.database)
    now = time.time_ns() // 1_000_000
    store = open_folder(config.data, config.key_file, database=config.database, queue_limit=config.queue_limit, now=now)
    try:
        store.refuse_damaged()
    except BaseException:
        store.close()
        raise
    return store


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    """Ends the listener's loop, which then lets the requests at work finish; a second signal changes nothing."""
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(0)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _host_check(config: Config) -> Callable[[], Response | None]:
    """Refuses a request under another name: a page elsewhere may point its own name at this machine."""
    names = {"127.0.0.1", "localhost", "[::1]", _in_address(config.host)}

    def check() -> Response | None:
        name, _, port = request.environ.get("HTTP_HOST", "").rpartition(":")
        given = name if port.isdecimal() else request.environ.get("HTTP_HOST", "")
        return None if given.lower() in names else problem(421, sentence(421))

    return check


def _add_headers(config: Config) -> Callable[[AnyResponse], AnyResponse]:
    headers = dict(_HEADERS)
    if config.behind_proxy:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    def add(response: AnyResponse) -> AnyResponse:
        response.headers.update(headers)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return add


def _note_the_time() -> None:
    g.started = time.perf_counter()


def _log_request(response: AnyResponse) -> AnyResponse:
    """One line a request, and its place in the figures."""
    seconds = time.perf_counter() - g.started
    method = request.method if request.method in _METHODS else "?"
    REQUEST_SECONDS.labels(method, _route() or "none", str(response.status_code)).observe(seconds)
    log.info("request", method=method, route=_route(), status=response.status_code, ms=round(seconds * 1000, 1))
    return response


def _refused(error: ThreadtimeError) -> AnyResponse:
    """What a verb refused, in its own words."""
    headers: dict[str, str] = {}
    if error.retry_after_seconds is not None:
        headers["Retry-After"] = str(error.retry_after_seconds)
    if isinstance(error, NotSignedIn):
        headers["WWW-Authenticate"] = "Bearer"
    return _error(error.status, error.message, headers, code=error.code)


def _unusable(error: Exception) -> AnyResponse:
    """The disk or the database's file failed as a request was read."""
    said = in_words(error)
    if not isinstance(said, ThreadtimeError):
        return _unexpected(error)
    log.error("the database refuses", said=said.message, route=_route(), **journal.describe(error))
    return _refused(said)


def _http_error(error: HTTPException) -> AnyResponse:
    """What the framework refused, or a route by one of the framework's errors with a sentence of its own."""
    status = error.code or 500
    if error.response is not None or status < 400:
        return AnyResponse.force_type(error.get_response())
    own = error.description if error.description != type(error).description else None
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return _error(status, own, headers)


def _unexpected(error: Exception) -> AnyResponse:
    """A defect: the answer names an id, the log has where it happened under that id, and neither has the payload."""
    id_ = secrets.token_hex(8)
    log.error("unexpected", id=id_, route=_route(), **journal.describe(error))
    return _error(500, None, {}, id_)


def _error(
    status: int, detail: str | None, headers: dict[str, str], id_: str | None = None, code: str | None = None
) -> AnyResponse:
    """A problem for programs, a page for people."""
    if request.path.startswith(_FOR_PROGRAMS):
        named = {name: value for name, value in (("id", id_), ("code", code)) if value is not None}
        return problem(status, detail or sentence(status), headers=headers, **named)
    page = error_page(status, detail, error_id=id_)
    page.headers.update(headers)
    return page


def _route() -> str | None:
    """The pattern that the request's address matched, which unlike the address holds nothing of anybody's."""
    return request.url_rule.rule if request.url_rule else None


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics")
