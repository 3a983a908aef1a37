"""What somebody who answers for a colleague may mark of the colleague's time: what it was, and nothing else.

A mark is a row that corrects an interval. The time stays the colleague's, as long as it was measured, and what the
colleague has marked themselves stands.
"""

from collections.abc import Collection, Mapping
from typing import Any

from backend.desk.delegations import answers_for
from backend.desk.devices import Device
from backend.store import Connection, intervals

MARKS = frozenset({"refill_admin", "scheduling", "results_only"})
"""Activities that no machine can see which reads no text."""
MARKED_ENTRIES = frozenset({"measured", "linked_chart"})
"""What was entered by hand or attested is its clinician's own word: of that they are asked, and nobody marks it."""
_KEPT = ("portal", "thread", "patient", "started_at", "ended_at", "idle_after_seconds")


def marked_for(
    connection: Connection,
    device: Device,
    rows: Collection[Mapping[str, Any]],
    stored: Mapping[str, Any],
    now: int,
) -> dict[str, str]:
    """id of a correcting row of the wire -> user id of the colleague whose interval it marks: of those rows that may do
    so now, and of those that this device has sent before. `stored`: by id, what is stored of which the rows speak."""
    if not rows:
        return {}
    sent = (stored[row["id"]] for row in rows if row["id"] in stored)
    found = {row["interval_id"]: str(row["user_id"]) for row in sent if row["device_id"] == device.device_id}
    colleagues = {each.user_id for each in answers_for(connection, device.practice_id, device.user_id, now)}
    if colleagues:
        settled = intervals.corrected_by_their_own(connection, device.practice_id, [row["corrects"] for row in rows])
        for row in rows:
            marked = None if row["corrects"] in settled else stored.get(row["corrects"])
            if marked is not None and marked["user_id"] in colleagues and _marks(row, marked):
                found[row["id"]] = marked["user_id"]
    return found


def _marks(row: Mapping[str, Any], marked: Any) -> bool:
    entry = row.get("entry", "measured")
    same = all(row[name] == marked[name] for name in _KEPT) and entry == marked["entry"] and marked["corrects"] is None
    return same and entry in MARKED_ENTRIES and row["activity"] in MARKS | {marked["activity"]}
