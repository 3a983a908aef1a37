"""Holds: what must not be removed, who said so and why; lifted, never removed."""

from typing import Any

from backend.store.connection import Connection


def insert(
    connection: Connection, practice_id: int, *, about: str, about_id: str | None, reason: str, by: str | None, at: int
) -> int:
    """The new hold's number."""
    row = connection.execute(
        "SELECT 1 + coalesce(max(hold_id), 0) FROM hold WHERE practice_id = ?", (practice_id,)
    ).fetchone()
    connection.execute(
        "INSERT INTO hold (practice_id, hold_id, about, about_id, reason, placed_at, placed_by)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (practice_id, row[0], about, about_id, reason, at, by),
    )
    return int(row[0])


def lift(connection: Connection, practice_id: int, hold_id: int, *, reason: str, by: str | None, at: int) -> None:
    connection.execute(
        "UPDATE hold SET lifted_at = ?, lifted_by = ?, lifted_reason = ? WHERE practice_id = ? AND hold_id = ?",
        (at, by, reason, practice_id, hold_id),
    )


def of_practice(connection: Connection, practice_id: int) -> list[Any]:
    """Every hold, oldest first, with the patient's `portal` and `reference` or the user's `email` where it has one."""
    return connection.execute(
        "SELECT hold.*, patient.portal, patient.reference, user.email FROM hold"
        " LEFT JOIN patient ON hold.about = 'patient' AND patient.practice_id = hold.practice_id"
        " AND patient.patient_id = hold.about_id"
        " LEFT JOIN user ON hold.about = 'user' AND user.practice_id = hold.practice_id"
        " AND user.user_id = hold.about_id WHERE hold.practice_id = ? ORDER BY hold_id",
        (practice_id,),
    ).fetchall()


def standing(connection: Connection, practice_id: int) -> list[Any]:
    """Those that nobody lifted: hold_id, about, about_id, placed_at; oldest first."""
    return connection.execute(
        "SELECT hold_id, about, about_id, placed_at FROM hold WHERE practice_id = ? AND lifted_at IS NULL"
        " ORDER BY hold_id",
        (practice_id,),
    ).fetchall()
