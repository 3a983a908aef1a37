"""The stopwatch's error on scripted days and in sessions at real speed, beside two simpler ways to count the same.

The days hold far more absences, crashes and set clocks than a real one: the errors of the simpler ways show what the
rules are for, and are no estimate for a practice.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from tests.story.session_browsers import LONG_SESSIONS, Plan, hold
from tests.story.sessions import Session

ROOT = Path(__file__).parents[2]
WAYS = {
    "ours": "Threadtime",
    "no_idle": "a stopwatch without the idle rule",
    "visible": "the page in sight, and nothing else",
}


def figures(days: int) -> dict[str, Any]:
    """What accuracy.js prints of the days 1 to `days`, in milliseconds."""
    command = ["tests/node", "node", "tests/extension/accuracy.js", str(days)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=600)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def table(days: int = 1_000) -> Table:
    """One row a way of counting: its errors by stay on a page, and all together against the true time."""
    found = figures(days)
    shown = Table(title=f"Time on a thread's page: errors on {found['days']:,} scripted days")
    for heading in ("counted by", "stays", "median", "worst over", "worst under", "in total"):
        shown.add_column(heading, justify="left" if heading == "counted by" else "right")
    for name, words in WAYS.items():
        way = found["ways"][name]
        errors = [f"{way[error] / 1000:,.2f} s" for error in ("median", "most_over", "most_under")]
        shown.add_row(words, f"{way['count']:,}", *errors, f"{way['total'] / found['right']:+.2%}")
    return shown


def sessions_table(folder: Path, plans: Sequence[Plan] = LONG_SESSIONS) -> Table:
    """One row a session, and one for all: the truth, the error in the database, and the simpler ways' errors."""
    shown = Table(title="Sessions at real speed: Medplum and Roundcube in two windows; worker and server die")
    headings = ("browser", "seed", "idle after", "length", "active", "worst thread", *WAYS.values())
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "browser" else "right")
    sessions = hold(plans, folder)
    for one in sessions:
        shown.add_row(one.browser, str(one.seed), f"{one.idle_after} s", *_errors([one]))
    shown.add_section()
    shown.add_row("all", "", "", *_errors(sessions))
    return shown


def _errors(sessions: Sequence[Session]) -> list[str]:
    true = sum(one.total("true") for one in sessions)
    ways = [sum(one.total(way) for one in sessions) for way in WAYS]
    length, worst = sum(one.seconds for one in sessions), max(one.worst for one in sessions)
    shares = [f"{way / true - 1:+.2%}" if true else f"{way:.1f} s of none" for way in ways]
    return [f"{length:.0f} s", f"{true:.1f} s", f"{worst:.2f} s", *shares]
