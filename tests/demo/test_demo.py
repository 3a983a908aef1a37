"""The demo: made through the public doors, varied, the same for the same seed, and gone afterwards."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import requests

from tests.browser import end_group, start_group, until
from tests.demo.__main__ import ADMIN, PASSWORD, ROOT, ZONE
from tests.demo.history import PEOPLE, history

ZONE_INFO = ZoneInfo(ZONE)
NOW = round(datetime(2026, 4, 6, 12, tzinfo=ZONE_INFO).timestamp() * 1000)


def rows_of(seed):
    return history(seed=seed, today=date(2026, 4, 6), zone=ZONE_INFO, now=NOW)


@pytest.fixture
def demo(tmp_path):
    """A running demo; what it printed is in `output`."""
    output = tmp_path / "output"
    with output.open("wb") as out:
        process = start_group(
            [sys.executable, "-m", "tests.demo", "--port", "0"],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )

    def ready():
        assert process.poll() is None, output.read_text()
        return "Ctrl-C" in output.read_text()

    try:
        until(ready, seconds=120, what="the demo ready")
        yield process, output.read_text(), tmp_path
    finally:
        end_group(process)


def test_the_same_seed_gives_the_same_thirty_days():
    assert rows_of(7) == rows_of(7)
    assert rows_of(7) != rows_of(8)


def test_a_clinician_is_at_two_patients_at_once_only_on_two_devices():
    for rows in rows_of(7).values():
        stretches = sorted((row["started_at"], row["ended_at"], row["patient"] or row["thread"]) for row in rows)
        for one, next_one in pairwise(stretches):
            assert next_one[0] >= one[1] or next_one[2] == one[2]


def test_no_row_ends_in_the_future_or_is_longer_than_a_device_may_send():
    for rows in rows_of(7).values():
        assert all(0 < row["ended_at"] - row["started_at"] <= 300_000 for row in rows)
        assert all(row["ended_at"] < NOW for row in rows)


def test_the_demo_serves_at_least_120_episodes_and_prints_how_to_sign_in(demo):
    process, printed, folder = demo
    assert int(re.search(r"^(\d+) episodes:", printed, re.MULTILINE)[1]) >= 120
    assert all(person.email in printed for person in PEOPLE.values())
    assert PASSWORD in printed
    address = re.search(r"http://127\.0\.0\.1:\d+", printed)[0]
    with requests.Session() as browser:
        page = browser.get(f"{address}/sign-in", timeout=30)
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        signed_in = browser.post(
            f"{address}/sign-in",
            data={**hidden, "email": ADMIN, "password": PASSWORD},
            headers={"Origin": address},  # as a browser says with every form
            timeout=30,
        )
        assert signed_in.status_code == 200
        report = browser.get(
            f"{address}/report", params={"from": "2000-01-01", "to": "2099-12-31", "format": "json"}, timeout=30
        )
    assert {episode["family"] for episode in json.loads(report.text)} >= {"em", "nonphysician"}

    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert [path.name for path in folder.iterdir()] == ["output"]
