"""The glue in a real Chromium, on Medplum's screens: what the browser does reaches the stopwatch as it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By

from tests.browser import Chromium, Desktop, until
from tests.extension.scripted_server import ScriptedServer, scripted_server
from tests.portals.conftest import medplum  # noqa: F401  (a fixture)
from tests.story.clinician import HOST, RECORDS, THREADS, Clinician
from tests.story.extension import Extension, assemble
from tests.story.truth import seconds_by_thread

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
TOKEN = "tt_1_" + "a" * 43
IDLE_AFTER = 15


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("glue"), f"http://{HOST}/*", "http://127.0.0.1/*")


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        yield server


def pair(chromium: Chromium, server: ScriptedServer) -> Extension:
    """Pairs the browser and leaves its options page; the driver ends in a new tab."""
    extension = Extension(chromium)
    address = f"http://127.0.0.1:{server.port}"
    extension.pair(server=address, token=TOKEN, portal="medplum", address=f"http://{HOST}", idle_after=IDLE_AFTER)
    chromium.driver.switch_to.new_window("tab")
    return extension


def total(server: ScriptedServer) -> dict[str, float]:
    """Seconds that came for each thread; every row once."""
    assert len({row["id"] for row in server.rows}) == len(server.rows)
    seconds: dict[str, float] = defaultdict(float)
    for row in server.rows:
        seconds[row["thread"]] += (row["ended_at"] - row["started_at"]) / 1000
    return seconds


def test_threads_of_one_page_are_told_apart_and_a_misclick_is_none(
    tmp_path: Path,
    folder: Path,
    server: ScriptedServer,
    medplum: int,  # noqa: F811
):
    hosts = {HOST: medplum}
    with Desktop() as desktop, Chromium(desktop, tmp_path / "profile", extension=folder, hosts=hosts) as chromium:
        pair(chromium, server)
        clinician = Clinician(chromium)
        clinician.arrive("A")
        clinician.read(8)
        clinician.open("B")
        clinician.read(2)
        clinician.open("C")
        clinician.read(7)
        with clinician.hidden():
            clinician.sit_still(3)
        clinician.reply()
        with clinician.blurred():
            clinician.sit_still(4)
        clinician.read(3)
        clinician.leave()
        expected = seconds_by_thread(clinician.log, idle_after=IDLE_AFTER)
        assert expected[THREADS["B"]] == 0
        until(lambda: any(row["ended_by"] in ("close", "hidden") for row in server.rows[-1:]), what="the last row")
        until(lambda: abs(total(server)[THREADS["C"]] - expected[THREADS["C"]]) < 2, what=f"{total(server)} {expected}")
        assert abs(total(server)[THREADS["A"]] - expected[THREADS["A"]]) < 2
        assert set(total(server)) == {THREADS["A"], THREADS["C"]}
        assert {row["activity"] for row in server.rows} == {"review_inquiry", "communicate_online"}


def test_a_messages_own_address_counts_for_its_thread_and_the_chart_of_its_patient_for_the_thread(
    tmp_path: Path,
    folder: Path,
    server: ScriptedServer,
    medplum: int,  # noqa: F811
):
    hosts = {HOST: medplum}
    message = RECORDS["threads"][0]["messages"][1]["id"]
    patient = RECORDS["threads"][0]["patient"]
    with Desktop() as desktop, Chromium(desktop, tmp_path / "profile", extension=folder, hosts=hosts) as chromium:
        pair(chromium, server)
        clinician = Clinician(chromium)
        driver = chromium.driver
        driver.get(f"http://{HOST}/Patient/{patient}/Communication/{message}")
        until(lambda: driver.find_elements(By.CSS_SELECTOR, "form input[name=message]"), what="the thread")
        clinician.read(7)
        driver.execute_script(
            f"history.pushState(null, '', '/Patient/{patient}'); dispatchEvent(new PopStateEvent('popstate'))"
        )
        clinician.read(4)
        driver.get("about:blank")
        until(
            lambda: "review_records" in {row["activity"] for row in server.rows},
            what=f"the chart row in {server.rows} at {driver.current_url}",
        )
        assert {row["thread"] for row in server.rows} == {THREADS["A"]}
        assert {row["patient"] for row in server.rows} == {patient}
        chart = [row for row in server.rows if row["activity"] == "review_records"]
        assert [row["linked_from"] for row in chart] == [THREADS["A"]]
        assert [row.get("entry", "measured") for row in chart] == ["measured"]


def test_a_browser_that_is_killed_costs_at_most_five_seconds_of_the_open_interval(
    tmp_path: Path,
    folder: Path,
    server: ScriptedServer,
    medplum: int,  # noqa: F811
):
    hosts = {HOST: medplum}
    profile = tmp_path / "profile"
    with Desktop() as desktop:
        with pytest.raises(WebDriverException), Chromium(desktop, profile, extension=folder, hosts=hosts) as chromium:
            pair(chromium, server)
            clinician = Clinician(chromium)
            clinician.arrive("A")
            clinician.read(13)
            assert server.rows == []
            for process in psutil.Process(chromium.service.process.pid).children(recursive=True):
                process.kill()
            chromium.driver.execute_script("return 1")
        with Chromium(desktop, profile, extension=folder, hosts=hosts) as chromium:
            until(lambda: server.rows, what="the recovered row")
            [row] = server.rows
            assert row["recovered"] is True
            assert row["ended_by"] == "crash"
            assert 6_000 <= row["ended_at"] - row["started_at"] <= 14_000
            assert Extension(chromium).origin


def test_reading_without_input_is_sent_only_when_the_clinician_says_so(
    tmp_path: Path,
    folder: Path,
    server: ScriptedServer,
    medplum: int,  # noqa: F811
):
    hosts = {HOST: medplum}
    with Desktop() as desktop, Chromium(desktop, tmp_path / "profile", extension=folder, hosts=hosts) as chromium:
        extension = pair(chromium, server)
        clinician = Clinician(chromium)
        clinician.arrive("A")
        clinician.read(7)
        clinician.sit_still(IDLE_AFTER + 5)
        clinician.read(6)
        driver = chromium.driver
        driver.switch_to.new_window("tab")
        extension.open()
        stored = "const done = arguments[0]; chrome.storage.session.get(null).then((all) => done(Object.keys(all)))"
        until(lambda: any(key.startswith("gap:") for key in driver.execute_async_script(stored)), what="the gap")
        until(lambda: len(server.rows) == 2, what="the rows before and after the gap")
        assert {row.get("entry", "measured") for row in server.rows} == {"measured"}
        tab = next(key.split(":")[1] for key in driver.execute_async_script(stored) if key.startswith("gap:"))
        driver.get(f"{extension.origin}/popup/popup.html?tab={tab}")
        until(lambda: driver.find_elements(By.CSS_SELECTOR, "#gaps button"), what="the question")[0].click()
        until(lambda: len(server.rows) == 3, what="the reading")
    before, reading, after = sorted(server.rows, key=lambda row: row["started_at"])
    assert (reading["entry"], reading["thread"]) == ("attested_reading", THREADS["A"])
    assert reading["started_at"] == before["ended_at"]
    assert abs(reading["ended_at"] - after["started_at"]) <= 50
    assert (reading["ended_at"] - reading["started_at"]) / 1000 > IDLE_AFTER


def test_a_movement_that_a_busy_page_hears_of_in_one_event_counts_and_a_window_raised_under_the_pointer_does_not(
    tmp_path: Path,
    folder: Path,
    medplum: int,  # noqa: F811
):
    hosts = {HOST: medplum}
    with Desktop() as desktop, Chromium(desktop, tmp_path / "profile", extension=folder, hosts=hosts) as chromium:
        driver = chromium.driver
        driver.get(f"http://{HOST}/")
        driver.execute_script("threadtime = {}; document.body.replaceChildren()")
        driver.execute_script((ROOT / "extension/content/inputs.js").read_text())
        driver.execute_script("""
            heard = noted = heard_at = 0;
            addEventListener("pointermove", () => { heard++; heard_at = performance.now(); });
            threadtime.inputs.watch(window, () => noted++);
        """)
        desktop.xdotool("mousemove", "400", "400")
        until(lambda: driver.execute_script("return heard") == 1, what="the event that nobody made")
        assert driver.execute_script("return noted") == 0
        until(lambda: driver.execute_script("return performance.now() - heard_at > 1000"), what="a second's rest")
        driver.execute_script("heard = 0")
        hand = (
            "sleep",
            "1",
            *(word for x in range(400, 460, 10) for word in ("mousemove", str(x), "400", "sleep", "0.05")),
        )
        with ThreadPoolExecutor(1) as beside:
            moves = beside.submit(desktop.xdotool, *hand)
            driver.execute_script("const end = performance.now() + 3000; while (performance.now() < end);")
            moves.result()
        until(lambda: driver.execute_script("return heard") > 0, what="the movement")
        assert driver.execute_script("return [heard, noted]") == [1, 1]
