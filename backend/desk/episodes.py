"""A practice's episodes as people see them: the list, one episode, the report, the approval.

Every verb settles what is due first, then reads what is stored; only a report as of another instant decides afresh.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.store import Store

Answer = dict[str, Any]
"""A determination: the object that `evaluate` prints, without the id."""


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One line of the list."""

    episode_id: str
    patient: str | None  # the portal's own identifier; None while only the thread is known
    portal: str
    threads: list[tuple[str, str]]  # (portal, the portal's own identifier)
    window_start: date
    window_end: date
    family: str
    determination: Answer
    days: list[int]  # counted seconds of each day of the window
    approved_at: int | None
    flagged: bool  # data that came after the approval would change the answer


@dataclass(frozen=True, slots=True)
class EpisodePage:
    rows: list[EpisodeRow]
    counts: dict[str, int]  # status -> how many episodes, whatever the filter
    next: str | None  # give it as `after` for the next page


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of one interval of an episode, counted or excluded with the reason."""

    interval_id: str
    clinician: str
    clinician_name: str
    thread: tuple[str, str] | None
    started_at: int
    ended_at: int
    counted: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Share:
    """Counted seconds of one clinician; the shares of an episode add up to its counted seconds."""

    id: str
    name: str
    credential: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Asked:
    """An inquiry that belongs to the episode."""

    at: int | None
    thread: tuple[str, str] | None
    initiated_by: str | None
    channel: str | None
    evaluative: bool | None
    problem: str | None


@dataclass(frozen=True, slots=True)
class Event:
    at: int
    event: str  # opened, moved, inquiry, changed, joined, approved, flagged ...
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EpisodeView(EpisodeRow):
    """Everything about one episode."""

    pieces: list[Stretch]
    clinicians: list[Share]
    inquiries: list[Asked]
    history: list[Event]  # oldest first


def list_episodes(
    store: Store,
    practice_id: int,
    *,
    now: int,
    status: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> EpisodePage:
    """Newest window first; `after` is the `next` of the page before. BadInput when it is none."""
    raise NotImplementedError


def get_episode(store: Store, practice_id: int, episode_id: str, *, now: int) -> EpisodeView:
    """One episode; NotFound when the practice has none by that id (one that was joined names the one that stands)."""
    raise NotImplementedError


def report_rows(
    store: Store, practice_id: int, *, start: date, end: date, as_of: int | None, now: int
) -> list[dict[str, Any]]:
    """The determinations of episodes whose window starts on `start` to `end`, oldest first.

    Each is the object of `evaluate` with `episode_id, patient, threads[{portal, thread, seconds}],
    clinicians[{id, name, credential, seconds}]`. `as_of` None: as they stand; otherwise decided as of that instant
    with what is stored now.
    """
    raise NotImplementedError


def approve(store: Store, practice_id: int, episode_id: str, *, by: str | None, now: int) -> None:
    """Freezes the determination of a reportable episode. Conflict when it is on hold, not reportable or approved."""
    raise NotImplementedError
