"""What happened to one episode: its events, each with what its determination said and which facts had come by then."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from backend.desk.told import Read, Told
from backend.store import Connection, episodes, practices


@dataclass(frozen=True, slots=True)
class Came:
    """A fact that was said or withdrawn. `by`: a name, or `A for B`; None: the command line."""

    kind: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """`sentences`: id of a rule -> what the determination said of it, for the ids that `detail` has.

    `came`: the facts since the determination before, where the event is a new one.
    """

    at: int
    event: str  # opened, moved, inquiry_learned, judged, joined, approved, late_data ...
    detail: Any
    by: str | None = None  # a name
    sentences: Mapping[str, str] = field(default_factory=dict)
    came: tuple[Came, ...] = ()


def happened(
    connection: Connection, practice_id: int, episode_id: str, *, told: Iterable[Told], read: Iterable[Read]
) -> list[Event]:
    """Oldest first. `told`, `read`: the facts that bear on the episode."""
    names = {id_: one["name"] for id_, one in practices.people(connection, practice_id).items()}
    answers = [(row[0], orjson.loads(row[1])) for row in episodes.answers(connection, practice_id, episode_id)]
    said = _all_said(told, read)
    events, reached = [], 0
    for row in episodes.events(connection, practice_id, episode_id):
        detail = orjson.loads(row["detail"])
        by = names.get(row["by"], row["by"])
        found = _determination_of(answers, row["at"], detail, reached)
        if found is None:
            events.append(Event(row["at"], row["event"], detail, by))
            continue
        reached = found
        (before_at, before), (_, after) = answers[found - 1], answers[found]
        came = dict.fromkeys(one for at, one in said if before_at < at <= row["at"])
        sentences = _sentences(before) | _sentences(after)
        events.append(Event(row["at"], row["event"], detail, by, sentences, tuple(came)))
    return events


def _determination_of(answers: Sequence[tuple[int, Mapping[str, Any]]], at: int, detail: Any, after: int) -> int | None:
    """The place of the determination that made an event: of its instant, with its changes, behind place `after`."""
    if not isinstance(detail, dict) or "changes" not in detail:
        return None
    fitting = (
        place
        for place in range(after + 1, len(answers))
        if answers[place][0] == at and answers[place][1].get("changes") == detail["changes"]
    )
    return next(fitting, None)


def _sentences(answer: Mapping[str, Any]) -> dict[str, str]:
    asked = {each["id"]: f"Not known: {each['asks']}." for each in answer["missing"]}
    return asked | {each["id"]: each["message"] for each in answer["reasons"]}


def _all_said(told: Iterable[Told], read: Iterable[Read]) -> list[tuple[int, Came]]:
    words = [(word.at, Came(each.kind, word.speaker)) for each in told for word in (each.latest, *each.before)]
    return sorted([*words, *((each.at, Came("readings", each.by)) for each in read)], key=lambda one: one[0])
