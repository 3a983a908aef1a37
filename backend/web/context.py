"""What every template has at hand: the session, the hidden field of a form, a status chip, the zone's name."""

from typing import Any

from flask import Blueprint, g
from markupsafe import Markup

from backend.web.doors import FORM_FIELD, has_pages
from backend.web.verdict import Chip
from backend.words import zone_name

_FIELD = Markup('<input type="hidden" name="{}" value="{}">')
_CHIP = Markup('<span class="chip {}"><span aria-hidden="true">{}</span><span class="says">{}</span></span>')


def add(pages: Blueprint) -> None:
    pages.app_context_processor(_values)
    pages.app_template_filter("zone_name")(zone_name)


def _values() -> dict[str, Any]:
    return {"session": g.get("session"), "has_pages": has_pages, "form_field": form_field, "chip": chip}


def form_field() -> Markup:
    """The proof that a form was made for this browser; every form that posts has it."""
    return _FIELD.format(FORM_FIELD, g.form_token)


def chip(of: Chip) -> Markup:
    return _CHIP.format(of.kind, of.mark, of.text)
