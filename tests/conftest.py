"""Fixtures that several rooms share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import settings

from backend.auth import passwords
from backend.store import schema
from backend.store.server import schema_lock
from tests.postgresql import Cluster
from tests.server import Server

settings.register_profile("threadtime", deadline=None)  # how fast an example is says what else the machine does
settings.load_profile("threadtime")

BOTH = ("sqlite", "postgresql")
"""The databases on which the same tests run."""


HASHER_IN_FORCE, NOBODY_IN_FORCE = passwords._hasher, passwords.NOBODY


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """A password is hashed in a blink where a test calls the code itself: a third of a run was spent on it. Servers
    and commands, which are processes of their own, and tests/auth/test_passwords.py hash as in force."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr(passwords, "NOBODY", quick.hash(passwords.generated()))
        yield


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server for the whole run."""
    made = Cluster()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def practice_template(cluster: Cluster) -> str:
    """A database with every table and nothing in it."""
    name = cluster.create()
    with schema_lock(cluster.url(name)) as connection:
        schema.migrate_server(connection)
    return name


def database_of(kind: str, request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The address of a new database with its tables in it; None where a file serves."""
    if kind == "sqlite":
        yield None
        return
    cluster: Cluster = request.getfixturevalue("cluster")
    name = cluster.create(template=request.getfixturevalue("practice_template"))
    try:
        yield cluster.url(name)
    finally:
        cluster.drop(name)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """A file, unless a test or its room says otherwise."""
    yield from database_of(getattr(request, "param", "sqlite"), request)


@pytest.fixture(scope="module")
def shared_database(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """The same for a module's tests."""
    yield from database_of(getattr(request, "param", "sqlite"), request)


@pytest.fixture
def practice(tmp_path: Path, database: str | None) -> Iterator[Server]:
    """A practice that is set up and whose server does not run yet; a test may start and kill it."""
    server = Server(tmp_path, database)
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
def shared_server(tmp_path_factory: pytest.TempPathFactory, shared_database: str | None) -> Iterator[Server]:
    """A running server for a module's tests, which must not depend on what is stored."""
    server = Server(tmp_path_factory.mktemp("server"), shared_database)
    server.set_up()
    server.start()
    try:
        yield server
    finally:
        server.stop()
