"""A clinician's own episodes on a thread or of a patient, for the device that measures: as they stand, with what the
rules are given, so that the device can judge again without the server, and with what only the clinician can say. Those
of colleagues for whom the clinician may answer now are theirs to see and to answer as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from backend.auth.roles import may
from backend.billing.case import Interval
from backend.billing.counted import Counted, count
from backend.billing.counting import Piece
from backend.billing.determination import judge, seconds_by
from backend.billing.episodes import BuiltEpisode
from backend.billing.facts import facts_of
from backend.desk.afresh import built_name, name_of, standing_of
from backend.desk.audit import add_read_soon
from backend.desk.delegations import Colleague, answers_for
from backend.desk.determine import settle_patient
from backend.desk.devices import Device
from backend.desk.history import Background, History, read_history
from backend.desk.marking import MARKED_ENTRIES
from backend.desk.questions import Question, asked_for, questions
from backend.errors import NotAllowed
from backend.store import Connection, Store, episodes, intervals, patients, practices

MOST_EPISODES = 3
MOST_INTERVALS = 200

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _One:
    """An episode the clinician worked on, or a colleague for whom they may answer (`colleagues`): its row, and what is
    built and counted of it now."""

    row: Any
    built: BuiltEpisode
    counted: Counted
    colleagues: list[Colleague]


def own_episodes(
    store: Store, device: Device, *, portal: str, thread: str | None, patient: str | None, now: int
) -> Told:
    """The newest episodes of this patient, or where none is given or known of this thread's, on which the device's
    clinician has time, or a colleague for whom they may answer now: `{as_of, timezone, episodes}` as
    `schemas.own_episodes.OwnEpisodesAnswer` has them, none for what is not known here or was worked on by others alone.
    NotAllowed: a device of somebody who records no time.
    """
    if not may(device.roles, "see own episodes"):
        raise NotAllowed("Only a clinician or staff has episodes of their own; whose device this is has neither role.")
    with store.read() as connection:
        patient_id = _patient_of(connection, device.practice_id, portal, thread, patient)
    if patient_id is not None:
        settle_patient(store, device.practice_id, patient_id, now)
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
    history = read_history(Background(connection, device.practice_id), patient_id, approved)
    answered = {each.user_id: each for each in answers_for(connection, device.practice_id, device.user_id, now)}
    whose = {device.user_id, *answered}
    found = []
    for built in history.built():
        row = rows.get(built.episode_id or built_name(built))
        at_work = whose & {each.clinician for each in built.intervals}
        if row is not None and at_work:
            found.append((row, built, [one for id_, one in answered.items() if id_ in at_work]))
    found.sort(key=lambda each: (each[1].window_start, each[0]["episode_id"]), reverse=True)
    newest = [_One(row, built, count(history.case_of(built, now)), on) for row, built, on in found[:MOST_EPISODES]]
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
        "colleagues": [each.name for each in one.colleagues],
        "steps": [{"minutes": tier["min_minutes"], "code": tier["code"]} for tier in counted.rules["tiers"]],
        "rules": {
            "family": counted.family,
            "day": built.window_start.isoformat(),
            "payer_type": counted.case.payer_type,
        },
        "settings": counted.case.settings,
        "facts": None if approved else facts_of(counted),
        "answer": answer,
        "questions": [] if approved else _questions(connection, device, history, one),
        "intervals": _intervals(connection, device, one, pieces),
    }


def _questions(connection: Connection, device: Device, history: History, one: _One) -> list[Question]:
    """What the clinician is asked, and what each colleague would be; what both would be is asked once. Staff are asked
    nothing."""
    if "clinician" not in device.roles:
        return []

    def asked(user_id: str) -> list[Question]:
        references = _references(connection, device.practice_id, one.counted, user_id)
        return questions(history, one.built, one.counted, user_id, references)

    found = {each["id"]: each for each in asked(device.user_id)}
    for colleague in one.colleagues:
        for question in asked(colleague.user_id):
            found.setdefault(question["id"], asked_for(colleague, question))
    return list(found.values())


def _references(connection: Connection, practice_id: int, counted: Counted, user_id: str) -> dict[str, str | None]:
    """patient_id -> the portal's own identifier of the other patients who claim this clinician's time."""
    ids = {each.patient for each in counted.case.other_patient_time or () if each.clinician == user_id}
    return {id_: row["reference"] for id_, row in patients.find_all(connection, practice_id, ids).items()}


def _intervals(connection: Connection, device: Device, one: _One, pieces: Iterable[Piece]) -> list[Told]:
    """The clinician's newest intervals as they stand, and those of the colleagues that the clinician may mark; one that
    was corrected goes by the id of what it corrected."""
    counted: set[str] = set()
    reasons: dict[str, str | None] = {}
    for piece in pieces:
        if piece.counted:
            counted.add(piece.interval_id)
        else:
            reasons.setdefault(piece.interval_id, piece.reason)
    names = {each.user_id: each.name for each in one.colleagues}
    shown = (each for each in one.built.intervals if each.clinician == device.user_id or _may_mark(each, names))
    own = sorted(shown, key=_begun, reverse=True)[:MOST_INTERVALS]
    rows = intervals.known(connection, device.practice_id, [each.id for each in own])
    corrected = {row["corrects"] for row in rows.values() if row["corrects"] is not None and row["user_id"] in names}
    settled = intervals.corrected_by_their_own(connection, device.practice_id, corrected) if corrected else set()
    own = [each for each in own if rows[each.id]["corrects"] not in settled]
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
            "colleague": names.get(row["user_id"]),
        }
        for row in (rows[each.id] for each in own)
    ]


def _may_mark(interval: Interval, names: Mapping[str, str]) -> bool:
    return interval.clinician in names and interval.entry in MARKED_ENTRIES


def _begun(interval: Any) -> tuple[int, str]:
    return interval.started_at, interval.id
