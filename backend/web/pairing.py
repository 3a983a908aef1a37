"""The page where a person types the code that a browser shows, sees which browser it is, and says yes or no."""

from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.config import Config
from backend.desk import pairing
from backend.errors import NotFound, ThreadtimeError, TooManyTries
from backend.store.database import Store
from backend.web.doors import here, now_ms, opens_to
from backend.words import instant


def add(pages: Blueprint, store: Store, config: Config, limiter: Limiter) -> None:
    limited = limiter.shared_limit(f"{config.pairing_tries_per_minute} per minute", scope="pairing codes")

    @pages.get("/pair")
    @opens_to("record time")
    def pair() -> str:
        return render_template("pair.html", code="")

    @pages.post("/pair")
    @limited
    @opens_to("record time")
    def find_pairing() -> Response:
        """Which browser it is that shows this code."""
        code = request.form.get("code", "")
        try:
            found = pairing.find(store, here().user, code, now=now_ms())
        except (NotFound, TooManyTries) as wrong:
            return _again(code, wrong)
        asked = instant(found.asked_at, ZoneInfo(here().timezone))
        minutes = (now_ms() - found.asked_at) // 60_000
        return make_response(render_template("pair-answer.html", found=found, asked=asked, minutes=minutes))

    @pages.post("/pair/answer")
    @limited
    @opens_to("record time")
    def answer_pairing() -> Response:
        code, yes = request.form.get("code", ""), request.form.get("answer") == "yes"
        try:
            pairing.answer(store, here().user, code, yes=yes, now=now_ms())
        except (NotFound, TooManyTries) as wrong:
            return _again(code, wrong)
        return redirect(url_for("web.devices", done="yes" if yes else "no"), 303)


def _again(code: str, wrong: ThreadtimeError) -> Response:
    response = make_response(render_template("pair.html", code=code, error=wrong.message), wrong.status)
    if wrong.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(wrong.retry_after_seconds)
    return response
