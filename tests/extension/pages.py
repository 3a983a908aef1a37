"""The extension's own pages in a real Chromium: opens them, reads them, and sees that everybody can use them.

THREADTIME_SHOTS=DIR keeps a picture of every state.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from tests.browser import Chromium, until
from tests.extension.scripted_server import ScriptedServer
from tests.server import now, row

AXE = (Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js").read_text("utf-8")
TOKEN = "tt_1_" + "a" * 43
SHOTS = os.environ.get("THREADTIME_SHOTS")

# Puts rows into the outbox as the worker does, without a portal.
KEEP = """
const [rows, done] = arguments;
(async () => {
  const { add } = await import(chrome.runtime.getURL("worker/outbox.js"));
  const { settings } = await import(chrome.runtime.getURL("worker/settings.js"));
  await add(rows, (await settings()).pairing?.id ?? "", Date.now());
})().then(() => done(null), (error) => done(String(error)));
"""

# A portal's tab with a thread in it, as the worker remembers it.
BEHIND = """
const [status, done] = arguments;
const page = { thread: "T", patient: "123", portal: "medplum", document: "d" };
chrome.storage.session.set({ "status:7": { status, since: Date.now(), ...page } }).then(() => done(null));
"""


class Pages:
    """Opens the extension's pages and reads them."""

    def __init__(self, chromium: Chromium, server: ScriptedServer) -> None:
        self.chromium = chromium
        self.driver = chromium.driver
        self.server = server
        worker = until(lambda: chromium.targets("service_worker"), what="the extension's service worker")[0]
        self.origin = "/".join(worker["url"].split("/")[:3])

    def show(self, page: str) -> None:
        self.driver.get(f"{self.origin}/{page}")
        until(lambda: self.driver.execute_script("return document.documentElement.dataset.shown"), what=page)

    def options(self) -> None:
        self.show("options/options.html")

    def popup(self) -> None:
        self.show("popup/popup.html")

    def text(self, element: str) -> str:
        return self.driver.find_element(By.ID, element).text

    def enter(self, **fields: str) -> None:
        for name, value in fields.items():
            field = self.driver.find_element(By.ID, name.replace("_", "-"))
            field.clear()
            field.send_keys(value)

    def click(self, element: str) -> None:
        self.driver.find_element(By.ID, element).click()

    def outcome(self) -> tuple[str, str]:
        """What the options answered: ("done" or "wrong", the words)."""
        answer = self.driver.find_element(By.ID, "answer")
        until(lambda: answer.get_attribute("data-outcome"), what="an answer of the options")
        return str(answer.get_attribute("data-outcome")), answer.text

    def pair(self) -> None:
        self.options()
        self.enter(server=f"http://127.0.0.1:{self.server.port}", token=TOKEN)
        self.enter(portal_1_address="http://portal.localhost", portal_1_key="medplum")
        self.click("save")
        assert self.outcome() == ("done", "✓ Saved.")

    def keep(self, count: int) -> None:
        """Rows wait, as if they had been measured."""
        rows = [
            row(thread="T", started_at=now() - 2000 - n, ended_at=now() - n, id=f"019d62e5-7c60-7aaa-8c1d-{n:012}")
            for n in range(count)
        ]
        assert self.driver.execute_async_script(KEEP, rows) is None

    def popup_over_thread(self, status: str = "counting") -> None:
        """The popup over thread T of patient 123."""
        assert self.driver.execute_async_script(BEHIND, status) is None
        self.show("popup/popup.html?tab=7")

    def says(self, element: str, words: str) -> None:
        until(lambda: words in self.text(element), what=f"{words!r} in #{element}: {self.text(element)!r}")

    def everybody_can_use_it(self, name: str) -> None:
        """No violation in either theme, and nothing is cut off at 320 px."""
        try:
            for theme in ("light", "dark"):
                features = [{"name": "prefers-color-scheme", "value": theme}]
                self.chromium.protocol("Emulation.setEmulatedMedia", features=features)
                self.driver.execute_script(AXE)
                found: dict[str, Any] = self.driver.execute_async_script("axe.run().then(arguments[0])")
                assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == [], theme
                self.chromium.protocol(
                    "Emulation.setDeviceMetricsOverride", width=320, height=1400, deviceScaleFactor=1, mobile=True
                )
                assert self.driver.execute_script("return document.documentElement.scrollWidth") <= 320
                if SHOTS:
                    self.driver.save_screenshot(f"{SHOTS}/{name}-{theme}.png")
        finally:
            self.chromium.protocol("Emulation.clearDeviceMetricsOverride")
            self.chromium.protocol("Emulation.setEmulatedMedia", features=[])
