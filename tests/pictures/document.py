"""docs/screens.md, as the states give it."""

from pathlib import Path

from tests.pictures.states import STATES

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = DOCS / "pictures/screens"
PAGE = DOCS / "screens.md"

HEAD = """# What the extension shows

Every state of its pages, as Chromium shows it. `make pictures` makes this page and its pictures afresh; `make test`
brings each state about and checks that everybody can use it: no finding of axe in light and dark, nothing cut off at
320 px, every control reached with the Tab key.
"""


def written() -> str:
    """The text of the page."""
    parts = [HEAD]
    for heading, states in STATES.items():
        parts.append(f"## {heading}\n")
        parts += [f"{state.says}\n\n![{state.says}](pictures/screens/{state.name}.png)\n" for state in states]
    return "\n".join(parts)
