"""Pairing by code from end to end: a real browser, a real server, and the people who say yes and revoke."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.browser import Chromium, Desktop, until
from tests.person import Person
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.server import CLINICIAN, PASSWORD, Server
from tests.story.clinician import HOST, THREADS, Clinician
from tests.story.extension import Extension

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parents[1] / "node_modules/axe-core/axe.min.js").read_text("utf-8")
MOSS = "moss@practice.example"
BADGE = """
const done = arguments[0];
Promise.all([chrome.action.getBadgeText({}), chrome.action.getTitle({})]).then(done);
"""


class Shared:
    """A browser that several clinicians share; its options lie in a tab behind the portal's."""

    def __init__(self, server: Server, chromium: Chromium) -> None:
        self.server, self.chromium, self.driver = server, chromium, chromium.driver
        self.extension = Extension(chromium)
        self.behind = self.driver.current_window_handle
        self.at = Clinician(chromium)

    def set_up(self) -> None:
        """Everything but a pairing is entered and saved."""
        self.extension.open()
        fields = {"server": self.server.url, "portal-1-address": f"http://{HOST}", "idle-after": "15"}
        for name, text in fields.items():
            field = self.field(name)
            field.clear()
            field.send_keys(text)
        self.field("save").click()
        self.says("Saved")

    def field(self, name: str) -> Any:
        return self.driver.find_element(By.ID, name)

    def says(self, words: str) -> None:
        until(lambda: words in self.field("answer").text, what=f"{words!r}: {self.field('answer').text!r}")

    def ask(self) -> str:
        """Begins a pairing; the code as the options show it."""
        self.field("pair").click()
        until(lambda: self.field("code").is_displayed() and self.field("code").text, what="a code")
        return str(self.field("code").text)

    def pair(self, person: Person, name: str) -> None:
        person.answer(self.ask(), "yes")
        self.says(f"Paired: {name} · Riverside")

    def unseen(self, script: str, *arguments: object) -> Any:
        """Runs a script in the options; the browser brings their tab to the front for it."""
        front = self.driver.current_window_handle
        self.driver.switch_to.window(self.behind)
        try:
            return self.driver.execute_async_script(script, *arguments)
        finally:
            self.driver.switch_to.window(front)

    def switch_later(self, *turns: tuple[float, str]) -> None:
        """Whose turn begins in how many seconds: the options switch behind the portal, whose tab keeps the focus."""
        self.driver.execute_async_script(
            """
            const [turns, done] = arguments;
            (async () => {
              const { settings } = await import(chrome.runtime.getURL("worker/settings.js"));
              const { pairings } = await settings();
              for (const [seconds, name] of turns) {
                const { id } = pairings.find((one) => one.clinician.name === name);
                setTimeout(() => chrome.runtime.sendMessage({ type: "switch_pairing", id }), seconds * 1000);
              }
            })().then(done);
            """,
            turns,
        )

    def turns(self) -> list[int]:
        """When each turn but the first began, by the device's clock."""
        script = "import(chrome.runtime.getURL('worker/settings.js')).then(({ settings }) => settings())"
        found = self.driver.execute_async_script(
            f"const done = arguments[0]; {script}.then(({{turns}}) => done(turns))"
        )
        return [int(turn["at"]) for turn in found[1:]]

    def barriers(self) -> list[str]:
        """What axe finds wrong on the page of the extension that is shown."""
        self.driver.execute_script(AXE)
        found = self.driver.execute_async_script("axe.run().then(arguments[0])")
        return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found["violations"]]

    def leave(self) -> None:
        """Closes the portal's tab."""
        self.driver.close()
        self.driver.switch_to.window(self.behind)

    def badge(self) -> list[str]:
        """The badge's mark, and its words."""
        return list(self.unseen(BADGE))

    def rows_of(self, name: str) -> list[dict[str, Any]]:
        """What the server has of a person, in order."""
        return self.server.query(
            "SELECT interval.* FROM interval JOIN user USING (practice_id, user_id)"
            f" WHERE user.name = '{name}' ORDER BY started_at"
        )


@pytest.fixture
def shared(server: Server, medplum: int, extension_folder: Path, tmp_path: Path) -> Iterator[Shared]:  # noqa: F811
    server.command("user", "add", "--email", MOSS, "--name", "Moss Hale", "--role", "clinician", "--credential", "NP")
    with (
        Desktop() as desktop,
        Chromium(desktop, tmp_path / "profile", extension=extension_folder, hosts={HOST: medplum}) as chromium,
    ):
        made = Shared(server, chromium)
        made.set_up()
        yield made


def test_a_code_confirmed_on_the_page_pairs_also_when_the_worker_died_and_time_arrives(shared: Shared):
    code = shared.ask()
    shared.chromium.kill_worker()
    driver = shared.driver
    driver.switch_to.new_window("tab")
    page = driver.current_window_handle
    shared.unseen("document.getElementById('verification').click(); arguments[0]()")
    until(lambda: len(driver.window_handles) == 3, what="the page that the link opens")
    [opened] = set(driver.window_handles) - {page, shared.behind}
    driver.switch_to.window(opened)
    until(lambda: "/sign-in?after=" in driver.current_url, what="the sign-in, which leads back")
    for name, text in (("email", CLINICIAN), ("password", PASSWORD)):
        shared.field(name).send_keys(text)
    driver.find_element(By.CSS_SELECTOR, "main button").click()
    until(lambda: driver.find_elements(By.ID, "code"), what="the page for the code")
    shared.field("code").send_keys(code.lower(), "\n")
    until(lambda: "Is this your browser?" in driver.page_source, what="what is to be said yes to")
    shown = driver.find_element(By.TAG_NAME, "main").text
    assert "Chromium on Linux" in shown and "ago" in shown
    driver.find_element(By.CSS_SELECTOR, "button[value=yes]").click()
    until(lambda: "You said yes" in driver.page_source, what="the yes")
    driver.close()
    driver.switch_to.window(shared.behind)
    shared.says("Paired: Robin Doe · Riverside")
    driver.switch_to.window(page)
    shared.at.arrive("A")
    shared.at.read(8)
    shared.leave()
    until(lambda: shared.rows_of("Robin Doe"), seconds=60, what="the time at the server")
    assert {row["thread"] for row in shared.rows_of("Robin Doe")} == {THREADS["A"]}
    token = shared.unseen(
        "const done = arguments[0]; import(chrome.runtime.getURL('worker/settings.js'))"
        ".then(({ settings }) => settings()).then(({ pairing }) => done(pairing.token))"
    )
    stored = shared.unseen(
        "const done = arguments[0]; Promise.all([chrome.storage.local.get(null), chrome.storage.session.get(null)])"
        ".then((all) => done(JSON.stringify(all)))"
    )
    assert token.startswith("tt_1_")
    assert token not in stored


def test_a_worker_that_died_goes_on_asking_without_any_page(shared: Shared):
    code = shared.ask()
    shared.driver.get("about:blank")
    shared.chromium.kill_worker()
    Person(shared.server, CLINICIAN).answer(code, "yes")
    paired = "SELECT * FROM device WHERE browser = 'Chromium on Linux'"
    until(lambda: shared.server.query(paired), seconds=90, what="the token taken")


def test_a_no_is_said_and_pairs_nobody(shared: Shared):
    Person(shared.server, CLINICIAN).answer(shared.ask(), "no")
    shared.says("The answer was no.")
    assert not shared.field("code").is_displayed()
    assert not shared.field("pairings").is_displayed()


def test_two_clinicians_switch_in_the_middle_of_a_thread_and_nothing_is_mixed(shared: Shared):
    shared.pair(Person(shared.server, CLINICIAN), "Robin Doe")
    assert shared.driver.find_element(By.ID, "pairings").text.count("measuring for them now") == 1
    moss = Person(shared.server, MOSS)
    code = shared.ask()
    assert shared.barriers() == []
    moss.answer(code, "yes")
    shared.says("Paired: Moss Hale · Riverside")
    assert shared.barriers() == []
    shared.switch_later((12, "Robin Doe"), (24, "Moss Hale"))
    shared.driver.switch_to.new_window("tab")
    shared.at.arrive("A")
    shared.at.read(34)
    shared.leave()
    [_, first, second] = shared.turns()
    shared.driver.get(f"{shared.extension.origin}/popup/popup.html")
    until(lambda: shared.field("turn").is_displayed(), what="the popup's choice")
    assert shared.barriers() == []
    until(lambda: len(shared.rows_of("Moss Hale")) >= 2 and shared.rows_of("Robin Doe"), seconds=90, what="all rows")
    robin, moss = shared.rows_of("Robin Doe"), shared.rows_of("Moss Hale")
    assert [row for row in robin if not first <= row["started_at"] < row["ended_at"] <= second] == []
    assert [row for row in moss if row["ended_at"] > first and row["started_at"] < second] == []
    for rows, of, least in ((robin, "Robin Doe", 9_000), (moss, "Moss Hale", 12_000)):
        assert sum(row["ended_at"] - row["started_at"] for row in rows) >= least, of
    choice = Select(shared.field("turn"))
    assert choice.first_selected_option.text == "Moss Hale · Riverside"
    choice.select_by_visible_text("Robin Doe · Riverside")
    until(lambda: len(shared.turns()) == 4, what="Robin Doe's turn")
    assert robin[-1]["ended_by"] == "sign_out"
    assert moss[0]["ended_by"] == "sign_out"


def test_a_revoked_device_says_so_within_a_minute_of_activity_and_keeps_what_waits(shared: Shared):
    doctor = Person(shared.server, CLINICIAN)
    shared.pair(doctor, "Robin Doe")
    shared.driver.switch_to.new_window("tab")
    at = shared.at
    at.arrive("A")
    at.read(7)
    device = shared.server.query("SELECT device_id FROM device WHERE browser = 'Chromium on Linux'")[0]["device_id"]
    doctor.post(f"/devices/{device}", f"/devices/{device}")

    def refused() -> bool:
        at.move()  # she works on: no interval ends, only its device asks
        return 401 in [line.get("status") for line in shared.server.log_lines()]

    until(refused, seconds=60, what="the device told")
    until(lambda: shared.badge()[0] == "!", what="the badge's mark")
    assert "This device was revoked" in shared.badge()[1]
    shared.leave()
    popup = f"{shared.extension.origin}/popup/popup.html"
    shared.driver.get(popup)
    until(lambda: "This device was revoked" in shared.field("detail").text, what="the popup's word")
    until(lambda: "safely" in shared.field("outbox").text, what="the rows that are kept")
    assert shared.rows_of("Robin Doe") == []
    shared.extension.open()
    shared.pair(doctor, "Robin Doe")
    until(lambda: shared.rows_of("Robin Doe"), seconds=30, what="what waited, under the same clinician")
