"""The Medplum shell shows the published components, and nothing that the portal file reads is the shell's own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By

from tests.browser import Chromium, until
from tests.story.clinician import HOST, RECORDS, SELECTED, THREADS, Clinician

SHELL = Path(__file__).parent / "medplum"
PORTAL = Path(__file__).parents[2] / "extension/portals/medplum.json"

HISTORY = """
window.calls = [];
for (const name of ["pushState", "replaceState"]) {
  const real = history[name];
  history[name] = function (...words) { window.calls.push(name); return real.apply(this, words); };
}
"""


def selectors() -> set[str]:
    """Every selector that the portal file reads with."""
    pages = json.loads(PORTAL.read_text())["pages"]
    places = [place for page in pages for place in [*page.get("thread", []), *page.get("patient", [])]]
    writing = [page["writing"] for page in pages if "writing" in page]
    return {place["selector"] for place in [*places, *writing]}


@pytest.mark.parametrize("source", sorted(SHELL.glob("*.jsx")), ids=lambda path: path.name)
def test_the_shell_sets_no_attribute_that_a_portal_file_could_read(source: Path):
    assert not re.findall(r"\b(id|className|class|name|role|href|aria-[a-z]+|data-[a-z-]+)=", source.read_text())


@pytest.mark.browser
def test_every_selector_of_the_portal_file_finds_one_element_of_an_open_thread(chromium: Chromium):
    Clinician(chromium).arrive("A")
    assert selectors()
    for selector in selectors():
        assert len(chromium.driver.find_elements(By.CSS_SELECTOR, selector)) == 1, selector


@pytest.mark.browser
def test_a_click_on_a_row_opens_the_thread_by_one_push_of_the_history(chromium: Chromium):
    clinician = Clinician(chromium)
    clinician.arrive("A")
    chromium.driver.execute_script(HISTORY)
    clinician.open("B")
    assert chromium.driver.execute_script("return calls") == ["pushState"]
    assert THREADS["B"] in chromium.driver.current_url


@pytest.mark.browser
def test_a_messages_own_address_shows_its_thread_without_rewriting_the_address(chromium: Chromium):
    message = RECORDS["threads"][0]["messages"][1]["id"]
    chromium.driver.get(f"http://{HOST}/Communication/{message}?status=in-progress")
    until(lambda: THREADS["A"] in str(selected(chromium)), what="the thread's row selected")
    assert message in chromium.driver.current_url


@pytest.mark.browser
def test_a_reply_is_stored_in_the_page_and_changes_no_address(chromium: Chromium):
    clinician = Clinician(chromium)
    clinician.arrive("B")
    chromium.driver.execute_script(HISTORY)
    clinician.reply()
    assert chromium.driver.execute_script("return calls") == []


def selected(chromium: Chromium) -> list[str | None]:
    """Where the selected rows of the list lead."""
    return [link.get_attribute("href") for link in chromium.driver.find_elements(By.CSS_SELECTOR, SELECTED)]
