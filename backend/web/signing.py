"""Signing in and out."""

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.desk import people
from backend.errors import NotSignedIn
from backend.web.doors import ANYBODY, SIGNED_IN, Doors, now_ms, opens_to


def add(pages: Blueprint, doors: Doors, limiter: Limiter) -> None:
    @pages.get("/sign-in")
    @opens_to(ANYBODY)
    def sign_in() -> str | Response:
        if g.session is not None:
            return redirect(_safe(request.args.get("after")), 303)
        return _form(note=_ended(doors) if request.args.get("ended") else None)

    @pages.post("/sign-in")
    @limiter.limit(f"{doors.config.sign_in_tries_per_minute} per minute")
    @opens_to(ANYBODY)
    def try_sign_in() -> Response:
        replaces = request.cookies.get(doors.session_cookie)
        email = request.form.get("email", "")
        try:
            token, _ = people.sign_in(
                doors.store, email=email, password=request.form.get("password", ""), now=now_ms(), replaces=replaces
            )
        except NotSignedIn as wrong:
            return make_response(_form(error=wrong.message, email=email), 401)
        return doors.let_in(redirect(_safe(request.args.get("after")), 303), token)

    @pages.post("/sign-out")
    @opens_to(SIGNED_IN)
    def sign_out() -> Response:
        people.sign_out(doors.store, request.cookies[doors.session_cookie])
        return doors.let_out(redirect(url_for("web.sign_in"), 303))


def _form(*, note: str | None = None, error: str | None = None, email: str = "") -> str:
    return render_template("sign-in.html", note=note, error=error, email=email, after=request.args.get("after"))


def _ended(doors: Doors) -> str:
    minutes = doors.config.session_idle_seconds // 60
    return f"You were signed out: a session ends after {minutes} minutes without use. Sign in to go on."


def _safe(after: str | None) -> str:
    """An address of this server, or the start page: never one that a link from elsewhere chose."""
    if not after or not after.startswith("/") or after.startswith("//") or not after.isprintable() or "\\" in after:
        return url_for("web.home")
    return after
