"""The popup over a thread: its period, what the rules say, what is asked and what is marked; in every state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser import until
from tests.extension.own import FACTS, PATH, VISIT, WAITING, answer, episode, interval, question, reason, told
from tests.extension.pages import Pages
from tests.extension.scripted_server import accept, status

pytestmark = pytest.mark.browser

BASE = json.loads((Path(__file__).parents[2] / "shared_rules/vectors/base.json").read_text())["facts"]

KEPT = """
const [store, done] = arguments;
(async () => {
  const { transact, result } = await import(chrome.runtime.getURL("worker/database.js"));
  return transact([store], "readonly", (t) => result(t.objectStore(store).getAll()));
})().then(done, (error) => done(String(error)));
"""


class Popup:
    """The popup over thread T of patient 123, and the server behind it."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self.driver = pages.driver
        self.server = pages.server

    def tells(self, *episodes: dict[str, Any]) -> None:
        self.server.others[PATH] = lambda body: (200, told(*episodes))

    def takes_facts(self, outcome: str = "new", reason: str | None = None) -> None:
        results = [{"index": 0, "outcome": outcome, "reason": reason, "changes": []}]
        self.server.others[FACTS] = lambda body: (200, {"results": results})

    def away(self) -> None:
        """Whatever is asked or sent from now on, the server is not well."""
        for path in (PATH, FACTS):
            self.server.others[path] = status(503, "the queue is full")
        self.server.answer = status(503, "the queue is full")

    def open(self) -> None:
        self.pages.popup_over_thread()

    def says(self, element: str, *words: str) -> None:
        for each in words:
            self.pages.says(element, each)

    def button(self, within: str, words: str) -> Any:
        """The button, once it is there."""

        def found() -> Any:
            buttons = self.driver.find_elements(By.CSS_SELECTOR, f"#{within} button")
            return next((one for one in buttons if one.is_displayed() and one.text == words), None)

        return until(found, what=f"a button {words!r} in #{within}")

    def focused(self) -> str:
        return str(self.driver.execute_script("return document.activeElement.getAttribute('data-key')"))

    def said(self) -> list[dict[str, Any]]:
        """The facts that came to the server."""
        return [row for path, body in self.server.asked if path == FACTS for row in body["facts"]]

    def kept(self, store: str) -> Any:
        return self.driver.execute_async_script(KEPT, store)

    def everybody_can_use_it(self, name: str) -> None:
        self.pages.everybody_can_use_it(f"popup-{name}")


@pytest.fixture
def popup(pages: Pages) -> Popup:
    pages.pair()
    return Popup(pages)


def test_an_open_period_is_shown_with_its_day_its_time_and_what_is_not_known(popup: Popup):
    popup.tells(episode())
    popup.open()
    popup.says("episode", "Day 3 of 7", "New York time", "This period: 12 min counted, with NP Roy", "Open")
    popup.says("episode", "which payer covers the patient", "What would help: The coverage recorded.", "2 more reasons")
    assert len(popup.driver.find_elements(By.CSS_SELECTOR, ".squares rect")) == 7
    assert "code" not in popup.pages.text("questions")
    assert (PATH, {"portal": "medplum", "thread": "T", "patient": "123"}) in popup.server.asked
    popup.driver.find_element(By.CSS_SELECTOR, "#episode summary").click()
    popup.everybody_can_use_it("episode-open")


STATES = {
    "on-hold": (episode(8, answer=answer(reasons=WAITING["reasons"][1:2])), ["Ended", "Hold until"]),
    "not-known": (episode(9, answer=answer(**{**WAITING, "reasons": WAITING["reasons"][:1]})), ["not known yet"]),
    "blocked": (
        episode(
            answer=answer(
                "not_reportable",
                reasons=[reason("prior-em-7d", "block", "The patient was seen on 3 April about this problem.")],
            )
        ),
        ["Not reportable", "seen on 3 April"],
    ),
    "ready": (episode(9, answer=answer("reportable")), ["Ready: 99422", "The practice decides"]),
    "approved": (episode(9, approved=True, answer=answer("reportable")), ["Approved: 99422", "does not change it"]),
    "bare": ({"episode_id": "e-2"}, ["This period"]),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_an_episode_has_its_mark_and_its_words(popup: Popup, state: str):
    told, words = STATES[state]
    popup.tells(told)
    popup.open()
    popup.says("episode", *words)
    popup.everybody_can_use_it(f"episode-{state}")


def test_while_the_server_is_away_the_last_word_stands_with_its_age_and_this_devices_rules_judge_it(popup: Popup):
    facts = {name: value for name, value in BASE.items() if value is not None}
    facts |= {"period_running": False, "lookahead_open": True, "hold_until": BASE["hold_until"]}  # a day long past
    rules = {"family": "em", "day": BASE["window_start"], "payer_type": BASE["payer_type"]}
    popup.tells(episode(10, facts=facts, rules=rules, answer=answer(reasons=WAITING["reasons"][1:2])))
    popup.open()
    popup.says("episode", "Hold until")
    popup.away()
    popup.pages.keep(3)
    popup.open()
    popup.says("episode", "As of", "It says: the queue is full", "Judged on this device for today", "Ready: 99422")
    popup.everybody_can_use_it("episode-offline")
    popup.tells(episode(10, answer=answer("reportable")))
    popup.open()
    until(lambda: "As of" not in popup.pages.text("episode"), what="the server's fresh word")


def test_rules_that_this_device_does_not_have_leave_the_servers_last_word(popup: Popup):
    popup.tells(episode(9, facts={}, answer=answer("reportable", rules_version="em-2031")))
    popup.open()
    popup.says("episode", "Ready: 99422")
    popup.away()
    popup.open()
    popup.says("episode", "As of", "Ready: 99422")
    assert "Judged on this device" not in popup.pages.text("episode")


def test_what_this_device_has_not_sent_is_about_so_much_and_counted_once_the_server_says_so(popup: Popup):
    popup.tells(episode())
    popup.open()
    popup.says("episode", "12 min counted")
    popup.server.answer = status(503, "")
    popup.pages.keep(3)
    popup.says("episode", "about 6 s more on this device, not sent yet")
    popup.everybody_can_use_it("episode-unsent")
    popup.tells(episode(counted_seconds=726))
    popup.server.answer = accept
    popup.driver.execute_script("chrome.runtime.sendMessage({ type: 'try_again' })")
    popup.says("episode", "12 min 6 s counted")
    assert "about" not in popup.pages.text("episode")


def test_a_question_is_answered_with_the_keyboard_and_the_answer_is_kept_until_the_server_has_it(popup: Popup):
    popup.takes_facts()
    popup.tells(episode(questions=[question(), question("U")]))
    popup.open()
    popup.says("questions", "2 questions, one at a time", "Office visit on 3 April")
    popup.everybody_can_use_it("question")
    popup.button("question", "Same").send_keys(Keys.ENTER)
    popup.says("answered", "Saved, goes out in a few seconds")
    assert popup.focused() == "act:related:visit-7:T"
    popup.everybody_can_use_it("question-answered")
    popup.button("answered", "Undo").send_keys(Keys.ENTER)
    popup.says("questions", "2 questions")
    assert popup.focused() == "option:0"
    popup.button("question", "New").click()
    popup.says("question", "One question")
    popup.says("answered", "the server has it")
    assert popup.said() == [{**VISIT, "related": False}]
    popup.button("answered", "Change").click()
    popup.says("question", "Answer anew")
    popup.button("question", "Same").click()
    until(lambda: len(popup.said()) == 2, what="the changed answer")


def test_an_answer_that_cannot_be_sent_is_saved_and_one_that_is_refused_says_why(popup: Popup):
    popup.tells(episode(questions=[question()]))
    popup.open()
    popup.says("questions", "One question")
    popup.away()
    popup.button("question", "Both").click()
    popup.says("answered", "Saved, will be sent. The server answered 503. It says: the queue is full")
    popup.everybody_can_use_it("question-saved")
    popup.takes_facts("refused", "visit_id is no visit of this patient")
    popup.server.answer = accept
    popup.driver.execute_script("chrome.runtime.sendMessage({ type: 'try_again' })")
    popup.says("answered", "was refused: visit_id is no visit of this patient")
    popup.everybody_can_use_it("question-refused")
    popup.button("answered", "Answer anew").click()
    popup.says("question", "Answer anew")


def test_not_sure_sends_nothing_and_the_question_stays_at_the_desk(popup: Popup):
    popup.tells(episode(questions=[question()]))
    popup.open()
    popup.button("question", "Not sure").click()
    popup.says("answered", "it stays open at the desk")
    assert popup.said() == []
    assert popup.pages.text("question") == ""


def test_single_intervals_and_the_whole_thread_are_marked_by_correcting_rows_and_taken_back(popup: Popup):
    popup.tells(episode(intervals=[interval(1, 30, 250), interval(2, 20, 100), interval(3, 10, 95, thread="U")]))
    popup.open()
    popup.says("episode", "Day 3 of 7")
    popup.driver.find_element(By.CSS_SELECTOR, "#marks summary").click()
    popup.says("marks", "All of it: 3 intervals, 7:25", "another thread")
    boxes = popup.driver.find_elements(By.CSS_SELECTOR, "#mark-list input")
    assert [box.is_selected() for box in boxes] == [False, True, True]  # of this thread alone
    popup.everybody_can_use_it("marks")
    boxes[2].send_keys(Keys.SPACE)
    popup.button("mark-form", "Mark").click()
    popup.says("mark-said", "1 interval marked as refill")
    popup.says("marked", "Refill")
    popup.everybody_can_use_it("marks-marked")
    until(lambda: len(popup.server.rows) == 1, what="the correcting row")
    popup.button("mark-said", "Undo").click()
    until(lambda: len(popup.server.rows) == 2, what="the row that takes it back")
    mark, back = popup.server.rows
    assert (mark["activity"], mark["corrects"]) == ("refill_admin", interval(2, 0, 1)["id"])
    assert mark["reason"] == "marked as refill by the clinician"
    assert mark["ended_at"] - mark["started_at"] == 100_000
    assert (back["activity"], back["corrects"]) == ("review_inquiry", mark["corrects"])
    assert back["id"] > mark["id"]
    assert "was" not in mark


def test_the_minutes_of_an_entry_by_hand_are_corrected_by_another_row(popup: Popup):
    popup.tells(episode(intervals=[interval(1, 30, 420, entry="manual", activity="communicate_phone")]))
    popup.open()
    popup.says("episode", "Day 3 of 7")
    popup.driver.find_element(By.CSS_SELECTOR, "#by-hand summary").click()
    popup.says("entered", "Phone call with the patient")
    field = popup.driver.find_element(By.CSS_SELECTOR, "#entered input")
    field.clear()
    popup.button("entered", "Correct").click()
    popup.says("entered-said", "Minutes are a whole number")
    field.send_keys("5")
    popup.button("entered", "Correct").click()
    popup.says("entered-said", "5 min instead of 7")
    popup.everybody_can_use_it("entered")
    until(lambda: popup.server.rows, what="the correcting row")
    [row] = popup.server.rows
    assert (row["entry"], row["corrects"]) == ("manual", interval(1, 0, 1)["id"])
    assert row["ended_at"] - row["started_at"] == 5 * 60_000


def test_today_lists_the_threads_with_their_minutes(popup: Popup):
    popup.tells(episode())
    popup.pages.keep(2)
    popup.open()
    popup.driver.find_element(By.CSS_SELECTOR, "#day summary").click()
    popup.says("day", "Thread T", "patient 123", "0:04")
    popup.everybody_can_use_it("today")


def test_an_older_server_changes_nothing_and_complains_of_nothing(popup: Popup):
    popup.open()
    until(lambda: PATH in [path for path, _ in popup.server.asked], what="the request")
    popup.says("subject", "This thread · patient 123")
    assert popup.pages.text("words") == "Counting"
    for section in ("episode", "questions"):
        assert not popup.driver.find_element(By.ID, section).is_displayed()
    popup.everybody_can_use_it("older-server")


def test_a_server_that_was_never_heard_of_this_thread_is_named_as_what_is_lacking(popup: Popup):
    popup.away()
    popup.open()
    popup.says("episode", "This period", "not on this device yet")
    popup.everybody_can_use_it("episode-unheard")


def test_a_thread_without_a_period_says_what_will_appear(popup: Popup):
    popup.tells()
    popup.open()
    popup.says("episode", "No period yet")
    popup.everybody_can_use_it("episode-none")


def test_the_focus_stays_where_it_is_while_the_popup_refreshes(popup: Popup):
    popup.tells(episode(questions=[question()]))
    popup.open()
    popup.button("question", "New").send_keys("")
    popup.driver.execute_script("document.querySelector('[data-key=\"option:1\"]').focus()")
    changed = {**question(), "text": "Office visit on 4 April: is this thread about the same problem?"}
    popup.tells(episode(questions=[changed]))
    popup.driver.execute_script("chrome.runtime.sendMessage({ type: 'own_episodes', tab: 7 })")
    popup.says("question", "4 April")
    assert popup.focused() == "option:1"


def test_what_is_kept_is_where_no_page_reads_it_and_goes_with_the_pairing(popup: Popup):
    popup.tells(episode())
    popup.open()
    popup.says("episode", "NP Roy")
    assert len(popup.kept("episodes")) == 1
    areas = "Promise.all(['local', 'session'].map((area) => chrome.storage[area].get(null))).then(arguments[0])"
    assert "Roy" not in json.dumps(popup.driver.execute_async_script(areas))
    [kept] = popup.kept("episodes")
    popup.driver.execute_async_script(
        "chrome.runtime.sendMessage({ type: 'forget_pairing', id: arguments[0] }).then(arguments[1])", kept["pairing"]
    )
    assert popup.kept("episodes") == []
    popup.open()
    assert popup.pages.text("words") == "Not paired"
    assert not popup.driver.find_element(By.ID, "episode").is_displayed()
    popup.everybody_can_use_it("unpaired-thread")
