"""A clinician's scripted sessions at real speed: Medplum in one window, Roundcube's frames in another, side by side.

All input comes from the screen's own pointer and keyboard, so that one script works in either browser. The script notes
what it does in the words of tests/extension/days.js; tests/extension/session.js says what that must come to, and shares
nothing with the stopwatch.
"""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.browser import Desktop, until
from tests.server import Server
from tests.story.clinician import RECORDS, SELECTED, THREADS
from tests.story.truth import REST_SECONDS, Log, seconds_by_thread

ROOT = Path(__file__).parents[2]
MEDPLUM, ROUNDCUBE = 0, 1
SCREEN = (2400, 900)
HALF = SCREEN[0] // 2
SECONDS_BETWEEN_INPUTS = 1.4
MAILS = ("41", "42")
REPLY = "please use the spacer before every puff"
OFFSET = """
addEventListener("mousemove", ({ screenX, clientX, screenY, clientY }) => {
  document.documentElement.dataset.offset = JSON.stringify([screenX - clientX, screenY - clientY]);
});
"""
MIDDLE = """
const { x, y, width, height } = document.querySelector(arguments[0]).getBoundingClientRect();
return [x + width / 2, y + height / 2];
"""

Page = dict[str, str | None] | None


class Browser(Protocol):
    """What a session needs of a browser; `run` is in the window that is driven, whichever is in front."""

    @property
    def handle(self) -> str: ...

    def go(self, url: str) -> None: ...
    def run(self, script: str, *arguments: Any) -> Any: ...
    def open_window(self) -> None: ...
    def drive(self, handle: str) -> None: ...
    def type(self, selector: str, text: str) -> None: ...
    def click(self, selector: str) -> None: ...


@dataclass
class Window:
    """One of the two. `offset` is where its page begins on the screen."""

    handle: str
    frame: str
    offset: tuple[float, float] = (0, 0)
    page: Page = None


@dataclass
class Session:
    """One session: `seconds` long, and by thread what each way to count came to, in seconds."""

    browser: str
    seed: int
    idle_after: int
    seconds: float
    threads: dict[str, dict[str, float]] = field(default_factory=dict)

    def total(self, way: str) -> float:
        return sum(one[way] for one in self.threads.values())

    @property
    def worst(self) -> float:
        """The largest error of a thread, in seconds."""
        return max(abs(one["ours"] - one["true"]) for one in self.threads.values())


class Script:
    """What one clinician does, at a real browser's two windows, and the log of it."""

    def __init__(self, desktop: Desktop, browser: Browser, addresses: tuple[str, str], idle_after: int) -> None:
        self.desktop, self.browser, self.addresses, self.idle_after = desktop, browser, addresses, idle_after
        self.begun = time.time()
        self.actions: list[dict[str, Any]] = []
        self.documents = 0
        self.moves = 0
        self.windows: list[Window] = []
        self.windows.append(self._window(MEDPLUM))
        browser.open_window()
        self.windows.append(self._window(ROUNDCUBE))
        self.window = ROUNDCUBE

    def _window(self, side: int) -> Window:
        """The window that was just opened, put on its side of the screen."""
        self.browser.go("about:blank")
        known = {one.frame for one in self.windows}
        frame = until(lambda: {self.desktop.xdotool("getactivewindow")} - known, what="the new window in front").pop()
        self.desktop.xdotool("windowsize", frame, str(HALF), str(SCREEN[1]))
        self.desktop.xdotool("windowmove", frame, str(side * HALF), "0")
        self.browser.run(OFFSET)

        def offset() -> Any:
            self.moves += 1
            at = side * HALF + HALF // 2 + self.moves % 9
            self.desktop.xdotool("mousemove", str(at), str(SCREEN[1] // 2))
            return self.browser.run("return document.documentElement.dataset.offset ?? null")

        x, y = json.loads(until(offset, what="the pointer over the window"))
        self.desktop.xdotool("click", "1")  # the address bar of a new window has the focus, not the page
        return Window(self.browser.handle, frame, (x, y))

    @property
    def here(self) -> Window:
        return self.windows[self.window]

    def note(self, what: str, **more: Any) -> dict[str, Any]:
        self.actions.append({"at": self._now(), "do": what, **more})
        return self.actions[-1]

    @contextmanager
    def noted(self, what: str, **more: Any) -> Iterator[None]:
        """Notes an act at the middle of the time that it takes."""
        entry = self.note(what, **more)
        yield
        entry["at"] = (entry["at"] + self._now()) // 2

    def _now(self) -> int:
        """Milliseconds since the session began."""
        return round((time.time() - self.begun) * 1000)

    def input(self, *, frame: bool = False) -> None:
        self.note("input", tab=self.window, frame=frame)

    # Hands.

    def point(self, x: float, y: float, *, steps: int = 1) -> None:
        """Moves the pointer to a place of the page, in small steps and as slowly as a hand does."""
        left, top = self.here.offset
        words = [
            word
            for step in range(1 - steps, 1)
            for word in ("mousemove", str(round(left + x) + 9 * step), str(round(top + y) + 5 * step), "sleep", "0.05")
        ]
        self.desktop.xdotool(*words)

    def click(self, selector: str) -> None:
        self.point(*self.browser.run(MIDDLE, selector))
        self.input()
        self.desktop.xdotool("click", "1")

    def read(self, seconds: float) -> None:
        """Moves the pointer over the page now and then, for so long."""
        ends_at = time.monotonic() + seconds
        framed = self.window == ROUNDCUBE and self.here.page is not None and not self._writing
        while time.monotonic() < ends_at:
            self.moves += 1
            self.input(frame=framed)
            self.point(300 + 30 * (self.moves % 7), 250 + 20 * (self.moves % 9), steps=6)
            time.sleep(max(0.0, min(SECONDS_BETWEEN_INPUTS, ends_at - time.monotonic())))

    def sit_still(self, seconds: float) -> None:
        """Touches nothing for so long."""
        time.sleep(seconds)

    def write(self, field: str) -> None:
        """Types a reply, word by word."""
        self.click(field)
        for word in REPLY.split():
            self.input()
            self.desktop.xdotool("type", "--delay", "40", f"{word} ")

    # Pages.

    def load(self, address: str, page: Page, shown: str) -> None:
        """Loads an address in this window, as from a bookmark; it is read once `shown` is there."""
        self.documents += 1
        entry = self.note("load", tab=self.window, document=self.documents, window=self.window, page=page, ready=0)
        self.browser.go(f"{self.addresses[self.window]}{address}")
        self._await(shown)
        entry["ready"] = self._now() - entry["at"]
        self.here.page = page

    def follow(self, selector: str, page: Page, shown: str) -> None:
        """Clicks on what changes the page's address without a load."""
        self.point(*self.browser.run(MIDDLE, selector))
        self.input()
        with self.noted("move", tab=self.window, page=page):
            self.desktop.xdotool("click", "1")
        self.here.page = page
        self._await(shown)

    def _await(self, selector: str) -> None:
        until(
            lambda: self.browser.run("return document.querySelector(arguments[0]) !== null", selector),
            what=f"{selector} in {self.addresses[self.window]}",
        )

    def front(self, window: int) -> None:
        """Turns to a window, as with Alt and Tab."""
        with self.noted("front", window=window, tab=window):
            self.desktop.xdotool("windowactivate", self.windows[window].frame)
            self.window = window
            self.browser.drive(self.here.handle)
            until(lambda: self.browser.run("return document.hasFocus()"), what=f"window {window} with the focus")

    @property
    def _writing(self) -> bool:
        return bool(self.browser.run("return document.querySelector('#composebody') !== null"))

    # What a clinician does there.

    def arrive(self) -> None:
        """Opens the list of messages in each window."""
        for window in (MEDPLUM, ROUNDCUBE):
            self.front(window)
            self.list()

    def list(self) -> None:
        if self.window == MEDPLUM:
            self.load("/Communication?status=in-progress", None, 'a[href*="/Communication/"]')
        else:
            self.load("/?_task=mail&_mbox=INBOX", None, "#messagelist")

    def open(self, chance: random.Random) -> None:
        """Opens a message from the list, or another one."""
        open_now = (self.here.page or {}).get("thread")
        if self.window == MEDPLUM:
            if self.browser.run("return location.pathname").startswith("/Patient/"):
                self.list()
            thread = chance.choice([one for one in THREADS.values() if one != open_now])
            row = f'a[href*="/Communication/{thread}"]'
            self.follow(row, of_thread(thread), f"{SELECTED[: SELECTED.index(' ')]} {row}")
        else:
            if self._writing:
                self.list()
            mail = chance.choice([one for one in MAILS if one != open_now])
            self.follow(f"[data-uid='{mail}']", of_thread(mail), "#messagecontframe")

    def reply(self) -> None:
        """Answers the open message, and stays at it."""
        if self.here.page is None or self._writing:
            return
        if self.window == MEDPLUM:
            if self.here.page["kind"] == "thread":
                self.write("form input[name=message]")
                self.input()
                self.desktop.xdotool("key", "Return")
            return
        self.click("#reply")
        self.documents += 1
        page = self.here.page
        entry = self.note("load", tab=self.window, document=self.documents, window=self.window, page=page, ready=0)
        self._await("#composebody")
        entry["ready"] = self._now() - entry["at"]
        self.write("#composebody")

    def chart(self) -> None:
        """Opens a thread among its patient's messages, and from there the patient's chart."""
        if self.window != MEDPLUM:
            return
        thread = RECORDS["threads"][0]
        patient, id_ = thread["patient"], thread["id"]
        if self.browser.run("return location.pathname").endswith("/timeline"):
            return
        page = of_thread(id_, patient)
        self.load(f"/Patient/{patient}/Communication/{id_}", page, "form input[name=message]")
        self.read(7)
        chart: Page = {"kind": "chart", "thread": None, "patient": patient}
        self.follow(f'a[href$="/Patient/{patient}/timeline"]', chart, "[role=tab][data-active]")

    def leave(self) -> None:
        """Closes what is open in each window, the one in front first."""
        for window in (self.window, 1 - self.window):
            if window != self.window:
                self.front(window)
            with self.noted("close", tab=window):
                self.browser.go("about:blank")

    def work(self, seed: int, seconds: float, mishap: Callable[[random.Random], None]) -> None:
        """The whole session: at least `seconds`; `mishap` happens now and then, and changes no truth."""
        chance = random.Random(seed)
        self.arrive()
        ends_at = time.monotonic() + seconds
        acts: list[Callable[[], None]] = [
            lambda: self.open(chance),
            lambda: self.open(chance),
            self.reply,
            self.chart,
            lambda: self.front(1 - self.window),
            lambda: self.glance(chance.uniform(0.3, 1.4)),
            lambda: self.glance(chance.uniform(2.6, 6)),
            lambda: self.sit_still(chance.uniform(3, 0.8 * self.idle_after)),
            lambda: self.sit_still(1.3 * self.idle_after),
            lambda: mishap(chance),
        ]
        while time.monotonic() < ends_at:
            if self.here.page is None:
                self.open(chance)
            self.read(chance.choice([2, 6, 9, 14]))
            chance.choice(acts)()
        self.read(2)
        self.leave()

    def glance(self, seconds: float) -> None:
        """A look at the other window, and back."""
        before = self.window
        self.front(1 - before)
        self.sit_still(seconds)
        self.front(before)

    def truth(self) -> Mapping[str, Mapping[str, float]]:
        """By thread: what each way to count must come to, in milliseconds."""
        log = {"idle_after": self.idle_after, "ends": self.actions[-1]["at"], "actions": self.actions}
        command = [ROOT / "tests/node", "node", ROOT / "tests/extension/session.js"]
        done = subprocess.run(command, input=json.dumps(log), check=True, capture_output=True, text=True, timeout=60)
        found: dict[str, dict[str, float]] = json.loads(done.stdout)
        return found


def second_opinion(actions: Sequence[dict[str, Any]], idle_after: int) -> dict[str, float]:
    """Seconds by thread of the same log, as tests/story/truth.py reads the rules: it was written without a look at the
    stopwatch, knows one tab at a time, and nothing of when inputs are noted."""
    totals: dict[str, float] = defaultdict(float)
    fronts = [(one["at"] / 1000, one["tab"]) for one in actions if one["do"] == "front"]
    for tab in (MEDPLUM, ROUNDCUBE):
        own = [{**one, "at": one["at"] / 1000} for one in actions if one.get("tab") == tab]
        [closed] = [one["at"] for one in own if one["do"] == "close"]
        log = Log(inputs=[one["at"] for one in own if one["do"] == "input"], closed=closed)
        thread: str | None = None
        for one in own:
            if one["do"] not in ("load", "move"):
                continue
            before, page = thread, one["page"]
            thread = None if page is None else page["thread"] or before  # a chart that was opened from its thread
            if one["do"] == "load":
                log.opened.append((one["at"], None))
                log.opened.append((one["at"] + one["ready"] / 1000 - REST_SECONDS, thread))
            elif thread != before:
                log.opened.append((one["at"], thread))
        ends = [*(at for at, _ in fronts[1:]), closed]
        log.blurred = [(at, end) for (at, front), end in zip(fronts, ends, strict=True) if front != tab]
        for name, seconds in seconds_by_thread(log, idle_after=idle_after).items():
            totals[name] += seconds
    return dict(totals)


def of_thread(thread: str, patient: str | None = None) -> Page:
    return {"kind": "thread", "thread": thread, "patient": patient}


def stored(server: Server) -> dict[str, float]:
    """Milliseconds by thread in the database, once nothing more comes."""
    before: list[str] = []

    def still() -> bool:
        nonlocal before
        time.sleep(3)  # the worker sends what it has within a second
        ids = sorted(row["id"] for row in server.stored())
        same, before = bool(ids) and ids == before, ids
        return same

    until(still, seconds=90, what="all intervals at the server")
    found: dict[str, float] = defaultdict(float)
    for row in server.stored():
        found[row["thread"]] += row["ended_at"] - row["started_at"]
    return dict(found)


def judged(name: str, seed: int, script: Script, server: Server) -> Session:
    """What the database says of a session, beside its truth."""
    measured, truth = stored(server), script.truth()
    second = second_opinion(script.actions, script.idle_after)
    session = Session(name, seed, script.idle_after, script.actions[-1]["at"] / 1000)
    for thread in sorted({*truth, *measured}):
        ways = {way: ms / 1000 for way, ms in truth.get(thread, {"true": 0, "no_idle": 0, "visible": 0}).items()}
        session.threads[thread] = {"ours": measured.get(thread, 0) / 1000, **ways, "second": second.get(thread, 0)}
    return session
