"""A browser whose extension has what a state needs before it: a scripted server, a portal, an empty memory."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from tests.browser import Chromium, Desktop, until
from tests.extension.own import PATH, told
from tests.extension.pages import TOKEN, Pages
from tests.extension.scripted_server import accept, scripted_server
from tests.pictures.png import small
from tests.portals.shells import StaticPortal, serving
from tests.story.extension import ROOT, assemble

SERVER = "http://threadtime.localhost"
PORTAL = "http://portal.localhost"
WHOLE = 4000
CODE = {
    "device_code": "d",
    "user_code": "BDWK-MRTX",
    "verification_uri": f"{SERVER}/pair",
    "expires_in": 600,
    "interval": 1,
}

FORGET = """
const [done] = arguments;
(async () => {
  const { transact } = await import(chrome.runtime.getURL("worker/database.js"));
  for (const store of ["outbox", "recent", "documents", "settings", "episodes", "answers"]) {
    await transact([store], "readwrite", (t) => t.objectStore(store).clear());
  }
  await chrome.storage.local.clear();
  await chrome.storage.session.clear();
  await chrome.runtime.sendMessage({ type: "settings_changed" });
})().then(() => done(null), (error) => done(String(error)));
"""

# What the worker makes of a policy; a policy itself belongs to the machine.
POLICY = """
const [values, done] = arguments;
(async () => {
  const { read_policy } = await import(chrome.runtime.getURL("worker/managed.js"));
  const { packaged } = await import(chrome.runtime.getURL("worker/backend.js"));
  const { write_setting } = await import(chrome.runtime.getURL("worker/database.js"));
  await write_setting("policy", read_policy(values, await packaged("portals/schema/portal.schema.json")));
})().then(() => done(null), (error) => done(String(error)));
"""


class Stage(Pages):
    """The extension's pages, with what a person would do there to bring a state about."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """The options as after the installation; the tabs that are opened meanwhile are closed again."""
        self._forget()
        here, before = self.driver.current_window_handle, set(self.driver.window_handles)
        yield
        for other in set(self.driver.window_handles) - before:
            self.driver.switch_to.window(other)
            self.driver.close()
        self.driver.switch_to.window(here)

    def _forget(self) -> None:
        self.server.answer = accept
        self.server.others.clear()
        self.options()
        assert self.driver.execute_async_script(FORGET) is None
        self.options()

    def policy(self, **values: Any) -> None:
        """A practice has set these."""
        assert self.driver.execute_async_script(POLICY, values) is None
        self.options()

    def choose(self, kind: str) -> None:
        """The kind of the first portal of the list."""
        Select(self.driver.find_element(By.ID, "portal-1-kind")).select_by_value(kind)

    def save(self, **fields: str) -> None:
        """Fills in the form and saves it."""
        self.enter(**{"server": SERVER, "portal_1_address": PORTAL, "device_name": "Chromium, room 4", **fields})
        self.click("save")
        assert self.outcome()[0] == "done"

    def pair_by_code(self, number: int, name: str) -> None:
        """Somebody asks for a code, and says yes to it."""
        granted = {
            "access_token": f"tt_{number}_{'a' * 43}",
            "clinician": {"id": str(number), "name": name},
            "practice": "Riverside",
        }
        self.ask_for_code(200, granted)
        self.says("pairings", name)
        self.server.others.clear()

    def ask_for_code(self, number: int, answer: dict[str, Any]) -> None:
        """Asks for a code, and for its token, which the server answers so."""
        self.server.others["/api/v1/pairing"] = lambda body: (200, CODE)
        self.server.others["/api/v1/pairing/token"] = lambda body: (number, answer)
        self.enter(server=SERVER, device_name="Chromium, room 4")
        self.click("pair")

    def told(self, *episodes: dict[str, Any], status: str = "counting") -> None:
        """The popup of a paired browser over a thread, of which the server tells these episodes."""
        self.save(token=TOKEN)
        self.server.others[PATH] = lambda body: (200, told(*episodes))
        self.popup_over_thread(status)

    def file_of_their_own(self, **change: Any) -> None:
        """A portal file of the practice stands in the form."""
        file = json.loads((ROOT / "extension/portals/oscar.json").read_text())
        file |= {"kind": "riverside", "name": "Riverside messages", "seen": "running", "version": "4.2", **change}
        self.driver.execute_script(
            "document.getElementById('own-text').value = arguments[0]", json.dumps(file, indent=2)
        )
        self.enter(own_address=PORTAL, own_key="riverside")

    def with_portal_at(self, address: str) -> None:
        """The portal is open in another tab."""
        options = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        self.driver.get(f"{PORTAL}{address}")
        self.driver.switch_to.window(options)

    def press(self, words: str, outcome: str) -> None:
        """Presses a button by its words and waits until the page has answered."""
        self.driver.find_element(By.XPATH, f"//button[normalize-space()='{words}']").click()
        until(lambda: self.driver.find_elements(By.CSS_SELECTOR, outcome), what=f"{outcome} after {words}")

    def picture(self, part: str | None, *, width: int, height: int, dark: bool) -> bytes:
        """A small PNG of the elements that match `part`, or of what is in sight in a window of that size."""
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.chromium.protocol("Emulation.setEmulatedMedia", features=features)
        # High enough for the whole page, so that nothing is scrolled.
        size = {"width": width, "height": WHOLE if part else height, "deviceScaleFactor": 1, "mobile": False}
        self.chromium.protocol("Emulation.setDeviceMetricsOverride", **size)
        try:
            clip = self.driver.execute_script(CLIP, part) if part else None
            asked = {"format": "png"} | ({"clip": clip} if clip else {})
            png = base64.b64decode(self.chromium.protocol("Page.captureScreenshot", **asked)["data"])
        finally:
            self.chromium.protocol("Emulation.clearDeviceMetricsOverride")
            self.chromium.protocol("Emulation.setEmulatedMedia", features=[])
        return small(png, self.driver)


# Around the elements, with as much of the paper as fits.
CLIP = """
const boxes = [...document.querySelectorAll(arguments[0])]
  .map((one) => one.getBoundingClientRect()).filter(({ width }) => width > 0);
const left = Math.max(0, Math.min(...boxes.map((box) => box.left)) - 12);
const top = Math.max(0, Math.min(...boxes.map((box) => box.top)) + scrollY - 12);
const right = Math.min(innerWidth, Math.max(...boxes.map((box) => box.right)) + 12);
const bottom = Math.max(...boxes.map((box) => box.bottom)) + scrollY + 12;
return { x: left, y: top, width: right - left, height: bottom - top, scale: 1 };
"""


@contextmanager
def stage() -> Iterator[Stage]:
    """One browser for every state, one after the other."""
    with (
        tempfile.TemporaryDirectory() as folder,
        scripted_server() as server,
        serving(ROOT / "tests/portals/oscar", StaticPortal) as portal,
        Desktop() as desktop,
    ):
        extension = assemble(Path(folder) / "extension", f"{PORTAL}/*", f"{SERVER}/*", "http://127.0.0.1/*")
        hosts = {"portal.localhost": portal, "threadtime.localhost": server.port}
        with Chromium(desktop, Path(folder) / "profile", extension=extension, hosts=hosts) as chromium:
            yield Stage(chromium, server)
