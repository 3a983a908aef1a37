"""The extension in a running browser: its options page, its worker, and all that it stores."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

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

    def dump(self) -> dict[str, Any]:
        """Everything the extension stores: {"local": ..., "session": ..., "sync": ..., "indexedDB": {...}}."""
        text = self.driver.execute_async_script(DUMP)
        assert text.startswith("{"), text
        return dict(json.loads(text))
