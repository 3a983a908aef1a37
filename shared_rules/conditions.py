"""The condition language of the rules, in Python. README.md defines it; engine.js holds the other implementation.

A condition becomes a function of the facts once, when a version is loaded: a practice's recomputation asks each of
them many thousand times. Its value is True, False or None (unknown).
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Rules = dict[str, Any]
Truth = bool | None
Condition = Callable[[Mapping[str, Any]], Truth]

SECONDS_A_MINUTE = 60


def equal(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)  # True is not 1


def truth(rules: Rules, facts: Mapping[str, Any], condition: Mapping[str, Any]) -> Truth:
    """The value of a condition: all, any, not, known, has_band, same_band, or a comparison (README.md)."""
    return compiled(rules, condition)(facts)


def compiled(rules: Rules, condition: Mapping[str, Any]) -> Condition:
    """The condition as a function of the facts, with the version's parameters and tiers bound."""
    if "all" in condition:
        return _decided_by(False, [compiled(rules, c) for c in condition["all"]])
    if "any" in condition:
        return _decided_by(True, [compiled(rules, c) for c in condition["any"]])
    if "not" in condition:
        inner = compiled(rules, condition["not"])
        return lambda facts: None if (value := inner(facts)) is None else not value
    if "known" in condition:
        name = condition["known"]
        return lambda facts: facts.get(name) is not None
    if "has_band" in condition:
        return _band(rules, condition["has_band"])
    if "same_band" in condition:
        return _same_band(rules, *condition["same_band"])
    return _comparison(rules, condition)


def _decided_by(decisive: bool, parts: list[Condition]) -> Condition:
    """`all` is decided by one False, `any` by one True; else one unknown leaves it unknown."""

    def value_of(facts: Mapping[str, Any]) -> Truth:
        value: Truth = not decisive
        for part in parts:
            one = part(facts)
            if one is decisive:
                return decisive
            if one is None:
                value = None
        return value

    return value_of


def _band(rules: Rules, name: str) -> Condition:
    tiers = rules["tiers"]
    return lambda facts: None if (seconds := facts.get(name)) is None else tier_of(tiers, seconds) is not None


def _same_band(rules: Rules, first: str, second: str) -> Condition:
    tiers = rules["tiers"]

    def value_of(facts: Mapping[str, Any]) -> Truth:
        a, b = facts.get(first), facts.get(second)
        return None if a is None or b is None else a == b or tier_of(tiers, a) is tier_of(tiers, b)

    return value_of


def _comparison(rules: Rules, condition: Mapping[str, Any]) -> Condition:
    left = _operand(rules, condition)
    word = next(word for word in _COMPARISONS if word in condition)
    right, compare = _operand(rules, condition[word]), _COMPARISONS[word]

    def value_of(facts: Mapping[str, Any]) -> Truth:
        a, b = left(facts), right(facts)
        return None if a is None or b is None else compare(a, b)

    return value_of


def _operand(rules: Rules, operand: Any) -> Callable[[Mapping[str, Any]], Any]:
    if isinstance(operand, dict) and "fact" in operand:
        name = operand["fact"]
        return lambda facts: facts.get(name)
    constant = rules["parameters"][operand["param"]] if isinstance(operand, dict) else operand
    return lambda facts: constant


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], Truth]:
    return lambda a, b: compare(a, b) if type(a) is type(b) else None


_COMPARISONS: dict[str, Callable[[Any, Any], Truth]] = {
    "is": equal,
    "in": lambda a, items: any(equal(a, item) for item in items),
    "lt": _ordered(operator.lt),
    "le": _ordered(operator.le),
    "gt": _ordered(operator.gt),
    "ge": _ordered(operator.ge),
}


def tier_of(tiers: Sequence[dict[str, Any]], seconds: int) -> dict[str, Any] | None:
    """The tier that holds these seconds, floored to minutes; None below the first. Tiers ascend."""
    minutes = seconds // SECONDS_A_MINUTE
    found = None
    for tier in tiers:
        if tier["min_minutes"] > minutes:
            break
        found = tier
    return found
