"""The settings of the rules: what each means, what holds, and saying otherwise from a day on."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from backend.billing.settings import payer_types
from backend.desk.settings import Setting, change_setting, check_setting, list_settings, value_of
from backend.errors import BadInput, NotFound
from backend.store.database import Store
from backend.web.doors import here, now_ms, opens_to
from backend.words import VALUES, day, instant, local_time, named, setting_value


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person filled in. `value`: as text; `values`: of a list with choices; `default`: the rules' own again."""

    value: str
    values: tuple[str, ...]
    default: bool
    payer: str
    from_on: str


def add(pages: Blueprint, store: Store) -> None:
    def settings() -> list[Setting]:
        return list_settings(store, here().user.practice_id, now=now_ms())

    def setting_of(name: str) -> Setting:
        found = next((each for each in settings() if each.name == name), None)
        if found is None:
            raise NotFound("There is no setting of that name.")
        return found

    def form(setting: Setting, typed: Typed, error: str | None = None) -> str:
        zone = ZoneInfo(here().timezone)
        return render_template(
            "setting.html",
            setting=setting,
            typed=typed,
            payers=payer_types(),
            error=error,
            shown=shown,
            day=day,
            instant=lambda at: instant(at, zone),
            named=_named,
        )

    @pages.get("/settings")
    @opens_to("set the rules")
    def setting_list() -> str:
        found = settings()
        said = next((each for each in found if each.name == request.args.get("said")), None)
        return render_template("settings.html", settings=found, said=said, shown=shown, day=day, named=_named)

    @pages.get("/settings/<name>")
    @opens_to("set the rules")
    def setting(name: str) -> str:
        found = setting_of(name)
        return form(found, _as_it_is(found, _today()))

    @pages.post("/settings/<name>")
    @opens_to("set the rules")
    def setting_change(name: str) -> Response:
        """Asks whether the person is sure; with `sure`, does it."""
        found, typed = setting_of(name), _typed()
        try:
            value, payer, from_on = _read(found, typed)
            check_setting(name=name, value=value, payer=payer, from_on=from_on)
        except BadInput as wrong:
            return make_response(form(found, typed, wrong.message), wrong.status)
        if "sure" not in request.form:
            new = shown(found, found.default if value is None else value)
            return make_response(
                render_template(
                    "setting-sure.html",
                    setting=found,
                    typed=typed,
                    new=f"the rules' own value, {new}" if value is None else new,
                    old=shown(found, found.of_payers.get(payer or "", found.value)),
                    payer=None if payer is None else _named(payer),
                    from_on=day(from_on),
                    is_past=from_on < _today(),
                )
            )
        user = here().user
        change_setting(
            store, user.practice_id, name=name, value=value, payer=payer, from_on=from_on, by=user.user_id, now=now_ms()
        )
        return redirect(url_for("web.setting_list", said=name), 303)


def shown(setting: Setting, value: Any) -> str:
    """A value of the setting for people."""
    return setting_value(value, setting.unit, chosen=setting.choices is not None)


def _named(text: str) -> str:
    return named(VALUES, text)


def _today() -> date:
    return local_time(now_ms(), ZoneInfo(here().timezone)).date()


def _typed() -> Typed:
    form = request.form
    return Typed(
        form.get("value", ""),
        tuple(form.getlist("values")),
        "default" in form,
        form.get("payer", ""),
        form.get("from", ""),
    )


def _as_it_is(setting: Setting, today: date) -> Typed:
    is_list = isinstance(setting.value, list)
    text = ", ".join(setting.value) if is_list else str(setting.value)
    return Typed(text, tuple(setting.value) if is_list else (), False, "", today.isoformat())


def _read(setting: Setting, typed: Typed) -> tuple[Any, str | None, date]:
    """(the value, None to withdraw; the payer; the day). BadInput: a day that is none."""
    try:
        from_on = date.fromisoformat(typed.from_on)
    except ValueError:
        raise BadInput("The day from which it holds is written like 2026-04-06.") from None
    value: Any = list(typed.values) if setting.kind == "list" and setting.choices else None
    if value is None and not typed.default:
        value = value_of(setting.name, typed.value.strip())
    return None if typed.default else value, typed.payer or None, from_on
