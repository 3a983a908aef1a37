"""Queries about browsers that ask to be paired, and about wrong codes."""

from dataclasses import dataclass
from typing import Any

from backend.store.connection import Connection


@dataclass(frozen=True, slots=True)
class PairingRow:
    """`answer`: yes, no, or None while nobody has answered; `practice_id` and `user_id` say whose answer it was."""

    device_code_digest: bytes
    code_name: str
    code_proof: str
    device_name: str
    browser: str
    asked_at: int
    expires_at: int
    polled_at: int | None = None
    wrong_tries: int = 0
    answer: str | None = None
    practice_id: int | None = None
    user_id: str | None = None


def insert(connection: Connection, row: PairingRow) -> bool:
    """False when another pairing has the code's name."""
    done = connection.execute(
        "INSERT INTO pairing (device_code_digest, code_name, code_proof, device_name, browser, asked_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (code_name) DO NOTHING",
        (
            row.device_code_digest,
            row.code_name,
            row.code_proof,
            row.device_name,
            row.browser,
            row.asked_at,
            row.expires_at,
        ),
    )
    return done.rowcount == 1


def delete_expired(connection: Connection, now: int) -> None:
    connection.execute("DELETE FROM pairing WHERE expires_at <= ?", (now,))


def delete(connection: Connection, device_code_digest: bytes) -> None:
    connection.execute("DELETE FROM pairing WHERE device_code_digest = ?", (device_code_digest,))


def count(connection: Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM pairing").fetchone()[0])


def by_device_code(connection: Connection, device_code_digest: bytes) -> PairingRow | None:
    return _row(
        connection.execute("SELECT * FROM pairing WHERE device_code_digest = ?", (device_code_digest,)).fetchone()
    )


def by_code_name(connection: Connection, code_name: str) -> PairingRow | None:
    return _row(connection.execute("SELECT * FROM pairing WHERE code_name = ?", (code_name,)).fetchone())


def note_poll(connection: Connection, device_code_digest: bytes, now: int) -> None:
    connection.execute("UPDATE pairing SET polled_at = ? WHERE device_code_digest = ?", (now, device_code_digest))


def note_wrong_proof(connection: Connection, code_name: str) -> None:
    connection.execute("UPDATE pairing SET wrong_tries = wrong_tries + 1 WHERE code_name = ?", (code_name,))


def set_answer(connection: Connection, code_name: str, answer: str, practice_id: int, user_id: str) -> None:
    connection.execute(
        "UPDATE pairing SET answer = ?, practice_id = ?, user_id = ? WHERE code_name = ?",
        (answer, practice_id, user_id, code_name),
    )


def wrong_codes(connection: Connection, practice_id: int, user_id: str, since: int) -> tuple[int, int]:
    """How many wrong codes a person typed, and when the last one; (0, 0) when that was at `since` or before."""
    found = connection.execute(
        "SELECT wrong, last_at FROM pairing_tries WHERE practice_id = ? AND user_id = ? AND last_at > ?",
        (practice_id, user_id, since),
    ).fetchone()
    return (0, 0) if found is None else (found["wrong"], found["last_at"])


def set_wrong_codes(connection: Connection, practice_id: int, user_id: str, wrong: int, now: int) -> None:
    connection.execute(
        "INSERT INTO pairing_tries (practice_id, user_id, wrong, last_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (practice_id, user_id) DO UPDATE SET wrong = excluded.wrong, last_at = excluded.last_at",
        (practice_id, user_id, wrong, now),
    )


def _row(found: Any) -> PairingRow | None:
    return None if found is None else PairingRow(**{name: found[name] for name in PairingRow.__slots__})
