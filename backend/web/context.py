"""What every template has at hand: the session, the hidden field of a form, a status chip, the zone's name."""

from functools import lru_cache
from typing import Any

from flask import Blueprint, g
from markupsafe import Markup

from backend.auth.roles import Right
from backend.auth.roles import may as roles_may
from backend.web.doors import FORM_FIELD
from backend.web.verdict import Chip
from backend.words import ROLES, zone_name

_FIELD = Markup('<input type="hidden" name="{}" value="{}">')
_CHIP = Markup('<span class="chip {}"><span aria-hidden="true">{}</span><span class="says">{}</span></span>')


def add(pages: Blueprint) -> None:
    pages.app_context_processor(_values)
    pages.app_template_filter("zone_name")(zone_name)


def _values() -> dict[str, Any]:
    return {"session": g.get("session"), "may": may, "role_words": ROLES, "form_field": form_field, "chip": chip}


def may(right: Right) -> bool:
    """Whether somebody is signed in who has the right: what a page offers is what would open."""
    session = g.get("session")
    return session is not None and roles_may(session.user.roles, right)


def form_field() -> Markup:
    """The proof that a form was made for this browser; every form that posts has it."""
    return _FIELD.format(FORM_FIELD, g.form_token)


@lru_cache(maxsize=256)
def chip(of: Chip) -> Markup:
    """A list has fifty of them, and few are different."""
    return _CHIP.format(of.kind, of.mark, of.text)
