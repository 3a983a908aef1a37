"""Episodes as they stand. What happened to them and how they were judged is added in rows that nobody changes."""

from collections.abc import Collection, Mapping, Set
from typing import Any

import orjson

from backend.billing.determination import summary
from backend.store.connection import Connection
from backend.store.count_tables import COUNTED

_FIELDS = (
    "patient_id",
    "family",
    "specialty",
    "anchored_at",
    "window_start",
    "window_end",
    "provisional",
    "status",
    "determination_id",
    "settled_at",
    "days",
    "shares",
    "pieces",
    "summary",
)
JSON = ("days", "shares", "pieces", "summary")
"""The columns that hold JSON."""
_LINE = (
    "episode.episode_id, episode.patient_id, patient.reference AS patient, patient.portal, family, anchored_at,"
    " window_start, window_end, provisional, opened_at, status, episode.determination_id, settled_at, approved_at,"
    " episode.specialty, approved_by, closed_at, flagged, days, shares, summary"
)
_FROM = (
    " FROM episode"
    " JOIN patient ON patient.practice_id = episode.practice_id AND patient.patient_id = episode.patient_id"
)
_LINES = f"SELECT {_LINE}{_FROM}"
_ROW = (
    f"SELECT {_LINE}, answer{_FROM}"
    " JOIN determination ON determination.practice_id = episode.practice_id"
    " AND determination.determination_id = episode.determination_id"
)
_BY_PATIENT = (
    "SELECT episode_id, patient_id, family, specialty, anchored_at, window_start, window_end, provisional, opened_at,"
    " status, determination_id, settled_at, approved_at, closed_at, flagged, days, shares, pieces, summary FROM episode"
    " WHERE practice_id = ? AND gone_at IS NULL AND episode_id IN (SELECT value FROM json_each(?))"
)


def touching(connection: Connection, practice_id: int, patient_ids: Collection[str]) -> list[Any]:
    """The standing episodes of these patients, and those that hold a row which is theirs now."""
    wanted = orjson.dumps(sorted(patient_ids)).decode()
    ids = {
        row[0]
        for row in connection.execute(
            "SELECT episode_id FROM episode WHERE practice_id = ?1 AND gone_at IS NULL"
            " AND patient_id IN (SELECT value FROM json_each(?2))"
            " UNION SELECT held.episode_id FROM interval JOIN episode_interval AS held"
            " ON held.practice_id = interval.practice_id AND held.interval_id = interval.interval_id"
            " WHERE interval.practice_id = ?1 AND interval.patient_id IN (SELECT value FROM json_each(?2))",
            (practice_id, wanted),
        )
    }
    if not ids:
        return []
    return connection.execute(_BY_PATIENT, (practice_id, orjson.dumps(sorted(ids)).decode())).fetchall()


def insert(
    connection: Connection, practice_id: int, episode_id: str, opened_at: int, fields: Mapping[str, Any]
) -> None:
    connection.execute(
        f"INSERT INTO episode (practice_id, episode_id, opened_at, {', '.join(_FIELDS)})"  # noqa: S608  (column names)
        f" VALUES (?, ?, ?, {', '.join('?' * len(_FIELDS))})",
        (practice_id, episode_id, opened_at, *_values(fields)),
    )


def update(connection: Connection, practice_id: int, episode_id: str, fields: Mapping[str, Any]) -> None:
    connection.execute(
        f"UPDATE episode SET {', '.join(f'{name} = ?' for name in _FIELDS)}"  # noqa: S608  (column names)
        " WHERE practice_id = ? AND episode_id = ?",
        (*_values(fields), practice_id, episode_id),
    )


def _values(fields: Mapping[str, Any]) -> list[Any]:
    return [orjson.dumps(fields[name]).decode() if name in JSON else fields[name] for name in _FIELDS]


def sum_up(connection: Connection) -> None:
    """Makes the summary of every episode, in a database from before there were any."""
    last = (0, "")
    while found := connection.execute(
        "SELECT episode.practice_id, episode.episode_id, answer FROM episode JOIN determination"
        " ON determination.practice_id = episode.practice_id"
        " AND determination.determination_id = episode.determination_id"
        " WHERE (episode.practice_id, episode.episode_id) > (?, ?)"
        " ORDER BY episode.practice_id, episode.episode_id LIMIT 1000",
        last,
    ).fetchall():
        connection.executemany(
            "UPDATE episode SET summary = ? WHERE practice_id = ? AND episode_id = ?",
            [(orjson.dumps(summary(orjson.loads(row[2]))).decode(), row[0], row[1]) for row in found],
        )
        last = (found[-1][0], found[-1][1])


def set_flag(connection: Connection, practice_id: int, episode_id: str, *, flagged: bool, settled_at: int) -> None:
    connection.execute(
        "UPDATE episode SET flagged = ?, settled_at = ? WHERE practice_id = ? AND episode_id = ?",
        (int(flagged), settled_at, practice_id, episode_id),
    )


def set_gone(
    connection: Connection, practice_id: int, episode_id: str, *, gone_at: int, joined_into: str | None
) -> None:
    connection.execute(
        "UPDATE episode SET gone_at = ?, joined_into = ? WHERE practice_id = ? AND episode_id = ?",
        (gone_at, joined_into, practice_id, episode_id),
    )
    connection.execute(
        "DELETE FROM episode_interval WHERE practice_id = ? AND episode_id = ?", (practice_id, episode_id)
    )


def set_approved(connection: Connection, practice_id: int, episode_id: str, *, at: int, by: str | None) -> None:
    connection.execute(
        "UPDATE episode SET approved_at = ?, approved_by = ? WHERE practice_id = ? AND episode_id = ?",
        (at, by, practice_id, episode_id),
    )


def set_closed(connection: Connection, practice_id: int, episode_id: str, *, at: int) -> None:
    """Its intervals are about to go: it holds none of them any more, and keeps its totals and its determination."""
    connection.execute(
        "UPDATE episode SET closed_at = ?, pieces = '[]' WHERE practice_id = ? AND episode_id = ?",
        (at, practice_id, episode_id),
    )
    connection.execute(
        "DELETE FROM episode_interval WHERE practice_id = ? AND episode_id = ?", (practice_id, episode_id)
    )


def held_by(connection: Connection, practice_id: int, episode_ids: Collection[str]) -> dict[str, list[Any]]:
    """episode_id -> the rows that the episode holds: interval_id, patient_id, started_at, ended_at."""
    found: dict[str, list[Any]] = {each: [] for each in episode_ids}
    for row in connection.execute(
        "SELECT held.episode_id, held.interval_id, interval.patient_id, started_at, ended_at"
        " FROM episode_interval AS held JOIN interval"
        " ON interval.practice_id = held.practice_id AND interval.interval_id = held.interval_id"
        " WHERE held.practice_id = ? AND held.episode_id IN (SELECT value FROM json_each(?))",
        (practice_id, orjson.dumps(sorted(episode_ids)).decode()),
    ):
        found[row["episode_id"]].append(row)
    return found


def held(connection: Connection, practice_id: int, episode_id: str) -> set[str]:
    """The ids of the rows that the episode holds."""
    rows = connection.execute(
        "SELECT interval_id FROM episode_interval WHERE practice_id = ? AND episode_id = ?", (practice_id, episode_id)
    )
    return {row[0] for row in rows}


def hold(connection: Connection, practice_id: int, episode_id: str, wanted: Set[str], now: Set[str]) -> None:
    """Has the episode, which holds the rows `now`, hold exactly the wanted ones."""
    connection.executemany(
        "DELETE FROM episode_interval WHERE practice_id = ? AND episode_id = ? AND interval_id = ?",
        ((practice_id, episode_id, interval_id) for interval_id in sorted(now - wanted)),
    )
    connection.executemany(
        "INSERT INTO episode_interval (practice_id, episode_id, interval_id) VALUES (?, ?, ?)",
        ((practice_id, episode_id, interval_id) for interval_id in sorted(wanted - now)),
    )


def latest_answers(
    connection: Connection, practice_id: int, episode_ids: Collection[str]
) -> dict[str, tuple[str, dict[str, Any]]]:
    """episode_id -> (determination_id, answer) of the latest determination."""
    rows = connection.execute(
        "SELECT episode_id, determination_id, answer FROM determination AS latest"
        " WHERE practice_id = ? AND episode_id IN (SELECT value FROM json_each(?)) AND number ="
        " (SELECT max(number) FROM determination AS each WHERE each.practice_id = latest.practice_id"
        " AND each.episode_id = latest.episode_id)",
        (practice_id, orjson.dumps(sorted(episode_ids)).decode()),
    )
    return {row[0]: (row[1], orjson.loads(row[2])) for row in rows}


def answer(connection: Connection, practice_id: int, determination_id: str) -> dict[str, Any]:
    row = connection.execute(
        "SELECT answer FROM determination WHERE practice_id = ? AND determination_id = ?",
        (practice_id, determination_id),
    ).fetchone()
    found: dict[str, Any] = orjson.loads(row[0])
    return found


def add_determination(
    connection: Connection,
    practice_id: int,
    episode_id: str,
    *,
    determination_id: str,
    at: int,
    answer: Mapping[str, Any],
) -> None:
    connection.execute(
        "INSERT INTO determination (practice_id, determination_id, episode_id, number, determined_at, answer)"
        " SELECT ?1, ?2, ?3, 1 + coalesce(max(number), 0), ?4, ?5 FROM determination"
        " WHERE practice_id = ?1 AND episode_id = ?3",
        (practice_id, determination_id, episode_id, at, orjson.dumps(answer).decode()),
    )


def add_event(
    connection: Connection,
    practice_id: int,
    episode_id: str,
    *,
    at: int,
    event: str,
    detail: Mapping[str, Any],
    by: str | None = None,
) -> None:
    connection.execute(
        "INSERT INTO episode_event (practice_id, episode_id, number, at, event, detail, by)"
        " SELECT ?1, ?2, 1 + coalesce(max(number), 0), ?3, ?4, ?5, ?6 FROM episode_event"
        " WHERE practice_id = ?1 AND episode_id = ?2",
        (practice_id, episode_id, at, event, orjson.dumps(detail).decode(), by),
    )


def answers(connection: Connection, practice_id: int, episode_id: str) -> list[Any]:
    """Every determination of the episode, oldest first: determined_at, answer."""
    return connection.execute(
        "SELECT determined_at, answer FROM determination WHERE practice_id = ? AND episode_id = ? ORDER BY number",
        (practice_id, episode_id),
    ).fetchall()


def events(connection: Connection, practice_id: int, episode_id: str) -> list[Any]:
    """Oldest first: at, event, detail, by."""
    return connection.execute(
        "SELECT at, event, detail, by FROM episode_event WHERE practice_id = ? AND episode_id = ? ORDER BY number",
        (practice_id, episode_id),
    ).fetchall()


def counts(connection: Connection, practice_id: int) -> dict[str, int]:
    """status -> how many standing episodes; those that are approved, all of them reportable, count as `approved`."""
    return dict(
        connection.execute(
            "SELECT status, episodes FROM episode_count WHERE practice_id = ? AND episodes > 0", (practice_id,)
        ).fetchall()
    )


def counted(connection: Connection, practice_id: int) -> dict[str, int]:
    """The same, counted: what `counts` has to say."""
    return dict(
        connection.execute(
            f"SELECT status, episodes FROM ({COUNTED}) AS counted WHERE practice_id = ?",  # noqa: S608  (ours)
            (practice_id,),
        ).fetchall()
    )


_FILTERS = {
    # Written out, so that each goes along an index of its own.
    "approved": " AND approved_at IS NOT NULL",
    "reportable": " AND status = 'reportable' AND approved_at IS NULL",
}


def page(
    connection: Connection,
    practice_id: int,
    *,
    status: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[Any]:
    """Lines of standing episodes, newest window first, from behind `after` (window_start, episode_id).

    `status`: as `counts` names them, so `reportable` leaves out what is approved.
    """
    where = _FILTERS.get(status or "", "")
    values: list[Any] = [practice_id]
    if status is not None and not where:
        where, values = where + " AND status = ?", [*values, status]
    if after is not None:
        where, values = where + " AND (window_start, episode.episode_id) < (?, ?)", [*values, *after]
    return connection.execute(
        _LINES
        + " WHERE episode.practice_id = ? AND gone_at IS NULL"
        + where
        + " ORDER BY window_start DESC, episode.episode_id DESC LIMIT ?",
        (*values, limit),
    ).fetchall()


def lines(connection: Connection, practice_id: int, episode_ids: Collection[str]) -> list[Any]:
    """The lines of these standing episodes, in the same order."""
    return connection.execute(
        _LINES + " WHERE episode.practice_id = ? AND gone_at IS NULL"  # noqa: S608  (column names)
        " AND episode_id IN (SELECT value FROM json_each(?)) ORDER BY window_start DESC, episode_id DESC",
        (practice_id, orjson.dumps(list(episode_ids)).decode()),
    ).fetchall()


def between(connection: Connection, practice_id: int, start: str, end: str) -> list[Any]:
    """Standing episodes whose window starts on these days, oldest first."""
    return connection.execute(
        _ROW + " WHERE episode.practice_id = ? AND gone_at IS NULL AND window_start BETWEEN ? AND ?"
        " ORDER BY window_start, episode.episode_id",
        (practice_id, start, end),
    ).fetchall()


def one(connection: Connection, practice_id: int, episode_id: str) -> Any:
    """One standing episode, or None."""
    return connection.execute(
        _ROW + " WHERE episode.practice_id = ? AND episode.episode_id = ? AND gone_at IS NULL",
        (practice_id, episode_id),
    ).fetchone()


def pieces(connection: Connection, practice_id: int, episode_id: str) -> list[Any]:
    row = connection.execute(
        "SELECT pieces FROM episode WHERE practice_id = ? AND episode_id = ?", (practice_id, episode_id)
    ).fetchone()
    found: list[Any] = orjson.loads(row[0])
    return found


def joined_into(connection: Connection, practice_id: int, episode_id: str) -> str | None:
    """Where an episode that is gone went."""
    row = connection.execute(
        "SELECT joined_into FROM episode WHERE practice_id = ? AND episode_id = ?", (practice_id, episode_id)
    ).fetchone()
    return None if row is None else row[0]
