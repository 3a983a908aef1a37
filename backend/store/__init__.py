"""The only room that speaks SQL: schema, the writer, queries. `open_store` is the door."""

from backend.store.connection import Connection
from backend.store.engine import Store, open_store
from backend.store.folder import FolderLock, create_folder, lock_folder
from backend.store.keys import create_key, key_path, read_key

__all__ = [
    "Connection",
    "FolderLock",
    "Store",
    "create_folder",
    "create_key",
    "key_path",
    "lock_folder",
    "open_store",
    "read_key",
]
