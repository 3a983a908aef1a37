"""An answer of a server about the clinician's own episodes; what a test names replaces a part of it."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

ZONE = "America/New_York"
PATH = "/api/v1/own-episodes"
FACTS = "/api/v1/facts/attested_related"
VISIT = {"portal": "medplum", "thread": "T", "visit_id": "visit-7"}


def today() -> date:
    return datetime.now(ZoneInfo(ZONE)).date()


def interval(number: int, minutes_ago: int, seconds: int, **more: Any) -> dict[str, Any]:
    """An own interval of the thread, as it stands at the server."""
    started_at = int(time.time() * 1000) - minutes_ago * 60_000
    return {
        "id": f"019d62e5-7c60-7aaa-8c1d-{number:012}",
        "thread": "T",
        "started_at": started_at,
        "ended_at": started_at + seconds * 1000,
        "activity": "review_inquiry",
        "entry": "measured",
        "counted": True,
        "reason": None,
        "corrected_by": None,
        **more,
    }


def reason(name: str, severity: str, message: str, remedy: str | None = None) -> dict[str, Any]:
    source = "CPT 2024 guideline, p. 39; CodingIntel, online digital E/M"
    return {"id": name, "severity": severity, "message": message, "source": source, "remedy": remedy, "curable": True}


def answer(status: str = "hold", **more: Any) -> dict[str, Any]:
    """A determination; on hold for a payer that nobody named, and for the look-ahead."""
    return {
        "status": status,
        "code": "99422" if status == "reportable" else None,
        "projected_code": "99422",
        "hold_until": (today() + timedelta(days=6)).isoformat(),
        "rules_version": "em-2020",
        "missing": [],
        "blocking": [],
        "warnings": [],
        "reasons": [],
        **more,
    }


WAITING = {
    "missing": [{"id": "payer-coverage", "asks": "Which payer covers the patient", "of": "staff", "until": None}],
    "reasons": [
        reason("payer-coverage", "hold", "Not known: which payer covers the patient.", "The coverage recorded."),
        reason("hold-until-lookahead", "wait", "Decided on Tue 14 Apr 2026, unless the patient is seen first."),
        reason("facts-current", "hold", "Not known: which visits took place.", "The schedule read again."),
    ],
}


def question(thread: str = "T") -> dict[str, Any]:
    facts = [{"kind": "attested_related", "row": {**VISIT, "thread": thread, "related": True}}]
    return {
        "id": f"related:visit-7:{thread}",
        "text": "Office visit on 3 April: is this thread about the same problem?",
        "options": [
            {"label": "Same", "facts": facts},
            {"label": "New", "facts": [{"kind": "attested_related", "row": {**VISIT, "related": False}}]},
            {"label": "Both", "facts": facts},
            {"label": "Not sure", "facts": []},
        ],
    }


def episode(day: int = 3, **more: Any) -> dict[str, Any]:
    """An episode that is on its `day`-th day today."""
    start = today() - timedelta(days=day - 1)
    return {
        "episode_id": "e-1",
        "portal": "medplum",
        "threads": ["T"],
        "window_start": start.isoformat(),
        "window_end": (start + timedelta(days=6)).isoformat(),
        "counted_seconds": 720,
        "own_seconds": 400,
        "others": [{"name": "Roy", "credential": "NP", "seconds": 320}],
        "approved": False,
        "steps": [{"minutes": 5, "code": "99421"}, {"minutes": 11, "code": "99422"}, {"minutes": 21, "code": "99423"}],
        "rules": {"family": "em", "day": start.isoformat(), "payer_type": None},
        "settings": {},
        "facts": {},
        "answer": answer(**WAITING),
        "questions": [],
        "intervals": [],
        **more,
    }


def told(*episodes: dict[str, Any]) -> dict[str, Any]:
    return {"as_of": int(time.time() * 1000), "timezone": ZONE, "episodes": list(episodes)}
