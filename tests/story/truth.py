"""What the seconds of each thread must be, worked out from a script's own log of what it did.

This is a second reading of the capture rules, written without a look at the extension's stopwatch and in another
manner: the stopwatch moves event by event and knows no future, this looks back over the whole log at once.
Seconds are floats on the script's clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

SETTLE_SECONDS = 5.0
BRIDGED_BLUR_SECONDS = 2.0
REST_SECONDS = 0.25  # an address counts as reached once it has not changed for so long

Span = tuple[float, float]


@dataclass
class Log:
    """What a script did in one portal tab, in order.

    `opened` holds (when, thread or None for a page without one), `away` the spans in which the tab was hidden,
    `blurred` those in which it was visible without focus, `inputs` the instants of trusted input,
    `closed` when it ended.
    """

    opened: list[tuple[float, str | None]] = field(default_factory=list)
    inputs: list[float] = field(default_factory=list)
    away: list[Span] = field(default_factory=list)
    blurred: list[Span] = field(default_factory=list)
    closed: float = 0.0


def seconds_by_thread(log: Log, *, idle_after: float) -> dict[str, float]:
    """Seconds that count for each thread that was opened, 0.0 for one that was only passed."""
    stops = [*log.away, *(span for span in log.blurred if span[1] - span[0] > BRIDGED_BLUR_SECONDS)]
    ends = [when for when, _ in log.opened[1:]] + [log.closed]
    totals: dict[str, float] = {thread: 0.0 for _, thread in log.opened if thread}
    for (opened_at, thread), left_at in zip(log.opened, ends, strict=True):
        if thread is None:
            continue
        looked_at = without((opened_at + REST_SECONDS, left_at), stops)
        worked = sum(active_seconds(span, log.inputs, idle_after) for span in looked_at)
        if worked >= SETTLE_SECONDS:
            totals[thread] += worked
    return totals


def active_seconds(span: Span, inputs: Sequence[float], idle_after: float) -> float:
    """Seconds of a span, in the foreground throughout, that lie before a gap in the input longer than `idle_after`.

    A gap is measured from the last input of the tab, which may lie before the span; a gap too long counts for nothing.
    """
    start, end = span
    marks = [start, *(at for at in inputs if start < at < end), end]
    return sum(
        later - earlier for earlier, later in pairwise(marks) if later - last_input(inputs, earlier) <= idle_after
    )


def last_input(inputs: Sequence[float], when: float) -> float:
    """The last input at or before an instant; minus infinity when there was none."""
    return max((at for at in inputs if at <= when), default=float("-inf"))


def without(span: Span, holes: Sequence[Span]) -> Iterator[Span]:
    """The parts of a span outside all holes, in order."""
    start, end = span
    for hole_start, hole_end in sorted(holes):
        if hole_end <= start or hole_start >= end:
            continue
        if hole_start > start:
            yield start, hole_start
        start = max(start, hole_end)
    if start < end:
        yield start, end
