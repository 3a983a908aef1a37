"""Whether the database is whole, and says what deciding everything afresh says."""

from backend.store import Store


def verify(store: Store) -> list[str]:
    """The problems found, one sentence each; an empty list when there is none. Changes nothing."""
    raise NotImplementedError
