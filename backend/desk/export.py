"""What is stored, for other programs."""

from collections.abc import Iterator
from typing import Any

from backend.desk.audit import add_taken
from backend.store import Store, intervals

ROWS_A_READ = 1000
_ALWAYS = (
    "portal",
    "thread",
    "patient",
    "activity",
    "started_at",
    "ended_at",
    "ended_by",
    "idle_after_seconds",
    "entry",
)
_WHERE_SENT = ("tab", "linked_from", "corrects", "reason", "problem")


def export_intervals(store: Store, practice_id: int, *, now: int, by: str | None = None) -> Iterator[dict[str, Any]]:
    """Every interval of the practice with the fields it was sent with, in the order of the ids.

    `entry` is always there; of the other optional fields those that were sent. Reads in pieces, so that a long export
    holds no old state of the database; what arrives meanwhile may or may not be in it. `by`: who takes it; None: a
    command.
    """
    add_taken(store, practice_id, "intervals_exported", {}, by=by, now=now)
    last = ""
    while True:
        with store.read() as connection:
            rows = intervals.after(connection, practice_id, last, ROWS_A_READ)
        for row in rows:
            yield _fields(row)
        if len(rows) < ROWS_A_READ:
            return
        last = rows[-1]["interval_id"]


def _fields(row: Any) -> dict[str, Any]:
    fields = {"id": row["interval_id"], **{name: row[name] for name in _ALWAYS}}
    if row["recovered"]:
        fields["recovered"] = True
    fields.update((name, row[name]) for name in _WHERE_SENT if row[name] is not None)
    return fields
