"""The practice's settings of the rules, as they were said: rows that nobody changes; what counts is the latest word."""

from datetime import date
from typing import Any

import orjson

from backend.store.connection import Connection


def insert(
    connection: Connection,
    practice_id: int,
    *,
    name: str,
    value: Any,
    payer: str | None,
    from_on: date,
    by: str | None,
    recorded_at: int,
) -> None:
    connection.execute(
        "INSERT INTO practice_setting (practice_id, setting_id, name, value, payer, from_on, by, recorded_at)"
        " SELECT ?1, 1 + coalesce(max(setting_id), 0), ?2, ?3, ?4, ?5, ?6, ?7 FROM practice_setting"
        " WHERE practice_id = ?1",
        (practice_id, name, orjson.dumps(value).decode(), payer, from_on.isoformat(), by, recorded_at),
    )


def of_practice(connection: Connection, practice_id: int) -> list[Any]:
    """What was said, oldest first: name, value (JSON), payer, from_on, by, recorded_at."""
    return connection.execute(
        "SELECT name, value, payer, from_on, by, recorded_at FROM practice_setting WHERE practice_id = ?"
        " ORDER BY setting_id",
        (practice_id,),
    ).fetchall()
