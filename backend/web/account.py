"""One's own account: password, the browsers where one is signed in, and who answers while one is away."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.auth.passwords import LEAST
from backend.auth.roles import may
from backend.desk.by_provider import begin_linking
from backend.desk.delegations import Standing, end_delegation, name_colleague, standing
from backend.desk.identities import own_identity, unlink
from backend.desk.own_account import change_password, end_other_sessions, end_session, factor_of, sessions_of
from backend.errors import BadInput, Conflict, ThreadtimeError
from backend.store.database import Store
from backend.web.by_provider import send, who_is_here
from backend.web.doors import SIGNED_IN, Doors, here, now_ms, opens_to
from backend.words import day, instant, local_time

NOTES = {
    "password": "Your password is changed. Your other sessions have ended.",
    "ended": "The session has ended.",
    "others": "All your other sessions have ended.",
    "linked": "Linked. From now on you can sign in by your organisation's account.",
    "unlinked": "No longer linked. You sign in with your password.",
    "named": "Saved. Your colleague can answer for you from now on.",
    "away-ended": "Ended. Nobody answers for you any more.",
    "factor-off": "The second factor is off: your password is enough.",
}


def add(pages: Blueprint, doors: Doors, limiter: Limiter) -> None:
    store, config = doors.store, doors.config

    def token() -> str:
        return request.cookies[doors.session_cookie]

    def page(error: ThreadtimeError | None = None) -> Response:
        session, now = here(), now_ms()
        zone = ZoneInfo(session.timezone)
        html = render_template(
            "account.html",
            sessions=sessions_of(store, session.user, token(), now=now, config=config),
            factor=factor_of(store, session.user),
            identity=own_identity(store, session.user),
            least=LEAST,
            idle_minutes=config.session_idle_seconds // 60,
            absolute_hours=config.session_absolute_seconds // 3600,
            standing=_standing(store),
            day=day,
            today=local_time(now, zone).date().isoformat(),
            instant=lambda at: instant(at, zone),
            error=error.message if error else None,
            note=NOTES.get(request.args.get("note", "")),
        )
        return make_response(html, error.status if error else 200)

    @pages.get("/account")
    @opens_to(SIGNED_IN)
    def account() -> Response:
        return page()

    @pages.post("/account/password")
    @limiter.limit(f"{config.sign_in_tries_per_minute} per minute")
    @opens_to(SIGNED_IN)
    def own_password() -> Response:
        form = request.form
        try:
            if form.get("new", "") != form.get("again", ""):
                raise BadInput("The two new passwords are not the same.")
            change_password(store, here().user, token(), old=form.get("old", ""), new=form.get("new", ""), now=now_ms())
        except BadInput as wrong:
            return page(wrong)
        return _back("password")

    @pages.post("/account/sessions")
    @opens_to(SIGNED_IN)
    def own_sessions() -> Response:
        """Ends the session of that id, or all but this one."""
        if "others" in request.form:
            end_other_sessions(store, here().user, token(), now_ms())
            return _back("others")
        try:
            end_session(store, here().user, request.form.get("session", ""), now_ms())
        except BadInput as wrong:
            return page(wrong)
        return _back("ended")

    _add_provider(pages, doors, limiter, page)
    _add_away(pages, store, page)


def _add_provider(
    pages: Blueprint, doors: Doors, limiter: Limiter, page: Callable[[ThreadtimeError], Response]
) -> None:
    @pages.post("/account/provider")
    @limiter.limit(f"{doors.config.sign_in_tries_per_minute} per minute")
    @opens_to(SIGNED_IN)
    def link_provider() -> Response:
        browser, password = who_is_here(doors), request.form.get("password", "")
        try:
            away = begin_linking(doors.store, here().user, browser, password=password, now=now_ms())
        except (BadInput, Conflict) as wrong:
            return page(wrong)
        return send(doors, away, browser)

    @pages.post("/account/provider/unlink")
    @opens_to(SIGNED_IN)
    def unlink_provider() -> Response:
        try:
            unlink(doors.store, here().user, now_ms())
        except Conflict as wrong:
            return page(wrong)
        return _back("unlinked")


def _add_away(pages: Blueprint, store: Store, page: Callable[[ThreadtimeError], Response]) -> None:
    @pages.post("/account/away")
    @opens_to("name a colleague")
    def own_away() -> Response:
        """Names the colleague who answers, to the end of a day or until it is ended."""
        form = request.form
        try:
            name_colleague(store, here().user, form.get("colleague", ""), last_on=form.get("last_on", ""), now=now_ms())
        except (BadInput, Conflict) as wrong:
            return page(wrong)
        return _back("named")

    @pages.post("/account/away/end")
    @opens_to("name a colleague")
    def own_back() -> Response:
        end_delegation(store, here().user, here().user.user_id, now_ms())
        return _back("away-ended")


def _standing(store: Store) -> Standing | None:
    """Who answers for whom; None for somebody of whom nothing is ever asked."""
    user = here().user
    found = standing(store, user.practice_id, user.user_id, now_ms()) if may(user.roles, "name a colleague") else None
    return found if found is not None and (found.can_delegate or found.delegation) else None


def _back(note: str) -> Response:
    return redirect(url_for("web.account", note=note), 303)
