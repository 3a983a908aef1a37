"""The report to take away, as CSV or JSON."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

from flask import Blueprint, Response, request

from backend.desk.episodes import report_rows
from backend.errors import BadInput
from backend.reports.as_csv import csv_chunks
from backend.reports.as_json import json_chunks
from backend.reports.columns import Row
from backend.store.database import Store
from backend.web.doors import here, now_ms, opens_to

_FORMATS: dict[str, tuple[str, Callable[[Iterable[Row]], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_chunks),
    "json": ("application/json", json_chunks),
}


def add(pages: Blueprint, store: Store) -> None:
    @pages.get("/report")
    @opens_to("take reports")
    def report() -> Response:
        """Episodes whose window starts on one of the days `from` to `to`, as a file."""
        first, last = _day("from"), _day("to")
        if last < first:
            raise BadInput("The report's last day is before its first day.")
        kind = request.args.get("format", "")
        if kind not in _FORMATS:
            raise BadInput("A report is taken as csv or json.")
        media_type, chunks = _FORMATS[kind]
        user = here().user
        rows = report_rows(store, user.practice_id, start=first, end=last, as_of=None, now=now_ms(), by=user.user_id)
        response = Response(chunks(rows), content_type=media_type)
        response.headers["Content-Disposition"] = f'attachment; filename="threadtime-{first}-to-{last}.{kind}"'
        return response


def _day(name: str) -> date:
    try:
        return date.fromisoformat(request.args.get(name, ""))
    except ValueError:
        raise BadInput("A report needs its first and its last day, each written like 2026-04-06.") from None
