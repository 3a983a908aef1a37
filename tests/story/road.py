"""All the parts of one road, from a portal tab to a practice's report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tests.browser import Chromium, until
from tests.server import Server
from tests.story.clinician import Clinician
from tests.story.extension import Extension
from tests.story.relay import Relay
from tests.story.truth import seconds_by_thread

TOLERANCE_SECONDS = 2


@dataclass
class Road:
    """All parts of one road. The portal's key in the practice is `medplum`; `idle_after` is N in seconds."""

    server: Server
    relay: Relay
    chromium: Chromium
    extension: Extension
    clinician: Clinician
    profile: Path
    idle_after: int

    def seconds_by_thread(self) -> dict[str, int]:
        """The report's counted seconds of every thread."""
        totals: dict[str, int] = {}
        for row in self.server.report():
            for one in row["threads"]:
                totals[one["thread"]] = totals.get(one["thread"], 0) + one["seconds"]
        return totals


def agree(road: Road) -> None:
    """Once the outbox is empty, the report agrees with the log, no interval is there twice or missing,
    and `verify` finds nothing wrong."""
    road.extension.open()
    until(lambda: road.extension.waiting() == 0, seconds=150, what="the outbox empty")
    stored = [row["id"] for row in road.server.stored()]
    assert len(stored) == len(set(stored))
    assert set(stored) == {row["id"] for row in sent_rows(road)}
    measured = road.seconds_by_thread()
    for thread, seconds in seconds_by_thread(road.clinician.log, idle_after=road.idle_after).items():
        assert abs(measured.get(thread, 0) - seconds) <= TOLERANCE_SECONDS, (thread, measured, seconds)
    road.server.command("verify")


def sent_rows(road: Road) -> list[dict[str, object]]:
    """Every row that the browser sent and the server answered, each as often as it was sent."""
    return [row for post in road.relay.posts() for row in json.loads(post.body)["intervals"]]
