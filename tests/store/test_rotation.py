"""A new key for the database: whenever the process dies, one of the two keys opens it and the rotation can be ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from backend.errors import BadInput, FolderInUse, WrongKey
from backend.store import Store, integrity, open_store
from backend.store.backup import make_backup
from backend.store.connection import connect, opens
from backend.store.folder import alone, database_path, folder_id, lock_folder
from backend.store.keys import coming_path, earlier_paths, key_of_line, path_of_id, recovery_line, write_key
from backend.store.recovery import recover_key
from backend.store.rotation import Opens, key_state, rotate_key
from tests.browser import end_group, start_group, until
from tests.store.conftest import KEY, fill, size_of

ROOT = Path(__file__).parents[2]
FILLED = 20_000_000  # bytes
DIES = """
import os, signal, sys
from pathlib import Path
from backend.store.folder import alone
from backend.store.rotation import steps
data, key, after = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
with alone(data):
    for number, step in enumerate(steps(data, key, now=1), 1):
        step()
        if number == after:
            os.kill(os.getpid(), signal.SIGKILL)
"""
ROTATES = "import sys; from pathlib import Path; from backend.store.rotation import rotate_key;"
ROTATES += "rotate_key(Path(sys.argv[1]), Path(sys.argv[2]), now=1)"
LITTLE_ROOM = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, 2 * (int(sys.argv[3]),));" + ROTATES


@pytest.fixture
def key(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder's key where it belongs."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = path_of_id(folder_id(data))
    write_key(path, KEY)
    return path


@pytest.fixture
def rows(data: Path, key: Path) -> int:
    """A database of some size that nobody has open; how many rows of `filling` it holds."""
    return fill(data, FILLED)


def whole(data: Path, key: bytes) -> int:
    """The number of rows, once the database was found whole."""
    connection = connect(database_path(data), key)
    try:
        assert integrity.problems(connection) == []
        return int(connection.execute("SELECT count(*) FROM filling").fetchone()[0])
    finally:
        connection.close()


def test_the_new_key_alone_opens_the_database_and_the_old_one_is_kept(data: Path, key: Path, rows: int) -> None:
    earlier = rotate_key(data, None, now=1_795_000_000_000)
    assert earlier is not None
    assert earlier.name == f"{key.name}.until-20261118T110640.000Z"
    assert earlier.read_bytes() == KEY != key.read_bytes()
    assert {each.stat().st_mode & 0o777 for each in (key, earlier)} == {0o600}
    assert not coming_path(key).exists()
    assert not opens(database_path(data), KEY)
    assert whole(data, key.read_bytes()) == rows
    assert [each.name for each in data.iterdir() if "-wal" in each.name and each.stat().st_size] == []


@pytest.mark.parametrize(
    ("after", "state"), [(1, Opens.IN_USE), (2, Opens.COMING), (3, Opens.COMING), (4, Opens.IN_USE)]
)
def test_after_a_kill_at_any_step_one_key_opens_it_and_the_rotation_can_be_ended(
    data: Path, key: Path, rows: int, after: int, state: Opens
) -> None:
    subprocess.run([sys.executable, "-c", DIES, str(data), str(key), str(after)], cwd=ROOT, check=False)
    found, at = key_state(data, key)
    assert found is state
    assert whole(data, at.read_bytes()) == rows
    rotate_key(data, None, now=2)
    assert whole(data, key.read_bytes()) == rows
    assert KEY in [each.read_bytes() for each in earlier_paths(key)]
    assert not coming_path(key).exists()


@pytest.mark.parametrize("written", [0, FILLED // 10, FILLED // 2, FILLED])
def test_after_a_kill_while_it_encrypts_one_key_opens_it(data: Path, key: Path, rows: int, written: int) -> None:
    log = database_path(data).with_name("threadtime.db-wal")
    running = start_group([sys.executable, "-c", ROTATES, str(data), str(key)], cwd=ROOT)
    until(lambda: running.poll() is not None or size_of(log) >= written, what="as much in the log")
    end_group(running)
    found, at = key_state(data, key)
    assert found in (Opens.IN_USE, Opens.COMING)
    assert whole(data, at.read_bytes()) == rows
    rotate_key(data, None, now=2)
    assert whole(data, key.read_bytes()) == rows


def test_a_half_written_new_key_is_made_again(data: Path, key: Path, rows: int) -> None:
    coming_path(key).write_bytes(b"half")
    rotate_key(data, None, now=1)
    assert whole(data, key.read_bytes()) == rows


@pytest.mark.parametrize("size", [FILLED, 100_000], ids=["large", "fits in memory"])
def test_where_the_disk_is_full_the_old_key_stays(data: Path, key: Path, size: int) -> None:
    rows = fill(data, size)
    room = database_path(data).stat().st_size // 4
    run = subprocess.run(
        [sys.executable, "-c", LITTLE_ROOM, str(data), str(key), str(room)], cwd=ROOT, capture_output=True, text=True
    )
    assert "CannotStart" in run.stderr and "disk is full" in run.stderr
    assert key_state(data, key) == (Opens.IN_USE, key)
    assert whole(data, KEY) == rows
    rotate_key(data, None, now=2)
    assert whole(data, key.read_bytes()) == rows


def test_it_is_refused_while_somebody_has_the_database_open(data: Path, key: Path, store: Store) -> None:
    with pytest.raises(FolderInUse, match="open"):
        rotate_key(data, None, now=1)
    store.close()
    with lock_folder(data), pytest.raises(FolderInUse, match="serves"):
        rotate_key(data, None, now=1)
    assert key.read_bytes() == KEY


def test_nobody_opens_the_database_meanwhile(data: Path, key: Path, store: Store, tmp_path: Path) -> None:
    store.close()
    with alone(data):
        with pytest.raises(FolderInUse, match="rotated"):
            open_store(data, KEY)
        with pytest.raises(FolderInUse, match="rotated"):
            make_backup(data, KEY, tmp_path / "b", now=1)


def test_a_key_that_does_not_open_it_is_not_rotated(data: Path, key: Path, rows: int) -> None:
    key.write_bytes(bytes(32))
    with pytest.raises(WrongKey, match="does not open"):
        rotate_key(data, None, now=1)
    assert key.read_bytes() == bytes(32)
    assert whole(data, KEY) == rows


class TestTheRecoveryLine:
    def test_it_gives_the_key_back_however_it_is_typed(self) -> None:
        line = recovery_line(KEY)
        assert len(line.split("-")) == 18
        for typed in (line, line.upper(), line.replace("-", " "), f"  {line[:40]}\n{line[40:]}\n"):
            assert key_of_line(typed) == KEY

    def test_every_mistyped_digit_is_noticed(self) -> None:
        line = recovery_line(KEY)
        for at, digit in enumerate(line):
            if digit != "-":
                with pytest.raises(BadInput):
                    key_of_line(line[:at] + ("0" if digit != "0" else "1") + line[at + 1 :])

    @pytest.mark.parametrize("typed", ["", "a1b2", "not a line", recovery_line(KEY)[:-1], recovery_line(KEY) + "00"])
    def test_what_is_none_is_refused(self, typed: str) -> None:
        with pytest.raises(BadInput, match="recovery line"):
            key_of_line(typed)

    def test_it_makes_the_key_of_a_folder_or_of_a_backup_again(
        self, data: Path, key: Path, store: Store, tmp_path: Path
    ) -> None:
        made = tmp_path / "b"
        make_backup(data, KEY, made, now=1)
        for backup in (None, made):
            key.unlink()
            assert recover_key(KEY, data, None, backup) == key
            assert key.read_bytes() == KEY
        with pytest.raises(WrongKey, match="never overwritten"):
            recover_key(KEY, data, None, None)

    def test_another_keys_line_makes_nothing(self, data: Path, key: Path, store: Store, tmp_path: Path) -> None:
        made = tmp_path / "b"
        make_backup(data, KEY, made, now=1)
        key.unlink()
        for backup in (None, made):
            with pytest.raises(WrongKey):
                recover_key(bytes(32), data, None, backup)
        assert not key.exists()
