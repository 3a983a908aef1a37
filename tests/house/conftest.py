"""The app over an empty database, for what a guard asks of its routes."""

import pytest

from backend.app import create_app
from backend.config import Config
from backend.store.database import open_store
from backend.store.folder import create_folder
from backend.store.keys import create_key, read_key


@pytest.fixture
def app(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    config = Config(data=tmp_path / "data")
    create_folder(config.data)
    create_key(config.data)
    store = open_store(config.data, read_key(config.data, None))
    yield create_app(config, store)
    store.close()
