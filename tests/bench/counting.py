"""Counting against duckdb's native union of the same intervals, and one determination against its answer's JSON.

The union and the recomputation read their file each time, as `verify` does; duckdb's table stands in its own file.
Every answer is compared with the other side's, or with the raw time, before it is timed.
"""

from __future__ import annotations

import csv
import gc
import json
import secrets
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import duckdb
import orjson

from backend.billing.counted import count
from backend.billing.counting import REASONS
from backend.billing.days import MS_A_SECOND
from backend.billing.determination import judge
from backend.billing.spans import total
from backend.store.connection import Connection
from tests.bench.episodes import INTERVALS, SPANS, cases, opened, recount, write

JUDGED = 500
# Gaps and islands: where no earlier interval of the episode reaches, an island begins.
UNION = f"""
    WITH marked AS (
        SELECT episode_id, started_at, ended_at, max(ended_at) OVER (
            PARTITION BY episode_id ORDER BY started_at, ended_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS reached FROM interval
    ), islands AS (
        SELECT episode_id, started_at, ended_at, sum(CASE WHEN reached >= started_at THEN 0 ELSE 1 END) OVER (
            PARTITION BY episode_id ORDER BY started_at, ended_at ROWS UNBOUNDED PRECEDING
        ) AS island FROM marked
    ), merged AS (
        SELECT episode_id, min(started_at) AS started_at, max(ended_at) AS ended_at FROM islands
        GROUP BY episode_id, island
    )
    SELECT episode_id, CAST(sum(ended_at - started_at) // {MS_A_SECOND} AS BIGINT) FROM merged GROUP BY episode_id
"""

Row = tuple[str, str, str, str, str]  # what, here, against, ratio, target


def union_here(file: Connection) -> dict[str, int]:
    """Seconds of wall-clock time by episode."""
    read = orjson.loads
    return {
        name: total(zip(read(starts), read(ends), strict=True)) // MS_A_SECOND
        for name, starts, ends in file.execute(SPANS)
    }


class Files:
    """The same intervals in a plain file, in an encrypted one, and in a table of duckdb."""

    def __init__(self, folder: Path, intervals: int) -> None:
        folder.mkdir()
        self.intervals = intervals
        key = secrets.token_bytes(32)
        plain, encrypted = folder / "plain.db", folder / "encrypted.db"
        write(plain, None, intervals // INTERVALS)
        write(encrypted, key, intervals // INTERVALS)
        self.plain, self.encrypted = opened(plain, None), opened(encrypted, key)
        rows = folder / "rows.csv"
        with rows.open("w", newline="", encoding="utf-8") as text:
            csv.writer(text).writerows(self.plain.execute("SELECT episode_id, started_at, ended_at FROM interval"))
        self.duckdb = duckdb.connect(folder / "native.duckdb")
        columns = "{'episode_id': 'VARCHAR', 'started_at': 'BIGINT', 'ended_at': 'BIGINT'}"
        self.duckdb.execute(
            f"CREATE TABLE interval AS SELECT * FROM read_csv('{rows}', header = false, columns = {columns})"
        )
        self.duckdb.execute("CHECKPOINT")

    def union_there(self) -> dict[str, int]:
        return dict(self.duckdb.execute(UNION).fetchall())

    def check(self) -> None:
        """Both unions are one; every second that a case has is counted or excluded, and each reason occurs."""
        assert union_here(self.plain) == union_here(self.encrypted) == self.union_there()
        found = dict(recount(self.plain))
        assert found == dict(recount(self.encrypted))
        raw = dict(
            self.plain.execute(
                f"SELECT episode_id, sum(ended_at - started_at) / {MS_A_SECOND} FROM interval GROUP BY episode_id"
            )
        )
        assert {name: seconds + sum(excluded.values()) for name, (seconds, excluded) in found.items()} == raw
        reasons: Counter[str] = Counter()
        for _, excluded in found.values():
            reasons.update(excluded)
        assert set(reasons) == set(REASONS), reasons

    def close(self) -> None:
        for file in (self.plain, self.encrypted, self.duckdb):
            file.close()


def seconds_of(work: Callable[[], object]) -> float:
    gc.collect()
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def rounds_of(files: Files, rounds: int) -> dict[str, list[float]]:
    """Seconds of each side, taking turns."""
    sides: dict[str, Callable[[], object]] = {
        "duckdb": files.union_there,
        "union": lambda: union_here(files.plain),
        "union, encrypted": lambda: union_here(files.encrypted),
        "recount": lambda: deque(recount(files.plain), maxlen=0),
        "recount, encrypted": lambda: deque(recount(files.encrypted), maxlen=0),
    }
    taken: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, work in sides.items():
            taken[side].append(seconds_of(work))
    return taken


def judged(files: Files, rounds: int) -> tuple[list[float], list[float]]:
    """Microseconds of one determination on facts already counted, and of json.dumps of its answer; one each a round."""
    counted = [count(case) for _, case in islice(cases(files.plain), JUDGED)]
    answers = [judge(one) for one in counted]
    ours, dumps = [], []
    for _ in range(rounds):
        ours.append(seconds_of(lambda: [judge(one) for one in counted]) / len(counted) * 1e6)
        dumps.append(seconds_of(lambda: [json.dumps(answer) for answer in answers]) / len(counted) * 1e6)
    return ours, dumps


def _compared(ours: list[float], others: list[float]) -> str:
    """The median of the ratios, round by round, and their range."""
    ratios = [one / other for one, other in zip(ours, others, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def _target(ours: list[float], others: list[float], at_most: float) -> str:
    ratio = statistics.median(one / other for one, other in zip(ours, others, strict=True))
    return f"{at_most:g} or less: {'reached' if ratio <= at_most else 'missed'}"


def _sides(taken: dict[str, list[float]], intervals: int) -> list[Row]:
    there = taken["duckdb"]
    against = f"{statistics.median(there):.3f} s (duckdb's native union)"
    whole = f"{intervals:,} intervals in {intervals // INTERVALS:,} episodes"
    rows = []
    for side, what, at_most in (
        ("union", f"union of {whole}, plain file", 2),
        ("union, encrypted", "the same, encrypted file", None),
        ("recount", "recomputation with every exclusion, plain file", 6),
        ("recount, encrypted", "the same, encrypted file", None),
    ):
        ours = taken[side]
        target = "" if at_most is None else _target(ours, there, at_most)
        rows.append((what, f"{statistics.median(ours):.3f} s", against, _compared(ours, there), target))
    return rows


def _growth(taken: dict[int, dict[str, list[float]]]) -> list[Row]:
    """Time for each interval by size, against the smallest size: 1 where growth is linear."""
    smallest = min(taken)
    rows = []
    for side in ("union", "recount"):
        each = {size: statistics.median(found[side]) / size * 1e6 for size, found in taken.items()}
        for size in sorted(taken):
            against = f"{each[smallest]:.2f} us ({smallest:,})"
            ratio = f"{each[size] / each[smallest]:.2f}"
            rows.append((f"{side}, each of {size:,} intervals", f"{each[size]:.2f} us", against, ratio, "about 1"))
    return rows


def measure(folder: Path, sizes: list[int], rounds: int) -> list[Row]:
    """The table's rows. `sizes`: intervals, multiples of 20; the largest is held against duckdb."""
    taken: dict[int, dict[str, list[float]]] = {}
    largest = max(sizes)
    for size in sorted(sizes):
        files = Files(folder / f"counting-{size}", size)
        try:
            files.check()
            taken[size] = rounds_of(files, rounds)
            if size == largest:
                ours, dumps = judged(files, rounds)
        finally:
            files.close()
    determination = (
        "one determination on counted facts",
        f"{statistics.median(ours):.0f} us",
        f"{statistics.median(dumps):.0f} us (json.dumps of its answer)",
        _compared(ours, dumps),
        _target(ours, dumps, 15),
    )
    return [*_sides(taken[largest], largest), determination, *_growth(taken)]
