"""A practice deploys the extension by policy, with the texts of docs/deploying.md, in a real Chromium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By

from tests.browser import Chromium, Desktop, until
from tests.extension.scripted_server import ScriptedServer
from tests.extension.test_pages import Pages
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.server import Server
from tests.story.clinician import HOST, THREADS, Clinician
from tests.story.deployment import ROOT, intranet, package, packed, policy, written
from tests.story.extension import Extension

pytestmark = pytest.mark.browser

MANAGED = "return chrome.storage.managed.get(null)"


class Practice:
    """A browser that a practice manages; `policy` is what it sets."""

    def __init__(self, folder: Path, server: Server) -> None:
        self.folder = folder
        self.server = server
        extension = package(folder, f"http://{HOST}/*", "http://127.0.0.1/*")
        self.id = packed(extension)

    def write(self, address: str) -> None:
        """Puts the page's policy and updates where browser and web server look."""
        self.names = {
            "EXTENSION_ID": self.id,
            "https://intranet.example/threadtime": address,
            "https://threadtime.example": self.server.url,
            "https://portal.example": f"http://{HOST}",
        }
        (self.folder / "updates.xml").write_text(written("<gupdate", self.names))
        self.policy = policy('"override_update_url"', self.names)
        self.policy["DeveloperToolsAvailability"] = 1  # the driver is one, and looks into what a policy installed
        self.set()

    @property
    def values(self) -> dict[str, Any]:
        """What the policy sets for the extension; to be changed, and then `set`."""
        values: dict[str, Any] = self.policy["3rdparty"]["extensions"][self.id]
        return values

    def set(self) -> None:
        """Lets the policy hold as it is now."""
        file = self.folder / "etc/policies/managed/threadtime.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(self.policy))
        new.rename(file)


@pytest.fixture
def deployed(tmp_path: Path, server: Server) -> Iterator[Practice]:
    folder = tmp_path / "practice"
    folder.mkdir()
    made = Practice(folder, server)
    with intranet(folder) as address:
        made.write(address)
        yield made


@pytest.fixture
def chromium(deployed: Practice, medplum: int, tmp_path: Path) -> Iterator[Chromium]:  # noqa: F811
    etc = deployed.folder / "etc"
    with (
        Desktop() as desktop,
        Chromium(desktop, tmp_path / "profile", extension=None, hosts={HOST: medplum}, managed=etc) as chromium,
    ):
        yield chromium


def page_text(chromium: Chromium, element: str) -> str:
    return chromium.driver.find_element(By.ID, element).text


def taken(extension: Extension) -> dict[str, Any]:
    """What the worker took over from the policy; the options are open in the driver's tab."""
    names, values = extension.dump()["indexedDB"]["threadtime"]["settings"]
    return dict(zip(names, values, strict=True)).get("policy", {}).get("value") or {}


def options(chromium: Chromium) -> Extension:
    """The options of the extension that the policy installed, once the worker knows the policy."""
    extension = Extension(chromium)
    extension.open()
    # A browser that has just started may say nothing yet; then the minute's work asks again.
    until(lambda: taken(extension), seconds=90, what="the policy at the worker")
    extension.open()
    assert chromium.driver.find_element(By.ID, "practice").is_displayed()
    return extension


def test_the_policy_installs_the_extension_locks_its_options_and_time_arrives_at_the_practices_server(
    deployed: Practice, chromium: Chromium
):
    own_file = json.loads((ROOT / "extension/portals/medplum.json").read_text()) | {"kind": "ours", "name": "Our inbox"}
    deployed.values["portals"][0] |= {"kind": "ours", "file": json.dumps(own_file)}
    deployed.set()
    extension = options(chromium)
    assert extension.origin == f"chrome-extension://{deployed.id}"
    driver = chromium.driver
    assert driver.execute_script(MANAGED) == deployed.values
    assert "cannot be changed" in page_text(chromium, "practice-words")
    assert f"http://{HOST} — Our inbox, key medplum." in page_text(chromium, "practice-portals")
    assert "✓ This browser allows access" in page_text(chromium, "practice-portals")
    server, idle_after = (driver.find_element(By.ID, name) for name in ("server", "idle-after"))
    assert server.get_attribute("value") == deployed.server.url
    for field in (server, idle_after):
        before = field.get_attribute("value")
        field.send_keys("9")
        assert field.get_attribute("value") == before
    assert not driver.find_element(By.ID, "add-portal").is_displayed()

    driver.find_element(By.ID, "token").send_keys(deployed.server.token)
    driver.find_element(By.ID, "save").click()
    until(lambda: page_text(chromium, "answer") == "✓ Saved.", what="the options saved")
    driver.switch_to.new_window("tab")
    at = Clinician(chromium)
    at.arrive("A")
    at.read(8)
    at.open("B")
    rows = until(deployed.server.stored, seconds=60, what="the interval at the practice's server")
    assert {row["thread"] for row in rows} == {THREADS["A"]}
    assert {row["idle_after_seconds"] for row in rows} == {60}


def test_a_wrong_value_is_said_in_words_and_a_corrected_policy_holds_at_once(deployed: Practice, chromium: Chromium):
    deployed.values["idle_after_seconds"] = 5
    deployed.values["portals"][0]["kind"] = "medplam"
    deployed.set()
    extension = options(chromium)

    until(lambda: len(taken(extension)["problems"]) == 2, what="both mistakes")
    extension.open()
    kind, seconds = (one.text for one in chromium.driver.find_elements(By.CSS_SELECTOR, "#practice-problems li"))
    assert "“medplam” is none of medplum" in kind
    assert seconds == "idle_after_seconds: It has to be a whole number from 15 to 300."
    Pages(chromium, ScriptedServer()).everybody_can_use_it("options-policy-wrong")
    chromium.driver.get(f"{extension.origin}/popup/popup.html")
    until(lambda: page_text(chromium, "words") == "Needs attention", what="the popup's word")
    assert "policy for this browser is wrong" in page_text(chromium, "detail")

    deployed.values["idle_after_seconds"] = 120
    deployed.values["portals"][0]["kind"] = "medplum"
    deployed.set()
    until(lambda: taken(extension)["problems"] == [], seconds=60, what="no mistake any more")
    extension.open()
    assert chromium.driver.find_element(By.ID, "idle-after").get_attribute("value") == "120"


def test_a_policy_without_lock_leaves_open_what_it_does_not_name(deployed: Practice, chromium: Chromium):
    values = deployed.values
    del values["idle_after_seconds"], values["lock"]
    deployed.set()
    extension = options(chromium)
    driver = chromium.driver
    until(lambda: not taken(extension)["lock"], seconds=60, what="the lock gone")
    extension.open()
    assert driver.find_element(By.ID, "add-portal").is_displayed()
    assert driver.find_element(By.ID, "server").get_attribute("readonly")
    field = driver.find_element(By.ID, "idle-after")
    field.clear()
    field.send_keys("45")
    driver.find_element(By.ID, "save").click()
    until(lambda: page_text(chromium, "answer") == "✓ Saved.", what="the options saved")
    extension.open()
    assert driver.find_element(By.ID, "idle-after").get_attribute("value") == "45"
    assert driver.find_element(By.ID, "server").get_attribute("value") == deployed.server.url
