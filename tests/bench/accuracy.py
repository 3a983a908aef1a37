"""The stopwatch's error on scripted days, beside two simpler ways to count the same days (tests/extension/accuracy.js).

The days hold far more absences, crashes and set clocks than a real one: the errors of the simpler ways show what the
rules are for, and are no estimate for a practice.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from rich.table import Table

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
