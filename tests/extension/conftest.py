"""The extension's pages in a browser of their own, with a scripted server behind them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Chromium, Desktop
from tests.extension.pages import Pages
from tests.extension.scripted_server import scripted_server
from tests.story.extension import assemble


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("pages"), "http://portal.localhost/*", "http://127.0.0.1/*")


@pytest.fixture
def pages(tmp_path: Path, folder: Path) -> Iterator[Pages]:
    with (
        scripted_server() as server,
        Desktop() as desktop,
        Chromium(desktop, tmp_path / "profile", extension=folder, hosts={}) as chromium,
    ):
        yield Pages(chromium, server)
