"""Stored episodes, computed afresh: as of another instant, or to see whether what stands is what the rows say."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from backend.billing.case import Inquiry
from backend.billing.determination import Piece, summary
from backend.billing.episodes import BuiltEpisode
from backend.billing.rulebook import book
from backend.desk.determine import Computed, compute, measures, same_answer
from backend.desk.history import Background, History, is_fixed, read_history
from backend.store import Connection, episodes, intervals, merged, patients, practices


def as_of_then(connection: Connection, practice_id: int, rows: Iterable[Any], as_of: int) -> dict[str, Computed]:
    """episode_id -> each row's episode as of an instant, with what is stored now.

    Left out is what stands as it does: an episode that was approved by then, or closed.
    """
    wanted: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        if row["closed_at"] is None and (row["approved_at"] is None or as_of < row["approved_at"]):
            wanted[row["patient_id"]].append(row)
    found = {}
    background = Background(connection, practice_id)
    for patient_id, own in wanted.items():
        history = _history(background, patient_id, standing_of(connection, practice_id, patient_id))
        computed = {one.built.episode_id or built_name(one.built): one for one in compute(history, as_of)}
        for row in own:
            if (one := computed.get(name_of(row))) is not None:
                found[row["episode_id"]] = one
    return found


def asked_of(connection: Connection, practice_id: int, row: Any) -> tuple[Inquiry, ...]:
    """The inquiries that belong to a stored episode."""
    patient_id = row["patient_id"]
    standing = standing_of(connection, practice_id, patient_id)
    built = _history(Background(connection, practice_id), patient_id, standing).built()
    return next((each.inquiries for each in built if (each.episode_id or built_name(each)) == name_of(row)), ())


def _history(background: Background, patient_id: str, standing: Iterable[Any]) -> History:
    return read_history(background, patient_id, [row for row in standing if is_fixed(row)])


def standing_of(connection: Connection, practice_id: int, patient_id: str) -> list[Any]:
    """The rows of the patient's episodes."""
    touching = episodes.touching(connection, practice_id, [patient_id])
    return [row for row in touching if row["patient_id"] == patient_id]


def name_of(row: Any) -> Any:
    """What a stored episode goes by among those that are built: one that is approved or closed by its id."""
    built = row["family"], row["specialty"], row["window_start"]
    return row["episode_id"] if is_fixed(row) else built


def differences(connection: Connection, practice_id: int) -> Iterator[str]:
    """One sentence for each difference between what stands and what the stored rows say.

    Merged time must be right at every instant. As to episodes, patients who wait to be computed are left out: nobody
    says yet that theirs stand. After an update of the rules that is everybody.
    """
    if episodes.counts(connection, practice_id) != episodes.counted(connection, practice_id):
        yield "The numbers of episodes by status are not how many stand."
    for patient_id in merged.differences(connection, practice_id):
        yield f"The merged time of the patient {patient_id} is not what the stored rows give."
    if practice_id in practices.with_other_rules(connection, book().digest):
        return
    for interval_id in intervals.misplaced(connection, practice_id):
        yield f"The interval {interval_id} belongs to another patient than its thread or its own words say."
    background = Background(connection, practice_id)
    for patient_id in patients.settled(connection, practice_id):
        yield from differences_of(background, patient_id)


def differences_of(background: Background, patient_id: str) -> Iterator[str]:
    """The same of one patient, who does not wait to be computed."""
    connection, practice_id = background.connection, background.practice_id
    standing = standing_of(connection, practice_id, patient_id)
    fixed = {row["episode_id"]: row for row in standing if is_fixed(row)}
    open_rows = {name_of(row): row for row in standing if not is_fixed(row)}
    if len(open_rows) + len(fixed) != len(standing):
        yield f"Two episodes of one family and specialty begin on one day for the patient {patient_id}."
    for row in fixed.values():
        if row["closed_at"] is not None:
            yield from _of_closed(connection, practice_id, row)
    history = _history(background, patient_id, standing)
    as_of = max((row["settled_at"] for row in standing), default=0)
    for one in compute(history, as_of):
        id_ = one.built.episode_id
        row = fixed[id_] if id_ is not None else open_rows.pop(built_name(one.built), None)
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
    latest = episodes.latest_answers(connection, practice_id, [id_]).get(id_)
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
    latest = episodes.latest_answers(connection, practice_id, [id_]).get(id_)
    afresh = one.determination.answer
    pieces = [Piece(*each) for each in orjson.loads(row["pieces"])]
    fields = measures(pieces, one.built.window_start, one.days)
    rows = intervals.known(connection, practice_id, {each.interval_id for each in pieces})
    agrees = {
        "status": approved["status"] == row["status"] == "reportable",
        "family": approved["family"] == row["family"],
        "window_start": approved["window_start"] == row["window_start"],
        "window_end": approved["window_end"] == row["window_end"],
        "summary": summary(approved) == orjson.loads(row["summary"]),
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


def _of_closed(connection: Connection, practice_id: int, row: Any) -> Iterator[str]:
    """What is left of a closed episode agrees with its own determination, and holds no interval any more."""
    id_ = row["episode_id"]
    stands = episodes.answer(connection, practice_id, row["determination_id"])
    seconds = stands["counted_seconds"]
    shares = orjson.loads(row["shares"])
    agrees = {
        "status": stands["status"] == row["status"],
        "window_start": stands["window_start"] == row["window_start"],
        "window_end": stands["window_end"] == row["window_end"],
        "summary": summary(stands) == orjson.loads(row["summary"]),
        "days": sum(orjson.loads(row["days"])) == seconds,
        "shares": all(sum(each for _, each in shares[name]) == seconds for name in ("threads", "clinicians")),
        "pieces": orjson.loads(row["pieces"]) == [],
        "intervals": not episodes.held(connection, practice_id, id_),
    }
    if wrong := [name for name, right in agrees.items() if not right]:
        yield f"The closed episode {id_} is stored with another {', '.join(wrong)} than its determination says."


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
    stored = {name: orjson.loads(row[name]) if name in episodes.JSON else row[name] for name in one.fields}
    return [name for name, value in one.fields.items() if name != "settled_at" and stored[name] != value]


def built_name(built: BuiltEpisode) -> tuple[str, str | None, str]:
    """What an episode that is built and not approved goes by."""
    return built.family, built.specialty, built.window_start.isoformat()
