"""Signing in and out."""

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.desk import people
from backend.desk.providers import Offer, offer_to_visitor
from backend.desk.signing import CodeAsked, SignedIn, answer_code, sign_in
from backend.errors import NotSignedIn
from backend.web.browsers import browser_name
from backend.web.doors import ANYBODY, SIGNED_IN, Doors, now_ms, opens_to

NOTES = {"joined": "Your password is set. Sign in with it."}


def add(pages: Blueprint, doors: Doors, limiter: Limiter) -> None:
    tries = f"{doors.config.sign_in_tries_per_minute} per minute"

    def offer() -> Offer | None:
        return offer_to_visitor(doors.store, request.cookies.get(doors.session_cookie))

    @pages.get("/sign-in", endpoint="sign_in")
    @opens_to(ANYBODY)
    def ask() -> str | Response:
        if g.session is not None:
            return redirect(safe(request.args.get("after")), 303)
        note = _ended(doors) if request.args.get("ended") else NOTES.get(request.args.get("note", ""))
        return sign_in_form(offer(), note=note)

    @pages.post("/sign-in")
    @limiter.limit(tries)
    @opens_to(ANYBODY)
    def try_sign_in() -> Response:
        email = request.form.get("email", "")
        try:
            done = sign_in(
                doors.store, email=email, password=request.form.get("password", ""), now=now_ms(), **_browser(doors)
            )
        except NotSignedIn as wrong:
            said = f"{wrong.message} The password is case-sensitive."
            return make_response(sign_in_form(offer(), error=said, email=email), 401)
        match done:
            case CodeAsked(step):
                return make_response(_code_form(step))
            case SignedIn(token, _):
                return doors.let_in(redirect(safe(request.args.get("after")), 303), token)

    @pages.post("/sign-in/code")
    @limiter.limit(tries)
    @opens_to(ANYBODY)
    def try_code() -> Response:
        step = request.form.get("step", "")
        try:
            done = answer_code(
                doors.store, step=step, code=request.form.get("code", ""), now=now_ms(), **_browser(doors)
            )
        except NotSignedIn as wrong:
            return make_response(_code_form(step, error=wrong.message), 401)
        return doors.let_in(redirect(safe(request.args.get("after")), 303), done.token)

    @pages.post("/sign-out")
    @opens_to(SIGNED_IN)
    def sign_out() -> Response:
        people.sign_out(doors.store, request.cookies[doors.session_cookie], now_ms())
        return doors.let_out(redirect(url_for("web.sign_in"), 303))


def _browser(doors: Doors) -> dict[str, str | None]:
    """Which session the new one replaces, and what it is called."""
    return {
        "replaces": request.cookies.get(doors.session_cookie),
        "browser": browser_name(request.headers.get("User-Agent", "")),
    }


def sign_in_form(offer: Offer | None, *, note: str | None = None, error: str | None = None, email: str = "") -> str:
    """The sign-in page; `offer`: of the practice's own provider."""
    after = request.args.get("after")
    return render_template("sign-in.html", offer=offer, note=note, error=error, email=email, after=after)


def _code_form(step: str, *, error: str | None = None) -> str:
    return render_template("code.html", step=step, error=error, after=request.args.get("after"))


def _ended(doors: Doors) -> str:
    minutes = doors.config.session_idle_seconds // 60
    return f"You were signed out: a session ends after {minutes} minutes without use. Sign in to go on."


def safe(after: str | None) -> str:
    """An address of this server, or the start page: never one that a link from elsewhere chose."""
    if not after or not after.startswith("/") or after.startswith("//") or not after.isprintable() or "\\" in after:
        return url_for("web.home")
    return after
