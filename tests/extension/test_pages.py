"""The popup and the options, in a real Chromium: what they say, and that everybody can read and use them."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import until
from tests.extension.pages import TOKEN, Pages
from tests.extension.scripted_server import accept, reject, status

pytestmark = pytest.mark.browser

# A portal's tab with a thread in it, as the worker remembers it, and a gap of two and a half minutes in that tab.
BEHIND = """
const [done] = arguments;
(async () => {
  const { offer } = await import(chrome.runtime.getURL("worker/entered.js"));
  const now = Date.now();
  const page = { thread: "T", patient: "123" };
  const status = { status: "idle", since: now, document: "d", portal: "medplum", ...page };
  await chrome.storage.session.set({ "status:7": status });
  await offer({
    id: "019d62e5-7c60-7aaa-8c1d-000000000077", ...page, activity: "review_inquiry", linked_from: null,
    started_at: now - 150000, ended_at: now, idle_after_seconds: 60,
  }, { document: "d", tab: 7, portal: "medplum" });
})().then(() => done(null), (error) => done(String(error)));
"""


def test_before_it_is_paired_the_popup_says_so_and_what_to_do(pages: Pages):
    pages.popup()
    assert pages.text("words") == "Not paired"
    assert "options" in pages.text("detail")
    pages.keep(3)
    pages.says("outbox", "3 intervals wait safely")
    pages.everybody_can_use_it("popup-unpaired")


def test_a_paired_device_sends_what_waited_and_says_that_all_is_sent(pages: Pages):
    pages.popup()
    pages.keep(2)
    pages.pair()
    until(lambda: len(pages.server.rows) == 2, what="both rows at the server")
    pages.popup()
    pages.says("outbox", "All sent")
    assert pages.text("words") == "Idle"
    pages.everybody_can_use_it("popup-idle")


def test_pause_is_a_button_that_works_with_the_keyboard(pages: Pages):
    pages.pair()
    pages.popup()
    button = pages.driver.find_element(By.ID, "pause")
    button.send_keys(Keys.ENTER)
    pages.says("words", "Paused")
    pages.says("pause", "Go on")
    assert button.get_attribute("aria-pressed") == "true"
    pages.everybody_can_use_it("popup-paused")
    button.send_keys(Keys.ENTER)
    pages.says("words", "Idle")


def test_what_the_clinician_says_of_a_gap_and_enters_by_hand_is_sent_as_said(pages: Pages):
    pages.pair()
    pages.popup()
    pages.driver.execute_async_script(BEHIND)
    pages.show("popup/popup.html?tab=7")
    assert "2:30" in pages.text("gaps")
    pages.driver.find_element(By.CSS_SELECTOR, "#by-hand summary").click()
    pages.everybody_can_use_it("popup-entries")
    pages.driver.find_element(By.CSS_SELECTOR, "#gaps button").click()
    pages.says("said", "2:30 of reading noted")
    assert not pages.driver.find_element(By.ID, "reading-section").is_displayed()
    pages.driver.find_element(By.CSS_SELECTOR, "#hand-form button").click()
    pages.says("hand-answer", "Minutes are a whole number")
    pages.enter(hand_minutes="7", hand_reason="Called back about the inhaler")
    pages.driver.find_element(By.CSS_SELECTOR, "#hand-form button").click()
    pages.says("hand-answer", "7 min noted")
    until(lambda: len(pages.server.rows) == 2, what="both rows at the server")
    reading, manual = sorted(pages.server.rows, key=lambda row: row["entry"])
    assert (reading["entry"], reading["ended_at"] - reading["started_at"]) == ("attested_reading", 150_000)
    assert (manual["entry"], manual["ended_by"], manual["activity"]) == ("manual", "manual", "communicate_phone")
    assert (manual["thread"], manual["reason"]) == ("T", "Called back about the inhaler")
    assert manual["ended_at"] - manual["started_at"] == 7 * 60_000


def test_a_refused_row_is_shown_with_its_reason_and_can_be_sent_again(pages: Pages):
    pages.server.answer = reject
    pages.popup()
    pages.keep(1)
    pages.pair()
    pages.popup()
    pages.says("parked", "the portal is unknown")
    assert pages.text("words") == "Needs attention"
    pages.everybody_can_use_it("popup-parked")
    pages.server.answer = accept
    pages.driver.find_element(By.CSS_SELECTOR, "#parked button").click()
    pages.says("outbox", "All sent")
    until(lambda: pages.text("words") == "Idle", what="the state without the refused row")


def test_a_server_that_is_away_is_offline_and_the_rows_wait(pages: Pages):
    pages.pair()
    pages.server.answer = status(503, "the queue is full")
    pages.popup()
    pages.keep(4)
    pages.driver.execute_script("chrome.runtime.sendMessage({ type: 'try_again' })")
    pages.says("words", "Offline")
    assert "the queue is full" in pages.text("detail")
    assert "4 intervals wait safely" in pages.text("outbox")
    pages.everybody_can_use_it("popup-offline")
    pages.server.answer = accept
    pages.click("try-again")
    pages.says("outbox", "All sent")


def test_a_revoked_token_is_said_and_loses_nothing(pages: Pages):
    pages.pair()
    pages.server.answer = status(401, "the device was revoked")
    pages.popup()
    pages.keep(1)
    pages.driver.execute_script("chrome.runtime.sendMessage({ type: 'try_again' })")
    pages.says("words", "Needs attention")
    assert "revoked" in pages.text("detail")
    assert "1 interval waits safely" in pages.text("outbox")


def test_the_options_say_in_words_what_is_wrong_and_lead_to_the_field(pages: Pages):
    pages.options()
    for fields, words, focus in [
        ({"server": "http://server.example"}, "this machine alone", "server"),
        ({"server": "https://server.example", "token": "tt_1_short"}, "Copy it again", "token"),
        ({"token": TOKEN, "portal_1_address": "nowhere at all"}, "is not an address", "portal-1-address"),
        (
            {"portal_1_address": "https://portal.example", "portal_1_key": "My Portal"},
            "not a portal key",
            "portal-1-key",
        ),
        ({"portal_1_key": "medplum", "idle_after": "5"}, "from 15 to 300", "idle-after"),
    ]:
        pages.enter(**fields)
        pages.click("save")
        outcome, answer = pages.outcome()
        assert outcome == "wrong"
        assert words in answer
        assert pages.driver.switch_to.active_element.get_attribute("id") == focus
    pages.everybody_can_use_it("options-wrong")


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (accept, "done", "knows this device"),
        (status(401, "unknown token"), "wrong", "does not know this device token"),
        (status(426, "update the server"), "wrong", "update the server"),
        (status(404, ""), "wrong", "no Threadtime at this address"),
        (lambda body: (200, {"hello": "world"}), "wrong", "not one of Threadtime’s"),
    ],
    ids=["right", "wrong token", "wrong age", "wrong address", "something else"],
)
def test_the_connection_test_says_in_words_how_it_went(pages: Pages, answer: Any, outcome: str, words: str):
    pages.server.answer = answer
    pages.options()
    pages.enter(server=f"http://127.0.0.1:{pages.server.port}", token=TOKEN, portal_1_address="http://portal.localhost")
    pages.click("test")
    found, text = pages.outcome()
    assert found == outcome
    assert words in text


def test_the_options_keep_what_was_saved_and_show_no_token(pages: Pages):
    pages.pair()
    pages.options()
    value = pages.driver.find_element(By.ID, "portal-1-address").get_attribute("value")
    assert value == "http://portal.localhost"
    assert pages.driver.find_element(By.ID, "token").get_attribute("type") == "password"
    assert TOKEN not in str(pages.driver.execute_script("return chrome.storage.local.get(null)"))
    pages.everybody_can_use_it("options")


def test_rows_of_another_token_wait_until_their_clinician_says_that_they_are_theirs(pages: Pages):
    pages.pair()
    pages.server.answer = status(503, "")
    pages.keep(2)
    pages.enter(token="tt_1_" + "b" * 43)
    pages.click("save")
    until(lambda: "2 intervals were measured under another token" in pages.text("foreign-words"), what="the question")
    pages.everybody_can_use_it("options-foreign")
    pages.server.answer = accept
    assert pages.server.rows == []
    pages.click("adopt")
    until(lambda: len(pages.server.rows) == 2, what="both rows under the new token")
