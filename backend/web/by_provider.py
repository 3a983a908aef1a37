"""Signing in by the organisation's own provider: the way there, and the way back.

The way there is a page that goes on by itself, not a redirect: browsers let a form be answered by a redirect only to
where its page may send forms, which is this server alone.
"""

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.desk.by_provider import Answer, Away, Here, begin_sign_in, come_back
from backend.desk.providers import BACK, offer_of
from backend.errors import NotFound
from backend.web.browsers import browser_name
from backend.web.doors import ANYBODY, Doors, now_ms, opens_to
from backend.web.signing import safe, sign_in_form


def add(pages: Blueprint, doors: Doors, limiter: Limiter) -> None:
    tries = f"{doors.config.sign_in_tries_per_minute} per minute"

    @pages.get("/sign-in/with/<practice_key>")
    @opens_to(ANYBODY)
    def sign_in_with(practice_key: str) -> str | Response:
        """The sign-in page of one of several practices; its address is what the practice gives its people."""
        if g.session is not None:
            return redirect(safe(request.args.get("after")), 303)
        offer = offer_of(doors.store, practice_key)
        if offer is None:
            raise NotFound("No practice signs in by its own provider at this address.")
        return sign_in_form(offer)

    @pages.post("/sign-in/with/<practice_key>")
    @limiter.limit(tries)
    @opens_to(ANYBODY)
    def go_to_provider(practice_key: str) -> Response:
        here, after = who_is_here(doors), safe(request.args.get("after"))
        return send(doors, begin_sign_in(doors.store, practice_key, here, after=after, now=now_ms()), here)

    @pages.get(BACK)
    @limiter.limit(tries)
    @opens_to(ANYBODY)
    def back_from_provider() -> Response:
        told = request.args
        answer = Answer(told.get("state", ""), told.get("code"), told.get("error"), told.get("iss"))
        user = None if g.session is None else g.session.user
        done = come_back(doors.store, answer, who_is_here(doors), signed_in=user, now=now_ms())
        if done.token is None:
            return redirect(url_for("web.account", note="linked"), 303)
        return doors.let_in(redirect(safe(done.after), 303), done.token)


def who_is_here(doors: Doors) -> Here:
    """The browser that asks."""
    return Here(
        doors.provider_secret(),
        request.host_url.rstrip("/").lower(),
        request.cookies.get(doors.session_cookie),
        browser_name(request.headers.get("User-Agent", "")),
    )


def send(doors: Doors, away: Away, here: Here) -> Response:
    """The page that goes on to the provider, with the cookie by which the browser is known when it comes back."""
    page = make_response(render_template("going.html", address=away.address, provider=away.provider))
    return doors.keep_provider_secret(page, here.secret)
