"""A clinician's own episodes on a thread or of a patient, for the device that measures: as they stand, with what the
rules are given, so that the device can judge again without the server, and with what only the clinician can say.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from backend.auth.roles import may
from backend.billing.counted import Counted, count
from backend.billing.counting import Piece
from backend.billing.determination import judge, seconds_by
from backend.billing.episodes import BuiltEpisode
from backend.billing.facts import facts_of
from backend.desk.afresh import built_name, name_of, standing_of
from backend.desk.audit import add_read_soon
from backend.desk.determine import settle_some
from backend.desk.devices import Device
from backend.desk.history import History, read_history
from backend.desk.questions import questions
from backend.errors import NotAllowed
from backend.store import Connection, Store, episodes, intervals, patients, practices

MOST_EPISODES = 3
MOST_INTERVALS = 200

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _One:
    """An episode the clinician worked on: its row, and what is built and counted of it now."""

    row: Any
    built: BuiltEpisode
    counted: Counted


def own_episodes(
    store: Store, device: Device, *, portal: str, thread: str | None, patient: str | None, now: int
) -> Told:
    """The newest episodes of this patient, or where none is given or known of this thread's, on which the device's
    clinician has time: `{as_of, timezone, episodes}` as `schemas.own_episodes.OwnEpisodesAnswer` has them, none
    for what is not known here or was worked on by others alone. NotAllowed: a device of somebody who records no time.
    """
    if not may(device.roles, "see own episodes"):
        raise NotAllowed("Only a clinician or staff has episodes of their own; whose device this is has neither role.")
    with store.read() as connection:
        patient_id = _patient_of(connection, device.practice_id, portal, thread, patient)
        due = patient_id and patients.due_among(connection, device.practice_id, [patient_id], now)
    if patient_id and due:
        store.write(partial(settle_some, practice_id=device.practice_id, wanted=[patient_id], now=now))
    with store.read() as connection:
        practice = practices.by_id(connection, device.practice_id)
        told = [] if patient_id is None else _told(connection, device, patient_id, now)
    for each in told:
        add_read_soon(
            store, device.practice_id, "episode_read", ("episode", each["episode_id"]), by=device.user_id, now=now
        )
    return {"as_of": now, "timezone": practice["timezone"], "episodes": told}


def _patient_of(
    connection: Connection, practice_id: int, portal: str, thread: str | None, patient: str | None
) -> str | None:
    named = None if patient is None else patients.known(connection, practice_id, (portal, patient))
    if named is not None or thread is None:
        return named
    return patients.of_thread(connection, practice_id, (portal, thread))


def _told(connection: Connection, device: Device, patient_id: str, now: int) -> list[Told]:
    standing = standing_of(connection, device.practice_id, patient_id)
    rows = {name_of(row): row for row in standing}
    approved = [row for row in standing if row["approved_at"] is not None]
    history = read_history(connection, device.practice_id, patient_id, approved)
    found = []
    for built in history.built():
        row = rows.get(built.episode_id or built_name(built))
        if row is not None and any(each.clinician == device.user_id for each in built.intervals):
            found.append((row, built))
    found.sort(key=lambda each: (each[1].window_start, each[0]["episode_id"]), reverse=True)
    newest = [_One(row, built, count(history.case_of(built, now))) for row, built in found[:MOST_EPISODES]]
    people = practices.people(connection, device.practice_id)
    return [_episode(connection, device, history, one, people) for one in newest]


def _episode(connection: Connection, device: Device, history: History, one: _One, people: Any) -> Told:
    row, built, counted = one.row, one.built, one.counted
    approved = row["approved_at"] is not None
    answer = judge(counted)
    pieces: Sequence[Piece] = counted.pieces
    if approved:  # what was approved is what counts, whatever came since
        answer = episodes.answer(connection, device.practice_id, row["determination_id"])
        pieces = [Piece(*each) for each in orjson.loads(row["pieces"])]
    seconds = seconds_by(pieces, "clinician")
    others = [(people[id_], time) for id_, time in seconds.items() if id_ != device.user_id and id_ and time]
    return {
        "episode_id": row["episode_id"],
        "portal": history.portal,
        "threads": list(dict.fromkeys(each.thread for each in built.intervals if each.thread is not None)),
        "window_start": answer["window_start"],
        "window_end": answer["window_end"],
        "counted_seconds": answer["counted_seconds"],
        "own_seconds": seconds.get(device.user_id, 0),
        "others": [{"name": each["name"], "credential": each["credential"], "seconds": time} for each, time in others],
        "approved": approved,
        "steps": [{"minutes": tier["min_minutes"], "code": tier["code"]} for tier in counted.rules["tiers"]],
        "rules": {
            "family": counted.family,
            "day": built.window_start.isoformat(),
            "payer_type": counted.case.payer_type,
        },
        "settings": counted.case.settings,
        "facts": None if approved else facts_of(counted),
        "answer": answer,
        "questions": []
        if approved or "clinician" not in device.roles
        else questions(history, built, counted, device.user_id, _references(connection, device, counted)),
        "intervals": _intervals(connection, device, built, pieces),
    }


def _references(connection: Connection, device: Device, counted: Counted) -> dict[str, str | None]:
    """patient_id -> the portal's own identifier of the other patients who claim the clinician's time."""
    ids = {each.patient for each in counted.case.other_patient_time or () if each.clinician == device.user_id}
    return {id_: patients.find(connection, device.practice_id, id_)["reference"] for id_ in ids}


def _intervals(connection: Connection, device: Device, built: BuiltEpisode, pieces: Iterable[Piece]) -> list[Told]:
    """The clinician's newest intervals as they stand; one that was corrected goes by the id of what it corrected."""
    counted: set[str] = set()
    reasons: dict[str, str | None] = {}
    for piece in pieces:
        if piece.counted:
            counted.add(piece.interval_id)
        else:
            reasons.setdefault(piece.interval_id, piece.reason)
    own = sorted((each for each in built.intervals if each.clinician == device.user_id), key=_begun, reverse=True)
    own = own[:MOST_INTERVALS]
    rows = intervals.known(connection, device.practice_id, [each.id for each in own])
    originals = intervals.known(
        connection, device.practice_id, {row["corrects"] for row in rows.values() if row["corrects"] is not None}
    )
    return [
        {
            "id": row["corrects"] or row["interval_id"],
            "thread": row["thread"],
            "patient": row["patient"],
            "started_at": row["started_at"],
            "ended_at": row["ended_at"],
            "activity": row["activity"],
            "recorded_activity": originals.get(row["corrects"], row)["activity"],
            "entry": row["entry"],
            "idle_after_seconds": row["idle_after_seconds"],
            "counted": row["interval_id"] in counted,
            "reason": None if row["interval_id"] in counted else reasons.get(row["interval_id"]),
            "corrected_by": row["interval_id"] if row["corrects"] is not None else None,
        }
        for row in (rows[each.id] for each in own)
    ]


def _begun(interval: Any) -> tuple[int, str]:
    return interval.started_at, interval.id
