"""The Medplum shell, built and served once a run, and a plain browser to look at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import Chromium, Desktop
from tests.portals.shells import build_medplum, serving
from tests.story.clinician import HOST


@pytest.fixture(scope="session")
def medplum(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port on which the Medplum shell is served."""
    with serving(build_medplum(tmp_path_factory.mktemp("medplum"))) as port:
        yield port


@pytest.fixture(scope="module")
def chromium(medplum: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser without the extension, for which HOST is the Medplum shell."""
    profile = tmp_path_factory.mktemp("profile")
    with (
        Desktop() as desktop,
        Chromium(desktop, profile, extension=None, hosts={HOST: medplum}) as chromium,
    ):
        yield chromium
