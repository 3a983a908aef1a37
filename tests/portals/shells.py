"""Builds the portal shells and serves them on a free loopback port."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TESTS = Path(__file__).parents[1]


def build_medplum(folder: Path) -> Path:
    """Builds tests/portals/medplum into the folder and returns it; its packages come from `make setup`."""
    command = [TESTS / "node", "npm", "--prefix", TESTS, "run", "build:medplum", "--", "--outDir", folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class SinglePage(SimpleHTTPRequestHandler):
    """Gives index.html for every path that is not a file, as a web server in front of a single-page app does."""

    def translate_path(self, path: str) -> str:
        found = Path(super().translate_path(path))
        return str(found if found.is_file() else Path(self.directory) / "index.html")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a test's output is its own."""


class StaticPortal(SimpleHTTPRequestHandler):
    """Gives PATH.html for a path such as `/messages.php`, and anything.html where a folder has no page for a path."""

    def translate_path(self, path: str) -> str:
        asked = Path(super().translate_path(path))
        page = asked / "index.html" if asked.is_dir() else asked
        candidates = [page, page.with_name(f"{page.name}.html"), TESTS / "portals/anything.html"]
        return str(next(file for file in candidates if file.is_file()))

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: a test's output is its own."""


@contextmanager
def serving(folder: Path, handler: type[SimpleHTTPRequestHandler] = SinglePage) -> Iterator[int]:
    """Serves `folder` and yields the port; the server and its thread are gone afterwards."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
