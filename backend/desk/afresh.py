"""Stored episodes, computed afresh: as of another instant, or to see whether what stands is what the rows say."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from backend.billing.case import Inquiry
from backend.billing.determination import Piece
from backend.billing.episodes import BuiltEpisode
from backend.billing.rulebook import book
from backend.desk.determine import Computed, compute, measures, same_answer
from backend.desk.history import read_history
from backend.store import Connection, episodes, intervals, patients, practices


def as_of_then(connection: Connection, practice_id: int, rows: Iterable[Any], as_of: int) -> dict[str, Computed]:
    """episode_id -> each row's episode as of an instant, with what is stored now.

    Left out is what stands as it does: an episode that was approved by then.
    """
    wanted: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if row["approved_at"] is None or as_of < row["approved_at"]:
            wanted[row["patient_id"]].append(row)
    found = {}
    for patient_id, own in wanted.items():
        standing = standing_of(connection, practice_id, patient_id)
        approved = [row for row in standing if row["approved_at"] is not None]
        history = read_history(connection, practice_id, patient_id, approved)
        computed = {one.built.episode_id or built_name(one.built): one for one in compute(history, as_of)}
        for row in own:
            if (one := computed.get(name_of(row))) is not None:
                found[row["episode_id"]] = one
    return found


def asked_of(connection: Connection, practice_id: int, row: Any) -> tuple[Inquiry, ...]:
    """The inquiries that belong to a stored episode."""
    standing = standing_of(connection, practice_id, row["patient_id"])
    approved = [each for each in standing if each["approved_at"] is not None]
    built = read_history(connection, practice_id, row["patient_id"], approved).built()
    return next((each.inquiries for each in built if (each.episode_id or built_name(each)) == name_of(row)), ())


def standing_of(connection: Connection, practice_id: int, patient_id: str) -> list[Any]:
    """The rows of the patient's episodes."""
    touching = episodes.touching(connection, practice_id, [patient_id])
    return [row for row in touching if row["patient_id"] == patient_id]


def name_of(row: Any) -> Any:
    """What a stored episode goes by among those that are built: an approved one by its id."""
    built = row["family"], row["specialty"], row["window_start"]
    return built if row["approved_at"] is None else row["episode_id"]


def differences(connection: Connection, practice_id: int) -> Iterator[str]:
    """One sentence for each difference between what stands and what the stored rows say.

    Patients who wait to be computed are left out: nobody says yet that their episodes stand. After an update of the
    rules that is everybody.
    """
    if practice_id in practices.with_other_rules(connection, book().digest):
        return
    for interval_id in intervals.misplaced(connection, practice_id):
        yield f"The interval {interval_id} belongs to another patient than its thread or its own words say."
    for patient_id in patients.settled(connection, practice_id):
        yield from _of_patient(connection, practice_id, patient_id)


def _of_patient(connection: Connection, practice_id: int, patient_id: str) -> Iterator[str]:
    standing = standing_of(connection, practice_id, patient_id)
    approved = {row["episode_id"]: row for row in standing if row["approved_at"] is not None}
    open_rows = {name_of(row): row for row in standing if row["approved_at"] is None}
    if len(open_rows) + len(approved) != len(standing):
        yield f"Two episodes of one family and specialty begin on one day for the patient {patient_id}."
    history = read_history(connection, practice_id, patient_id, list(approved.values()))
    as_of = max((row["settled_at"] for row in standing), default=0)
    for one in compute(history, as_of):
        id_ = one.built.episode_id
        row = approved[id_] if id_ is not None else open_rows.pop(built_name(one.built), None)
        if row is None:
            yield f"Work of the patient {patient_id} makes an episode from {one.built.window_start}; none stands."
        elif id_ is None:
            yield from _of_open(connection, practice_id, row, one)
        else:
            yield from _of_approved(connection, practice_id, row, one)
    for row in open_rows.values():
        yield f"The episode {row['episode_id']} stands without the work that would make it."


def _of_open(connection: Connection, practice_id: int, row: Any, one: Computed) -> Iterator[str]:
    id_ = row["episode_id"]
    wrong = _unlike(row, one)
    latest = episodes.latest_answer(connection, practice_id, id_)
    if latest is None or latest[0] != row["determination_id"] or not same_answer(latest[1], one.determination.answer):
        wrong.append("determination")
    if episodes.held(connection, practice_id, id_) != one.holds:
        wrong.append("intervals")
    if wrong:
        yield f"The episode {id_} is stored with another {', '.join(wrong)} than its rows give."


def _of_approved(connection: Connection, practice_id: int, row: Any, one: Computed) -> Iterator[str]:
    """What was approved must agree with its own determination; what is said now, with the latest beside it.

    It is not held against what would be computed now: a late row may add a millisecond that changes no answer.
    """
    id_ = row["episode_id"]
    approved = episodes.answer(connection, practice_id, row["determination_id"])
    latest = episodes.latest_answer(connection, practice_id, id_)
    afresh = one.determination.answer
    pieces = [Piece(*each) for each in orjson.loads(row["pieces"])]
    fields = measures(pieces, one.built.window_start, one.days)
    rows = intervals.known(connection, practice_id, {each.interval_id for each in pieces})
    agrees = {
        "status": approved["status"] == row["status"] == "reportable",
        "family": approved["family"] == row["family"],
        "window_start": approved["window_start"] == row["window_start"],
        "window_end": approved["window_end"] == row["window_end"],
        "determination": latest is not None and same_answer(latest[1], afresh),
        "flag": bool(row["flagged"]) != same_answer(approved, afresh),
        "days": fields["days"] == orjson.loads(row["days"]),
        "shares": fields["shares"] == orjson.loads(row["shares"]),
        "pieces": sum(fields["days"]) == approved["counted_seconds"] and all(_within(each, rows) for each in pieces),
        "intervals": episodes.held(connection, practice_id, id_)
        == {each.interval_id for each in pieces if each.counted},
    }
    if wrong := [name for name, right in agrees.items() if not right]:
        yield f"The approved episode {id_} is stored with another {', '.join(wrong)} than its rows give."


def _within(piece: Piece, rows: Mapping[str, Any]) -> bool:
    """Whether the piece is time of the stored interval that it names."""
    row = rows.get(piece.interval_id)
    return (
        row is not None
        and row["user_id"] == piece.clinician
        and row["started_at"] <= piece.started_at <= piece.ended_at <= row["ended_at"]
    )


def _unlike(row: Any, one: Computed) -> list[str]:
    """The columns of the stored row that are not what was computed."""
    stored = {
        name: orjson.loads(row[name]) if name in ("days", "shares", "pieces") else row[name] for name in one.fields
    }
    return [name for name, value in one.fields.items() if name != "settled_at" and stored[name] != value]


def built_name(built: BuiltEpisode) -> tuple[str, str | None, str]:
    """What an episode that is built and not approved goes by."""
    return built.family, built.specialty, built.window_start.isoformat()
