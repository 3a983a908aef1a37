"""Whatever dies, fills up or goes wrong on the way: each interval reaches the practice's database once, and each
trouble says so in the popup."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

from tests.browser import Chromium, Desktop, until
from tests.extension.pages import KEEP
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.server import Server, row
from tests.story.clinician import HOST, THREADS, Clinician
from tests.story.extension import Extension
from tests.story.relay import relaying
from tests.story.road import Road, agree, sent_rows

pytestmark = pytest.mark.browser

# The page's title says when they are over, for to ask the page itself would bring it to the front.
PAUSES = """
const [count, over] = arguments;
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
(async () => {
  for (let n = 0; n < count; n++) {
    await rest(150);
    await chrome.storage.local.set({ paused: true });
    await rest(100);
    await chrome.storage.local.set({ paused: false });
  }
  document.title = over;
})();
"""
AT_ONCE = 10  # pauses between two deaths
ROOM_IS_LOOKED_AT_AGAIN = 32  # seconds: until then the browser goes by what room it last found


def beside(road: Road) -> tuple[str, str]:
    """The portal's tab, which stays in front, and the extension's page behind it."""
    portal = road.chromium.driver.current_window_handle
    [page] = set(road.chromium.driver.window_handles) - {portal}
    return portal, page


def arrived(road: Road) -> list[dict[str, Any]]:
    """What the server has stored once nothing waits any more: each row that was sent, once."""
    until(lambda: road.extension.waiting() == 0, seconds=300, what="the outbox empty")
    stored = road.server.stored()
    ids = [each["id"] for each in stored]
    assert len(ids) == len(set(ids))
    assert set(ids) == {each["id"] for each in sent_rows(road)}
    road.server.command("verify")
    return stored


def send(road: Road, rows: list[dict[str, Any]]) -> None:
    """Rows are in the outbox, and the worker sends them."""
    assert road.chromium.driver.execute_async_script(KEEP, rows) is None
    road.chromium.driver.execute_script("chrome.runtime.sendMessage({ type: 'try_again' })")


def popup_says(road: Road, *words: str) -> None:
    road.chromium.driver.get(f"{road.extension.origin}/popup/popup.html")
    for each in words:
        until(
            lambda each=each: each in road.chromium.driver.find_element(By.TAG_NAME, "main").text,
            what=f"{each!r} in the popup",
        )


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("idle_after", [60])
def test_fifty_deaths_of_the_worker_during_five_hundred_intervals(road: Road):
    at, driver = road.clinician, road.chromium.driver
    driver.switch_to.new_window("tab")
    at.arrive("A")
    at.read(7)
    portal, page = beside(road)
    deaths = 0
    for number in range(500 // AT_ONCE):
        at.move()
        over = f"round {number} is over"
        driver.switch_to.window(page)
        driver.execute_script(PAUSES, AT_ONCE, over)
        driver.switch_to.window(portal)
        until(road.chromium.workers, what="the worker, woken by an interval")
        road.chromium.kill_worker()
        deaths += 1
        until(lambda over=over: over in [one["title"] for one in road.chromium.targets("page")], what=over)
    at.read(2)
    assert road.chromium.sight() == ("visible", True), "the portal was not in front all the time"
    driver.get("about:blank")
    driver.switch_to.window(page)
    rows = arrived(road)
    ended = [each["ended_by"] for each in rows]
    print(f"{deaths} deaths, {len(rows)} rows, {ended.count('pause')} ended by a pause")
    assert deaths >= 50
    assert ended.count("pause") == 500


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_twenty_deaths_of_the_browser(server: Server, medplum: int, extension_folder: Path, tmp_path: Path):  # noqa: F811
    profile, died = tmp_path / "profile", []
    with relaying(server.port) as relay, Desktop() as desktop:
        browser = {"extension": extension_folder, "hosts": {HOST: medplum}}
        for number in range(20):
            with pytest.raises(WebDriverException), Chromium(desktop, profile, **browser) as chromium:
                extension = Extension(chromium)
                if number == 0:
                    address = {"server": f"http://127.0.0.1:{relay.port}", "address": f"http://{HOST}"}
                    extension.pair(token=server.token, portal="medplum", idle_after=60, **address)
                clinician = Clinician(chromium)
                clinician.arrive("ABCD"[number % 4])
                until(lambda at=chromium: at.sight() == ("visible", True), what="the portal in front")
                clinician.read(11 + number % 5)
                for process in psutil.Process(chromium.service.process.pid).children(recursive=True):
                    process.kill()
                died.append(time.time())
                chromium.driver.execute_script("return 1")
        with Chromium(desktop, profile, **browser) as chromium:
            road = Road(server, relay, chromium, Extension(chromium), Clinician(chromium), profile, 60)
            road.extension.open()
            rows = sorted(arrived(road), key=lambda each: each["started_at"])
    assert [each["thread"] for each in rows] == [THREADS["ABCD"[number % 4]] for number in range(20)]
    assert all(each["recovered"] and each["ended_by"] == "crash" for each in rows)
    missing = [at - each["ended_at"] / 1000 for at, each in zip(died, rows, strict=True)]
    print("seconds missing after each death:", [round(each, 1) for each in missing])
    assert all(0 <= each <= 5 for each in missing), missing


def test_a_poisonous_row_is_parked_and_the_other_999_arrive(road: Road):
    road.extension.open()
    rows = [row(thread=f"thr-{number % 200}", patient=f"p-{number % 200}") for number in range(1000)]
    rows[617]["portal"] = "nowhere"
    send(road, rows)
    until(lambda: len(road.server.stored()) == 999, seconds=60, what="the 999 others")
    assert {each["id"] for each in road.server.stored()} == {each["id"] for each in rows} - {rows[617]["id"]}
    popup_says(road, "One interval was refused by the server.", "portal is not one of this practice")


def test_a_clock_that_is_an_hour_off_says_so_and_loses_nothing(road: Road):
    road.relay.clock_off_seconds = -3600
    road.extension.open()
    send(road, [row(), row()])
    until(lambda: len(road.server.stored()) == 2, seconds=60, what="the rows")
    popup_says(road, "Needs attention", "clock is 60 minutes ahead of your practice’s server")
    road.relay.clock_off_seconds = 0
    send(road, [row()])
    until(lambda: len(road.server.stored()) == 3, seconds=60, what="the row")
    until(lambda: "clock" not in road.chromium.driver.find_element(By.ID, "detail").text, what="no word of the clock")


def test_a_device_without_room_says_so_and_loses_nothing(road: Road):
    at, driver = road.clinician, road.chromium.driver
    quota = {"method": "Storage.overrideQuotaForOrigin", "origin": road.extension.origin}
    road.chromium.protocol(**quota, quotaSize=1)
    options = driver.current_window_handle
    driver.switch_to.new_window("tab")
    at.arrive("A")
    at.read(ROOM_IS_LOOKED_AT_AGAIN)
    at.open("B")  # the row of A finds no room
    at.read(8)
    at.leave()
    popup_says(road, "Needs attention", "This device has no room to keep intervals: free some disk space.")
    assert road.server.stored() == []
    driver.switch_to.window(options)
    road.chromium.protocol(**quota)
    agree(road)
    assert {each["thread"] for each in road.server.stored()} == {THREADS["A"], THREADS["B"]}
    driver.get(f"{road.extension.origin}/popup/popup.html")
    until(lambda: "no room" not in driver.find_element(By.ID, "detail").text, what="no word of the room any more")
