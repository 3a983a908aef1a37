"""A patient's whole history, cut into episodes.

built = build_episodes(practice=..., clinicians=..., inquiries=..., intervals=..., taken=..., settings=...)
kept, joined = keep_identity(existing, built)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from backend.billing.case import Clinician, Inquiry, Instant, Interval, Practice


@dataclass(frozen=True, slots=True)
class TakenEpisode:
    """An approved or billed episode: its seven days never move, whatever is learned later."""

    episode_id: str
    family: str
    window_start: date
    window_end: date


@dataclass(frozen=True, slots=True)
class ExistingEpisode:
    """An episode that has an id already and that nobody has approved."""

    episode_id: str
    family: str
    anchored_at: Instant
    opened_at: Instant


@dataclass(frozen=True, slots=True)
class BuiltEpisode:
    """One episode of one family.

    `anchored_at`: the instant of the first countable review (of a taken episode: local midnight of its day 1).
    `starts_at`: from where on the patient's time belongs to this episode and no earlier one.
    `inquiries`: first the one that comes first; a thread whose inquiry nobody knows stands there with `at` None.
    `intervals`: everything in its stretch of time, excluded time (staff, idle, after the window) too, sorted.
    `provisional`: it is anchored by work, since no inquiry before it is known.
    `episode_id`: of a taken episode its id, else None.
    """

    family: str
    anchored_at: Instant
    starts_at: Instant
    window_start: date
    window_end: date
    inquiries: tuple[Inquiry, ...]
    intervals: tuple[Interval, ...]
    provisional: bool
    episode_id: str | None = None


def build_episodes(
    *,
    practice: Practice,
    clinicians: Sequence[Clinician],
    inquiries: Sequence[Inquiry],
    intervals: Sequence[Interval],
    taken: Sequence[TakenEpisode] = (),
    settings: Mapping[str, Any] | None = None,
) -> list[BuiltEpisode]:
    """The episodes of one patient, of each family by itself, sorted by family and window.

    Depends on what is given and never on its order. A family without a countable interval has no episode (staff
    alone give none). Each second of each interval lies in at most one episode of a family: an interval that runs
    over the border of two is split there, both parts under its id.
    """
    raise NotImplementedError


def keep_identity(
    existing: Sequence[ExistingEpisode], built: Sequence[BuiltEpisode]
) -> tuple[list[tuple[str | None, BuiltEpisode]], list[tuple[str, str]]]:
    """Which id each built episode keeps, and which episodes were joined.

    Returns `(kept, joined)`: kept in the order of `built`, with None where a new id is due; joined as
    `(gone id, id it went into)`. Where several episodes became one, the id of the earlier one stays. An existing id
    in neither list has no work left (its intervals went to another patient or family).
    """
    raise NotImplementedError
