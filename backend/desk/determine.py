"""Settling: patients whose facts changed, or for whom a day began, get their episodes and determinations afresh."""

from backend.store import Store


def settle(store: Store, practice_id: int | None, now: int) -> int:
    """Computes every patient that is due at `now` (of one practice, or of all); returns how many there were."""
    raise NotImplementedError
