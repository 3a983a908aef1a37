"""The rule book as billing reads it: one version with a practice's settings in it."""

import json
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from backend.billing.days import MS_A_SECOND
from shared_rules import engine
from shared_rules.conditions import Rules, tier_of


@lru_cache(maxsize=1)
def book() -> engine.RuleBook:
    """The rules of this product, read once."""
    return engine.load()


def rules_on(family: str, payer_type: str | None, day: date, settings: Mapping[str, Any]) -> Rules:
    """The version in force on that day, with the settings; SettingError (a ValueError) names a bad one."""
    rules = _in_force(family, payer_type, day)
    if not settings:
        return rules
    return _with_settings(rules["version"], json.dumps(settings, sort_keys=True))


@lru_cache(maxsize=4096)  # every episode asks, and the days of a practice are few
def _in_force(family: str, payer_type: str | None, day: date) -> Rules:
    return book().version(family, payer_type, day)


@lru_cache(maxsize=256)
def _with_settings(version: str, settings: str) -> Rules:
    rules = next(v for v in book().versions if v["version"] == version)
    return engine.with_settings(rules, json.loads(settings))


@lru_cache(maxsize=64)
def family_of(credential: str) -> str:
    """em, nonphysician, or staff."""
    return book().family_of(credential)


@lru_cache(maxsize=1)
def families() -> tuple[str, ...]:
    """The families that have codes."""
    return tuple(sorted({version["family"] for version in book().versions}))


def band(rules: Rules, milliseconds: int) -> str | None:
    """The code of the tier that this much time reaches, whatever the date; None below the first."""
    tier = tier_of(rules["tiers"], milliseconds // MS_A_SECOND)
    return None if tier is None else tier["code"]
