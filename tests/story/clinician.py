"""A scripted clinician at the Medplum screens, who keeps a log of what they did and when."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.browser import Chromium, until
from tests.story.truth import Log

RECORDS = json.loads((Path(__file__).parents[1] / "portals/medplum/data.json").read_text())
THREADS: dict[str, str] = {letter: one["id"] for letter, one in zip("ABCD", RECORDS["threads"], strict=True)}

REPLY = "kanari77 Please use the spacer before every puff"
QUERY_CANARY = "kanari88"
HOST = "portal.localhost"
SELECTED = '.ListWithDetailPane_selected a[href*="/Communication/"]'

SECONDS_BETWEEN_INPUTS = 1.5


class Clinician:
    """Works in one portal tab with real pointer and keyboard input; `log` is the truth about it."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium = chromium
        self.driver = chromium.driver
        self.log = Log()
        self._moves = 0

    def arrive(self, letter: str) -> None:
        """Loads the portal with a thread open, as from a bookmark, in the current tab."""
        thread = THREADS[letter]
        self.driver.get(f"http://{HOST}/Communication/{thread}?status=in-progress&query={QUERY_CANARY}")
        self._await_thread(thread)
        self.log.opened.append((time.monotonic(), thread))

    def open(self, letter: str) -> None:
        """Clicks a thread's row in the list: one pushState, no load."""
        thread = THREADS[letter]
        row = self.driver.find_element(By.CSS_SELECTOR, f'a[href*="/Communication/{thread}"]')
        self._note_input()
        row.click()
        self.log.opened.append((time.monotonic(), thread))
        self._await_thread(thread)

    def read(self, seconds: float) -> None:
        """Reads for so long, moving the pointer over the messages now and then."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            self.move()
            time.sleep(max(0.0, min(SECONDS_BETWEEN_INPUTS, ends_at - time.monotonic())))

    def move(self) -> None:
        """Moves the pointer over the open thread, as a hand does: in many small steps."""
        self._moves += 1
        for step in range(6):
            x, y = 600 + 40 * (self._moves % 7) + 9 * step, 250 + 30 * (self._moves % 9) + 5 * step
            self.chromium.protocol("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self._note_input()

    def sit_still(self, seconds: float) -> None:
        """Touches nothing for so long."""
        time.sleep(seconds)

    def reply(self) -> None:
        """Types the reply into the open thread and sends it."""
        field = self._field()
        self._note_input()
        field.click()
        for letter in REPLY:
            self._note_input()
            field.send_keys(letter)
        self._note_input()
        field.send_keys(Keys.ENTER)
        until(lambda: REPLY in self.driver.find_element(By.TAG_NAME, "body").text, what="the reply in the thread")

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Has the portal's tab hidden behind a new one for the duration."""
        self._press("ctrl+t")
        until(lambda: self.chromium.sight() == ("hidden", False), what="the portal tab hidden")
        hidden_at = time.monotonic()
        yield
        self.chromium.press("ctrl+w")
        until(lambda: self.chromium.sight() == ("visible", True), what="the portal tab in front")
        self.log.away.append((hidden_at, time.monotonic()))

    @contextmanager
    def blurred(self) -> Iterator[None]:
        """Has another window in front of the portal's, which stays visible without focus."""
        self._press("ctrl+n")
        until(lambda: self.chromium.sight() == ("visible", False), what="the portal's window without focus")
        blurred_at = time.monotonic()
        yield
        self.chromium.press("ctrl+w")
        until(lambda: self.chromium.sight() == ("visible", True), what="the portal's window with focus")
        self.log.blurred.append((blurred_at, time.monotonic()))

    def leave(self) -> None:
        """Opens another tab over the portal's and closes that one."""
        before = set(self.driver.window_handles)
        self._press("ctrl+t")
        until(lambda: self.chromium.sight() == ("hidden", False), what="the portal tab hidden")
        self.log.closed = time.monotonic()
        self.driver.close()
        self.driver.switch_to.window(min(set(self.driver.window_handles) - before))

    def _press(self, keys: str) -> None:
        self._note_input()  # the page sees the modifier key go down
        self.chromium.press(keys)

    def _field(self) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, "form input[name=message]")

    def _note_input(self) -> None:
        self.log.inputs.append(time.monotonic())

    def _await_thread(self, thread: str) -> None:
        until(
            lambda: any(
                thread in (link.get_attribute("href") or "")
                for link in self.driver.find_elements(By.CSS_SELECTOR, SELECTED)
            ),
            what=f"thread {thread} selected in the list",
        )
