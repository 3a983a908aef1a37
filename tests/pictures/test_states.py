"""Every state of the extension's pages can be used by everybody, and has its picture in the documentation."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.pictures.document import PAGE, PICTURES, written
from tests.pictures.stage import Stage, stage
from tests.pictures.states import STATES, State

EVERY = [state for states in STATES.values() for state in states]
HERE = [state for heading, states in STATES.items() if heading != "Popup" for state in states]
"""Whose use is tested here; the popup's states are tested where they are made, in tests/extension."""
LARGEST = 60_000
CONTROLS = "a[href], button, input, select, textarea, summary"


@pytest.fixture(scope="module")
def at() -> Iterator[Stage]:
    with stage() as made:
        yield made


def reached(at: Stage) -> set[str]:
    """The controls that the Tab key comes to, each by its HTML, until it comes to one again."""
    found: set[str] = set()
    for _ in range(200):
        here = at.driver.switch_to.active_element
        html = str(here.get_attribute("outerHTML"))
        if here.tag_name != "body" and html in found:
            break
        if here.tag_name != "body":
            found.add(html)
        ActionChains(at.driver).send_keys(Keys.TAB).perform()
    return found


@pytest.mark.browser
@pytest.mark.parametrize("state", HERE, ids=lambda state: state.name)
def test_everybody_can_use(at: Stage, state: State):
    with at.alone():
        state.arrange(at)
        at.everybody_can_use_it(state.name)
        open_dialog = at.driver.find_elements(By.CSS_SELECTOR, "dialog[open]")
        within = open_dialog[0] if open_dialog else at.driver
        shown = [one for one in within.find_elements(By.CSS_SELECTOR, CONTROLS) if one.is_displayed()]
        assert {str(one.get_attribute("outerHTML")) for one in shown} <= reached(at)


def test_the_page_shows_every_state_once_and_no_picture_is_large_or_left_over():
    assert PAGE.read_text() == written(), "make pictures"
    sizes = {file.stem: file.stat().st_size for file in PICTURES.iterdir()}
    assert set(sizes) == {state.name for state in EVERY}
    assert len(sizes) == len(EVERY)
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}
