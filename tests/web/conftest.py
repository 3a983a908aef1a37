"""A practice in a real store, and the app over it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from backend.app import create_app
from backend.config import Config
from backend.desk import people, practices
from backend.store.database import Store, open_store
from backend.store.folder import create_folder
from backend.store.keys import create_key, read_key

PASSWORD = "four words in a row"
NOW = 1_790_000_000_000
OURS = {"Origin": "http://localhost"}


@dataclass
class Visitor:
    """A browser without scripts: keeps cookies and sends forms with the proof that stands in them."""

    client: FlaskClient

    def get(self, address: str) -> TestResponse:
        return self.client.get(address)

    def post(self, address: str, form: dict[str, str], *, headers: dict[str, str] = OURS) -> TestResponse:
        return self.client.post(address, data=form, headers=headers)

    def proof(self, address: str = "/sign-in") -> str:
        found = re.search(r'name="form_token" value="([0-9a-f]{64})"', self.get(address).text)
        assert found, "no form on the page"
        return found[1]

    def sign_in(self, email: str, password: str = PASSWORD, *, after: str = "") -> TestResponse:
        form = {"email": email, "password": password, "form_token": self.proof()}
        return self.post("/sign-in" + (f"?after={after}" if after else ""), form)


@pytest.fixture
def store(tmp_path: Path, database: str | None) -> Iterator[Store]:
    data, key_file = tmp_path / "data", tmp_path / "key"
    create_folder(data)
    create_key(data, key_file)
    opened = open_store(data, read_key(data, key_file), database=database)
    try:
        yield opened
    finally:
        opened.close()


@pytest.fixture
def practice(store: Store) -> practices.Practice:
    """Riverside in New York: a manager, an administrator alone, a clinician."""
    made = practices.create_practice(
        store,
        name="Riverside",
        timezone="America/New_York",
        admin_email="manager@riverside.example",
        admin_name="Rosa Lind",
        password=PASSWORD,
        kinds=["medplum"],
        now=NOW,
    )
    for email, name, roles, credential in (
        ("admin@riverside.example", "Ada Min", ["admin"], None),
        ("doctor@riverside.example", "Robin Doe", ["clinician"], "MD"),
    ):
        people.add_user(
            store,
            made.practice_id,
            email=email,
            name=name,
            roles=roles,
            credential=credential,
            password=PASSWORD,
            now=NOW,
        )
    return made


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return replace(Config(), data=tmp_path / "data", sign_in_tries_per_minute=1000)


@pytest.fixture
def app(config: Config, store: Store, practice: practices.Practice) -> Flask:
    return create_app(config, store)


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    return Visitor(app.test_client())


@pytest.fixture
def manager(visitor: Visitor) -> Visitor:
    assert visitor.sign_in("manager@riverside.example").status_code == 303
    return visitor
