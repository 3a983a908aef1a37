"""A practice writes a portal file in the options: it is tried against the open tab, kept, taken away and removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import Chromium, Desktop, until
from tests.extension.scripted_server import scripted_server
from tests.extension.test_pages import Pages
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.story.clinician import HOST, RECORDS, THREADS, Clinician
from tests.story.extension import ROOT, Extension, assemble

pytestmark = pytest.mark.browser

FILE: dict[str, Any] = json.loads((ROOT / "extension/portals/medplum.json").read_text())
FILE |= {"kind": "ours", "name": "Our inbox"}
ADDRESS = f"http://{HOST}"
PATIENT = RECORDS["threads"][0]["patient"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("own"), f"{ADDRESS}/*", "http://127.0.0.1/*")


class Own(Pages):
    """The options' part for a portal of one's own, in one tab, and the portal in another."""

    def fill(self, file: dict[str, Any] | str, address: str = ADDRESS, key: str = "") -> None:
        text = file if isinstance(file, str) else json.dumps(file)
        self.driver.execute_script("document.getElementById('own-text').value = arguments[0]", text)
        self.enter(own_address=address, own_key=key)

    def answers(self, button: str, element: str = "own-answer") -> str:
        """What the page says once a button has done its work."""
        self.click(button)
        answer = self.driver.find_element(By.ID, element)
        until(lambda: answer.get_attribute("data-outcome"), what=f"the answer to {button}")
        return answer.text

    def of(self, words: str) -> None:
        """Presses a button of the one portal that is kept."""
        self.driver.find_element(By.CSS_SELECTOR, f"#own-portals button[aria-label^='{words}']").click()

    def at_portal(self, address: str) -> None:
        """Goes to another page in the portal's tab and back."""
        options, self.portal = self.driver.current_window_handle, getattr(self, "portal", None)
        if self.portal is None:
            self.driver.switch_to.new_window("tab")
            self.portal = self.driver.current_window_handle
        self.driver.switch_to.window(self.portal)
        self.driver.get(f"{ADDRESS}{address}")
        if "/Patient" in address and "Communication" in address:
            until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "form input[name=message]"), what="the thread")
        self.driver.switch_to.window(options)

    def recognised(self) -> dict[str, str]:
        names, values = (self.driver.find_elements(By.CSS_SELECTOR, f"#own-trial {tag}") for tag in ("dt", "dd"))
        return {name.text: value.text for name, value in zip(names, values, strict=True)}


@pytest.fixture
def own(tmp_path: Path, folder: Path, medplum: int) -> Iterator[Own]:  # noqa: F811
    with (
        scripted_server() as server,
        Desktop() as desktop,
        Chromium(desktop, tmp_path / "profile", extension=folder, hosts={HOST: medplum}) as chromium,
    ):
        pages = Own(chromium, server)
        pages.options()
        pages.click("own-new")
        yield pages


def test_what_is_wrong_with_a_file_is_said_by_field_and_a_shipped_kind_stays_what_it_is(own: Own):
    broken = FILE | {"pages": [{"page": "thread", "path": "^/t/(?<thread>.+)$", "activity": "reading"}]}
    unreadable = FILE | {"pages": [FILE["pages"][0], FILE["pages"][1] | {"reply": "a..b"}]}
    for file, address, words, focus in [
        ("", ADDRESS, "the text of a portal file", "own-text"),
        ("{", ADDRESS, "in JSON", "own-text"),
        (broken, ADDRESS, "/pages/0/activity: has to be one of review_inquiry", "own-text"),
        (unreadable, ADDRESS, "/pages/1/reply: is not a CSS selector", "own-text"),
        (FILE | {"kind": "medplum"}, ADDRESS, "“medplum” is a kind that is shipped", "own-text"),
        (FILE, "nowhere at all", "is not an address", "own-address"),
    ]:
        own.fill(file, address)
        assert words in own.answers("own-keep")
        assert own.driver.switch_to.active_element.get_attribute("id") == focus
    own.fill(FILE, key="My Portal")
    assert "not a portal key" in own.answers("own-keep")
    own.everybody_can_use_it("own-wrong")
    assert own.driver.find_elements(By.CSS_SELECTOR, "#own-portals li") == []


def test_a_file_is_tried_against_the_open_tab_and_nothing_is_kept_or_sent(own: Own):
    extension = Extension(own.chromium)
    until(lambda: {"turn_at", "locked"} <= extension.dump()["local"].keys(), what="what the worker keeps at its start")
    before = extension.dump()
    own.fill(FILE)
    assert "No tab shows" in own.answers("own-try")
    own.at_portal(f"/Patient/{PATIENT}/Communication/{RECORDS['threads'][0]['messages'][1]['id']}")
    assert own.answers("own-try").startswith("✓ Recognised")
    assert own.recognised() == {
        "Page": "A thread",
        "Thread": f"✓ {THREADS['A']}",
        "Patient": f"✓ {PATIENT}",
        "Activity": "reading the message",
    }
    own.everybody_can_use_it("own-recognised")
    own.at_portal(f"/Patient/{PATIENT}")
    assert own.answers("own-try").startswith("✓ Recognised")
    assert own.recognised()["Page"] == "A chart"
    own.at_portal("/Spaces/Communication/1")
    assert "“other”, which is known and not timed" in own.answers("own-try")
    own.at_portal("/nowhere")
    assert "none of its pages matches the address" in own.answers("own-try")
    assert not own.driver.find_element(By.ID, "own-trial").is_displayed()
    assert extension.dump() == before
    assert own.server.bodies == []


def test_a_kept_file_counts_and_is_changed_taken_away_and_removed(own: Own, tmp_path: Path):
    own.driver.find_element(By.ID, "own-file").send_keys(str(written(tmp_path / "ours.json")))
    until(lambda: "This is a portal file: Our inbox" in own.text("own-answer"), what="the file's name")
    own.enter(own_address=ADDRESS)
    assert own.text("own-command") == f"python -m backend portal add --key ours --kind own --origin {ADDRESS}"
    assert "✓ Kept" in own.answers("own-keep", "own-said")
    own.enter(server=f"http://127.0.0.1:{own.server.port}", token="tt_1_" + "a" * 43)
    own.driver.find_element(By.CSS_SELECTOR, "#portals .remove").click()
    own.click("save")
    assert own.outcome() == ("done", "✓ Saved.")

    own.driver.switch_to.new_window("tab")
    clinician = Clinician(own.chromium)
    clinician.arrive("A")
    clinician.read(8)
    own.driver.get("about:blank")
    until(lambda: own.server.rows, what="the interval")
    assert {(row["portal"], row["thread"]) for row in own.server.rows} == {("ours", THREADS["A"])}

    own.options()
    assert "Our inbox" in own.text("own-portals")
    own.everybody_can_use_it("own-kept")
    own.of("Copy")
    own.says("own-said", "Copied: one entry")
    own.of("Change")
    field = own.driver.find_element(By.ID, "own-text")
    assert json.loads(str(field.get_attribute("value"))) == FILE
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys(Keys.CONTROL, "v")
    entry = json.loads(str(field.get_attribute("value")))
    assert (entry["kind"], entry["key"], entry["origin"]) == ("ours", "ours", ADDRESS)
    assert json.loads(entry["file"]) == FILE

    own.fill(FILE | {"name": "Our other inbox"}, key="north")
    assert "✓ Kept" in own.answers("own-keep", "own-said")
    own.says("own-portals", "key north")
    own.chromium.protocol("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path / "down"))
    own.of("Download")
    until((tmp_path / "down/ours.json").exists, what="the download")
    assert json.loads((tmp_path / "down/ours.json").read_text())["name"] == "Our other inbox"

    own.of("Remove")
    assert own.driver.switch_to.active_element.get_attribute("id") == "own-stay"
    own.everybody_can_use_it("own-sure")
    own.driver.switch_to.active_element.send_keys(Keys.ENTER)
    own.says("own-portals", "Our other inbox")
    own.of("Remove")
    own.driver.switch_to.active_element.send_keys(Keys.SHIFT, Keys.TAB)
    own.driver.switch_to.active_element.send_keys(Keys.ENTER)
    own.says("own-said", "Removed")
    own.options()
    assert own.text("own-portals") == ""


def written(path: Path) -> Path:
    path.write_text(json.dumps(FILE))
    return path
