"""The audit of the practice: a day of it as a page, all of it as a file for the auditor."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from flask import Blueprint, Response, render_template, request

from backend.audit import ACTIONS
from backend.audit_words import AUDIT_ACTIONS, AUDIT_ACTORS, AUDIT_DETAIL
from backend.auth.roles import may
from backend.desk.audit import Line, export_audit, list_entries
from backend.errors import BadInput
from backend.store.database import Store
from backend.web.doors import here, now_ms, opens_to
from backend.words import day, local_time, named

_LONG = ("user", "device", "episode")
"""Kinds of subject whose ids are random: their beginning is enough to tell them apart on a page."""


def add(pages: Blueprint, store: Store) -> None:
    @pages.get("/audit")
    @opens_to("read the audit")
    def audit() -> str:
        """One day, newest first; `on` chooses it, `action` filters, `before` says where the page before ended."""
        session = here()
        found = list_entries(
            store,
            session.user.practice_id,
            on=_day(),
            action=request.args.get("action") or None,
            before=_number(),
            now=now_ms(),
        )
        return render_template(
            "audit.html",
            day=day(found.on),
            on=found.on.isoformat(),
            action=request.args.get("action") or None,
            actions=sorted(((action, AUDIT_ACTIONS[action]) for action in ACTIONS), key=lambda each: each[1]),
            lines=[_line(each, ZoneInfo(session.timezone)) for each in found.lines],
            next=found.next,
            takes=may(session.user.roles, "take the audit"),
        )

    @pages.get("/audit/export")
    @opens_to("take the audit")
    def audit_export() -> Response:
        """Every entry, as JSON Lines."""
        user = here().user
        entries = export_audit(store, user.practice_id, now=now_ms(), by=user.user_id)
        response = Response(_lines(entries), content_type="application/x-ndjson")
        response.headers["Content-Disposition"] = 'attachment; filename="threadtime-audit.jsonl"'
        return response


def _lines(entries: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    return (orjson.dumps(each, option=orjson.OPT_APPEND_NEWLINE) for each in entries)


def _line(line: Line, zone: ZoneInfo) -> dict[str, Any]:
    kind, id_ = line.subject
    return {
        "number": line.number,
        "at": f"{local_time(line.at, zone):%H:%M:%S}",
        "who": line.who if line.actor == "user" and line.who else _device(line),
        "what": named(AUDIT_ACTIONS, line.action),
        "subject": line.subject_name or (f"{kind} {id_[:8] if kind in _LONG else id_}" if id_ else None),
        "detail": "erased" if line.erased else "; ".join(_told(line.detail or {})),
    }


def _device(line: Line) -> str:
    words = named(AUDIT_ACTORS, line.actor)
    return f"{words} of {line.who}" if line.who else words


def _told(detail: dict[str, Any]) -> Iterator[str]:
    """What a person may want to read of a detail; digests are for programs."""
    for name, value in detail.items():
        if value is not None and name in AUDIT_DETAIL:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            yield f"{AUDIT_DETAIL[name]} {shown}".strip()


def _day() -> date | None:
    text = request.args.get("on")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise BadInput("A day of the audit is written like 2026-04-06.") from None


def _number() -> int | None:
    text = request.args.get("before")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise BadInput("The place in the audit is not one that a page named.")
    return int(text)
