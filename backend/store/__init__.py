"""The only room that speaks SQL: the schema, the single writer, readers and queries, one module a noun."""

from backend.store.connection import Connection
from backend.store.database import Store, open_folder, open_store

__all__ = ["Connection", "Store", "open_folder", "open_store"]
