"""What stands on the portal's pages stays there: not a name, title, message or address of a page is found elsewhere.

Every name, title and message text of the shell, the reply that the clinician types and the page's query string carry
the word below.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.store.database import open_store
from backend.store.keys import read_key
from tests.browser import until
from tests.server import CLINICIAN, Server
from tests.story.clinician import HOST, QUERY_CANARY, RECORDS, REPLY, THREADS
from tests.story.road import Road

pytestmark = pytest.mark.browser

CANARY = "kanari"
ADDRESSES = (f"{HOST}/Communication", f"{HOST}/Patient", f"Communication/{THREADS['A'][:8]}", "status=in-progress")


def test_every_text_of_the_portals_pages_carries_the_canary():
    texts = [
        *(person[part] for person in [RECORDS["practitioner"], *RECORDS["patients"]] for part in ("given", "family")),
        *(thread["title"] for thread in RECORDS["threads"]),
        *(message["text"] for thread in RECORDS["threads"] for message in thread["messages"]),
        (Path(__file__).parents[1] / "portals/medplum/index.html").read_text(),
        REPLY,
        QUERY_CANARY,
    ]
    assert [text for text in texts if CANARY not in text] == []


def test_nothing_of_the_portals_pages_is_sent_stored_or_logged(road: Road):
    at = road.clinician
    at.arrive("A")
    at.read(7)
    at.open("B")
    at.reply()
    at.read(6)
    at.leave()
    road.extension.open()
    until(lambda: road.extension.waiting() == 0, seconds=150, what="the outbox empty")
    assert road.seconds_by_thread()[THREADS["A"]] > 0, "nothing was measured"

    requests = [exchange.sent() + exchange.answer for exchange in road.relay.exchanges]
    assert any(THREADS["A"].encode() in one for one in requests), "the search would have found nothing"
    assert canaries(b"".join(requests)) == []
    assert canaries(json.dumps(road.extension.dump()).encode()) == []
    files = b"".join(stored_by_the_browser(road))
    assert THREADS["A"].encode() in files, "the search would have found nothing"
    assert canaries(files) == []
    assert canaries(json.dumps(road.server.stored()).encode()) == []
    assert canaries(json.dumps(road.server.report()).encode()) == []
    log = road.server.log.read_bytes()
    assert b"/api/v1/intervals" in log, "the search would have found nothing"
    assert canaries(log) == []
    dump = b"".join(decrypted(road.server))
    assert THREADS["A"].encode() in dump, "the search would have found nothing"
    assert canaries(dump) == []


def test_the_raw_database_files_show_no_plain_text(road: Road):
    at = road.clinician
    at.arrive("A")
    at.read(7)
    at.leave()
    road.extension.open()
    until(lambda: road.extension.waiting() == 0, seconds=150, what="the outbox empty")
    assert road.seconds_by_thread()[THREADS["A"]] > 0, "nothing was measured"
    raw = b"".join(path.read_bytes() for path in road.server.data.rglob("*") if path.is_file())
    plain = ["SQLite format", "CREATE TABLE", "medplum", "Riverside", CLINICIAN, "review_inquiry", *THREADS.values()]
    assert [word for word in plain if word.encode() in raw] == []


def canaries(text: bytes) -> list[str]:
    """The canaries and addresses of pages that stand in a text, in either of the encodings a browser stores."""
    words = [CANARY, *ADDRESSES]
    return [word for word in words if word.encode() in text or word.encode("utf-16-le") in text]


def stored_by_the_browser(road: Road) -> Iterator[bytes]:
    """Every file under the profile that the browser keeps for the extension alone."""
    identifier = road.extension.origin.removeprefix("chrome-extension://")
    for path in road.profile.rglob("*"):
        if path.is_file() and identifier in str(path.relative_to(road.profile)):
            yield path.read_bytes()


def decrypted(server: Server) -> Iterator[bytes]:
    """Every value of every table, as the store reads it."""
    [key_file] = (Path(server.environment["XDG_CONFIG_HOME"]) / "threadtime").glob("*.key")
    store = open_store(server.data, read_key(server.data, key_file))
    try:
        with store.read() as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in connection.execute(f'SELECT * FROM "{table}"'):
                    yield repr(tuple(row)).encode()
    finally:
        store.close()
