"""A backup put into a data folder: everything is looked at before anything is changed, and the change is one rename.

The database comes in under the folder's own key where it has one, so a backup from before `key rotate` fits as well; a
folder without a key gets the key that opened the backup, and without an audit's key the one that sealed the backup's
audit. The folder keeps its id, and a new folder gets one of its own,
so that a copy and its original never share a key file.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path

from backend.errors import CannotStart, Conflict, Damaged, WrongKey
from backend.store import audit as chains
from backend.store import integrity
from backend.store.backup import Seal, copy_out, read_whole_seal
from backend.store.connection import Connection, DatabaseError, connect, connect_unchanging, opens, rekey
from backend.store.folder import (
    alone,
    create_folder,
    database_path,
    folder_id,
    holds_database,
    is_data_folder,
    sync_folder,
)
from backend.store.heads import HeadFile
from backend.store.keys import (
    KEY_BYTES,
    audit_path_of,
    coming_path,
    earlier_paths,
    key_path,
    path_of_id,
    read_key_file,
    refuse_inside,
    stamp,
    write_key,
)
from backend.store.schema import refuse_newer

PARTIAL = "restore.partial"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    seal: Seal
    key: Path
    """Where the folder's key lies."""
    aside: Path | None
    """Where the database that was in the folder lies now."""


def restore(data: Path, key_file: Path | None, file: Path, *, now: int, replace: bool = False) -> Restored:
    """Puts the database of the backup `file` into the data folder, which is made if it is not there.

    Damaged: the backup is not whole. WrongKey: no key that lies here opens it. CannotStart: a newer Threadtime made it.
    FolderInUse: a server or a command has the folder's database open. Conflict: the folder holds a database, unless
    `replace`; that one is then kept aside. In all these cases nothing was changed.
    """
    _refuse_target(data, replace)
    seal = read_whole_seal(file)
    key = _key_of(file, seal, data, key_file)
    if key_file is not None:
        refuse_inside(data, key_file)
    create_folder(data)
    path = key_path(data, key_file)
    with alone(data):
        _refuse_target(data, replace)  # it may have come meanwhile
        own = read_key_file(path) if path.exists() else key
        partial = _partial(data)
        try:
            _prepare(file, seal, partial, key, own)
            audit_key = _audit_key_of(partial, own, seal, path)
            if not path.exists():
                write_key(path, own)
            if audit_key is not None:
                write_key(audit_path_of(path), audit_key)
            _carry_erased(audit_path_of(path), audit_path_of(path_of_id(seal.folder)))
            aside = _keep_aside(data, own, now)
            partial.replace(database_path(data))
            sync_folder(data)
        finally:
            _partial(data)
    return Restored(seal, path, aside)


def _refuse_target(data: Path, replace: bool) -> None:
    if data.exists() and not is_data_folder(data) and any(data.iterdir()):
        raise Conflict(f"The folder {data} is not empty and not a data folder: name another.")
    if holds_database(data) and not replace:
        raise Conflict(
            f"The data folder {data} holds a database: restore into another folder, or say --force to keep the one "
            "that is there aside."
        )


def _prepare(file: Path, seal: Seal, partial: Path, key: bytes, own: bytes) -> None:
    """The database of the backup at `partial`, under the folder's `own` key, found whole."""
    try:
        copy_out(file, seal, partial)
        if own != key:
            rekey(partial, key, own)
        connection = connect(partial, own)
        try:
            found = integrity.problems(connection)
        finally:
            connection.close()
    except OSError as error:
        raise CannotStart(f"The backup could not be restored: {error.strerror}. Nothing was changed.") from error
    except DatabaseError as error:
        raise CannotStart(f"The backup could not be restored: {error}. Nothing was changed.") from error
    if found:
        raise Damaged(f"The backup {file} is damaged: {found[0]}")


def _key_of(file: Path, seal: Seal, data: Path, key_file: Path | None) -> bytes:
    """The first key that opens the backup, of those that are named, of this folder, and of the one it was made of."""
    looked_at = list(_places(seal, data, key_file))
    for path in looked_at:
        if path.exists():
            key = read_key_file(path)
            try:
                connection = connect_unchanging(file, key)
            except WrongKey:
                continue
            try:
                refuse_newer(connection)
            finally:
                connection.close()
            return key
    places = " or ".join(dict.fromkeys(str(path) for path in looked_at))
    raise WrongKey(
        f"The key of the backup {file} is not at {places}: put it there, or make it of its recovery line with key "
        "recover."
    )


def _audit_key_of(partial: Path, own: bytes, seal: Seal, path: Path) -> bytes | None:
    """The key that sealed the audit in `partial`, where the folder whose key lies at `path` has none of its own yet."""
    connection = connect(partial, own)
    try:
        if not chains.has_entries(connection):
            return None
        return _fitting(connection, audit_path_of(path), audit_path_of(path_of_id(seal.folder)))
    finally:
        connection.close()


def _fitting(connection: Connection, kept: Path, other: Path) -> bytes | None:
    if kept.exists():
        if not chains.is_sealed_with(connection, read_key_file(kept)):
            raise WrongKey(f"The audit's key {kept} is not the backup's: restore into another folder.")
        return None
    if not other.exists() or not chains.is_sealed_with(connection, key := read_key_file(other)):
        raise WrongKey(
            f"The key of the backup's audit is not at {kept} or {other}: put it there, or make it of its recovery line"
            " with key recover --audit."
        )
    return key


def _carry_erased(kept: Path, other: Path) -> None:
    """Has the folder know as well who was erased from the one that the backup is of."""
    if kept.exists() and (erased := HeadFile(other).read().erased):
        own = HeadFile(kept)
        with own.held():
            known = own.read()
            own.write(changed(known, erased=known.erased | erased))


def _places(seal: Seal, data: Path, key_file: Path | None) -> Iterator[Path]:
    named = [] if key_file is None else [key_file]
    if is_data_folder(data):
        named.append(path_of_id(folder_id(data)))
    for path in dict.fromkeys([*named, path_of_id(seal.folder)]):
        coming = coming_path(path)
        yield from (path, *earlier_paths(path))
        if coming.exists() and coming.stat().st_size == KEY_BYTES:
            yield coming


def _partial(data: Path) -> Path:
    """Where the copy is prepared; nothing is there now."""
    for ending in ("", "-wal", "-shm"):
        (data / f"{PARTIAL}{ending}").unlink(missing_ok=True)
    return data / PARTIAL


def _keep_aside(data: Path, key: bytes, now: int) -> Path | None:
    """Gives a database that is there, and its log, another name too; returns it. Only the rename is then left to do.

    A log in the place of the new database would be played into it. Where the old one can be opened, opening it writes
    its log back; else both are of no use here, and the log is moved away first.
    """
    path = database_path(data)
    log = path.with_name(f"{path.name}-wal")
    aside = path.with_name(f"{path.name}.before-restore-{stamp(now)}")
    if not path.exists() and not log.exists():
        return None
    if path.exists():
        with suppress(WrongKey, DatabaseError):  # a damaged or a strange one is kept as it is
            connect_unchanging(path, key).close()
            opens(path, key)
        os.link(path, aside)
    if log.exists():
        log.rename(aside.with_name(f"{aside.name}-wal"))
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    sync_folder(data)
    return aside
