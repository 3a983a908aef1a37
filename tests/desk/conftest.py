"""Riverside, with a doctor, a nurse, a therapist and a colleague; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import BOTH, database_of
from tests.desk.world import World, world


@pytest.fixture(params=BOTH)
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The address of a database, None where a file serves: a test about the file itself asks for `sqlite` alone."""
    yield from database_of(request.param, request)


@pytest.fixture
def riverside(tmp_path: Path, database: str | None) -> Iterator[World]:
    with world(tmp_path, database) as made:
        yield made
