"""A headless Chromium for pages, which remembers every request it made and everything its console said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
RUN_AXE = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(
  (found) => done(found.violations.map((each) => [each.id, each.nodes.map((node) => node.html)])),
  (error) => done([["axe itself", String(error)]]),
);
"""
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.*",
)


class Page:
    """What a person has in front of them, and what the browser knows about it."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver, self.url = driver, url

    def open(self, address: str) -> None:
        self.driver.get(self.url + address)

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()

    def send(self, selector: str) -> None:
        """Presses a form's button and returns when the next page is there."""
        before = self.driver.find_element(By.TAG_NAME, "html")
        self.click(selector)
        self.gone(before)

    def gone(self, before: WebElement) -> None:
        """Returns when the page that held `before` has given way to the next."""
        # Asked in the middle of a navigation, the driver may fail in other ways than to say that the element is stale.
        wait = WebDriverWait(self.driver, 20, ignored_exceptions=[WebDriverException])
        wait.until(staleness_of(before))
        wait.until(lambda driver: driver.execute_script("return document.readyState") == "complete")

    def until_at(self, url: str) -> None:
        """Returns when a page of this server is there, whichever way the browser got to it."""
        wait = WebDriverWait(self.driver, 20, ignored_exceptions=[WebDriverException])
        wait.until(lambda driver: driver.current_url.startswith(url))
        wait.until(lambda driver: driver.execute_script("return document.readyState") == "complete")

    def type(self, selector: str, text: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def text(self, selector: str) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def texts(self, selector: str) -> list[str]:
        return [each.text for each in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def come_back(self, cookies: list[dict[str, Any]], address: str) -> None:
        """Opens a page as somebody whose session these cookies are, with an empty record of complaints and requests."""
        self.look(width=1240, dark=False)
        self.open("/sign-in")
        self.driver.delete_all_cookies()
        for cookie in cookies:
            self.driver.add_cookie(cookie)
        self.open(address)
        self.complaints(), self.requests()

    def sign_in(self, email: str, password: str) -> None:
        self.open("/sign-in")
        self.type("#email", email)
        self.type("#password", password)
        self.send("form:has(#password) button")

    def look(self, *, width: int, dark: bool) -> None:
        """Sets the width of the window and the colours that the reader asks for."""
        self._protocol("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._protocol("Emulation.setEmulatedMedia", features=[scheme])

    def complaints(self) -> list[str]:
        """What the console said since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The address of every request since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]

    def barriers(self) -> list[Any]:
        """What axe-core finds wrong on the page."""
        self.driver.execute_script(AXE.read_text(encoding="utf-8"))
        found: list[Any] = self.driver.execute_async_script(RUN_AXE)
        return found

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wider: int = self.driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
        return max(0, wider)

    def _protocol(self, method: str, **parameters: Any) -> None:
        self.driver.execute_cdp_cmd(method, parameters)


@contextmanager
def chromium(url: str, profile: Path) -> Iterator[Page]:
    """A browser whose network is loopback alone; `url` is the server's address."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        driver.set_page_load_timeout(60)
        yield Page(driver, url)
    finally:
        driver.quit()
