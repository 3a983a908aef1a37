"""A rule's data in plain English: its condition, its sentence, its values and its dates."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)(?::(?:day|duration))?\}")
_OPPOSITE = {"all": "any", "any": "all"}
_MOST_INLINE = 3  # more than this many parts of a condition read better as a list
_NUMBERS = {"lt": "is below", "le": "is at most", "gt": "is more than", "ge": "is at least"}
_DAYS = {"lt": "is before", "le": "is on or before", "gt": "is after", "ge": "is on or after"}
_NEGATED = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


@dataclass(frozen=True, slots=True)
class Group:
    """All of these, or one of these: what is left of a condition when every `not` stands before a single comparison."""

    word: str  # all, any
    parts: Sequence["Group | str"]


@dataclass(frozen=True, slots=True)
class Wording:
    """What the words need to know: the dictionary of facts, and each parameter that has one value everywhere."""

    facts: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Any]

    def condition(self, condition: Mapping[str, Any]) -> list[str]:
        """Lines of Markdown that say when the condition is true: one line, or a heading line and a nested list."""
        meant = self._meant(condition, negated=False)
        if isinstance(meant, str) or _fits_a_line(meant):
            return [f"{_inline(meant)}."]
        return [_heading(meant.word), *_items(meant, indent="  ")]

    def sentence(self, template: str) -> str:
        """The sentence with the rules' own values filled in; what comes from the episode stands in italics."""

        def filled(match: re.Match[str]) -> str:
            name = match[1]
            return words(self.parameters[name]) if name in self.parameters else f"*{name.replace('_', ' ')}*"

        return _PLACEHOLDER.sub(filled, template)

    def _meant(self, condition: Mapping[str, Any], *, negated: bool) -> Group | str:
        """With every `not` drawn inwards, which changes no answer, not even an unknown one."""
        if "not" in condition:
            return self._meant(condition["not"], negated=not negated)
        for word in ("all", "any"):
            if word in condition:
                meant = _OPPOSITE[word] if negated else word
                return _flattened(meant, [self._meant(part, negated=negated) for part in condition[word]])
        return self._leaf(condition, negated=negated)

    def _leaf(self, condition: Mapping[str, Any], *, negated: bool) -> str:
        if "known" in condition:
            return f"`{condition['known']}` is {'not ' if negated else ''}known"
        if "has_band" in condition:
            return f"`{condition['has_band']}` reach {'no code' if negated else 'a code'}"
        if "same_band" in condition:
            first, second = condition["same_band"]
            return f"`{first}` and `{second}` reach {'different codes' if negated else 'the same code'}"
        return self._comparison(condition, negated=negated)

    def _comparison(self, condition: Mapping[str, Any], *, negated: bool) -> str:
        name = condition.get("fact") or condition["param"]
        operator = next(word for word in ("is", "in", *_NUMBERS) if word in condition)
        operand = condition[operator]
        if isinstance(operand, bool):
            return f"`{name}` is {words(operand is not negated)}"
        if operator == "is":
            return f"`{name}` is {'not ' if negated else ''}{self._operand(operand)}"
        if operator == "in":
            return f"`{name}` is {'none' if negated else 'one'} of {self._operand(operand)}"
        of_days = self.facts.get(name, {}).get("type") == "date"
        operator = _NEGATED[operator] if negated else operator
        return f"`{name}` {(_DAYS if of_days else _NUMBERS)[operator]} {self._operand(operand)}"

    def _operand(self, operand: Any) -> str:
        if not isinstance(operand, dict):
            return f'"{operand}"' if isinstance(operand, str) else words(operand)
        name = operand.get("fact") or operand["param"]
        if name not in self.parameters:
            return f"`{name}`"
        value = words(self.parameters[name])
        return f"`{name}` ({value})" if isinstance(self.parameters[name], list) else f"{value} (`{name}`)"


def _flattened(word: str, parts: Iterable[Group | str]) -> Group | str:
    """One group without groups of its own kind inside, without anything said twice, one fact's two parts in one."""
    flat: list[Group | str] = []
    told: list[Group | str] = []
    for part in parts:
        for each in part.parts if isinstance(part, Group) and part.word == word else [part]:
            if each in told:
                continue
            told.append(each)
            if isinstance(each, str) and flat and (joined := _of_one_fact(word, flat[-1], each)):
                flat[-1] = joined
            else:
                flat.append(each)
    return flat[0] if len(flat) == 1 else Group(word, flat)


def _of_one_fact(word: str, before: Group | str, then: str) -> str | None:
    """`payer` is known and one of these: what two neighbours say of one fact, else None."""
    known = re.fullmatch(r"(`[a-z0-9_]+` is )(known|not known)", before) if isinstance(before, str) else None
    if known is None or not then.startswith(known[1]):
        return None
    return f"{before} {'and' if word == 'all' else 'or'} {then.removeprefix(known[1])}"


def _fits_a_line(group: Group) -> bool:
    return len(group.parts) <= _MOST_INLINE and all(isinstance(part, str) for part in group.parts)


def _inline(meant: Group | str) -> str:
    if isinstance(meant, str):
        return meant
    *parts, last = [_inline(part) for part in meant.parts]
    compound = len(parts) > 1 or any(re.search(" (and|or) ", text) for text in (*parts, last))
    return f"{', '.join(parts)}{',' if compound else ''} {'and' if meant.word == 'all' else 'or'} {last}"


def _heading(word: str) -> str:
    return "all of these are so:" if word == "all" else "one of these is so:"


def _items(group: Group, *, indent: str) -> list[str]:
    lines = []
    for part in group.parts:
        if isinstance(part, str) or _fits_a_line(part):
            lines.append(f"{indent}- {_inline(part)}")
        else:
            lines += [f"{indent}- {_heading(part.word)}", *_items(part, indent=f"{indent}  ")]
    return lines


def words(value: Any) -> str:
    """A value of the rules as text: yes and no, a list with commas, an entry of a list with its keys."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "null"
    if isinstance(value, list):
        separator = "; " if any(isinstance(item, dict) for item in value) else ", "
        return separator.join(words(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key} {words(item)}" for key, item in value.items())
    return str(value)


def dates(first: str | None, last: str | None) -> str:
    """From the first to the last day of service, ISO days; null is open."""
    if first and last:
        return f"{first} to {last}"
    return f"from {first}" if first else f"until {last}" if last else "any day"


def codes(first: str, last: str) -> str:
    """A range of codes."""
    return first if first == last else f"{first}-{last}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return lines + [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
