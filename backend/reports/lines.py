"""Lines of a text page: wrapped to its width, headed, cleared of what a terminal would obey."""

from collections.abc import Mapping
from textwrap import wrap

from backend.billing.case import Case

LONGEST_NAME = 40
"""What people named is cut to this many characters: an id of 200 would tear every line apart."""


def harmless(line: str) -> str:
    """Without line ends, colour codes and the like, which an id of somebody else's making may hold."""
    return line if line.isprintable() else "".join(c if c.isprintable() else "�" for c in line)


def short(name: str) -> str:
    """The name, or its beginning with an ellipsis."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def wrapped(text: str, width: int, indent: int = 2, hanging: int | None = None) -> list[str]:
    """The text as lines of at most `width` columns; `hanging` is the indent of those after the first."""
    first, rest = " " * indent, " " * (indent if hanging is None else hanging)
    return wrap(text, width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def heading(text: str) -> list[str]:
    """A section's title, underlined."""
    return [text, "─" * len(text)]


def credentials_of(case: Case) -> dict[str, str]:
    """Clinician's id -> credential; of two with one id the first holds, as where time is counted."""
    return {each.id: each.type for each in reversed(case.clinicians)}


def person(clinician: str, credentials: Mapping[str, str]) -> str:
    """`C1 (MD)`; `credentials` as of `credentials_of`."""
    return f"{short(clinician)} ({credentials[clinician]})"
