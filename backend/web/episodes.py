"""The list of a practice's episodes, and the page of one."""

from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request

from backend.desk.episodes import EpisodePage, EpisodeRow, find_episodes, get_episode, list_episodes
from backend.desk.people import names
from backend.errors import BadInput
from backend.reports.pictures import Mark, bar, squares
from backend.store.database import Store
from backend.web import verdict
from backend.web.doors import here, now_ms, opens_to
from backend.web.episode import episode_page
from backend.words import clock, local_time, short_days
from shared_rules.engine import RuleBook, load

STATUSES = ("reportable", "approved", "hold", "not_reportable")
ROWS_A_PAGE = 50
LONGEST_SEARCH = 200


def add(pages: Blueprint, store: Store) -> None:
    book = load()

    @pages.get("/episodes")
    @opens_to("see episodes")
    def episode_list() -> str:
        """Newest first; `status` filters, `after` says where the page before ended."""
        status, after = request.args.get("status"), request.args.get("after")
        if status is not None and status not in STATUSES:
            raise BadInput("Episodes are listed by status: reportable, approved, hold or not_reportable.")
        practice_id, now, by = here().user.practice_id, now_ms(), here().user.user_id
        found = list_episodes(store, practice_id, now=now, status=status, after=after, limit=ROWS_A_PAGE, by=by)
        today = local_time(now, ZoneInfo(here().timezone)).date()
        return _list(found, status=status, after=after, today=today, book=book, people=names(store, practice_id))

    @pages.post("/episodes")
    @opens_to("see episodes")
    def episode_search() -> str:
        """Episodes by patient reference, clinician or code; by POST, so that no address ever holds a reference."""
        wanted = request.form.get("words", "")[:LONGEST_SEARCH]
        practice_id, now, by = here().user.practice_id, now_ms(), here().user.user_id
        found = find_episodes(store, practice_id, wanted, now=now, limit=ROWS_A_PAGE, by=by)
        today = local_time(now, ZoneInfo(here().timezone)).date()
        return _list(found, wanted=wanted, today=today, book=book, people=names(store, practice_id))

    @pages.get("/episodes/<episode_id>")
    @opens_to("see episodes")
    def episode(episode_id: str) -> str:
        """Everything about one episode: its seven days, the reasons, what is missing, what was not counted."""
        now = now_ms()
        view = get_episode(store, here().user.practice_id, episode_id, now=now, by=here().user.user_id)
        return episode_page(view, zone=ZoneInfo(here().timezone), now=now, book=book)


def _list(
    found: EpisodePage,
    *,
    today: date,
    book: RuleBook,
    people: dict[str, str],
    status: str | None = None,
    after: str | None = None,
    wanted: str | None = None,
) -> str:
    if wanted is None:
        title, under = verdict.headline(found.counts, status)
    else:
        title, under = verdict.headline_of_search(len(found.rows), most=ROWS_A_PAGE)
    return render_template(
        "episodes.html",
        title=title,
        under=under,
        tiles=verdict.tiles(found.counts),
        status=status,
        rows=[_row(row, today, book, people) for row in found.rows],
        total=found.counts.get(status, 0) if status else sum(found.counts.values()),
        wanted=wanted,
        next=found.next,
        after=after,
        waiting=found.waiting,
        first_of_month=today.replace(day=1).isoformat(),
        today=today.isoformat(),
    )


def _row(row: EpisodeRow, today: date, book: RuleBook, people: dict[str, str]) -> dict[str, object]:
    said = row.summary
    rendering = said["rendering_clinician"]
    return {
        "episode_id": row.episode_id,
        "patient": row.patient,
        "portal": row.portal,
        "days": short_days(row.window_start, row.window_end, today=today),
        "squares": squares(tuple(row.days)),
        "counted": clock(said["counted_seconds"]),
        "bar": bar(said["counted_seconds"], _marks(row, book)),
        "code": said["code"],
        "projected_code": said["projected_code"],
        "rendering": people.get(rendering, rendering),
        "chip": verdict.chip(said, today, approved=row.approved_at is not None),
        "flagged": row.flagged,
        "recorded": None if row.recorded_seconds is None else clock(row.recorded_seconds),
    }


def _marks(row: EpisodeRow, book: RuleBook) -> tuple[Mark, ...]:
    """The tiers of the row's family on its first day."""
    tiers = book.version(row.family, None, row.window_start)["tiers"]
    return tuple(Mark(tier["min_minutes"], tier["code"]) for tier in tiers)
