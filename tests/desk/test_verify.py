"""`verify` finds what somebody changed by hand, and nothing where nobody did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.desk.episodes import approve
from backend.desk.verify import verify
from backend.store import open_store
from backend.store.connection import connect
from backend.store.folder import database_path
from tests.desk.world import KEY, World, at, make_reportable, world

NOW = at("2026-04-20 12:00")


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An approved episode of 123, an open one of the thread t2, both settled; tests look at copies."""
    with world(tmp_path_factory.mktemp("worked")) as made:
        made.send(made.row("2026-04-06 09:00", 200), made.row("2026-04-06 09:10", 200))
        made.send(made.row("2026-04-07 09:00", 200, thread="t2"), by="colleague")
        made.resolve("123", now=NOW)
        made.ask("2026-04-06 07:30", now=NOW)
        make_reportable(made, patient="123", now=NOW)
        [ready] = [row for row in made.report(NOW) if row["status"] == "reportable"]
        approve(made.store, made.id, ready["episode_id"], by=None, now=NOW)
        assert verify(made.store, now=NOW) == []
        yield made


def found_after(worked: World, *changes: str) -> list[str]:
    """What verify says of a copy of the database after changes by hand, past every guard."""
    copy = worked.store.engine.path.parent.parent / "copy"
    copy.mkdir(exist_ok=True)
    for old in copy.iterdir():
        old.unlink()
    source = connect(worked.store.engine.path, KEY)
    source.execute(f"VACUUM INTO '{database_path(copy)}'")
    source.close()
    (copy / "folder.id").write_text("copy\n")
    hand = connect(database_path(copy), KEY)
    hand.execute("PRAGMA foreign_keys = OFF")
    for table in ("fact", "determination", "episode_event"):
        for verb in ("update", "delete"):
            hand.execute(f"DROP TRIGGER {table}_no_{verb}")
    for table in ("interval", "episode"):
        hand.execute(f"DROP TRIGGER {table}_no_delete")
    for change in changes:
        assert hand.execute(change).rowcount > 0, change
    hand.close()
    store = open_store(copy, KEY)
    try:
        return verify(store)
    finally:
        store.close()


def test_nothing_is_found_where_nothing_was_changed(worked: World) -> None:
    assert found_after(worked) == []


OPEN = "approved_at IS NULL"
APPROVED = "approved_at IS NOT NULL"


@pytest.mark.parametrize(
    "change",
    [
        f"UPDATE episode SET days = '[999,0,0,0,0,0,0]' WHERE {OPEN}",
        f"UPDATE episode SET status = 'reportable' WHERE {OPEN}",
        f"UPDATE episode SET anchored_at = anchored_at - 1 WHERE {OPEN}",
        f"UPDATE episode SET window_start = '2026-04-01' WHERE {OPEN}",
        f"UPDATE episode SET window_end = '2026-04-30' WHERE {OPEN}",
        f"UPDATE episode SET family = 'nonphysician' WHERE {OPEN}",
        f"UPDATE episode SET provisional = 0 WHERE {OPEN}",
        f"UPDATE episode SET pieces = '[]' WHERE {OPEN}",
        f"UPDATE episode SET shares = replace(shares, '200', '900') WHERE {OPEN}",
        f"UPDATE episode SET summary = replace(summary, 'hold', 'reportable') WHERE {OPEN}",
        f"UPDATE episode SET gone_at = 1 WHERE {OPEN}",
        f"UPDATE episode SET approved_at = 1 WHERE {OPEN}",
        f"DELETE FROM episode_interval WHERE episode_id IN (SELECT episode_id FROM episode WHERE {OPEN})",
        f"UPDATE episode SET days = '[1260,0,0,0,0,0,0]' WHERE {APPROVED}",
        f"UPDATE episode SET pieces = '[]' WHERE {APPROVED}",
        f"UPDATE episode SET summary = replace(summary, '99421', '99423') WHERE {APPROVED}",
        f"UPDATE episode SET flagged = 1 WHERE {APPROVED}",
        f"UPDATE episode SET status = 'hold' WHERE {APPROVED}",
        f"UPDATE episode SET window_start = '2026-04-05' WHERE {APPROVED}",
        f"UPDATE episode SET gone_at = 1 WHERE {APPROVED}",
        "UPDATE determination SET answer = replace(answer, '99421', '99423') WHERE answer LIKE '%\"code\":\"99421\"%'",
        "UPDATE determination SET answer = replace(answer, '200', '900')",
        "UPDATE episode_count SET episodes = episodes + 1 WHERE status = 'approved'",
        "UPDATE interval SET ended_at = ended_at + 60000",
        "UPDATE interval SET thread = 't3' WHERE thread = 't2'",
        "UPDATE interval SET activity = 'documentation' WHERE thread = 't1'",
        "UPDATE interval SET patient_id = (SELECT stand_in_id FROM thread WHERE reference = 't2') WHERE thread = 't1'",
        "DELETE FROM interval WHERE thread = 't2'",
        "DELETE FROM interval WHERE interval_id = (SELECT min(interval_id) FROM interval)",
        "DELETE FROM fact WHERE kind = 'inquiries'",
        "UPDATE fact SET body = replace(body, '11:30', '13:05') WHERE kind = 'inquiries'",
        "DELETE FROM patient WHERE reference IS NULL",
        "UPDATE user SET credential = 'RN'",
        "UPDATE practice SET timezone = 'Pacific/Kiritimati'",
    ],
)
def test_a_change_by_hand_is_found(worked: World, change: str) -> None:
    assert found_after(worked, change)


def test_an_interval_that_was_slipped_in_is_found(worked: World) -> None:
    columns = "practice_id, user_id, device_id, patient_id, portal, thread, named_id, activity, ended_by"
    rest = "idle_after_seconds, entry, sent_at, received_at, clock_offset_ms, clock_off"
    assert found_after(
        worked,
        f"INSERT INTO interval ({columns}, {rest}, interval_id, started_at, ended_at) SELECT {columns}, {rest},"
        " 'slipped-in', started_at + 3600000, ended_at + 3600000 FROM interval WHERE thread = 't2'",
    )


def test_a_page_that_was_changed_is_found(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        made.send(*(made.row(at("2026-04-06 09:00") + n * 2000, 1) for n in range(300)))
        made.report(NOW)
        data = made.store.engine.path.parent
    raw = bytearray(database_path(data).read_bytes())
    place = len(raw) - 10_000
    raw[place] ^= 1
    database_path(data).write_bytes(bytes(raw))
    store = open_store(data, KEY)
    try:
        found = verify(store)
    finally:
        store.close()
    assert found
    assert "page" in found[0] or "read" in found[0]
