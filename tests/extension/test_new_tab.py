"""A chart opened in a new tab from the thread counts on the thread, and one opened by hand does not: in Chromium."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import Chromium, Desktop, until
from tests.extension.scripted_server import ScriptedServer, scripted_server
from tests.extension.test_glue import pair
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.story.clinician import HOST, RECORDS, THREADS, Clinician
from tests.story.extension import assemble

pytestmark = pytest.mark.browser

THREAD = RECORDS["threads"][0]
PATIENT = THREAD["patient"]
OTHER = RECORDS["threads"][1]["patient"]

# The portal's own link, which stands in no screen that is published.
LINK = """
const link = document.createElement("a");
Object.assign(link, { id: "link", href: arguments[0], target: arguments[1], textContent: "→" });
link.style = "position: fixed; top: 0; left: 0; z-index: 9999";
document.body.append(link);
"""


class Desk:
    """A clinician with several tabs of the portal in one window; `tabs` by name."""

    def __init__(self, chromium: Chromium, server: ScriptedServer) -> None:
        self.chromium, self.driver, self.server = chromium, chromium.driver, server
        pair(chromium, server)
        self.clinician = Clinician(chromium)
        self.tabs = {"thread": self.driver.current_window_handle}
        self.driver.get(f"http://{HOST}/Patient/{PATIENT}/Communication/{THREAD['messages'][1]['id']}")
        until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "form input[name=message]"), what="the thread")

    def go(self, tab: str) -> None:
        self.driver.switch_to.window(self.tabs[tab])
        until(lambda: self.chromium.sight() == ("visible", True), what=f"the tab {tab} in front")

    def follow(self, name: str, address: str, *, target: str = "", key: str = "") -> None:
        """Opens a link of the page in a new tab, and goes there."""
        before = set(self.driver.window_handles)
        self.driver.execute_script(LINK, address, target)
        link = self.driver.find_element(By.ID, "link")
        actions = ActionChains(self.driver)
        if key:
            actions.key_down(key).click(link).key_up(key).perform()
        else:
            actions.click(link).perform()
        [self.tabs[name]] = until(lambda: set(self.driver.window_handles) - before, what="the new tab")
        self.go(name)

    def entries(self) -> dict[tuple[str, str | None], set[str | None]]:
        """For each entry and patient that came on chart pages: the threads they counted on."""
        found: dict[tuple[str, str | None], set[str | None]] = defaultdict(set)
        for row in self.server.rows:
            if row["activity"] == "review_records":
                found[row.get("entry", "measured"), row["patient"]].add(row["thread"])
        return found

    def comes(self, *entry: str, thread: str | None) -> None:
        until(lambda: thread in self.entries().get(entry, set()), what=f"{entry} on {thread} in {self.server.rows}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("tabs"), f"http://{HOST}/*", "http://127.0.0.1/*")


@pytest.fixture
def desk(tmp_path: Path, folder: Path, medplum: int) -> Iterator[Desk]:  # noqa: F811
    hosts = {HOST: medplum}
    with (
        scripted_server() as server,
        Desktop() as desktop,
        Chromium(desktop, tmp_path / "profile", extension=folder, hosts=hosts) as chromium,
    ):
        yield Desk(chromium, server)


@pytest.mark.parametrize("how", [{"target": "_blank"}, {"key": Keys.CONTROL}], ids=["its own tab", "control and click"])
def test_a_chart_opened_from_the_thread_in_a_new_tab_counts_on_the_thread(desk: Desk, how: dict[str, str]):
    desk.clinician.read(7)
    desk.chromium.kill_worker()  # whoever hands over may just have died
    desk.follow("chart", f"/Patient/{PATIENT}", **how)
    desk.clinician.read(8)
    desk.go("thread")
    desk.comes("measured", PATIENT, thread=THREADS["A"])
    assert set(desk.entries()) == {("measured", PATIENT)}
    [chart] = [row for row in desk.server.rows if row["activity"] == "review_records"]
    assert chart["linked_from"] == THREADS["A"]
    spans = sorted((row["started_at"], row["ended_at"]) for row in desk.server.rows)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_chart_opened_by_hand_beside_the_thread_is_only_possibly_related(desk: Desk):
    desk.clinician.read(7)
    desk.driver.switch_to.new_window("tab")
    desk.tabs["chart"] = desk.driver.current_window_handle
    desk.driver.get(f"http://{HOST}/Patient/{PATIENT}")
    desk.clinician.read(8)
    desk.go("thread")
    desk.comes("linked_chart", PATIENT, thread=None)
    assert set(desk.entries()) == {("linked_chart", PATIENT)}


def test_another_patient_in_another_tab_of_the_window_breaks_the_way(desk: Desk):
    desk.clinician.read(7)
    desk.follow("chart", f"/Patient/{PATIENT}", target="_blank")
    desk.clinician.read(7)
    desk.follow("other", f"/Patient/{OTHER}", key=Keys.CONTROL)
    desk.clinician.read(7)
    desk.comes("measured", PATIENT, thread=THREADS["A"])
    desk.go("chart")
    desk.clinician.read(8)
    desk.go("thread")
    desk.comes("linked_chart", OTHER, thread=None)
    desk.comes("linked_chart", PATIENT, thread=None)
    assert desk.entries()["measured", PATIENT] == {THREADS["A"]}


def test_a_page_that_was_loaded_anew_remembers_that_another_patient_stood_between(desk: Desk):
    desk.clinician.read(7)
    for patient in (OTHER, PATIENT):
        desk.driver.get(f"http://{HOST}/Patient/{patient}")
        desk.clinician.read(7)
    desk.driver.get("about:blank")
    desk.comes("linked_chart", PATIENT, thread=None)
    assert ("measured", PATIENT) not in desk.entries()
