"""Queries about users, their sessions and their devices."""

import json
from dataclasses import dataclass
from typing import Any

from backend.store.connection import Connection


@dataclass(frozen=True, slots=True)
class UserRow:
    practice_id: int
    user_id: str
    email: str
    name: str
    roles: tuple[str, ...]
    credential: str | None
    specialty: str | None
    active: bool
    password_hash: str | None
    totp_secret: str | None = None
    totp_waiting: str | None = None
    totp_step: int | None = None
    locked_until: int | None = None


@dataclass(frozen=True, slots=True)
class SessionRow:
    user: UserRow
    practice_name: str
    timezone: str
    created_at: int
    seen_at: int


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """`seen_at`: its last request, to within a minute; `user_name`: whose it is, where that was read as well."""

    practice_id: int
    device_id: str
    user_id: str
    name: str
    browser: str | None = None
    created_at: int = 0
    seen_at: int | None = None
    revoked_at: int | None = None
    user_name: str = ""


def find_by_email(connection: Connection, email: str) -> UserRow | None:
    """The user whom the sign-in directory has under this address (lower case), in whatever practice; None also where
    the transaction is for one practice, and that person is of another."""
    entry = connection.execute(
        "SELECT practice_id, user_id FROM sign_in_directory WHERE email = ?", (email,)
    ).fetchone()
    if entry is None:
        return None
    found = connection.execute("SELECT * FROM user WHERE practice_id = ? AND user_id = ?", tuple(entry)).fetchone()
    return None if found is None else _user(found)


def is_taken(connection: Connection, email: str) -> bool:
    """Whether somebody signs in with this address (lower case), in whatever practice."""
    found = connection.execute("SELECT 1 FROM sign_in_directory WHERE email = ?", (email,)).fetchone()
    return found is not None


def find_user(connection: Connection, practice_id: int, user_id: str) -> UserRow | None:
    found = connection.execute(
        "SELECT * FROM user WHERE practice_id = ? AND user_id = ?", (practice_id, user_id)
    ).fetchone()
    return None if found is None else _user(found)


def of_practice(connection: Connection, practice_id: int) -> list[UserRow]:
    """Everybody, by name."""
    found = connection.execute("SELECT * FROM user WHERE practice_id = ? ORDER BY name, email", (practice_id,))
    return [_user(row) for row in found]


def insert_user(connection: Connection, user: UserRow, now: int) -> None:
    """A user and the directory's entry; IntegrityError when the address is taken."""
    connection.execute(
        "INSERT INTO user (practice_id, user_id, email, name, roles, credential, specialty, password_hash, active,"
        " created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            user.practice_id,
            user.user_id,
            user.email,
            user.name,
            json.dumps(user.roles),
            user.credential,
            user.specialty,
            user.password_hash,
            int(user.active),
            now,
        ),
    )
    connection.execute(
        "INSERT INTO sign_in_directory (email, practice_id, user_id) VALUES (?, ?, ?)",
        (user.email, user.practice_id, user.user_id),
    )


def names(connection: Connection, practice_id: int) -> dict[str, str]:
    """User id -> name of everybody in the practice."""
    found = connection.execute("SELECT user_id, name FROM user WHERE practice_id = ?", (practice_id,))
    return {row["user_id"]: row["name"] for row in found}


def device_users(connection: Connection, practice_id: int) -> dict[str, str]:
    """Device id -> user id of every device of the practice."""
    found = connection.execute("SELECT device_id, user_id FROM device WHERE practice_id = ?", (practice_id,))
    return {row["device_id"]: row["user_id"] for row in found}


def set_password(connection: Connection, practice_id: int, user_id: str, password_hash: str) -> None:
    connection.execute(
        "UPDATE user SET password_hash = ? WHERE practice_id = ? AND user_id = ?", (password_hash, practice_id, user_id)
    )


def insert_session(
    connection: Connection, practice_id: int, token_digest: bytes, user_id: str, browser: str | None, now: int
) -> None:
    connection.execute(
        "INSERT INTO session (practice_id, token_digest, user_id, browser, created_at, seen_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (practice_id, token_digest, user_id, browser, now, now),
    )


def find_session(connection: Connection, practice_id: int, token_digest: bytes) -> SessionRow | None:
    """The session, whatever its age."""
    found = connection.execute(
        "SELECT user.*, practice.name AS practice_name, practice.timezone,"
        " session.created_at AS began_at, session.seen_at"
        " FROM session JOIN user USING (practice_id, user_id) JOIN practice USING (practice_id)"
        " WHERE session.practice_id = ? AND session.token_digest = ?",
        (practice_id, token_digest),
    ).fetchone()
    if found is None:
        return None
    return SessionRow(
        _user(found),
        found["practice_name"],
        found["timezone"],
        found["began_at"],
        found["seen_at"],
    )


def touch_session(connection: Connection, practice_id: int, token_digest: bytes, now: int) -> None:
    connection.execute(
        "UPDATE session SET seen_at = ? WHERE practice_id = ? AND token_digest = ? AND seen_at < ?",
        (now, practice_id, token_digest, now),
    )


def delete_session(connection: Connection, practice_id: int, token_digest: bytes) -> None:
    connection.execute("DELETE FROM session WHERE practice_id = ? AND token_digest = ?", (practice_id, token_digest))


def insert_device(connection: Connection, device: DeviceRow, token_digest: bytes) -> None:
    connection.execute(
        "INSERT INTO device (practice_id, device_id, user_id, name, browser, token_digest, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            device.practice_id,
            device.device_id,
            device.user_id,
            device.name,
            device.browser,
            token_digest,
            device.created_at,
        ),
    )


def find_device(
    connection: Connection, practice_id: int, token_digest: bytes
) -> tuple[DeviceRow, tuple[str, ...]] | None:
    """The device that has this token, revoked or not, and its user's roles; of a user who is not active, none."""
    found = connection.execute(
        "SELECT device.*, user.name AS user_name, user.roles FROM device JOIN user USING (practice_id, user_id)"
        " WHERE device.practice_id = ? AND device.token_digest = ? AND user.active = 1",
        (practice_id, token_digest),
    ).fetchone()
    return None if found is None else (_device(found), tuple(json.loads(found["roles"])))


def touch_device(connection: Connection, practice_id: int, device_id: str, now: int) -> None:
    connection.execute(
        "UPDATE device SET seen_at = ? WHERE practice_id = ? AND device_id = ? AND (seen_at IS NULL OR seen_at < ?)",
        (now, practice_id, device_id, now),
    )


def devices(connection: Connection, practice_id: int, user_id: str | None) -> list[DeviceRow]:
    """Everybody's devices, or one person's; those that may send first, and of each the newest first."""
    found = connection.execute(
        "SELECT device.*, user.name AS user_name FROM device JOIN user USING (practice_id, user_id)"
        " WHERE device.practice_id = :practice AND (CAST(:user AS TEXT) IS NULL OR device.user_id = :user)"
        " ORDER BY device.revoked_at IS NOT NULL, device.created_at DESC, device.device_id",
        {"practice": practice_id, "user": user_id},
    )
    return [_device(row) for row in found]


def device(connection: Connection, practice_id: int, device_id: str) -> DeviceRow | None:
    found = connection.execute(
        "SELECT device.*, user.name AS user_name FROM device JOIN user USING (practice_id, user_id)"
        " WHERE device.practice_id = ? AND device.device_id = ?",
        (practice_id, device_id),
    ).fetchone()
    return None if found is None else _device(found)


def revoke_device(connection: Connection, practice_id: int, device_id: str, by: str, now: int) -> None:
    connection.execute(
        "UPDATE device SET revoked_at = ?, revoked_by = ?"
        " WHERE practice_id = ? AND device_id = ? AND revoked_at IS NULL",
        (now, by, practice_id, device_id),
    )


def _device(row: Any) -> DeviceRow:
    return DeviceRow(**{name: row[name] for name in DeviceRow.__slots__})


def _user(row: Any) -> UserRow:
    return UserRow(
        row["practice_id"],
        row["user_id"],
        row["email"],
        row["name"],
        tuple(json.loads(row["roles"])),
        row["credential"],
        row["specialty"],
        bool(row["active"]),
        row["password_hash"],
        row["totp_secret"],
        row["totp_waiting"],
        row["totp_step"],
        row["locked_until"],
    )
