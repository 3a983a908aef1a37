"""A practice's deployment, as docs/deploying.md tells it: the package, where it is fetched from, and the policies."""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/deploying.md").read_text()


def written(text: str, names: Mapping[str, str]) -> str:
    """The block of the page that holds `text`, with the practice's own names in the place of the page's."""
    blocks = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)
    [block] = [one for one in blocks if text in one]
    for name, own in names.items():
        block = block.replace(name, own)
    return re.sub("^    ", "", block, flags=re.MULTILINE).strip()


def policy(text: str, names: Mapping[str, str]) -> dict[str, Any]:
    """The policy of the page that holds `text`."""
    return dict(json.loads(written(text, names)))


def package(folder: Path, *hosts: str) -> Path:
    """The practice's own package, unpacked in `folder`/extension and packed in `folder`/threadtime.zip."""
    grants = [word for host in hosts for word in ("--grant", host)]
    command = [sys.executable, "extension/assemble.py", *grants, "--out", str(folder / "extension")]
    subprocess.run(
        [*command, "--zip", str(folder / "threadtime.zip")], cwd=ROOT, check=True, capture_output=True, timeout=60
    )
    return folder / "extension"


def packed(extension: Path) -> str:
    """Packs the extension beside its folder as a .crx with a new key; returns its id."""
    command = ["/usr/bin/chromium", "--no-sandbox", f"--pack-extension={extension}", "--no-message-box"]
    subprocess.run([*command, f"--user-data-dir={extension}-packing"], check=True, capture_output=True, timeout=60)
    content = extension.with_suffix(".crx").read_bytes()
    assert content[:8] == b"Cr24\x03\0\0\0"
    header = content[12 : 12 + int.from_bytes(content[8:12], "little")]
    return header[-16:].hex().translate(str.maketrans("0123456789abcdef", "abcdefghijklmnop"))


@contextmanager
def intranet(folder: Path) -> Iterator[str]:
    """The address of a web server that gives out what is in the folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
