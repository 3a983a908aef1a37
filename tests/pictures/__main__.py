"""`python -m tests.pictures [STATE]...`: docs/screens.md and its pictures afresh, or only those of these states."""

import sys

from tests.pictures.document import PAGE, PICTURES, written
from tests.pictures.stage import stage
from tests.pictures.states import STATES


def main(names: list[str]) -> None:
    """Says where each picture went."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with stage() as at:
        for state in (state for states in STATES.values() for state in states):
            if names and state.name not in names:
                continue
            with at.alone():
                state.arrange(at)
                png = at.picture(state.part, width=state.width, height=state.height, dark=state.dark)
            target = PICTURES / f"{state.name}.png"
            target.write_bytes(png)
            print(f"{target} {len(png) / 1000:.0f} kB")
    PAGE.write_text(written())


main(sys.argv[1:])
