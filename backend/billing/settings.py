"""What a practice says instead of the rules' own defaults: which word holds on a day, and which may be said.

    said = [DatedSetting("aggregate_by", "specialty", date(2026, 7, 1))]
    in_force(said, date(2026, 6, 30), None)        # {}
    in_force(said, date(2026, 7, 1), None)         # {"aggregate_by": "specialty"}

A parameter of the rules may be said where it has a `setting`; it may differ by payer where that says `by_payer`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from backend.billing.rulebook import book
from shared_rules import engine
from shared_rules.conditions import Rules
from shared_rules.engine import SettingError


@dataclass(frozen=True, slots=True)
class DatedSetting:
    """One word: from that day on the parameter has this value. `value` None withdraws what was said before.

    `payer`: for episodes of this payer type only; None: for everybody.
    """

    name: str
    value: Any
    from_on: date
    payer: str | None = None


def in_force(said: Iterable[DatedSetting], on: date, payer: str | None) -> dict[str, Any]:
    """name -> value of what holds on that day for that payer; what is absent has the rules' own value.

    `said` in the order in which it was said. Of the words for one parameter and payer the one with the latest day
    holds, of several with that day the one said last. The payer's own goes before the general one; where the payer's
    own is withdrawn, the general one holds again.
    """
    latest: dict[tuple[bool, str], DatedSetting] = {}
    for each in said:
        if each.from_on > on or each.payer not in (None, payer):
            continue
        key = each.payer is not None, each.name
        if key not in latest or latest[key].from_on <= each.from_on:
            latest[key] = each
    return {name: each.value for (_, name), each in sorted(latest.items()) if each.value is not None}


def check(setting: DatedSetting) -> None:
    """Nothing, or SettingError that says what is allowed: an unknown name or payer, a value that a version in force
    from that day on does not take, a payer's own word for a parameter that may not differ by payer."""
    if setting.payer is not None and setting.payer not in payer_types():
        raise SettingError(f"{setting.payer[:50]} is no payer; payers are {', '.join(payer_types())}")
    for rules in _versions(setting):
        if setting.name not in rules["settings"]:
            raise SettingError(f"{setting.name[:50]} is not a setting; settings are {', '.join(sorted(settable()))}")
        if setting.payer is not None and not may_differ_by_payer(rules["settings"][setting.name]):
            free = sorted(name for name, spec in rules["settings"].items() if may_differ_by_payer(spec))
            raise SettingError(f"{setting.name} is the same for every payer; by payer may differ {', '.join(free)}")
        if setting.value is not None:
            engine.with_settings(rules, {setting.name: setting.value})


def _versions(setting: DatedSetting) -> list[Rules]:
    """Those that may decide an episode to which the setting applies."""
    first = setting.from_on.isoformat()
    return [
        rules
        for rules in book().versions
        if (rules["effective_to"] is None or rules["effective_to"] >= first)
        and (setting.payer is None or rules["payers"] is None or setting.payer in rules["payers"])
    ]


def may_differ_by_payer(spec: Rules) -> bool:
    """Whether a parameter, as the rules write it, may have another value for one payer."""
    return bool(spec["setting"].get("by_payer", False))


@lru_cache(maxsize=1)
def settable() -> dict[str, Rules]:
    """name -> the parameter as the rules write it: value, unit (where it has one), meaning, source, setting."""
    return {name: spec for rules in reversed(book().versions) for name, spec in rules["settings"].items()}


@lru_cache(maxsize=1)
def payer_types() -> tuple[str, ...]:
    """The payers there are: those that may be named as asking for consent."""
    return tuple(settable()["consent_required_payers"]["setting"]["choices"])
