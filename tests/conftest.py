"""Fixtures that several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Server


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Server]:
    """A practice that is set up and whose server does not run yet; a test may start and kill it."""
    server = Server(tmp_path)
    server.set_up()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def server(practice: Server) -> Server:
    """A running server of a new practice with a clinician, whose device holds `server.token`."""
    practice.start()
    return practice


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server for a module's tests, which must not depend on what is stored."""
    server = Server(tmp_path_factory.mktemp("server"))
    server.set_up()
    server.start()
    try:
        yield server
    finally:
        server.stop()
