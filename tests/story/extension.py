"""The extension in a running browser: its options page, its worker, and all that it stores."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from tests.browser import Chromium, until

ROOT = Path(__file__).parents[2]

DUMP = """
const done = arguments[arguments.length - 1];
const asked = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
(async () => {
  const found = { indexedDB: {} };
  for (const area of ["local", "session", "sync"]) found[area] = await chrome.storage[area].get(null);
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    found.indexedDB[name] = {};
    for (const store of database.objectStoreNames) {
      const reading = database.transaction(store).objectStore(store);
      found.indexedDB[name][store] = [await asked(reading.getAllKeys()), await asked(reading.getAll())];
    }
    database.close();
  }
  return JSON.stringify(found);
})().then(done, (error) => done("failed: " + error));
"""


def assemble(folder: Path, *patterns: str) -> Path:
    """Assembles the extension into `folder` with these host patterns granted, as no prompt can be answered here."""
    grants = [word for pattern in patterns for word in ("--grant", pattern)]
    command = [sys.executable, "extension/assemble.py", *grants, "--out", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    return folder


class Extension:
    """Drives the extension's own page in a tab of its own, which stays behind the portal's."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium = chromium
        self.driver = chromium.driver
        worker = until(lambda: chromium.targets("service_worker"), what="the extension's service worker")[0]
        self.origin = "/".join(worker["url"].split("/")[:3])

    def open(self) -> None:
        """Shows the options page in the driver's tab."""
        self.driver.get(f"{self.origin}/options/options.html")
        until(lambda: self.driver.find_elements(By.CSS_SELECTOR, "[data-shown=true]"), what="the options page")

    def pair(self, *, server: str, token: str, portal: str, address: str, idle_after: int) -> None:
        """Enters what a clinician is told to enter, and saves it."""
        self.open()
        typed = {
            "server": server,
            "token": token,
            "portal-1-address": address,
            "portal-1-key": portal,
            "idle-after": str(idle_after),
        }
        for name, text in typed.items():
            entry = self.driver.find_element(By.ID, name)
            entry.clear()
            entry.send_keys(text)
        self.driver.find_element(By.ID, "save").click()
        answer = self.driver.find_element(By.ID, "answer")
        until(lambda: answer.get_attribute("data-outcome"), what="the options page's answer")
        assert answer.get_attribute("data-outcome") == "done", answer.text

    def waiting(self) -> int:
        """How many rows have not reached the server: in the outbox, waiting or set aside, or on the way there."""
        stored = self.dump()
        kept = stored["indexedDB"]["threadtime"]["outbox"][0]
        handed_over = [key for key in stored["local"] if key.startswith("closed:")]
        open_still = [
            row for key, value in stored["local"].items() if key.startswith("checkpoint:") for row in value["rows"]
        ]
        return len(kept) + len(handed_over) + len(open_still)

    def dump(self) -> dict[str, Any]:
        """Everything the extension stores: {"local": ..., "session": ..., "sync": ..., "indexedDB": {...}}."""
        text = self.driver.execute_async_script(DUMP)
        assert text.startswith("{"), text
        return dict(json.loads(text))
