"""What a failure of the database's file is called for the people whom it stops."""

from backend.errors import Busy
from backend.store.connection import DatabaseError

_LOOKED_AFTER = "whoever looks after the server has to"
_WORDS = (
    (("database is locked",), 1, "The database is in use by other work; try again in a moment."),
    (
        ("disk is full", "disk I/O error"),
        30,
        f"The server's disk is full, or fails: {_LOOKED_AFTER} make room. What was acknowledged is safe.",
    ),
    (
        ("readonly database", "unable to open database file"),
        30,
        f"The server cannot write its data folder: {_LOOKED_AFTER} see to its disk. What was acknowledged is safe.",
    ),
    (
        ("malformed", "not a database"),
        300,
        f"The database is damaged: {_LOOKED_AFTER} run doctor, and restore a backup.",
    ),
)
"""(what SQLite says, seconds after which another try makes sense, what people are told)."""


def in_words(error: BaseException) -> BaseException:
    """Busy, in a sentence that says who has to do what, for a failure of the disk, the file, or its lock; any other
    error as it is."""
    if isinstance(error, DatabaseError):
        for marks, seconds, words in _WORDS:
            if any(mark in str(error) for mark in marks):
                return Busy(words, retry_after_seconds=seconds)
    return error
