"""Riverside, with a doctor, a nurse, a therapist and a colleague."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.desk.world import World, world


@pytest.fixture
def riverside(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made
