"""The page behind a one-time link: a person chooses a password, or the organisation's provider."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.auth.passwords import LEAST
from backend.desk.by_provider import begin_joining
from backend.desk.links import look_at_link, use_link
from backend.errors import BadInput
from backend.web.by_provider import send, who_is_here
from backend.web.doors import ANYBODY, Doors, now_ms, opens_to


def add(pages: Blueprint, doors: Doors, limiter: Limiter) -> None:
    store = doors.store

    def form(token: str, error: str | None = None) -> str:
        link = look_at_link(store, token, now_ms())
        return render_template("join.html", link=link, token=token, least=LEAST, error=error)

    @pages.get("/join/<token>")
    @opens_to(ANYBODY)
    def join(token: str) -> str:
        """Looking uses nothing up: a mail program may open a link before its reader does."""
        return form(token)

    @pages.post("/join/<token>")
    @limiter.limit("20 per minute")
    @opens_to(ANYBODY)
    def join_with_password(token: str) -> Response:
        password = request.form.get("password", "")
        try:
            if password != request.form.get("again", ""):
                raise BadInput("The two passwords are not the same.")
            use_link(store, token, password, now_ms())
        except BadInput as wrong:
            return make_response(form(token, wrong.message), wrong.status)
        return redirect(url_for("web.sign_in", note="joined"), 303)

    @pages.post("/join/<token>/provider")
    @limiter.limit(f"{doors.config.sign_in_tries_per_minute} per minute")
    @opens_to(ANYBODY)
    def join_by_provider(token: str) -> Response:
        here = who_is_here(doors)
        return send(doors, begin_joining(store, token, here, now=now_ms()), here)
