"""The whole road, standing: a practice's server, a relay in front of it, and a paired browser at the portal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser import Chromium, Desktop
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.server import Server
from tests.story.clinician import HOST, Clinician
from tests.story.extension import Extension, assemble
from tests.story.relay import relaying
from tests.story.road import Road


@pytest.fixture(scope="session")
def extension_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("extension"), f"http://{HOST}/*", "http://127.0.0.1/*")


@pytest.fixture
def idle_after() -> int:
    """N in seconds: the shortest that the extension allows, so that a script need not sit still for a minute."""
    return 15


@pytest.fixture
def flags() -> list[str]:
    """More of the browser's own command line."""
    return []


@pytest.fixture
def road(
    server: Server,
    medplum: int,  # noqa: F811
    extension_folder: Path,
    idle_after: int,
    flags: list[str],
    tmp_path: Path,
) -> Iterator[Road]:
    profile = tmp_path / "profile"
    with (
        relaying(server.port) as relay,
        Desktop() as desktop,
        Chromium(desktop, profile, extension=extension_folder, hosts={HOST: medplum}, flags=flags) as chromium,
    ):
        extension = Extension(chromium)
        extension.pair(
            server=f"http://127.0.0.1:{relay.port}",
            token=server.token,
            portal="medplum",
            address=f"http://{HOST}",
            idle_after=idle_after,
        )
        yield Road(server, relay, chromium, extension, Clinician(chromium), profile, idle_after)
