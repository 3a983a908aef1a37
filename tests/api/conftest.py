"""The stories of a device and a feed run on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import BOTH, database_of


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The address of a database, None where a file serves."""
    yield from database_of(request.param, request)


@pytest.fixture(scope="module", params=BOTH)
def shared_database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The same for a module's tests."""
    yield from database_of(request.param, request)
