"""A backup is whole or not there, and a restore changes a folder in one step or not at all."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from backend.errors import BadInput, CannotStart, Conflict, Damaged, FolderInUse, NoDataFolder, WrongKey
from backend.store import Store, open_store
from backend.store.backup import SEAL_BYTES, make_backup, read_seal
from backend.store.connection import connect
from backend.store.folder import create_folder, database_path, folder_id, lock_folder
from backend.store.keys import path_of_id, write_key
from backend.store.restore import restore
from backend.store.rotation import rotate_key
from tests.browser import end_group, start_group, until
from tests.store.conftest import KEY, add_practice, fill, practice_keys, size_of

CANARY = "canary-in-a-name"


@pytest.fixture(autouse=True)
def keyed(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder's key where it belongs."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = path_of_id(folder_id(data))
    write_key(path, KEY)
    return path


@pytest.fixture
def backup(store: Store, data: Path, tmp_path: Path) -> Path:
    """A backup that holds the practice a; the store holds b as well, and is open."""
    store.write(add_practice("a"))
    made = tmp_path / "april.backup"
    make_backup(data, KEY, made, now=1)
    store.write(add_practice("b"))
    return made


def contents(folder: Path) -> dict[str, bytes]:
    """Every file with its bytes, but for locks and what the database's driver keeps beside it."""
    passing = (".lock", "-shm")
    return {each.name: each.read_bytes() for each in folder.iterdir() if not each.name.endswith(passing)}


def kept(data: Path, key: bytes = KEY) -> list[str]:
    """The practices in a folder that nobody has open."""
    opened = open_store(data, key)
    try:
        return practice_keys(opened)
    finally:
        opened.close()


def filled(data: Path) -> int:
    """The rows of `filling`, in a folder that nobody has open."""
    opened = open_store(data, KEY)
    try:
        with opened.read() as connection:
            return int(connection.execute("SELECT count(*) FROM filling").fetchone()[0])
    finally:
        opened.close()


class TestABackup:
    def test_it_shows_no_plain_text_but_its_seal(self, store: Store, data: Path, tmp_path: Path) -> None:
        store.write(add_practice(CANARY))
        seal = make_backup(data, KEY, tmp_path / "b", now=7)
        raw = (tmp_path / "b").read_bytes()
        for plain in (CANARY.encode(), b"SQLite format 3", b"CREATE TABLE"):
            assert plain not in raw
        assert (seal.folder, seal.made_at, seal.size) == (folder_id(data), 7, len(raw) - SEAL_BYTES)
        assert read_seal(tmp_path / "b") == seal
        assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o600

    def test_nothing_else_is_left_beside_it(self, backup: Path, data: Path) -> None:
        make_backup(data, KEY, backup, now=2, replace=True)
        assert [each.name for each in backup.parent.iterdir() if each.name.startswith(backup.name)] == [backup.name]

    def test_a_file_that_is_there_is_not_replaced_unless_it_is_a_backup_and_that_was_said(
        self, backup: Path, data: Path, keyed: Path
    ) -> None:
        with pytest.raises(Conflict, match="--force"):
            make_backup(data, KEY, backup, now=2)
        assert read_seal(backup).made_at == 1
        make_backup(data, KEY, backup, now=2, replace=True)
        assert read_seal(backup).made_at == 2
        with pytest.raises(Conflict, match="not a backup"):
            make_backup(data, KEY, keyed, now=2, replace=True)
        assert keyed.read_bytes() == KEY

    def test_a_place_inside_the_data_folder_is_refused(self, store: Store, data: Path) -> None:
        with pytest.raises(BadInput, match="inside the data folder"):
            make_backup(data, KEY, database_path(data), now=2, replace=True)

    def test_what_a_killed_backup_left_behind_is_taken_over(self, data: Path, tmp_path: Path) -> None:
        fill(data)
        script = "import sys; from pathlib import Path; from backend.store.backup import make_backup;"
        script += "make_backup(Path(sys.argv[1]), bytes(range(32)), Path(sys.argv[2]), now=1)"
        made, partial = tmp_path / "b", tmp_path / "b.partial"
        running = start_group([sys.executable, "-c", script, str(data), str(made)])
        until(lambda: size_of(partial) > 0, what="the backup under way")
        end_group(running)
        assert partial.exists()
        assert not made.exists()
        make_backup(data, KEY, made, now=2)
        assert read_seal(made).made_at == 2
        assert not partial.exists()

    def test_a_second_one_to_the_same_file_is_refused_meanwhile(self, store: Store, data: Path, tmp_path: Path) -> None:
        with (tmp_path / "b.partial").open("wb") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            with pytest.raises(Conflict, match="Another backup"):
                make_backup(data, KEY, tmp_path / "b", now=1)

    def test_a_folder_without_a_database_is_refused(self, data: Path, tmp_path: Path) -> None:
        with pytest.raises(NoDataFolder, match="restore"):
            make_backup(data, KEY, tmp_path / "b", now=1)
        assert not database_path(data).exists()


class TestWhatIsNotWhole:
    @pytest.mark.parametrize(
        "change",
        [
            lambda raw: raw[:-1],
            lambda raw: raw[: len(raw) // 2],
            lambda raw: b"",
            lambda raw: raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:],
            lambda raw: raw[:5000] + raw[5001:],
            lambda raw: raw.replace(b'"folder":"', b'"folder":"../'),
        ],
    )
    def test_a_backup_that_was_cut_or_changed_changes_nothing(
        self, backup: Path, store: Store, data: Path, change
    ) -> None:
        store.close()
        before = contents(data)
        backup.write_bytes(change(backup.read_bytes()))
        with pytest.raises(Damaged):
            restore(data, None, backup, now=3, replace=True)
        assert contents(data) == before

    def test_one_of_a_newer_threadtime_is_refused(self, backup: Path, tmp_path: Path) -> None:
        raw = backup.read_bytes()
        backup.write_bytes(raw.replace(b'"threadtime_backup":1', b'"threadtime_backup":2'))
        with pytest.raises(CannotStart, match="newer"):
            restore(tmp_path / "new", None, backup, now=3)
        assert not (tmp_path / "new").exists()

    def test_a_newer_schema_is_refused(self, store: Store, data: Path, tmp_path: Path) -> None:
        store.write(
            lambda connection: connection.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('threadtime', 'of_2031', '')"
            )
        )
        make_backup(data, KEY, tmp_path / "b", now=1)
        with pytest.raises(CannotStart, match="of_2031"):
            restore(tmp_path / "new", None, tmp_path / "b", now=3)
        assert not (tmp_path / "new").exists()
        store.close()
        with pytest.raises(CannotStart, match="newer"):
            open_store(data, KEY)


class TestARestore:
    def test_a_new_folder_gets_an_id_of_its_own_and_the_key(self, backup: Path, data: Path, tmp_path: Path) -> None:
        done = restore(tmp_path / "new", None, backup, now=3)
        assert kept(tmp_path / "new") == ["a"]
        assert folder_id(tmp_path / "new") != folder_id(data)
        assert done.key == path_of_id(folder_id(tmp_path / "new"))
        assert done.key.read_bytes() == KEY
        assert done.aside is None
        assert stat.S_IMODE(database_path(tmp_path / "new").stat().st_mode) == 0o600

    def test_a_database_that_is_there_stays_unless_that_was_said(self, backup: Path, store: Store, data: Path) -> None:
        store.close()
        before = contents(data)
        with pytest.raises(Conflict, match="--force"):
            restore(data, None, backup, now=3)
        assert contents(data) == before

    def test_it_is_then_kept_aside_with_what_its_log_held(self, backup: Path, store: Store, data: Path) -> None:
        script = "import os, sys; from pathlib import Path; from backend.store import open_store;"
        script += "from tests.store.conftest import KEY, add_practice;"
        script += "open_store(Path(sys.argv[1]), KEY).write(add_practice('c')); os._exit(0)"
        store.close()
        subprocess.run([sys.executable, "-c", script, str(data)], check=True, cwd=Path(__file__).parents[2])
        assert database_path(data).with_name("threadtime.db-wal").stat().st_size > 0
        done = restore(data, None, backup, now=3, replace=True)
        assert kept(data) == ["a"]
        assert done.aside == data / "threadtime.db.before-restore-19700101T000000.003Z"
        old = connect(done.aside, KEY)
        assert [row[0] for row in old.execute("SELECT key FROM practice ORDER BY key")] == ["a", "b", "c"]
        old.close()

    def test_one_that_cannot_be_opened_is_kept_as_it_is(self, backup: Path, store: Store, data: Path) -> None:
        store.close()
        database_path(data).write_bytes(b"x" * 8192)
        log = database_path(data).with_name("threadtime.db-wal")
        log.write_bytes(b"y" * 100)
        done = restore(data, None, backup, now=3, replace=True)
        assert kept(data) == ["a"]
        assert done.aside is not None
        assert done.aside.read_bytes() == b"x" * 8192
        assert done.aside.with_name(f"{done.aside.name}-wal").read_bytes() == b"y" * 100

    def test_a_log_whose_database_is_gone_is_not_played_into_the_new_one(
        self, backup: Path, store: Store, data: Path
    ) -> None:
        log = database_path(data).with_name("threadtime.db-wal")
        raw = log.read_bytes()
        store.close()
        log.write_bytes(raw)
        database_path(data).unlink()
        restore(data, None, backup, now=3)
        assert not log.exists()
        assert kept(data) == ["a"]

    def test_one_that_was_killed_leaves_what_was_there(self, data: Path, tmp_path: Path) -> None:
        rows = fill(data)
        make_backup(data, KEY, tmp_path / "b", now=1)
        hand = connect(database_path(data), KEY)
        hand.execute("INSERT INTO filling VALUES (x'')")
        hand.close()
        script = "import sys; from pathlib import Path; from backend.store.restore import restore;"
        script += "restore(Path(sys.argv[1]), None, Path(sys.argv[2]), now=3, replace=True)"
        running = start_group([sys.executable, "-c", script, str(data), str(tmp_path / "b")])
        partial = data / "restore.partial"
        until(lambda: size_of(partial) > 0, what="the restore under way")
        end_group(running)
        assert partial.exists()
        assert filled(data) == rows + 1
        restore(data, None, tmp_path / "b", now=3, replace=True)
        assert filled(data) == rows

    def test_it_is_refused_while_somebody_has_the_database_open(self, backup: Path, store: Store, data: Path) -> None:
        with pytest.raises(FolderInUse, match="open"):
            restore(data, None, backup, now=3, replace=True)
        store.close()
        with lock_folder(data), pytest.raises(FolderInUse, match="serves"):
            restore(data, None, backup, now=3, replace=True)
        assert kept(data) == ["a", "b"]

    def test_a_folder_of_something_else_is_refused(self, backup: Path, tmp_path: Path) -> None:
        (tmp_path / "photos").mkdir()
        (tmp_path / "photos" / "cat.jpg").touch()
        with pytest.raises(Conflict, match="not a data folder"):
            restore(tmp_path / "photos", None, backup, now=3)
        assert [each.name for each in (tmp_path / "photos").iterdir()] == ["cat.jpg"]

    def test_without_the_key_it_says_where_it_was_looked_for(self, backup: Path, keyed: Path, tmp_path: Path) -> None:
        keyed.unlink()
        with pytest.raises(WrongKey, match=f"{keyed}.*key recover"):
            restore(tmp_path / "new", None, backup, now=3)
        keyed.write_bytes(bytes(32))
        keyed.chmod(0o600)
        with pytest.raises(WrongKey, match=str(keyed)):
            restore(tmp_path / "new", None, backup, now=3)
        assert not (tmp_path / "new").exists()

    def test_a_key_file_that_is_named_opens_it_and_stays_the_folders(self, backup: Path, tmp_path: Path) -> None:
        named = tmp_path / "named.key"
        write_key(named, KEY)
        done = restore(tmp_path / "new", named, backup, now=3)
        assert done.key == named
        assert not path_of_id(folder_id(tmp_path / "new")).exists()
        assert kept(tmp_path / "new") == ["a"]

    def test_one_from_before_a_rotation_comes_in_under_the_folders_new_key(
        self, backup: Path, store: Store, data: Path, keyed: Path
    ) -> None:
        store.close()
        rotate_key(data, None, now=5)
        new = keyed.read_bytes()
        restore(data, None, backup, now=6, replace=True)
        assert keyed.read_bytes() == new != KEY
        assert kept(data, new) == ["a"]

    def test_what_an_interrupted_one_left_behind_is_no_hindrance(self, backup: Path, tmp_path: Path) -> None:
        new = tmp_path / "new"
        create_folder(new)
        for ending in ("", "-wal", "-shm"):
            (new / f"restore.partial{ending}").write_bytes(os.urandom(5000))
        restore(new, None, backup, now=3)
        assert kept(new) == ["a"]
        assert not [each for each in new.iterdir() if "partial" in each.name]

    def test_a_row_that_points_nowhere_is_found_before_anything_is_changed(
        self, store: Store, data: Path, tmp_path: Path
    ) -> None:
        store.close()
        hand = dbapi2.connect(str(database_path(data)), isolation_level=None)
        hand.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
        hand.execute("INSERT INTO portal (practice_id, key, kind, created_at) VALUES (9, 'p', 'p', 0)")
        hand.close()
        make_backup(data, KEY, tmp_path / "b", now=1)
        before = contents(data)
        with pytest.raises(Damaged, match="points at a row"):
            restore(data, None, tmp_path / "b", now=3, replace=True)
        assert contents(data) == before
