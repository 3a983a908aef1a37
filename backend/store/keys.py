"""The database key: 32 raw bytes in a file of mode 0600 that never lies inside the data folder."""

import os
import stat
from pathlib import Path

from backend.errors import WrongKey
from backend.store.folder import folder_id

KEY_BYTES = 32


def key_path(data: Path, key_file: Path | None = None) -> Path:
    """Where the key of the data folder lies: `key_file` if one is named, else under the user's configuration folder."""
    if key_file is not None:
        return key_file
    configuration = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return configuration / "threadtime" / f"{folder_id(data)}.key"


def create_key(data: Path, key_file: Path | None = None) -> Path:
    """Makes the key of a new data folder and returns where it lies; WrongKey when one is there already."""
    path = key_path(data, key_file)
    if path.resolve().is_relative_to(data.resolve()):
        raise WrongKey(f"The key {path} would lie inside the data folder: name a file elsewhere.")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise WrongKey(f"There is a key at {path} already, and a key is never overwritten.") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(os.urandom(KEY_BYTES))
        file.flush()
        os.fsync(descriptor)
    return path


def read_key(data: Path, key_file: Path | None = None) -> bytes:
    """The key's 32 bytes; WrongKey when the file is missing, not 32 bytes long or readable by others."""
    path = key_path(data, key_file)
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
