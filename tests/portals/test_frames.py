"""The extension in portals that show their pages in frames: time lands on the thread in front, and nowhere else."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser import Chromium, Desktop, until
from tests.extension.scripted_server import ScriptedServer, scripted_server
from tests.portals.shells import StaticPortal, serving
from tests.story.extension import Extension, assemble

pytestmark = pytest.mark.browser

PAGES = Path(__file__).parent
HOST = "portal.localhost"
TOKEN = "tt_1_" + "a" * 43
SECONDS_BETWEEN_INPUTS = 0.8


class Reader:
    """A person at the portal's tab; `worked` says for how long they had each thread in front."""

    def __init__(self, chromium: Chromium, extension: Extension, server: ScriptedServer) -> None:
        self.chromium, self.extension, self.server = chromium, extension, server
        self.driver = chromium.driver
        self.worked: dict[str, float] = defaultdict(float)

    def read(self, thread: str | None, seconds: float, *, x: int = 300, y: int = 320) -> None:
        """Moves the pointer around (x, y), in small steps as a hand does, for so long."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            for step in range(6):
                self.chromium.protocol("Input.dispatchMouseEvent", type="mouseMoved", x=x + 9 * step, y=y + 5 * step)
            time.sleep(max(0.0, min(SECONDS_BETWEEN_INPUTS, ends_at - time.monotonic())))
        if thread is not None:
            self.worked[thread] += seconds

    def click(self, selector: str, *, frame: str | None = None) -> None:
        if frame:
            self.driver.switch_to.frame(frame)
        until(lambda: self.driver.find_elements(By.CSS_SELECTOR, selector), what=selector)[0].click()
        self.driver.switch_to.default_content()

    def leave(self) -> None:
        self.driver.get("about:blank")
        # Rows are handed over when an interval ends: by now every one has, and the outbox is on its way.
        until(self._sent, what=f"the rows of {dict(self.worked)} in {self.seconds()}")

    def _sent(self) -> bool:
        return all(abs(self.seconds()[thread] - seconds) < 3 for thread, seconds in self.worked.items())

    def seconds(self) -> dict[str, float]:
        """Seconds that came for each thread; every row once."""
        assert len({row["id"] for row in self.server.rows}) == len(self.server.rows)
        found: dict[str, float] = defaultdict(float)
        for row in self.server.rows:
            found[row["thread"]] += (row["ended_at"] - row["started_at"]) / 1000
        return found

    def told(self) -> set[tuple[str, str | None, str]]:
        return {(row["thread"], row["patient"], row["activity"]) for row in self.server.rows}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("frames"), f"http://{HOST}/*", "http://127.0.0.1/*")


@contextmanager
def at_portal(kind: str, folder: Path, profile: Path) -> Iterator[Reader]:
    """A paired browser whose only portal is of this kind."""
    with (
        scripted_server() as server,
        serving(PAGES / kind, StaticPortal) as port,
        Desktop() as desktop,
        Chromium(desktop, profile, extension=folder, hosts={HOST: port}) as chromium,
    ):
        extension = Extension(chromium)
        extension.open()
        choice = Select(chromium.driver.find_element(By.ID, "portal-1-kind"))
        assert "unverified" not in choice.first_selected_option.text
        choice.select_by_value(kind)
        assert choice.first_selected_option.text.endswith(", unverified")
        typed = {"server": f"http://127.0.0.1:{server.port}", "token": TOKEN, "portal-1-address": f"http://{HOST}"}
        for name, text in typed.items():
            chromium.driver.find_element(By.ID, name).send_keys(text)
        assert chromium.driver.find_element(By.ID, "portal-1-key").get_attribute("value") == kind
        chromium.driver.find_element(By.ID, "save").click()
        answer = chromium.driver.find_element(By.ID, "answer")
        until(lambda: answer.get_attribute("data-outcome") == "done", what="the settings saved")
        chromium.driver.switch_to.new_window("tab")
        yield Reader(chromium, extension, server)
        assert {row["portal"] for row in server.rows} == {kind}
        assert "kanari" not in json.dumps(server.bodies)
        extension.open()
        assert "kanari" not in json.dumps(extension.dump())


def test_openemr_counts_the_message_in_front_and_its_patients_chart_and_nothing_else(tmp_path: Path, folder: Path):
    with at_portal("openemr", folder, tmp_path / "profile") as reader:
        reader.driver.get(f"http://{HOST}/interface/main/tabs/main.php?token_main=kanari80")
        reader.read(None, 6)  # the list of messages
        reader.click('a[href*="noteid=5"]', frame="msg")
        reader.read("5", 8)
        reader.click("[data-tab=pat]")
        reader.read("5", 7)  # that patient's chart, from the thread
        reader.click("[data-tab=cal]")
        reader.read(None, 6)
        reader.click("[data-tab=msg]")
        reader.click("#newnote", frame="msg")  # sent: the list again, and its address names no message
        reader.read(None, 6)
        reader.click('a[href*="noteid=6"]', frame="msg")
        reader.read("6", 8)
        reader.leave()
        assert reader.told() == {
            ("5", "17", "review_inquiry"),
            ("5", "17", "review_records"),
            ("6", "18", "review_inquiry"),
        }


def test_of_two_frames_side_by_side_only_the_one_with_focus_and_input_counts(tmp_path: Path, folder: Path):
    with at_portal("openemr", folder, tmp_path / "profile") as reader:
        reader.driver.get(f"http://{HOST}/interface/main/tabs/main.php")
        reader.click('a[href*="noteid=6"]', frame="msg")
        reader.read("6", 7)
        reader.click("#both")
        reader.read(None, 7, x=300)  # neither has the focus
        reader.click("#note", frame="msg")
        reader.read("6", 8, x=300)
        reader.read(None, 7, x=900)  # the focus in one, the hand in the other
        reader.leave()
        assert {(row["thread"], row["patient"]) for row in reader.server.rows} == {("6", "18")}


def test_roundcube_counts_the_message_in_the_preview_and_the_reply_that_was_begun_there(tmp_path: Path, folder: Path):
    with at_portal("roundcube", folder, tmp_path / "profile") as reader:
        reader.driver.get(f"http://{HOST}/?_task=mail&_mbox=INBOX")
        reader.read(None, 6)
        reader.click("[data-uid='41']")
        reader.read("41", 8)
        reader.click("[data-uid='42']")
        reader.read("42", 8)
        reader.click("[data-uid='']")
        reader.read(None, 6)
        reader.click("[data-uid='41']")
        reader.read("41", 7)
        reader.click("#reply")
        until(lambda: reader.driver.find_elements(By.ID, "composebody"), what="the reply's page")
        reader.read("41", 8)
        reader.driver.get(f"http://{HOST}/?_task=mail&_mbox=INBOX")
        reader.read(None, 3)
        reader.click("#compose")
        reader.read(None, 7)  # a new message is nobody's
        reader.driver.get(f"http://{HOST}/?_task=mail&_mbox=Doe-kanari75&_uid=43&_action=show")
        reader.read(None, 7)
        reader.leave()
        assert reader.told() == {
            ("41", None, "review_inquiry"),
            ("42", None, "review_inquiry"),
            ("41", None, "communicate_online"),
        }
