"""Pictures of an episode as SVG for a page: seven squares, a bar towards the tiers, a timeline.

They carry classes and no colours, so that the page's style decides (light, dark, print) under a strict
Content-Security-Policy; each has its words as `aria-label`, and a page puts a table beside the timeline.
Durations are whole seconds, instants milliseconds since the epoch, lengths the units of the picture's own viewBox.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from backend.words import clock

SQUARE_HEIGHT = 18
BAR_LENGTH = 96
DRAWN = 2048
"""How many pictures of each kind are kept: a list has a hundred of them and is looked at again and again."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark on the bar: a tier's first minute and its code."""

    minutes: int
    code: str


@lru_cache(maxsize=DRAWN)
def squares(days: tuple[int, ...]) -> Markup:
    """One square a day of the window, filled from below by its counted seconds.

        seconds a day      480   0   0   130   0   0   0
                          +---+---+---+---+---+---+---+
                          |###|   |   |   |   |   |   |
                          |###|   |   |###|   |   |   |
                          +---+---+---+---+---+---+---+

    A day with any time shows at least a sliver; about nine and a half minutes fill a square.
    """
    fills = [min(SQUARE_HEIGHT, round(3 + seconds * 1.6 / 60, 1)) if seconds else 0 for seconds in days]
    said = ", ".join(f"day {index} {clock(seconds)}" for index, seconds in enumerate(days, 1) if seconds)
    return draw(
        "squares.svg",
        height=SQUARE_HEIGHT,
        squares=[(index * 15, fill) for index, fill in enumerate(fills)],
        label=f"Counted minutes: {said}" if said else "No counted minutes on any day",
    )


@lru_cache(maxsize=DRAWN)
def bar(seconds: int, marks: tuple[Mark, ...]) -> Markup:
    """How far the counted seconds reach, with a mark at the first minute of each tier.

        ==========|-----|---------------|------
                  5     11              21

    It ends a quarter beyond the last mark; more time than that fills it.
    """
    whole = max((mark.minutes for mark in marks), default=20) * 1.25
    tiers = ", ".join(f"{mark.code} from {mark.minutes} minutes" for mark in marks)
    return draw(
        "bar.svg",
        length=BAR_LENGTH,
        filled=round(min(1.0, seconds / 60 / whole) * BAR_LENGTH, 1),
        marks=[round(mark.minutes / whole * BAR_LENGTH, 1) for mark in marks],
        label=f"{clock(seconds)} counted" + (f"; {tiers}" if tiers else ""),
    )


def draw(template: str, **values: Any) -> Markup:
    """A template of this room, filled; every value is escaped."""
    return Markup(_templates().get_template(template).render(**values))  # noqa: S704 - the templates escape


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("backend.reports"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
