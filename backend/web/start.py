"""The start page, and the icon that browsers ask for."""

from flask import Blueprint, current_app, redirect, render_template, url_for
from werkzeug.wrappers import Response

from backend.auth.roles import may
from backend.web.doors import ANYBODY, SIGNED_IN, here, opens_to


def add(pages: Blueprint) -> None:
    @pages.get("/")
    @opens_to(SIGNED_IN)
    def home() -> str | Response:
        """The list for whoever may see it, one's devices for who may hold one, the audit for an auditor alone; for
        everybody else what there is."""
        if may(here().user.roles, "see episodes"):
            return redirect(url_for("web.episode_list"), 303)
        if may(here().user.roles, "hold a device"):
            return redirect(url_for("web.devices"), 303)
        if may(here().user.roles, "take the audit") and not may(here().user.roles, "manage people"):
            return redirect(url_for("web.audit"), 303)
        return render_template("start.html")

    @pages.get("/favicon.ico")
    @opens_to(ANYBODY)
    def favicon() -> Response:
        return current_app.redirect(url_for("web.static", filename="favicon.svg"), 301)
