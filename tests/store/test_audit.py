"""The audit's rows and its head: append-only, sealed in the unit of work, and moved on only over a whole chain."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2

from backend.audit import COMMAND, verify
from backend.errors import Busy, WrongKey
from backend.store import Connection, Store, audit, database, open_folder
from backend.store.audit import Audit
from backend.store.connection import connect
from backend.store.database import open_store
from backend.store.erasures import erasing
from backend.store.folder import create_folder, database_path
from backend.store.heads import HeadFile
from backend.store.keys import audit_key_path, create_key, read_audit_key, read_key
from backend.store.writer import StoreClosed
from tests.store.conftest import ON_BOTH, add_practice, practice_keys

NOW = 1_790_000_000_000


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "key"


@pytest.fixture
def kept(data: Path, key_file: Path) -> Iterator[Store]:
    """A store with its keys outside the folder, and a practice."""
    create_folder(data)
    create_key(data, key_file)
    opened = open_folder(data, key_file, now=NOW)
    opened.write(add_practice("a"))
    yield opened
    opened.close()


def add(store: Store, count: int = 1, practice_id: int = 1) -> None:
    def work(connection: Connection) -> None:
        for number in range(count):
            store.audit.add(
                connection,
                practice_id,
                at=NOW,
                actor=COMMAND,
                action="user_added",
                subject=("user", f"u{number}"),
                detail={"number": number},
            )

    store.write(work)


def problems(store: Store, practice_id: int = 1) -> list[str]:
    with store.read() as connection:
        known = store.audit.heads.read().heads.get(practice_id) if store.audit.heads else None
        return verify(audit.chain(connection, practice_id), store.audit.key, known)


def by_hand(data: Path, key_file: Path, *changes: str) -> None:
    """What somebody with the database key can do, past every guard."""
    hand = connect(database_path(data), read_key(data, key_file))
    hand.execute("PRAGMA foreign_keys = OFF")
    for trigger in ("entry_no_update", "entry_no_delete", "entry_at_the_end", "detail_no_update", "detail_no_delete"):
        hand.execute(f"DROP TRIGGER audit_{trigger}")
    for change in changes:
        assert hand.execute(change).rowcount > 0, change
    hand.execute("DELETE FROM audit_detail WHERE number NOT IN (SELECT number FROM audit_entry)")
    hand.close()


@ON_BOTH
def test_entries_count_up_in_each_practice_and_follow_each_other(store: Store) -> None:
    store.write(add_practice("a"))
    store.write(add_practice("b"))
    add(store, 3)
    add(store, 2, practice_id=2)
    add(store, 1)
    with store.read() as connection:
        assert [row.entry.number for row in audit.chain(connection, 1)] == [1, 2, 3, 4]
        assert [row.entry.number for row in audit.chain(connection, 2)] == [1, 2]
    assert problems(store, 1) == problems(store, 2) == []


@ON_BOTH
def test_a_long_chain_is_read_in_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "ROWS_A_READ", 7)
    store.write(add_practice("a"))
    add(store, 21)
    with store.read() as connection:
        assert len(list(audit.chain(connection, 1))) == 21
    assert problems(store) == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_entry SET at = 1",
        "DELETE FROM audit_entry",
        "UPDATE audit_detail SET detail = '{}'",
        "INSERT INTO audit_entry SELECT practice_id, number + 2, at, actor_kind, actor_id, action, subject_kind,"
        " subject_id, detail_digest, previous, seal FROM audit_entry",
    ],
)
@ON_BOTH
def test_the_database_refuses_to_change_an_entry(store: Store, change: str) -> None:
    store.write(add_practice("a"))
    add(store)
    with pytest.raises(dbapi2.IntegrityError):
        store.write(lambda connection: connection.execute(change))
    assert problems(store) == []


def test_an_entry_cannot_be_replaced_either(store: Store) -> None:
    store.write(add_practice("a"))
    add(store)
    with pytest.raises(dbapi2.IntegrityError):
        store.write(lambda connection: connection.execute("REPLACE INTO audit_entry SELECT * FROM audit_entry"))
    assert problems(store) == []


@ON_BOTH
def test_what_fails_takes_its_entry_back(store: Store) -> None:
    store.write(add_practice("a"))

    def work(connection: Connection) -> None:
        store.audit.add(connection, 1, at=NOW, actor=COMMAND, action="user_added", subject=("user", "u"))
        raise ValueError("afterwards")

    with pytest.raises(ValueError, match="afterwards"):
        store.write(work)
    add(store)
    with store.read() as connection:
        assert len(list(audit.chain(connection, 1))) == 1
    assert problems(store) == []


def test_what_is_written_soon_waits_for_its_turn_and_is_never_dropped(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "SOON_LIMIT", 2)
    tried: list[int] = []

    def fails_once(connection: Connection) -> None:
        tried.append(len(tried))
        if len(tried) == 1:
            raise OSError("disk full")

    store.write_soon(fails_once)
    store.write_soon(add_practice("b"))
    with pytest.raises(Busy):
        store.write_soon(add_practice("c"))
    assert practice_keys(store) == []
    with pytest.raises(OSError, match="disk full"):
        store.write_waiting()
    assert practice_keys(store) == []
    store.write_waiting()
    store.write_waiting()
    assert (practice_keys(store), tried) == (["b"], [0, 1])
    store.close()
    with pytest.raises(StoreClosed):
        store.write_soon(add_practice("d"))


def test_what_nobody_waits_for_is_written_before_the_store_closes(kept: Store, data: Path, key_file: Path) -> None:
    for number in range(50):
        kept.write_soon(
            lambda connection, number=number: kept.audit.add(
                connection, 1, at=number, actor=COMMAND, action="episode_read", subject=("episode", str(number))
            )
        )
    kept.close()
    again = open_folder(data, key_file, now=NOW)
    with again.read() as connection:
        assert [row.entry.at for row in audit.chain(connection, 1)] == list(range(50))
    again.close()


def test_erased_details_leave_a_valid_chain_and_an_entry(kept: Store) -> None:
    add(kept, 4)

    def work(connection: Connection) -> int:
        with erasing(connection, 1, "patient", at=NOW):
            subjects = [("user", "u1"), ("user", "u3"), ("user", "nobody")]
            return kept.audit.erase(connection, 1, subjects, at=NOW, actor=COMMAND)

    assert kept.write(work) == 2
    with kept.read() as connection:
        rows = list(audit.chain(connection, 1))
    assert [row.detail is None for row in rows] == [False, True, False, True, False]
    assert (rows[-1].entry.action, rows[-1].detail.text) == ("detail_erased", '{"entries":[2,4]}')
    assert problems(kept) == []


def test_a_detail_that_was_removed_by_hand_is_found(kept: Store, data: Path, key_file: Path) -> None:
    add(kept, 4)
    by_hand(data, key_file, "DELETE FROM audit_detail WHERE number = 2")
    assert problems(kept) == ["The detail of audit entry 2 was removed, and no entry says so."]


def test_the_audits_key_lies_beside_the_other_and_only_its_owner_may_read_it(
    kept: Store, data: Path, key_file: Path
) -> None:
    path = audit_key_path(data, key_file)
    assert path == key_file.with_name("key.audit")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_bytes()) == 32
    assert path.read_bytes() != key_file.read_bytes()
    kept.close()
    path.chmod(0o644)
    with pytest.raises(WrongKey, match="chmod 600"):
        open_folder(data, key_file, now=NOW)


def test_a_close_writes_the_head(kept: Store, data: Path, key_file: Path) -> None:
    add(kept, 5)
    kept.close()
    head = key_file.with_name("key.audit-head")
    assert stat.S_IMODE(head.stat().st_mode) == 0o600
    said = json.loads(head.read_text())
    assert said["heads"]["1"]["count"] == 5
    assert {each.name for each in key_file.parent.iterdir()} == {"key", "key.audit", "key.audit-head"}


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM audit_entry WHERE number > 3",
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET seal = zeroblob(32) WHERE number = 5",
    ],
)
def test_a_head_does_not_move_over_a_chain_that_lost_what_it_names(
    kept: Store, data: Path, key_file: Path, change: str
) -> None:
    add(kept, 5)
    assert kept.move_audit_heads() == []
    by_hand(data, key_file, change)
    add(kept, 9)
    assert problems(kept)
    assert kept.move_audit_heads() == [1]
    kept.close()
    again = open_folder(data, key_file, now=NOW)
    assert problems(again), "still found"
    again.close()


def test_a_chain_that_was_written_anew_under_another_key_is_found(kept: Store, data: Path, key_file: Path) -> None:
    add(kept, 5)
    kept.move_audit_heads()
    by_hand(data, key_file, "DELETE FROM audit_entry")
    forger = Audit(bytes(32))
    for _ in range(5):
        kept.write(
            lambda connection: forger.add(
                connection, 1, at=NOW, actor=COMMAND, action="verified", subject=("practice", "1"), detail={}
            )
        )
    found = problems(kept)
    assert "Audit entry 1 was changed, or made without the audit key." in found
    assert "Audit entry 5 is not the one that the head beside the key names." in found


def test_a_folder_from_before_gets_a_key_and_an_entry_that_says_where_its_audit_begins(
    data: Path, key_file: Path
) -> None:
    create_folder(data)
    create_key(data, key_file)
    old = open_store(data, read_key(data, key_file))
    old.write(add_practice("a"))
    old.write(add_practice("b"))
    old.close()
    assert not audit_key_path(data, key_file).exists()
    for _ in range(2):
        opened = open_folder(data, key_file, now=NOW)
        with opened.read() as connection:
            for practice_id in (1, 2):
                [row] = audit.chain(connection, practice_id)
                assert (row.entry.action, row.entry.actor.kind, row.entry.at) == ("audit_begun", "server", NOW)
        assert HeadFile(audit_key_path(data, key_file)).read().heads[2].count == 1
        opened.close()


def test_a_key_that_got_lost_is_not_replaced(kept: Store, data: Path, key_file: Path) -> None:
    add(kept)
    kept.close()
    audit_key_path(data, key_file).unlink()
    for _ in ("with its head", "without it"):
        with pytest.raises(WrongKey, match=r"key\.audit is missing: put it back"):
            open_folder(data, key_file, now=NOW)
        key_file.with_name("key.audit-head").unlink(missing_ok=True)


def test_a_damaged_head_is_refused_in_one_sentence(kept: Store, data: Path, key_file: Path) -> None:
    add(kept)
    kept.move_audit_heads()
    path = key_file.with_name("key.audit-head")
    whole = path.read_text()
    for text in (
        "",
        "{",
        "[]",
        '{"heads": {"1": {"count": 1}}, "before": []}',
        whole.replace('"seal": "', '"seal": "x'),
    ):
        path.write_text(text)
        with pytest.raises(WrongKey, match="damaged"):
            kept.audit.heads.read()
    path.write_text(whole)


def test_heads_of_another_process_are_kept(kept: Store, data: Path, key_file: Path) -> None:
    add(kept)
    other = open_folder(data, key_file, now=NOW)
    other.write(add_practice("b"))
    add(other, 3, practice_id=2)
    other.close()
    add(kept)
    kept.move_audit_heads()
    heads = kept.audit.heads.read().heads
    assert {practice_id: head.count for practice_id, head in heads.items()} == {1: 2, 2: 3}
    assert read_audit_key(data, key_file) == kept.audit.key
