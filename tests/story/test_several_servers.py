"""Several servers on one PostgreSQL database, one of them killed, or the database server itself."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.postgresql import Cluster
from tests.server import Server, now, row, uuid7
from tests.story.test_kill_server import writing


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_of_two_servers_one_is_killed_again_and_again(practice: Server) -> None:
    other = practice.beside()
    with writing(practice, other) as some_answers:
        for _ in range(5):
            some_answers()
            other.kill()
            other.start()


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[tuple[Cluster, Server]]:
    """A durable database server, and a practice on it."""
    cluster = Cluster(durable=True)
    server = Server(tmp_path, cluster.url(cluster.create()))
    server.set_up()
    try:
        yield cluster, server
    finally:
        try:
            server.stop()
        finally:
            cluster.stop()


def kill_the_database(own: tuple[Cluster, Server], times: int) -> None:
    cluster, server = own
    with writing(server) as some_answers:
        for _ in range(times):
            some_answers()
            cluster.kill()
            cluster.start()
        some_answers()
    unexpected = [line for line in server.log_lines() if line["event"] in ("unexpected", "request")]
    assert [line for line in unexpected if line.get("status", 500) >= 500 and line.get("status") != 503] == []


def test_a_killed_database_server_loses_nothing_acknowledged_and_doubles_nothing(
    own_cluster: tuple[Cluster, Server],
) -> None:
    kill_the_database(own_cluster, 3)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_twenty_kills_of_the_database_server(own_cluster: tuple[Cluster, Server]) -> None:
    kill_the_database(own_cluster, 20)


def test_a_database_that_stays_away_is_answered_busy_and_served_again_later(
    own_cluster: tuple[Cluster, Server],
) -> None:
    cluster, server = own_cluster
    server.start()
    sent = row()
    cluster.kill()
    answer = server.post(sent)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    cluster.start()
    assert server.post(sent).json()["accepted"] == [sent["id"]]
    server.stop()
    server.command("verify")


def some_work(dice: random.Random) -> list[dict[str, Any]]:
    """Rows on few threads and patients, so that two servers keep meeting at the same episode."""
    begin = now() - 20 * 3_600_000
    rows = []
    for number in range(120):
        started_at = begin + number * 400_000 + dice.randrange(100_000)
        patient = dice.choice(["p1", "p2", None, None])
        rows.append(
            row(
                id=uuid7(started_at),
                thread=f"t{dice.randrange(3)}-{patient}" if patient else f"t{dice.randrange(6)}",
                patient=patient,
                started_at=started_at,
                ended_at=started_at + dice.randrange(5, 300) * 1000,
            )
        )
    return rows


def episodes(server: Server) -> list[tuple[Any, ...]]:
    return sorted(
        (one["patient"] or "", one["window_start"], one["counted_seconds"], one["status"], str(one["threads"]))
        for one in server.report()
    )


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_two_servers_at_once_end_in_the_episodes_of_one(practice: Server, tmp_path: Path) -> None:
    alone = Server(tmp_path / "alone")
    alone.set_up()
    other = practice.beside()
    dice = random.Random(7)
    rows = some_work(dice)
    for server in (practice, other, alone):
        server.start()
    try:
        for start in range(0, len(rows), 10):
            assert alone.post(*rows[start : start + 10]).status_code == 200
        dice.shuffle(rows)
        batches = [rows[start : start + 4] for start in range(0, len(rows), 4)]

        def send(number: int) -> None:
            server = (practice, other)[number % 2]
            assert server.post(*batches[number // 2]).status_code == 200

        with ThreadPoolExecutor(8) as pool:  # each batch goes to both at about the same time
            list(pool.map(send, range(2 * len(batches))))
        expected = episodes(alone)
        assert len(expected) > 4
        assert episodes(practice) == expected
    finally:
        for server in (practice, other, alone):
            server.stop()
    practice.command("verify")
    shutil.rmtree(alone.data)
