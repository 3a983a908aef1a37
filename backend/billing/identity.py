"""Which id an episode keeps when its patient's history is cut afresh.

kept, joined = keep_identity(existing, built)
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from backend.billing.case import Instant
from backend.billing.episodes import BuiltEpisode


@dataclass(frozen=True, slots=True)
class ExistingEpisode:
    """An episode that has an id already and that nobody has approved."""

    episode_id: str
    family: str
    anchored_at: Instant
    opened_at: Instant
    specialty: str | None = None  # whose work adds up in it; None: the group's


def keep_identity(
    existing: Sequence[ExistingEpisode], built: Sequence[BuiltEpisode]
) -> tuple[list[tuple[str | None, BuiltEpisode]], list[tuple[str, str]]]:
    """Which id each built episode keeps, and which episodes were joined.

    Returns `(kept, joined)`: kept in the order of `built`, with None where a new id is due; joined as
    `(gone id, id it went into)`. An existing episode goes where its first review lies now. Where several became one,
    the id of the earlier one stays; what came to lie in a taken episode went into that. An existing id in neither
    list has no work left in its family and specialty (its intervals went to another patient).
    """
    places: dict[tuple[str, str | None], list[int]] = {}
    for index, episode in enumerate(built):
        places.setdefault((episode.family, episode.specialty), []).append(index)
    for own in places.values():
        own.sort(key=lambda index: built[index].starts_at)
    ids: list[str | None] = [episode.episode_id for episode in built]
    joined: list[tuple[str, str]] = []
    for old in sorted(existing, key=lambda e: (e.anchored_at, e.opened_at, e.episode_id)):
        own = places.get((old.family, old.specialty), [])
        if not own:
            continue
        place = own[max(bisect_right([built[i].starts_at for i in own], old.anchored_at) - 1, 0)]
        standing = ids[place]
        if standing is None:
            ids[place] = old.episode_id
        else:
            joined.append((old.episode_id, standing))
    return list(zip(ids, built, strict=True)), joined
