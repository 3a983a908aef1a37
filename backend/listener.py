"""The HTTP server in front of the app: waitress in one process, whose own refusals are problems as well."""

import errno
import logging
from http import HTTPStatus
from typing import Any, ClassVar

from flask import Flask
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.utilities import Error

from backend.api.problems import MEDIA_TYPE, problem_body, sentence
from backend.config import Config
from backend.errors import CannotStart

THREADS = 16
"""Requests in work at once; most wait for the writer's group commit, which serves all of them with one fsync."""
CONNECTIONS = 1000
BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a body after which the server reads no further; each route has its own, smaller limit."""
HEADER_LIMIT = 32 * 1024


def listen(app: Flask, config: Config) -> Any:
    """A waitress server that listens and, on `run()`, answers. CannotStart when the address cannot be had."""
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it warns of each request that waits for a thread
    proxy: dict[str, Any] = {}
    if config.behind_proxy:
        proxy = {
            "trusted_proxy": "127.0.0.1",
            "trusted_proxy_count": 1,
            "trusted_proxy_headers": "x-forwarded-for x-forwarded-host x-forwarded-proto",
        }
    try:
        server = create_server(
            app,
            host="127.0.0.1" if config.host == "localhost" else config.host,
            port=config.port,
            threads=THREADS,
            connection_limit=CONNECTIONS,
            asyncore_use_poll=True,  # select() ends at 1,024 files
            max_request_body_size=BODY_LIMIT,
            max_request_header_size=HEADER_LIMIT,
            clear_untrusted_proxy_headers=True,
            ident=None,
            **proxy,
        )
    except OSError as failed:
        if failed.errno == errno.EADDRINUSE:
            reason = "something else listens there already"
        else:
            reason = failed.strerror or "the address cannot be used"
        raise CannotStart(f"Cannot listen on {config.host} port {config.port}: {reason}.") from failed
    server.channel_class = _Channel
    return server


class _Refusal(Error):  # type: ignore[misc]
    """An answer that the listener gives by itself, before the app sees the request."""

    def __init__(self, code: int) -> None:
        super().__init__("")
        self.code = code

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        headers = [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]
        return f"{self.code} {HTTPStatus(self.code).phrase}", headers, problem_body(self.code, sentence(self.code))


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Takes no chunked body, whose length shows only once it has been read, and refuses in problems."""

    error: Any

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        error = self.error
        if error is None and self.chunked:
            self.error = _Refusal(411)
            self.completed = True
        elif error is not None and not isinstance(error, _Refusal):
            self.error = _Refusal(error.code)
        return consumed


class _Channel(HTTPChannel):  # type: ignore[misc]
    parser_class: ClassVar[type] = _Parser

    def writable(self) -> bool:
        """Not while a thread is about to send by itself: the loop could only ask again and again, and take the
        interpreter from that thread for milliseconds. For what it cannot send, the thread wakes the loop."""
        if not self.will_close and self.total_outbufs_len:
            if not self.outbuf_lock.acquire(blocking=False):
                return False
            self.outbuf_lock.release()
        return bool(super().writable())
