"""The practice: its name, zone and kind, and the portals it works in."""

from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.desk.portals import OWN_KIND, add_portal, move_portal, portal_kinds, portals_of
from backend.desk.practices import SETTINGS, change_practice, set_up_of
from backend.errors import BadInput, Conflict
from backend.store.database import Store
from backend.web.doors import here, now_ms, opens_to
from backend.words import PRACTICE_SETTINGS

NOTES = {
    "saved": "Saved.",
    "decided": "Saved. Every open episode is decided again.",
    "portal": "Saved. Clinicians enter the portal's address and key in the extension's options.",
}


def add(pages: Blueprint, store: Store) -> None:
    def page(error: BadInput | Conflict | None = None, *, about: str = "", typed: Any = None) -> Response:
        practice_id = here().user.practice_id
        html = render_template(
            "practice.html",
            practice=(found := set_up_of(store, practice_id)),
            fields=typed if about == "practice" else found,
            settings=[(each, PRACTICE_SETTINGS[each]) for each in SETTINGS],
            zones=sorted(available_timezones()),
            portals=portals_of(store, practice_id),
            kinds=(*portal_kinds(), OWN_KIND),
            portal=typed if about == "portal" else {},
            moved=typed if about == "move" else {},
            about=about,
            error=error.message if error else None,
            note=NOTES.get(request.args.get("note", "")),
        )
        return make_response(html, error.status if error else 200)

    @pages.get("/practice")
    @opens_to("set up the practice")
    def practice() -> Response:
        return page()

    @pages.post("/practice")
    @opens_to("set up the practice")
    def practice_change() -> Response:
        user = here().user
        practice_id = user.practice_id
        before = set_up_of(store, practice_id)
        typed = {
            "name": request.form.get("name", ""),
            "timezone": request.form.get("timezone", before.timezone).strip(),
            "setting": request.form.get("setting", ""),
        }
        try:
            change_practice(store, practice_id, by=user.user_id, now=now_ms(), **typed)
        except (BadInput, Conflict) as wrong:
            return page(wrong, about="practice", typed=typed)
        return _back("saved" if typed["setting"] == before.setting else "decided")

    @pages.post("/portals")
    @opens_to("set up the practice")
    def portal_add() -> Response:
        typed = {name: request.form.get(name, "").strip() for name in ("key", "kind", "origin")}
        user = here().user
        try:
            add_portal(store, user.practice_id, by=user.user_id, now=now_ms(), **typed)
        except (BadInput, Conflict) as wrong:
            return page(wrong, about="portal", typed=typed)
        return _back("portal")

    @pages.post("/portals/<key>")
    @opens_to("set up the practice")
    def portal_move(key: str) -> Response:
        origin = request.form.get("origin", "")
        user = here().user
        try:
            move_portal(store, user.practice_id, key=key, origin=origin, by=user.user_id, now=now_ms())
        except BadInput as wrong:
            return page(wrong, about="move", typed={key: origin})
        return _back("portal")


def _back(note: str) -> Response:
    return redirect(url_for("web.practice", note=note), 303)
