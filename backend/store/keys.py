"""The keys: each 32 raw bytes in a file of mode 0600 that never lies inside the data folder.

One opens the database. The other, beside it, seals the audit: who has the database and its key, but not this one,
cannot write the audit anew; `key rotate` leaves it as it is.

Beside a key file lie, after `key rotate`, the keys before it (`NAME.until-20260401T120000.123Z`: earlier backups open
with them) and, while a rotation is under way, the one that comes (`NAME.new`).
"""

import hashlib
import os
import stat
from datetime import UTC, datetime
from glob import escape
from pathlib import Path

from backend.errors import BadInput, WrongKey
from backend.store.folder import folder_id, sync_folder

KEY_BYTES = 32
CHECK_BYTES = 4
GROUP = 4
"""Digits of a recovery line between two hyphens."""


def key_path(data: Path, key_file: Path | None = None) -> Path:
    """Where the key of the data folder lies: `key_file` if one is named, else under the user's configuration folder."""
    return key_file if key_file is not None else path_of_id(folder_id(data))


def path_of_id(folder: str) -> Path:
    """Where the key of the data folder of this id lies, if no other place is named."""
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return configuration / "threadtime" / f"{folder}.key"


def coming_path(path: Path) -> Path:
    """Where a rotation keeps the key that is to follow the one at `path`."""
    return path.with_name(f"{path.name}.new")


def earlier_path(path: Path, now: int) -> Path:
    """Where a rotation at `now` (ms since the epoch) keeps the key that was at `path` until then."""
    return path.with_name(f"{path.name}.until-{stamp(now)}")


def earlier_paths(path: Path) -> list[Path]:
    """The keys that were at `path` before it, the latest first; without one whose writing was cut short."""
    found = sorted(path.parent.glob(f"{escape(path.name)}.until-*"), reverse=True)
    return [each for each in found if each.stat().st_size == KEY_BYTES]


def stamp(now: int) -> str:
    """An instant (ms since the epoch) in a file's name: 20260401T120000.123Z."""
    return f"{datetime.fromtimestamp(now // 1000, UTC):%Y%m%dT%H%M%S}.{now % 1000:03}Z"


def audit_key_path(data: Path, key_file: Path | None = None) -> Path:
    """Where the audit's key lies: beside the database key, `ID.key.audit`."""
    return audit_path_of(key_path(data, key_file))


def audit_path_of(path: Path) -> Path:
    """Where the audit's key lies that belongs to the database key at `path`."""
    return path.with_name(f"{path.name}.audit")


def create_key(data: Path, key_file: Path | None = None) -> Path:
    """Makes the key of a new data folder and returns where it lies; WrongKey when one is there already."""
    path = key_path(data, key_file)
    refuse_inside(data, path)
    write_key(path, os.urandom(KEY_BYTES))
    return path


def create_audit_key(data: Path, key_file: Path | None = None) -> Path:
    """Makes the audit's key and returns where it lies; WrongKey when one is there already."""
    path = audit_key_path(data, key_file)
    refuse_inside(data, path)
    write_key(path, os.urandom(KEY_BYTES))
    return path


def refuse_inside(data: Path, path: Path) -> None:
    """WrongKey: who takes the data folder away would have the key as well."""
    if path.resolve().is_relative_to(data.resolve()):
        raise WrongKey(f"The key {path} would lie inside the data folder: name a file elsewhere.")


def write_key(path: Path, key: bytes) -> None:
    """Writes a key to a new file, durably; WrongKey when one is there already."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WrongKey(f"There is a key at {path} already, and a key is never overwritten.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(descriptor)
    sync_folder(path.parent)


def read_key(data: Path, key_file: Path | None = None) -> bytes:
    """The key's 32 bytes; WrongKey when the file is missing, not 32 bytes long or readable by others."""
    return read_key_file(key_path(data, key_file))


def read_audit_key(data: Path, key_file: Path | None = None) -> bytes:
    """The same of the audit's key."""
    return read_key_file(audit_key_path(data, key_file))


def read_key_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            key = file.read(KEY_BYTES + 1)
    except OSError as error:
        raise WrongKey(f"The key {path} cannot be read: {error.strerror}.") from None
    if mode != 0o600:
        raise WrongKey(f"The key {path} has mode {mode:04o}; only its owner may read it: chmod 600 it.")
    if len(key) != KEY_BYTES:
        raise WrongKey(f"The key {path} is not {KEY_BYTES} bytes long.")
    return key


def recovery_line(key: bytes) -> str:
    """The key as digits a person can print and type: sixteen groups of four, and two that check the others."""
    digits = (key + _check(key)).hex()
    return "-".join(digits[at : at + GROUP] for at in range(0, len(digits), GROUP))


def key_of_line(line: str) -> bytes:
    """The key of a recovery line, however it is spaced; BadInput when a digit was mistyped or is missing."""
    digits = "".join(each for each in line if each not in "- \t\r\n")
    try:
        whole = bytes.fromhex(digits)
    except ValueError:
        raise BadInput("A recovery line has the digits 0-9 and a-f, in groups of four.") from None
    key, check = whole[:KEY_BYTES], whole[KEY_BYTES:]
    if len(whole) != KEY_BYTES + CHECK_BYTES:
        wanted = (KEY_BYTES + CHECK_BYTES) * 2
        raise BadInput(f"A recovery line has {wanted} digits; this one has {len(digits)}.")
    if check != _check(key):
        raise BadInput("A digit of the recovery line is not the one that was printed.")
    return key


def _check(key: bytes) -> bytes:
    return hashlib.sha256(b"threadtime recovery line" + key).digest()[:CHECK_BYTES]
