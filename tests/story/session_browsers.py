"""Sessions held in real browsers: each with the extension, paired, and both portals set up in it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from tests.browser import Chromium, Desktop, until
from tests.firefox import Firefox
from tests.portals.shells import StaticPortal, build_medplum, serving
from tests.server import Server
from tests.story.clinician import HOST
from tests.story.deployment import package
from tests.story.extension import Extension
from tests.story.sessions import SCREEN, Browser, Script, Session, judged

MAIL_HOST = "mail.localhost"
ROUNDCUBE = Path(__file__).parents[1] / "portals/roundcube"
AT_ONCE = 3
PATTERNS = (f"http://{HOST}/*", f"http://{MAIL_HOST}/*", "http://127.0.0.1/*")
CHOOSE = """
const [id, value] = arguments;
const choice = document.getElementById(id);
choice.value = value;
choice.dispatchEvent(new Event("change", { bubbles: true }));
"""


class InChromium:
    """Chromium, driven as a session drives a browser."""

    def __init__(self, chromium: Chromium) -> None:
        self.chromium, self.driver = chromium, chromium.driver

    @property
    def handle(self) -> str:
        return str(self.driver.current_window_handle)

    def go(self, url: str) -> None:
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def open_window(self) -> None:
        self.driver.switch_to.new_window("window")

    def drive(self, handle: str) -> None:
        self.driver.switch_to.window(handle)

    def type(self, selector: str, text: str) -> None:
        field = self.driver.find_element(By.CSS_SELECTOR, selector)
        field.clear()
        field.send_keys(text)

    def click(self, selector: str) -> None:
        self.driver.find_element(By.CSS_SELECTOR, selector).click()


def set_up(browser: Browser, options: str, server: Server, addresses: tuple[str, str], idle_after: int) -> None:
    """Pairs the extension by a token and names both portals, in its options page."""
    browser.go(options)
    until(lambda: browser.run("return document.documentElement.dataset.shown ?? null"), what="the options")
    browser.type("#server", server.url)
    browser.type("#token", server.token)
    browser.type("#portal-1-address", addresses[0])
    browser.click("#add-portal")
    browser.run(CHOOSE, "portal-2-kind", "roundcube")
    browser.type("#portal-2-address", addresses[1])
    browser.run(CHOOSE, "idle-after", str(idle_after))
    browser.click("#save")
    outcome = "return document.getElementById('answer').dataset.outcome"
    until(lambda: browser.run(outcome) == "done", what="the settings saved")


@contextmanager
def in_chromium(server: Server, ports: tuple[int, int], folder: Path, idle_after: int) -> Iterator[Script]:
    hosts = dict(zip((HOST, MAIL_HOST), ports, strict=True))
    addresses = (f"http://{HOST}", f"http://{MAIL_HOST}")
    with (
        Desktop(SCREEN) as desktop,
        Chromium(desktop, folder / "profile", extension=package(folder, *PATTERNS), hosts=hosts) as chromium,
    ):
        browser = InChromium(chromium)
        set_up(browser, f"{Extension(chromium).origin}/options/options.html", server, addresses, idle_after)
        yield Script(desktop, browser, addresses, idle_after)


@contextmanager
def in_firefox(server: Server, ports: tuple[int, int], folder: Path, idle_after: int) -> Iterator[Script]:
    addresses = (f"http://{HOST}:{ports[0]}", f"http://{MAIL_HOST}:{ports[1]}")
    with Desktop(SCREEN) as desktop, Firefox(desktop, folder) as firefox:
        firefox.run_in_browser("Services.prefs.setBoolPref('extensions.webextOptionalPermissionPrompts', false)")
        firefox.ask("Addon:Install", path=str(package(folder, *PATTERNS)), temporary=True)
        set_up(firefox, firefox.options(), server, addresses, idle_after)
        yield Script(desktop, firefox, addresses, idle_after)


BROWSERS = {"Chromium": in_chromium, "Firefox": in_firefox}


@dataclass
class Plan:
    """A session to be held: in which browser, of which seed, for how many seconds, with which idle limit."""

    browser: str
    seed: int
    seconds: int
    idle_after: int


SHORT_SESSIONS = [Plan("Chromium", seed, 60, 15) for seed in (1, 2, 5)]
LONG_SESSIONS = [
    *(Plan("Chromium", seed, 180, (15, 30, 60)[seed % 3]) for seed in range(10)),
    *(Plan("Firefox", seed, 180, 15) for seed in (0, 1)),
]


def held(plan: Plan, ports: tuple[int, int], folder: Path) -> Session:
    """Holds one session at a server of its own, and compares what is in the database with the truth."""
    folder.mkdir()
    server = Server(folder)
    server.set_up()
    server.command("portal", "add", "--key", "roundcube", "--kind", "roundcube", "--origin", f"http://{MAIL_HOST}")
    server.start()
    try:
        with BROWSERS[plan.browser](server, ports, folder, plan.idle_after) as script:
            script.work(plan.seed, plan.seconds, lambda chance: die(chance, server, script.browser))
            return judged(plan.browser, plan.seed, script, server)
    finally:
        server.stop()


def die(chance: random.Random, server: Server, browser: Browser) -> None:
    """The server or the extension's worker is killed, and nobody at the screen sees it."""
    if isinstance(browser, InChromium) and browser.chromium.workers() and chance.random() < 0.6:
        browser.chromium.kill_worker()
    else:
        server.kill()
        server.start()


def hold(plans: Sequence[Plan], folder: Path) -> list[Session]:
    """Holds all sessions, some of them at once: each has its own screen, browser and server."""
    with serving(build_medplum(folder / "medplum")) as medplum, serving(ROUNDCUBE, StaticPortal) as roundcube:
        ports = (medplum, roundcube)
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(lambda plan: held(plan, ports, folder / f"{plan.browser}-{plan.seed}"), plans))
