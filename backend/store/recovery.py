"""The key files made again of their recovery lines: the database's where it is known to fit."""

from pathlib import Path

from backend.errors import WrongKey
from backend.store.backup import read_whole_seal
from backend.store.connection import connect_unchanging, opens
from backend.store.folder import database_path, folder_id, holds_database
from backend.store.keys import audit_path_of, key_path, path_of_id, refuse_inside, write_key


def recover_key(key: bytes, data: Path, key_file: Path | None, backup: Path | None) -> Path:
    """Writes the key of the data folder, or of the folder that `backup` is of, and returns where it lies.

    WrongKey: it does not open the database or the backup, or there is a key already. NoDataFolder: neither is named.
    """
    if backup is not None:
        seal = read_whole_seal(backup)
        connect_unchanging(backup, key).close()
        path = key_file or path_of_id(seal.folder)
    else:
        folder_id(data)
        if holds_database(data) and not opens(database_path(data), key):
            raise WrongKey(f"The recovery line is of another key: it does not open the database in {data}.")
        path = key_path(data, key_file)
    refuse_inside(data, path)
    write_key(path, key)
    return path


def recover_audit_key(key: bytes, data: Path, key_file: Path | None, backup: Path | None) -> Path:
    """The same of the key that seals the audit. Whether it fits shows where the audit is read: restore and verify
    refuse another one. WrongKey: there is one already."""
    of_backup = None if backup is None else path_of_id(read_whole_seal(backup).folder)
    path = audit_path_of(key_file or of_backup or key_path(data))
    refuse_inside(data, path)
    write_key(path, key)
    return path
