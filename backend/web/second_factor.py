"""One's own second factor: enrolling an authenticator app, recovery codes, turning it off."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_limiter import Limiter
from werkzeug.wrappers import Response

from backend.desk.own_account import (
    begin_enrolment,
    confirm_enrolment,
    enrolment_of,
    factor_of,
    new_recovery_codes,
    turn_off_factor,
)
from backend.errors import BadInput, Conflict
from backend.web.doors import SIGNED_IN, Doors, here, now_ms, opens_to


def add(pages: Blueprint, doors: Doors, limiter: Limiter) -> None:
    store = doors.store
    tries = f"{doors.config.sign_in_tries_per_minute} per minute"

    def page(error: BadInput | Conflict | None = None) -> Response:
        user = here().user
        html = render_template(
            "second-factor.html",
            factor=factor_of(store, user),
            enrolment=enrolment_of(store, user),
            error=error.message if error else None,
        )
        return make_response(html, error.status if error else 200)

    @pages.get("/account/second-factor")
    @opens_to(SIGNED_IN)
    def factor() -> Response:
        return page()

    @pages.post("/account/second-factor")
    @limiter.limit(tries)
    @opens_to(SIGNED_IN)
    def factor_begin() -> Response:
        try:
            begin_enrolment(store, here().user, password=request.form.get("password", ""), now=now_ms())
        except (BadInput, Conflict) as wrong:
            return page(wrong)
        return redirect(url_for("web.factor"), 303)

    @pages.post("/account/second-factor/code")
    @limiter.limit(tries)
    @opens_to(SIGNED_IN)
    def factor_confirm() -> Response:
        token = request.cookies[doors.session_cookie]
        try:
            codes = confirm_enrolment(store, here().user, token, code=request.form.get("code", ""), now=now_ms())
        except (BadInput, Conflict) as wrong:
            return page(wrong)
        return _codes(codes)

    @pages.post("/account/second-factor/recovery-codes")
    @limiter.limit(tries)
    @opens_to(SIGNED_IN)
    def factor_codes() -> Response:
        try:
            codes = new_recovery_codes(store, here().user, password=request.form.get("password", ""), now=now_ms())
        except BadInput as wrong:
            return page(wrong)
        return _codes(codes)

    @pages.post("/account/second-factor/off")
    @limiter.limit(tries)
    @opens_to(SIGNED_IN)
    def factor_off() -> Response:
        try:
            turn_off_factor(store, here().user, password=request.form.get("password", ""), now=now_ms())
        except BadInput as wrong:
            return page(wrong)
        return redirect(url_for("web.account", note="factor-off"), 303)


def _codes(codes: list[str]) -> Response:
    """The recovery codes, which stand on this page alone and are never shown again."""
    return make_response(render_template("recovery-codes.html", codes=codes))
