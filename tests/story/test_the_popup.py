"""The popup over a thread that was really worked on, with a real server behind it: its words become the practice's."""

from __future__ import annotations

import pytest
from selenium.webdriver.common.by import By

from tests.browser import until
from tests.story.clinician import THREADS
from tests.story.road import Road

pytestmark = pytest.mark.browser

THREAD_TABS = """
const [thread, done] = arguments;
chrome.storage.session.get(null).then((all) => {
  const pages = Object.entries(all).filter(([key, page]) => key.startsWith("status:") && page.thread === thread);
  done(pages.map(([key]) => key.slice("status:".length)));
});
"""


def test_what_is_answered_and_marked_in_the_popup_changes_the_episode_at_the_server(road: Road):
    at, driver = road.clinician, road.chromium.driver
    at.arrive("A")
    at.read(9)
    portal = driver.current_window_handle
    driver.switch_to.new_window("tab")  # which ends the interval, as opening another page does
    road.extension.open()
    until(lambda: road.extension.waiting() == 0, seconds=60, what="the interval at the server")
    [tab] = driver.execute_async_script(THREAD_TABS, THREADS["A"])
    driver.get(f"{road.extension.origin}/popup/popup.html?tab={tab}")

    def says(element: str, words: str) -> None:
        until(lambda: words in driver.find_element(By.ID, element).text, seconds=30, what=f"{words!r} in {element}")

    def press(within: str, words: str) -> None:
        path = f'//*[@id="{within}"]//button[normalize-space()="{words}"]'
        until(lambda: driver.find_elements(By.XPATH, path), seconds=30, what=f"the button {words!r}")[0].click()

    says("episode", "Day 1 of 7")
    says("question", "Was a problem evaluated and managed on this thread")
    press("question", "Yes")
    says("answered", "the server has it")
    [report] = road.server.report()
    assert "evaluative-content" not in {each["id"] for each in report["missing"]}
    before = report["counted_seconds"]
    assert 7 <= before <= 11

    driver.find_element(By.CSS_SELECTOR, "#marks summary").click()
    says("marks", "All of it")
    press("mark-form", "Mark")
    says("mark-said", "marked as refill")
    until(lambda: road.server.report() == [], seconds=60, what="no counted time at the server")
    press("mark-said", "Undo")
    until(lambda: [each["counted_seconds"] for each in road.server.report()] == [before], seconds=60, what="it back")
    measured, mark, back = sorted(road.server.stored(), key=lambda row: row["id"])
    assert mark["corrects"] == back["corrects"] == measured["id"]
    assert [row["activity"] for row in (measured, mark, back)] == ["review_inquiry", "refill_admin", "review_inquiry"]
    assert road.server.query("SELECT kind FROM fact") == [{"kind": "attested_evaluative"}]
    driver.close()
    driver.switch_to.window(portal)
