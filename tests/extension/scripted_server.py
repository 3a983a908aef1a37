"""A server that answers as a test says and remembers what it was sent. It stands in for a practice's server only where
the extension's own pages are looked at; the story tests use the real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, Any]]


class ScriptedServer:
    """`answer` takes the body of a request with intervals and gives status and body; `bodies` are all that came.

    `others` are the answers at other paths: what is not there is 404, as from an older server. `asked` are the paths
    and bodies that came there.
    """

    def __init__(self) -> None:
        self.answer: Callable[[dict[str, Any]], Answer] = accept
        self.bodies: list[dict[str, Any]] = []
        self.others: dict[str, Callable[[dict[str, Any]], Answer]] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.port = 0

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every interval that came, in order."""
        return [row for body in self.bodies for row in body["intervals"]]


def accept(body: dict[str, Any]) -> Answer:
    return 200, {"accepted": [row["id"] for row in body["intervals"]], "duplicate": [], "rejected": []}


def reject(body: dict[str, Any]) -> Answer:
    reasons = [
        {"id": row["id"], "index": n, "reason": "the portal is unknown"} for n, row in enumerate(body["intervals"])
    ]
    return 200, {"accepted": [], "duplicate": [], "rejected": reasons}


def status(number: int, detail: str) -> Callable[[dict[str, Any]], Answer]:
    return lambda body: (number, {"detail": detail})


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    script = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path == "/api/v1/intervals":
                script.bodies.append(body)
                number, answer = script.answer(body)
            else:
                script.asked.append((self.path, body))
                number, answer = script.others.get(self.path, status(404, "there is nothing here"))(body)
            text = json.dumps(answer).encode()
            self.send_response(number)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        script.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()
