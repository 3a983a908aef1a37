"""What the page of one episode shows."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template

from backend.desk.episodes import Asked, EpisodeView, Stretch
from backend.reports import timeline
from backend.web import verdict
from backend.web.facts import known
from backend.web.history import changed, told
from backend.words import (
    CHANNELS,
    EXCLUDED,
    FAMILIES,
    INITIATORS,
    clock,
    day,
    days,
    duration,
    instant,
    local_time,
    named,
)
from shared_rules.engine import RuleBook, with_settings
from shared_rules.in_words import words


def episode_page(view: EpisodeView, *, zone: ZoneInfo, now: int, book: RuleBook) -> str:
    answer = view.determination
    not_counted = sum(each["seconds"] for each in answer["excluded"])
    return render_template(
        "episode.html",
        view=view,
        answer=answer,
        days=days(view.window_start, view.window_end),
        family=named(FAMILIES, view.family),
        verdict=verdict.chip(view.summary, local_time(now, zone).date(), approved=view.approved_at is not None),
        counted=duration(answer["counted_seconds"]),
        recorded=duration(answer["counted_seconds"] + not_counted),
        picture=_picture(view, zone, _release_on(view, book)),
        waiting=verdict.waiting(answer),
        reasons=verdict.reasons(answer),
        settings=_settings(answer, book),
        known=known(view.told, view.read, zone=zone, approved_at=view.approved_at),
        not_counted=duration(not_counted),
        excluded=[(clock(each["seconds"]), named(EXCLUDED, each["reason"])) for each in answer["excluded"]],
        rendering=next((each.name for each in view.clinicians if each.id == answer["rendering_clinician"]), None),
        date_of_service=_written(answer["date_of_service"]),
        hold_until=_written(answer["hold_until"]),
        clinicians=[(clock(each.seconds), each.name, each.credential) for each in view.clinicians if each.seconds],
        threads=_threads(view),
        inquiries=[_inquiry(each, zone) for each in view.inquiries if each.at is not None or each.initiated_by],
        closed=None if view.closed_at is None else day(local_time(view.closed_at, zone).date()),
        pieces=[_piece(each, zone) for each in sorted(view.pieces, key=_when)],
        history=[(instant(each.at, zone), told(each, zone), changed(each)) for each in reversed(view.history)],
    )


def _picture(view: EpisodeView, zone: ZoneInfo, release_on: date) -> object:
    return timeline.timeline(
        [
            timeline.Stretch(each.clinician, each.started_at, each.ended_at, each.counted, _says(each, zone))
            for each in view.pieces
        ],
        lanes=_lanes(view),
        window=(view.window_start, view.window_end),
        release_on=release_on,
        inquiries=[each.at for each in view.inquiries if each.at is not None],
        zone=zone,
    )


def _lanes(view: EpisodeView) -> dict[str, str]:
    """Clinician's id -> name: who has counted time first, then whoever else has a piece, as they come."""
    lanes = {each.id: each.name for each in view.clinicians}
    for piece in sorted(view.pieces, key=_when):
        lanes.setdefault(piece.clinician, piece.clinician_name)
    return lanes


def _release_on(view: EpisodeView, book: RuleBook) -> date:
    """The day on which the look-ahead closes, by the rules and settings that decided."""
    rules = book.version(view.family, None, view.window_start)
    in_force = with_settings(rules, view.determination["settings"])["parameters"]
    return view.window_start + timedelta(days=in_force["release_after_days"])


def _settings(answer: verdict.Answer, book: RuleBook) -> list[dict[str, str]]:
    """What decided otherwise than the rules' own values: name, value, default, meaning."""
    rules = next((each for each in book.versions if each["version"] == answer["rules_version"]), None)
    specs = {} if rules is None else rules["settings"]
    return [
        {
            "name": name.replace("_", " "),
            "value": _setting(value, specs[name].get("unit") if name in specs else None),
            "default": _setting(specs[name]["value"], specs[name].get("unit")) if name in specs else "not known",
            "meaning": specs[name]["meaning"] if name in specs else "",
        }
        for name, value in sorted(answer["settings"].items())
    ]


def _setting(value: Any, unit: str | None) -> str:
    return f"{words(value)} {unit}" if unit else words(value)


def _when(piece: Stretch) -> tuple[int, int, str]:
    return piece.started_at, piece.ended_at, piece.interval_id


def _length(pieces: Iterable[Stretch]) -> str:
    return clock(sum(each.ended_at - each.started_at for each in pieces) // 1000)


def _says(piece: Stretch, zone: ZoneInfo) -> str:
    fate = "counted" if piece.counted else f"not counted: {named(EXCLUDED, piece.reason)}"
    return f"{instant(piece.started_at, zone)}, {_length([piece])}, {fate}"


def _piece(piece: Stretch, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "started": instant(piece.started_at, zone),
        "ended": f"{local_time(piece.ended_at, zone):%H:%M:%S}",
        "began": f"{local_time(piece.started_at, zone):%H:%M:%S}",
        "on": day(local_time(piece.started_at, zone).date()),
        "clinician": piece.clinician_name,
        "thread": piece.thread,
        "length": _length([piece]),
        "counted": piece.counted,
        "reason": named(EXCLUDED, piece.reason) if piece.reason else None,
    }


def _threads(view: EpisodeView) -> list[dict[str, Any]]:
    return [
        {
            "portal": portal,
            "reference": reference,
            "counted": clock(view.by_thread[portal, reference]),
        }
        for portal, reference in view.threads
    ]


def _inquiry(inquiry: Asked, zone: ZoneInfo) -> str:
    at = "At a time that is not known" if inquiry.at is None else instant(inquiry.at, zone)
    by = f"by {INITIATORS[inquiry.initiated_by]}" if inquiry.initiated_by in INITIATORS else "nobody has said by whom"
    return f"{at}, {by}, through {named(CHANNELS, inquiry.channel, 'a channel that is not known')}"


def _written(on: str | None) -> str | None:
    return day(date.fromisoformat(on)) if on else None
