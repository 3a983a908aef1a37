"""Queries about what stands between a person and a session: failures, the lock, the second factor."""

from collections.abc import Iterable

from backend.store.connection import Connection


def count_failure(connection: Connection, practice_id: int, user_id: str, *, most: int, locked_until: int) -> None:
    """Counts a wrong password or code; the last of `most` in a row locks the account."""
    connection.execute(
        "UPDATE user SET locked_until = CASE WHEN failures + 1 >= ?1 THEN ?2 ELSE locked_until END,"
        " failures = CASE WHEN failures + 1 >= ?1 THEN 0 ELSE failures + 1 END"
        " WHERE practice_id = ?3 AND user_id = ?4",
        (most, locked_until, practice_id, user_id),
    )


def forget_failures(connection: Connection, practice_id: int, user_id: str) -> None:
    connection.execute(
        "UPDATE user SET failures = 0, locked_until = NULL WHERE practice_id = ? AND user_id = ?",
        (practice_id, user_id),
    )


def put_step(connection: Connection, practice_id: int, user_id: str, token_digest: bytes, now: int) -> None:
    """The person's only right password that waits for a code."""
    connection.execute("DELETE FROM sign_in_step WHERE practice_id = ? AND user_id = ?", (practice_id, user_id))
    connection.execute(
        "INSERT INTO sign_in_step (practice_id, user_id, token_digest, created_at) VALUES (?, ?, ?, ?)",
        (practice_id, user_id, token_digest, now),
    )


def find_step(connection: Connection, practice_id: int, token_digest: bytes) -> tuple[str, int] | None:
    """(user id, created_at), whatever its age."""
    found = connection.execute(
        "SELECT user_id, created_at FROM sign_in_step WHERE practice_id = ? AND token_digest = ?",
        (practice_id, token_digest),
    ).fetchone()
    return None if found is None else (found["user_id"], found["created_at"])


def drop_step(connection: Connection, practice_id: int, user_id: str) -> None:
    connection.execute("DELETE FROM sign_in_step WHERE practice_id = ? AND user_id = ?", (practice_id, user_id))


def set_waiting(connection: Connection, practice_id: int, user_id: str, secret: str) -> None:
    connection.execute(
        "UPDATE user SET totp_waiting = ? WHERE practice_id = ? AND user_id = ?", (secret, practice_id, user_id)
    )


def set_factor(connection: Connection, practice_id: int, user_id: str, *, secret: str | None, step: int | None) -> None:
    """Turns the second factor on, or off with None; no other secret waits then."""
    connection.execute(
        "UPDATE user SET totp_secret = ?, totp_step = ?, totp_waiting = NULL WHERE practice_id = ? AND user_id = ?",
        (secret, step, practice_id, user_id),
    )


def set_step(connection: Connection, practice_id: int, user_id: str, step: int) -> None:
    connection.execute(
        "UPDATE user SET totp_step = ? WHERE practice_id = ? AND user_id = ?", (step, practice_id, user_id)
    )


def put_recovery_codes(connection: Connection, practice_id: int, user_id: str, digests: Iterable[bytes]) -> None:
    """The person's only recovery codes from now on."""
    connection.execute("DELETE FROM recovery_code WHERE practice_id = ? AND user_id = ?", (practice_id, user_id))
    connection.executemany(
        "INSERT INTO recovery_code (practice_id, user_id, code_digest) VALUES (?, ?, ?)",
        [(practice_id, user_id, each) for each in digests],
    )


def use_recovery_code(connection: Connection, practice_id: int, user_id: str, digest: bytes) -> bool:
    """Removes the code; False when there is none such."""
    done = connection.execute(
        "DELETE FROM recovery_code WHERE practice_id = ? AND user_id = ? AND code_digest = ?",
        (practice_id, user_id, digest),
    )
    return bool(done.rowcount == 1)


def recovery_codes_left(connection: Connection, practice_id: int, user_id: str) -> int:
    found = connection.execute(
        "SELECT count(*) FROM recovery_code WHERE practice_id = ? AND user_id = ?", (practice_id, user_id)
    )
    return int(found.fetchone()[0])
