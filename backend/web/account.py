"""One's own account: password, and the browsers where one is signed in."""

from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.auth.passwords import LEAST
from backend.desk.own_account import change_password, end_other_sessions, end_session, factor_of, sessions_of
from backend.errors import BadInput
from backend.web.doors import SIGNED_IN, Doors, here, now_ms, opens_to
from backend.words import instant

NOTES = {
    "password": "Your password is changed. Your other sessions have ended.",
    "ended": "The session has ended.",
    "others": "All your other sessions have ended.",
    "factor-off": "The second factor is off: your password is enough.",
}


def add(pages: Blueprint, doors: Doors, limiter: Limiter) -> None:
    store, config = doors.store, doors.config

    def token() -> str:
        return request.cookies[doors.session_cookie]

    def page(error: BadInput | None = None) -> Response:
        session, now = here(), now_ms()
        zone = ZoneInfo(session.timezone)
        html = render_template(
            "account.html",
            sessions=sessions_of(store, session.user, token(), now=now, config=config),
            factor=factor_of(store, session.user),
            least=LEAST,
            idle_minutes=config.session_idle_seconds // 60,
            absolute_hours=config.session_absolute_seconds // 3600,
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


def _back(note: str) -> Response:
    return redirect(url_for("web.account", note=note), 303)
