"""The database file: encrypted, opened by its key alone, durable on every connection."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from backend.errors import CannotStart, FolderInUse, NoDataFolder, WrongKey
from backend.store import Store, open_store
from backend.store.connection import connect
from backend.store.folder import create_folder, database_path, folder_id, lock_folder
from backend.store.keys import create_key, key_path, read_key
from tests.store.conftest import KEY, add_practice, practice_keys

CANARY = "canary-in-a-name"


def test_the_raw_files_show_no_plain_text(store: Store, data: Path) -> None:
    store.write(add_practice(CANARY))
    files = [file for file in data.iterdir() if file.name.startswith("threadtime.db")]
    assert any(file.name.endswith("-wal") and file.stat().st_size for file in files)
    for file in files:
        raw = file.read_bytes()
        for plain in (CANARY.encode(), CANARY.title().encode(), b"SQLite format 3", b"CREATE TABLE", b"practice"):
            assert plain not in raw, f"{plain!r} stands in {file.name}"


def test_the_file_shows_no_plain_text_once_the_log_is_written_back(data: Path) -> None:
    store = open_store(data, KEY)
    store.write(add_practice(CANARY))
    store.close()
    raw = database_path(data).read_bytes()
    assert len(raw) > 4096
    assert CANARY.encode() not in raw
    assert b"SQLite format 3" not in raw


def test_only_the_owner_may_read_the_file(store: Store, data: Path) -> None:
    assert stat.S_IMODE(database_path(data).stat().st_mode) == 0o600


def test_another_key_is_refused_in_one_sentence(store: Store, data: Path) -> None:
    store.close()
    with pytest.raises(WrongKey, match="does not open the database"):
        open_store(data, bytes(32))
    reopened = open_store(data, KEY)
    reopened.close()


def test_a_plain_database_in_its_place_is_refused(data: Path) -> None:
    plain = dbapi2.connect(str(database_path(data)))
    plain.execute("CREATE TABLE t (a)")
    plain.close()
    with pytest.raises(WrongKey):
        open_store(data, KEY)


def test_a_folder_that_nobody_created_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoDataFolder, match="init"):
        open_store(tmp_path / "elsewhere", KEY)


def test_every_connection_is_durable_and_holds_foreign_keys(store: Store) -> None:
    def properties(connection):
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "temp_store")
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert store.write(properties) == ["wal", 2, 1, 30_000, 2]
    with store.read() as connection:
        assert properties(connection) == ["wal", 2, 1, 30_000, 2]


def test_an_old_sqlite_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbapi2, "sqlite_version_info", (3, 51, 1))
    with pytest.raises(CannotStart, match=r"3\.53\.0 or later"):
        connect(database_path(data), KEY)


def test_a_reader_cannot_write(store: Store) -> None:
    with store.read() as connection, pytest.raises(dbapi2.OperationalError, match="readonly"):
        connection.execute("DELETE FROM practice")


def test_a_reader_sees_one_state_from_its_first_query_to_its_last(store: Store) -> None:
    store.write(add_practice("a"))
    with store.read() as connection:
        before = connection.execute("SELECT count(*) FROM practice").fetchone()[0]
        store.write(add_practice("b"))
        assert connection.execute("SELECT count(*) FROM practice").fetchone()[0] == before == 1
    assert practice_keys(store) == ["a", "b"]


def test_every_table_but_the_directory_and_the_pairing_requests_leads_with_the_practice(store: Store) -> None:
    with store.read() as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = [name for name in tables if not name.startswith("sqlite_")]
        for table in set(tables) - {"sign_in_directory", "pairing", "_sqlite_migrations", "sqlite_stat1"}:
            [first] = [row["name"] for row in connection.execute(f"PRAGMA table_info({table})") if row["pk"] == 1]
            assert first == "practice_id", table


def test_what_is_said_and_judged_can_only_be_added(store: Store) -> None:
    store.write(add_practice("a"))

    def say(connection) -> None:
        connection.execute(
            "INSERT INTO fact (practice_id, fact_id, kind, body, source, recorded_at) VALUES (1, 1, 'k', '{}', 's', 0)"
        )

    store.write(say)
    for change in ("UPDATE fact SET body = '[]'", "DELETE FROM fact"):
        with pytest.raises(dbapi2.IntegrityError, match="append-only"):
            store.write(lambda connection, change=change: connection.execute(change))


class TestTheKey:
    def test_it_lies_under_the_users_configuration_and_not_in_the_folder(
        self, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        path = create_key(data)
        assert path == tmp_path / "config" / "threadtime" / f"{folder_id(data)}.key" == key_path(data)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert len(read_key(data)) == 32

    def test_it_is_never_overwritten(self, data: Path, tmp_path: Path) -> None:
        path = create_key(data, tmp_path / "key")
        before = path.read_bytes()
        with pytest.raises(WrongKey, match="never overwritten"):
            create_key(data, path)
        assert path.read_bytes() == before

    def test_a_file_inside_the_folder_is_refused(self, data: Path) -> None:
        with pytest.raises(WrongKey, match="inside the data folder"):
            create_key(data, data / "key")
        assert not (data / "key").exists()

    @pytest.mark.parametrize(
        ("content", "mode", "says"),
        [(bytes(31), 0o600, "32 bytes"), (bytes(33), 0o600, "32 bytes"), (bytes(32), 0o640, "chmod 600")],
    )
    def test_a_file_that_is_not_one_says_what_is_wrong(
        self, data: Path, tmp_path: Path, content: bytes, mode: int, says: str
    ) -> None:
        path = tmp_path / "key"
        path.write_bytes(content)
        path.chmod(mode)
        with pytest.raises(WrongKey, match=says):
            read_key(data, path)

    def test_one_that_is_not_there_says_where_it_was_looked_for(self, data: Path, tmp_path: Path) -> None:
        with pytest.raises(WrongKey, match=str(tmp_path / "key")):
            read_key(data, tmp_path / "key")


class TestTheFolder:
    def test_its_id_is_given_once(self, tmp_path: Path) -> None:
        assert create_folder(tmp_path / "data") == create_folder(tmp_path / "data") == folder_id(tmp_path / "data")

    def test_a_second_server_is_refused_until_the_first_is_gone(self, data: Path) -> None:
        script = "import sys; from pathlib import Path; from backend.store.folder import lock_folder;"
        script += "held = lock_folder(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
        first = subprocess.Popen(
            [sys.executable, "-c", script, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        with first:
            assert first.stdout is not None
            assert first.stdout.readline() == b"held\n"
            with pytest.raises(FolderInUse):
                lock_folder(data)
            first.kill()
        with lock_folder(data):
            pass
