"""The project's own files, as the guards of the house look at them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_OURS = {"node_modules", "__pycache__"}


def files(folder: str, *suffixes: str) -> Iterator[Path]:
    """The files below `folder` (relative to the project) that end in one of `suffixes`, in order."""
    for path in sorted((ROOT / folder).rglob("*")):
        if path.suffix in suffixes and path.is_file() and not NOT_OURS & set(path.parts):
            yield path


def name(path: Path) -> str:
    """How a failing guard calls a file."""
    return str(path.relative_to(ROOT))


def javascript(path: Path) -> str:
    """A script's code without its comments."""
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"(^|[\s;{}()])//.*$", r"\1", text, flags=re.MULTILINE)


def documents() -> str:
    """The README and every page of docs/, as one text."""
    return "\n".join(page.read_text() for page in [ROOT / "README.md", *files("docs", ".md")])
