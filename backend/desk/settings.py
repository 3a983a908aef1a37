"""Settings: what a practice says instead of the rules' own defaults, from which day on, and who said so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import orjson

from backend.audit import by_user
from backend.billing.days import days_of
from backend.billing.settings import DatedSetting, check, in_force, may_differ_by_payer, settable
from backend.errors import BadInput
from backend.store import Connection, Store, patients, people, practices
from backend.store import settings as rows
from shared_rules.engine import SettingError


@dataclass(frozen=True, slots=True)
class Said:
    """One word about a setting. `value` None: withdrawn. `payer` None: every payer. `by`: a name; None: a command."""

    value: Any
    payer: str | None
    from_on: date
    by: str | None
    said_at: int


@dataclass(frozen=True, slots=True)
class Setting:
    """A parameter of the rules that the practice may set.

    `default`, `value`: the rules' own value, and the one in force today; `of_payers`: payer -> the value in force
    today where it is another one. `unit`: days, seconds or None. `kind`: integer, string or list; `choices` None: any
    text; `minimum`, `maximum`: of an integer. `said`: oldest first; `coming`: those of it that begin after today.
    """

    name: str
    meaning: str
    unit: str | None
    kind: str
    default: Any
    source: str
    choices: tuple[str, ...] | None
    minimum: int | None
    maximum: int | None
    by_payer: bool
    value: Any
    of_payers: dict[str, Any]
    said: tuple[Said, ...]
    coming: tuple[Said, ...]


def change_setting(
    store: Store,
    practice_id: int,
    *,
    name: str,
    value: Any,
    payer: str | None,
    from_on: date | None,
    by: str | None,
    now: int,
) -> date:
    """Sets a parameter of the rules for episodes whose first day is `from_on` (None: today) or later; returns that day.

    `value` None withdraws what was said, from that day on. Every patient is computed again; an approved episode that
    would now be decided otherwise gets a flag. BadInput says what is allowed.
    """

    def work(connection: Connection) -> date:
        practice = practices.by_id(connection, practice_id)
        first = days_of(practice["timezone"]).date_of(now) if from_on is None else from_on
        check_setting(name=name, value=value, payer=payer, from_on=first)
        rows.insert(connection, practice_id, name=name, value=value, payer=payer, from_on=first, by=by, recorded_at=now)
        patients.mark_practice_due(connection, practice_id)
        store.audit.add(
            connection,
            practice_id,
            at=now,
            actor=by_user(by),
            action="setting_changed",
            subject=("setting", name),
            detail={"value": value, "payer": payer, "from": first.isoformat()},
        )
        return first

    return store.write(work, practice_id)


def check_setting(*, name: str, value: Any, payer: str | None, from_on: date) -> None:
    """Nothing where `change_setting` would take this; BadInput says what is allowed."""
    try:
        check(DatedSetting(name, value, from_on, payer))
    except SettingError as error:
        raise BadInput(f"The setting cannot be used: {error}.") from None


def list_settings(store: Store, practice_id: int, *, now: int) -> list[Setting]:
    """Every parameter that may be set, by name, with what the practice says of it."""
    with store.read() as connection:
        practice = practices.by_id(connection, practice_id)
        names = people.names(connection, practice_id)
        said = rows.of_practice(connection, practice_id)
    today = days_of(practice["timezone"]).date_of(now)
    holds = partial(in_force, [_dated(row) for row in said], today)
    return [
        Setting(
            name=name,
            meaning=spec["meaning"],
            unit=spec.get("unit"),
            kind=spec["setting"]["type"],
            default=spec["value"],
            source=spec["source"],
            choices=tuple(spec["setting"]["choices"]) if "choices" in spec["setting"] else None,
            minimum=spec["setting"].get("minimum"),
            maximum=spec["setting"].get("maximum"),
            by_payer=may_differ_by_payer(spec),
            value=(general := holds(None).get(name, spec["value"])),
            of_payers={
                payer: own
                for payer in sorted({row["payer"] for row in said if row["name"] == name and row["payer"]})
                if (own := holds(payer).get(name, spec["value"])) != general
            },
            said=(own_words := _said(name, said, names)),
            coming=tuple(word for word in own_words if word.from_on > today),
        )
        for name, spec in sorted(settable().items())
    ]


def dated_settings(connection: Connection, practice_id: int) -> tuple[DatedSetting, ...]:
    """What the practice ever said, in that order, as billing reads it."""
    return tuple(_dated(row) for row in rows.of_practice(connection, practice_id))


def _dated(row: Any) -> DatedSetting:
    return DatedSetting(row["name"], orjson.loads(row["value"]), date.fromisoformat(row["from_on"]), row["payer"])


def _said(name: str, rows_: Iterable[Any], names: dict[str, str]) -> tuple[Said, ...]:
    return tuple(
        Said(
            orjson.loads(row["value"]),
            row["payer"],
            date.fromisoformat(row["from_on"]),
            names.get(row["by"]),
            row["recorded_at"],
        )
        for row in rows_
        if row["name"] == name
    )


def value_of(name: str, text: str) -> Any:
    """The value that a person typed: JSON where it is of the parameter's type, else the text; a list also as a, b, c.

    An unknown name gives the text, for `change_setting` to refuse.
    """
    kind = settable()[name]["setting"]["type"] if name in settable() else "string"
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = text
    if isinstance(value, _TYPES[kind]):
        return value
    return [each for part in text.split(",") if (each := part.strip())] if kind == "list" else text


_TYPES: Mapping[str, type] = {"integer": int, "string": str, "list": list}
