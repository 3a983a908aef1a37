"""A practice's episodes as people see them: the list, one episode, the report, the approval.

Every verb settles what bears on its answer, then reads what is stored; only a report as of another instant decides
afresh. One episode needs its patient and who claims the same time. A list waits a moment for all that is due and no
longer: after a long outage or an update of the rules that is everybody, and what is not settled yet is shown as it
stands, with the time recorded since.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson

from backend.audit import by_user
from backend.billing.days import MS_A_SECOND, days_of
from backend.desk.afresh import as_of_then, asked_of
from backend.desk.audit import add_read_soon, add_taken
from backend.desk.determine import bearing_on, settle, settle_patient, settle_some
from backend.desk.happened import Event, happened
from backend.desk.told import Read, Told, facts_told
from backend.errors import BadInput, Conflict, NotFound
from backend.store import Connection, Store, merged, patients, practices, search
from backend.store import episodes as rows

Answer = dict[str, Any]
"""A determination: the object that `evaluate` prints, without the id; or its summary."""

PATIENCE_SECONDS = 1.0
"""How long a list waits for what is due."""


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One line of the list."""

    episode_id: str
    patient: str | None  # the portal's own identifier; None while only the thread is known
    portal: str
    threads: list[tuple[str, str]]  # (portal, the portal's own identifier)
    by_thread: dict[tuple[str, str], int]  # the same -> counted seconds
    window_start: date
    window_end: date
    family: str
    summary: Answer  # what a list says of the determination (billing.determination.summary)
    days: list[int]  # counted seconds of each day of the window
    approved_at: int | None
    closed_at: int | None  # when its intervals were removed by age; what they added up to stands
    flagged: bool  # data that came after the approval would change the answer
    recorded_seconds: int | None  # while it waits to be settled: its time by all clinicians, before any rule


@dataclass(frozen=True, slots=True)
class EpisodePage:
    rows: list[EpisodeRow]
    counts: dict[str, int]  # status -> how many episodes, whatever the filter; `approved` ones are not `reportable`
    next: str | None  # give it as `after` for the next page
    waiting: int  # patients whose work is not settled yet


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
class EpisodeView(EpisodeRow):
    """Everything about one episode."""

    determination: Answer
    pieces: list[Stretch]
    clinicians: list[Share]
    inquiries: list[Asked]
    told: list[Told]  # every fact that bears on it
    read: dict[str, Read]  # list -> when somebody last looked it through
    history: list[Event]  # oldest first


def list_episodes(
    store: Store,
    practice_id: int,
    *,
    now: int,
    status: str | None = None,
    after: str | None = None,
    limit: int = 50,
    by: str | None = None,
) -> EpisodePage:
    """Newest window first; `after` is the `next` of the page before. BadInput when it is none.

    `status`: one of EpisodePage.counts; `reportable` are those that wait for approval, `approved` those that have it.
    """
    place = None if after is None else _place(after)
    _settle_for_a_moment(store, practice_id, now)
    with store.read() as connection:
        found = rows.page(connection, practice_id, status=status, after=place, limit=limit + 1)
        shown = _listed(connection, practice_id, found[:limit], now)
        counts = rows.counts(connection, practice_id)
        waiting = patients.count_due(connection, practice_id, now)
    _add_listed(store, practice_id, len(shown), by, now)
    more = len(found) > limit
    return EpisodePage(shown, counts, f"{shown[-1].window_start}.{shown[-1].episode_id}" if more else None, waiting)


def find_episodes(
    store: Store, practice_id: int, words: str, *, now: int, limit: int = 50, by: str | None = None
) -> EpisodePage:
    """The newest episodes of the patients whose reference begins with `words`; where there is none, those with counted
    time of a clinician so named; where there is none, those with that code. It has no next page."""
    _settle_for_a_moment(store, practice_id, now)
    wanted = " ".join(words.split())
    with store.read() as connection:
        found = (
            search.by_reference(connection, practice_id, wanted, limit)
            or search.by_clinician(connection, practice_id, wanted, limit)
            or search.by_code(connection, practice_id, wanted.upper(), limit)
            if wanted
            else []
        )
        shown = _listed(connection, practice_id, rows.lines(connection, practice_id, found), now)
        counts = rows.counts(connection, practice_id)
        waiting = patients.count_due(connection, practice_id, now)
    _add_listed(store, practice_id, len(shown), by, now)
    return EpisodePage(shown, counts, None, waiting)


def _settle_one(store: Store, practice_id: int, episode_id: str, now: int) -> None:
    with store.read() as connection:
        found = rows.one(connection, practice_id, episode_id)
    if found is not None:
        settle_patient(store, practice_id, found["patient_id"], now)


def _settle_for_a_moment(store: Store, practice_id: int, now: int) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    settle(store, practice_id, now, stopping=lambda: time.monotonic() > ends_at)


def _listed(connection: Connection, practice_id: int, stored: Sequence[Any], now: int) -> list[EpisodeRow]:
    """The rows as they stand; of those whose patient has work that is not settled, also what was recorded."""
    due = patients.due_among(connection, practice_id, {row["patient_id"] for row in stored}, now)
    if not due:
        return [EpisodeRow(**_row(row)) for row in stored]
    calendar = days_of(practices.by_id(connection, practice_id)["timezone"])
    listed = []
    for row in stored:
        recorded = None
        if row["patient_id"] in due and row["approved_at"] is None:
            end = calendar.midnight(date.fromisoformat(row["window_end"]) + timedelta(days=1))
            recorded = merged.total(connection, practice_id, row["patient_id"], row["anchored_at"], end) // MS_A_SECOND
        listed.append(EpisodeRow(**{**_row(row), "recorded_seconds": recorded}))
    return listed


def _add_listed(store: Store, practice_id: int, count: int, by: str | None, now: int) -> None:
    add_read_soon(store, practice_id, "episodes_listed", ("episodes", None), {"episodes": count}, by=by, now=now)


def get_episode(store: Store, practice_id: int, episode_id: str, *, now: int, by: str | None = None) -> EpisodeView:
    """One episode; `by`: who reads it, which the audit keeps.

    NotFound when the practice has none by that id (one that was joined names the one that stands).
    """
    _settle_one(store, practice_id, episode_id, now)
    with store.read() as connection:
        found = rows.one(connection, practice_id, episode_id)
        if found is None:
            raise _not_found(connection, practice_id, episode_id)
        pieces = rows.pieces(connection, practice_id, episode_id)
        people = practices.people(connection, practice_id)
        inquiries = asked_of(connection, practice_id, found)
        told, read = facts_told(connection, practice_id, found, inquiries)
        events = happened(connection, practice_id, episode_id, told=told, read=read.values())
    add_read_soon(store, practice_id, "episode_read", ("episode", episode_id), by=by, now=now)
    row = _row(found)
    return EpisodeView(
        **row,
        determination=orjson.loads(found["answer"]),
        pieces=[
            Stretch(
                interval_id=each[0],
                clinician=each[1],
                clinician_name=people[each[1]]["name"],
                thread=None if each[2] is None else (row["portal"], each[2]),
                started_at=each[3],
                ended_at=each[4],
                counted=each[5],
                reason=each[6],
            )
            for each in pieces
        ],
        clinicians=[Share(**each) for each in _clinicians(_shares(found), people)],
        inquiries=[
            Asked(
                at=None if each.implied else each.at,
                thread=None if each.thread is None else (row["portal"], each.thread),
                initiated_by=each.initiated_by,
                channel=each.channel,
                evaluative=each.evaluative,
                problem=each.problem,
            )
            for each in inquiries
        ],
        told=told,
        read=read,
        history=events,
    )


def report_rows(
    store: Store, practice_id: int, *, start: date, end: date, as_of: int | None, now: int, by: str | None = None
) -> list[dict[str, Any]]:
    """The determinations of episodes whose window starts on `start` to `end`, oldest first.

    Each is the object of `evaluate` with `episode_id, patient, threads[{portal, thread, seconds}],
    clinicians[{id, name, credential, seconds}]`. `as_of` None: as they stand; otherwise decided as of that instant
    with what is stored now. `by`: who takes it, which the audit keeps; None: a command.
    """
    settle(store, practice_id, now)
    with store.read() as connection:
        found = rows.between(connection, practice_id, start.isoformat(), end.isoformat())
        people = practices.people(connection, practice_id)
        then = {} if as_of is None else as_of_then(connection, practice_id, found, as_of)
    report = []
    for row in found:
        one = then.get(row["episode_id"])
        shares = _shares(row) if one is None else one.fields["shares"]
        report.append(
            {
                "episode_id": row["episode_id"],
                "patient": row["patient"],
                **(orjson.loads(row["answer"]) if one is None else one.determination.answer),
                "threads": [
                    {"portal": row["portal"], "thread": thread, "seconds": seconds}
                    for thread, seconds in shares["threads"]
                ],
                "clinicians": _clinicians(shares, people),
            }
        )
    taken = {"from": start.isoformat(), "to": end.isoformat(), "as_of": as_of, "episodes": len(report)}
    add_taken(store, practice_id, "report_taken", taken, by=by, now=now)
    return report


def approve(store: Store, practice_id: int, episode_id: str, *, by: str | None, now: int) -> None:
    """Freezes the determination of a reportable episode. Conflict when it is on hold, not reportable or approved."""
    _settle_one(store, practice_id, episode_id, now)

    def work(connection: Connection) -> None:
        found = rows.one(connection, practice_id, episode_id)
        if found is None:
            raise _not_found(connection, practice_id, episode_id)
        # What arrived since the settling above is taken in before the answer is frozen.
        settle_some(connection, practice_id, bearing_on(connection, practice_id, found["patient_id"]), now)
        found = rows.one(connection, practice_id, episode_id)
        if found is None:
            raise _not_found(connection, practice_id, episode_id)
        if found["approved_at"] is not None:
            raise Conflict("This episode was approved already.")
        if found["closed_at"] is not None:
            raise Conflict("The recorded time of this episode was removed by age, so it can no longer be approved.")
        if found["status"] != "reportable":
            raise Conflict("Only a reportable episode can be approved; this one's page says what stands in the way.")
        rows.set_approved(connection, practice_id, episode_id, at=now, by=by)
        # Counted time stays here for good; what was left out may still find its place elsewhere.
        counted = {each[0] for each in rows.pieces(connection, practice_id, episode_id) if each[5]}
        rows.hold(connection, practice_id, episode_id, counted, rows.held(connection, practice_id, episode_id))
        rows.add_event(connection, practice_id, episode_id, at=now, event="approved", detail={}, by=by)
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=by_user(by),
            action="episode_approved",
            subject=("episode", episode_id),
            detail={"determination": found["determination_id"]},
        )
        patients.mark_due(connection, practice_id, [found["patient_id"]])  # it is a prior e-visit of the others now

    store.write(work, practice_id)


def _place(after: str) -> tuple[str, str]:
    day, dot, episode_id = after.partition(".")
    try:
        date.fromisoformat(day)
    except ValueError:
        dot = ""
    if not dot:
        raise BadInput("The place in the list is not one that a page named.")
    return day, episode_id


def _not_found(connection: Connection, practice_id: int, episode_id: str) -> NotFound:
    into = rows.joined_into(connection, practice_id, episode_id)
    if into is not None:
        return NotFound(f"This episode was joined with another, which stands as {into}.")
    return NotFound("There is no such episode.")


def _row(row: Any) -> dict[str, Any]:
    """The fields of EpisodeRow."""
    by_thread = {(row["portal"], name): seconds for name, seconds in _shares(row)["threads"] if name is not None}
    return {
        "episode_id": row["episode_id"],
        "patient": row["patient"],
        "portal": row["portal"],
        "threads": list(by_thread),
        "by_thread": by_thread,
        "window_start": date.fromisoformat(row["window_start"]),
        "window_end": date.fromisoformat(row["window_end"]),
        "family": row["family"],
        "summary": orjson.loads(row["summary"]),
        "days": orjson.loads(row["days"]),
        "approved_at": row["approved_at"],
        "closed_at": row["closed_at"],
        "flagged": bool(row["flagged"]),
        "recorded_seconds": None,
    }


def _shares(row: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = orjson.loads(row["shares"])
    return found


def _clinicians(shares: Mapping[str, list[Any]], people: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"id": id_, "name": people[id_]["name"], "credential": people[id_]["credential"], "seconds": seconds}
        for id_, seconds in shares["clinicians"]
    ]
