"""kill -9 of the server's process group under eight writers: what it acknowledged is there, once."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.browser import until
from tests.conftest import BOTH
from tests.server import Server, now, row

WRITERS = 8
ROWS = 20


class Writer(threading.Thread):
    """A device with a backlog without end: sends batch after batch, and each again until the server acknowledges it."""

    def __init__(self, server: Server, done: threading.Event) -> None:
        super().__init__(name="writer")
        self.server, self.done = server, done
        self.accepted: Counter[str] = Counter()
        self.duplicate: Counter[str] = Counter()
        self.answers = 0
        self.trouble: list[str] = []
        self.last_batch: set[str] = set()

    def run(self) -> None:
        while not self.done.is_set() and not self.trouble:
            rows = [row() for _ in range(ROWS)]
            self.last_batch = {one["id"] for one in rows}
            while not self.done.is_set() and not self.trouble and not self.sent(rows):
                self.done.wait(0.05)  # the server is down; a device backs off, too

    def sent(self, rows: list[dict[str, object]]) -> bool:
        """Whether the server acknowledged the rows; False when it could not be reached or died meanwhile."""
        wire = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        try:
            body = json.dumps({"sent_at": now(), "intervals": rows})
            headers = {"Authorization": f"Bearer {self.server.token}", "Content-Type": "application/json"}
            wire.request("POST", "/api/v1/intervals", body, headers)
            answer = wire.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            wire.close()
        if answer.status == 503:
            return False
        if answer.status != 200:
            self.trouble.append(f"{answer.status}: {text!r}")
            return True
        told = json.loads(text)
        self.accepted.update(told["accepted"])
        self.duplicate.update(told["duplicate"])
        if told["rejected"] or len(told["accepted"]) + len(told["duplicate"]) != len(rows):
            self.trouble.append(text.decode())
        self.answers += 1
        return True


@contextmanager
def writing(*servers: Server) -> Iterator[Callable[[], None]]:
    """Eight writers at work; gives a function that returns after some more answers. At the end the servers are stopped
    and everything that was acknowledged must be there, once."""
    done = threading.Event()
    writers = [Writer(servers[number % len(servers)], done) for number in range(WRITERS)]
    for server in servers:
        server.start()
    for writer in writers:
        writer.start()

    def some_answers() -> None:
        enough = sum(writer.answers for writer in writers) + random.randint(1, 60)
        until(
            lambda: sum(writer.answers for writer in writers) >= enough or any_trouble(writers),
            seconds=60,
            what="answers",
        )

    try:
        yield some_answers
    finally:
        done.set()
        for writer in writers:
            writer.join()
    assert not any_trouble(writers)
    for server in servers:
        server.stop()
    check(servers[0], writers)


def kill_again_and_again(server: Server, times: int) -> None:
    with writing(server) as some_answers:
        for number in range(times):
            some_answers()
            if number == 0 and server.database is None:
                second = server.run("serve", "--port", "1")
                assert second.returncode == 1
                assert "Another process serves" in second.stderr
            server.kill()
            server.start()


def check(server: Server, writers: list[Writer]) -> None:
    stored = Counter(one["id"] for one in server.stored())
    accepted: Counter[str] = sum((writer.accepted for writer in writers), Counter())
    duplicate: Counter[str] = sum((writer.duplicate for writer in writers), Counter())
    acknowledged = set(accepted) | set(duplicate)
    assert len(acknowledged) > ROWS
    assert acknowledged - set(stored) == set(), "acknowledged and lost"
    assert [id_ for id_, count in stored.items() if count > 1] == [], "stored twice"
    assert [id_ for id_, count in accepted.items() if count > 1] == [], "accepted twice"
    assert set(stored) - acknowledged <= set().union(*(writer.last_batch for writer in writers))
    server.command("verify")


def any_trouble(writers: list[Writer]) -> list[str]:
    return [line for writer in writers for line in writer.trouble]


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_twenty_kills_under_eight_writers_lose_nothing_acknowledged_and_double_nothing(practice: Server) -> None:
    kill_again_and_again(practice, 20)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_two_hundred_kills_under_eight_writers_lose_nothing_acknowledged_and_double_nothing(practice: Server) -> None:
    kill_again_and_again(practice, 200)
