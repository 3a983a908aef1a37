"""A recording relay in front of the server: it keeps every byte that the extension sends and may cut a connection."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Exchange:
    """One request as it came and the server's answer, None when the server could not be reached."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int | None = None
    answer: bytes = b""

    def sent(self) -> bytes:
        """Everything that left the browser in this request."""
        lines = [f"{self.method} {self.path}", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\n".join(lines).encode() + b"\n\n" + self.body


@dataclass
class Relay:
    """Where the relay listens and what passed through it, in order.

    `on_intervals`, set by a test, is called once with the next exchange that posts intervals, after the server has
    answered and before the browser hears of it; the connection is then cut, so the browser never learns the answer.
    `clock_off_seconds` is how far from the server's the clock is of which the browser hears.
    """

    upstream: int
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    clock_off_seconds: int = 0
    on_intervals: Callable[[Exchange], None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def posts(self) -> list[Exchange]:
        """The requests that carried intervals and reached the server."""
        with self.lock:
            return [one for one in self.exchanges if one.path == "/api/v1/intervals" and one.status is not None]

    def take_hook(self, exchange: Exchange) -> Callable[[Exchange], None] | None:
        """The hook, if it is set and meant for this exchange; it is then spent."""
        with self.lock:
            if self.on_intervals is None or exchange.method != "POST" or exchange.status is None:
                return None
            hook, self.on_intervals = self.on_intervals, None
            return hook


@contextmanager
def relaying(upstream: int) -> Iterator[Relay]:
    """Relays a free loopback port to the server's port `upstream`."""
    relay = Relay(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def relayed(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            exchange = Exchange(self.command, self.path, dict(self.headers), self.rfile.read(length))
            with relay.lock:
                relay.exchanges.append(exchange)
            headers = ask(relay.upstream, exchange)
            hook = relay.take_hook(exchange)
            if hook is not None:
                hook(exchange)
            if hook is not None or exchange.status is None:
                self.close_connection = True  # without an answer: the browser sees a broken connection
                return
            with suppress(ConnectionError):  # a killed worker has hung up
                self.answer(exchange, headers)

        def answer(self, exchange: Exchange, headers: list[tuple[str, str]]) -> None:
            self.send_response_only(exchange.status or 502)
            for name, value in headers:
                if name.lower() == "date":
                    self.send_header(name, formatdate(time.time() + relay.clock_off_seconds, usegmt=True))
                elif name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(exchange.answer)))
            self.end_headers()
            self.wfile.write(exchange.answer)

        do_GET = do_POST = do_OPTIONS = do_HEAD = do_PUT = do_DELETE = relayed  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        relay.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, exchange: Exchange) -> list[tuple[str, str]]:
    """Passes a request on, fills in the answer, and returns its headers; a server that is down leaves it unanswered."""
    upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        upstream.request(exchange.method, exchange.path, exchange.body, exchange.headers)
        answer = upstream.getresponse()
        exchange.answer = answer.read()
        exchange.status = answer.status
        return answer.getheaders()
    except (OSError, http.client.HTTPException):
        return []
    finally:
        upstream.close()
