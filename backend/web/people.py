"""The people of the practice: who has an account, inviting, changing, deactivating, moving a leaver's work."""

from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.auth.roles import ROLES, may
from backend.billing.rulebook import family_of
from backend.desk.accounts import (
    Account,
    account_of,
    accounts_of,
    change_account,
    deactivate,
    invite,
    reactivate,
    reset_password,
)
from backend.desk.delegations import end_delegation, move_work, standing
from backend.desk.links import VALID_MS
from backend.desk.people import User
from backend.errors import BadInput, Conflict
from backend.store.database import Store
from backend.web.doors import here, now_ms, opens_to
from backend.web.verdict import Chip
from backend.words import day, instant

NOTES = {
    "changed": "Saved. It holds from the person's next click.",
    "deactivated": "Deactivated. Sessions, devices and links of this account have ended.",
    "moved": "Moved. The colleague sees and answers from now on what still waits.",
    "move-ended": "Ended. Nobody answers for this person any more.",
    "reactivated": "Active again, with the password or link there was. Devices are added anew.",
}
_STATES = {
    "active": Chip("ready", "●", "Active"),
    "waiting": Chip("hold", "◔", "Cannot sign in yet"),
    "deactivated": Chip("blocked", "✕", "Deactivated"),
}
_LOCKED = Chip("blocked", "!", "Locked")


def add(pages: Blueprint, store: Store) -> None:
    @pages.get("/people")
    @opens_to("manage people")
    def people_list() -> str:
        return render_template(
            "people.html", accounts=accounts_of(store, here().user.practice_id, now_ms()), chip_of=chip_of
        )

    @pages.get("/people/new")
    @opens_to("manage people")
    def person_new() -> str:
        return render_template("person-new.html", fields=_stored(None), email="", roles=ROLES, error=None)

    @pages.post("/people/new")
    @opens_to("manage people")
    def person_invite() -> Response:
        email = request.form.get("email", "")
        try:
            user, token = invite(store, here().user, email=email, now=now_ms(), **_typed())
        except (BadInput, Conflict) as wrong:
            page = render_template("person-new.html", fields=_typed(), email=email, roles=ROLES, error=wrong.message)
            return make_response(page, wrong.status)
        return _link_page(user, token)

    @pages.get("/people/<user_id>")
    @opens_to("manage people")
    def person(user_id: str) -> Response:
        return _page(store, user_id)

    @pages.post("/people/<user_id>")
    @opens_to("manage people")
    def person_change(user_id: str) -> Response:
        try:
            change_account(store, here().user, user_id, now=now_ms(), **_typed())
        except (BadInput, Conflict) as wrong:
            return _page(store, user_id, wrong, typed=True)
        return _back(user_id, "changed")

    _add_ends(pages, store)


def _add_ends(pages: Blueprint, store: Store) -> None:
    @pages.post("/people/<user_id>/deactivate")
    @opens_to("manage people")
    def person_deactivate(user_id: str) -> Response:
        try:
            deactivate(store, here().user, user_id, now_ms(), successor=request.form.get("successor") or None)
        except (BadInput, Conflict) as wrong:
            return _page(store, user_id, wrong)
        return _back(user_id, "deactivated")

    @pages.post("/people/<user_id>/reactivate")
    @opens_to("manage people")
    def person_reactivate(user_id: str) -> Response:
        reactivate(store, here().user, user_id, now_ms())
        return _back(user_id, "reactivated")

    @pages.post("/people/<user_id>/move")
    @opens_to("manage people")
    def person_move(user_id: str) -> Response:
        try:
            move_work(store, here().user, user_id, request.form.get("successor", ""), now_ms())
        except (BadInput, Conflict) as wrong:
            return _page(store, user_id, wrong)
        return _back(user_id, "moved")

    @pages.post("/people/<user_id>/move/end")
    @opens_to("manage people")
    def person_move_end(user_id: str) -> Response:
        end_delegation(store, here().user, user_id, now_ms())
        return _back(user_id, "move-ended")

    @pages.post("/people/<user_id>/reset")
    @opens_to("manage people")
    def person_reset(user_id: str) -> Response:
        by, factor_too = here().user, "second_factor" in request.form
        try:
            token = reset_password(store, by.practice_id, user_id, by=by, second_factor=factor_too, now=now_ms())
        except (BadInput, Conflict) as wrong:
            return _page(store, user_id, wrong)
        return _link_page(account_of(store, by.practice_id, user_id, now_ms()).user, token)


def _page(store: Store, user_id: str, error: BadInput | Conflict | None = None, *, typed: bool = False) -> Response:
    """One person's page; with an error, and what was typed where a form was not taken."""
    user, zone = here().user, ZoneInfo(here().timezone)
    found = account_of(store, user.practice_id, user_id, now_ms())
    page = render_template(
        "person.html",
        account=found,
        chip_of=chip_of,
        standing=standing(store, user.practice_id, user_id, now_ms()),
        day=day,
        instant=lambda at: instant(at, zone),
        fields=_typed() if typed else _stored(found.user),
        roles=ROLES,
        family=family_of(found.user.credential) if found.user.credential else None,
        theirs="admin" not in found.user.roles or may(user.roles, "manage administrators"),
        error=error.message if error else None,
        note=NOTES.get(request.args.get("note", "")),
    )
    return make_response(page, error.status if error else 200)


def chip_of(account: Account) -> Chip:
    return _LOCKED if account.state == "active" and account.locked_until else _STATES[account.state]


def _typed() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "roles": form.getlist("roles"),
        "credential": form.get("credential", ""),
        "specialty": form.get("specialty", ""),
    }


def _stored(user: User | None) -> dict[str, Any]:
    if user is None:
        return {"name": "", "roles": (), "credential": "", "specialty": ""}
    return {"name": user.name, "roles": user.roles, "credential": user.credential, "specialty": user.specialty}


def _link_page(user: User, token: str) -> Response:
    """The link, which stands on this page alone and is never shown again."""
    address = url_for("web.join", token=token, _external=True)
    return make_response(render_template("link.html", user=user, address=address, hours=VALID_MS // 3_600_000))


def _back(user_id: str, note: str) -> Response:
    return redirect(url_for("web.person", user_id=user_id, note=note), 303)
