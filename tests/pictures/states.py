"""Every state of the extension's pages of which docs/screens.md has a picture: a state more is an entry more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from selenium.webdriver.common.by import By

from tests.extension.own import answer, episode, interval, question, reason, today
from tests.extension.pages import TOKEN
from tests.extension.scripted_server import reject, status
from tests.pictures.stage import PORTAL, SERVER, Stage
from tests.story.extension import ROOT

BASE = json.loads((ROOT / "shared_rules/vectors/base.json").read_text())["facts"]
MESSAGE = "/oscarMessenger/ViewMessage.do?messageID=555&linked=17"
ENTRY = {"kind": "medplum", "key": "medplum", "origin": PORTAL}


@dataclass(frozen=True, slots=True)
class State:
    """`arrange` brings the state about in a browser that remembers nothing; `part` selects the elements to be shown,
    None: the window, as the person sees it. `width` and `height` of the window in px."""

    name: str
    says: str
    arrange: Callable[[Stage], None]
    part: str | None
    width: int = 520
    height: int = 900
    dark: bool = False


def _new(stage: Stage) -> None:
    """Nothing was entered yet."""


def _paired(stage: Stage) -> None:
    stage.choose("medplum")
    stage.save()
    stage.pair_by_code(1, "Dr. Imani Okafor")
    stage.options()


def _wrong(stage: Stage) -> None:
    stage.enter(server="http://threadtime.example")
    stage.click("save")
    stage.outcome()


def _no_answer(stage: Stage) -> None:
    stage.server.answer = status(401, "unknown token")
    stage.enter(server=SERVER, token=TOKEN, portal_1_address=PORTAL)
    stage.click("test")
    stage.outcome()


def _code(stage: Stage) -> None:
    stage.ask_for_code(400, {"code": "authorization_pending"})
    stage.says("code", "BDWK")


def _refused(stage: Stage) -> None:
    stage.ask_for_code(400, {"detail": "Somebody said no to this code."})
    stage.says("answer", "said no")


def _several(stage: Stage) -> None:
    stage.pair_by_code(1, "Dr. Imani Okafor")
    stage.pair_by_code(2, "Jonas Reuter, PA")


def _foreign(stage: Stage) -> None:
    stage.save(token=TOKEN)
    stage.server.answer = status(503, "")
    stage.keep(2)
    stage.enter(token="tt_1_" + "b" * 43)
    stage.click("save")
    stage.says("foreign-words", "2 intervals")


def _open_policy(stage: Stage) -> None:
    stage.policy(server=SERVER, portals=[ENTRY])


def _locked(stage: Stage) -> None:
    stage.policy(server=SERVER, portals=[ENTRY], idle_after_seconds=60, lock=True)


def _wrong_policy(stage: Stage) -> None:
    stage.policy(server=SERVER, portals=[ENTRY | {"kind": "medplam"}], idle_after_seconds=5)


def _own(stage: Stage) -> None:
    stage.click("own-new")


def _own_wrong(stage: Stage) -> None:
    _own(stage)
    stage.file_of_their_own(pages=[{"page": "thread", "path": "^/t/(?<thread>.+)$", "activity": "reading"}])
    stage.press("Keep it", "#own-answer[data-outcome=wrong]")


def _own_recognised(stage: Stage) -> None:
    _own(stage)
    stage.file_of_their_own()
    stage.with_portal_at(MESSAGE)
    stage.press("Test against the open tab", "#own-answer[data-outcome=done]")


def _own_unknown(stage: Stage) -> None:
    _own(stage)
    stage.file_of_their_own()
    stage.with_portal_at("/anything")
    stage.press("Test against the open tab", "#own-answer[data-outcome=wrong]")


def _own_kept(stage: Stage) -> None:
    _own(stage)
    stage.file_of_their_own()
    stage.press("Keep it", "#own-said[data-outcome=done]")


def _own_sure(stage: Stage) -> None:
    _own_kept(stage)
    stage.driver.find_element(By.CSS_SELECTOR, "#own-portals li button:last-child").click()


SEEN = reason(
    "prior-em-7d", "block", "The patient was seen on 3 April about this problem; the exchange belongs to that visit."
)
DECIDED = today() + timedelta(days=6)  # as `answer` has it
OVER = reason(
    "hold-until-lookahead",
    "wait",
    f"Decided on {DECIDED:%a} {DECIDED.day} {DECIDED:%b %Y}, unless the patient is seen first.",
)


def _open_period(stage: Stage) -> None:
    stage.told(episode())
    stage.says("episode", "Day 3 of 7")


def _asked(stage: Stage) -> None:
    stage.told(episode(questions=[question()]))
    stage.says("question", "same problem")


def _answered(stage: Stage) -> None:
    _asked(stage)
    stage.press("Both", "#answered li")


def _judged(told: dict[str, Any], words: str) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        stage.told(told)
        stage.says("episode", words)

    return arrange


def _away(stage: Stage) -> None:
    facts = {name: value for name, value in BASE.items() if value is not None} | {"lookahead_open": True}
    rules = {"family": "em", "day": BASE["window_start"], "payer_type": BASE["payer_type"]}
    stage.told(episode(10, facts=facts, rules=rules, answer=answer(reasons=[OVER])))
    stage.says("episode", "Hold until")
    for path in list(stage.server.others):
        stage.server.others[path] = status(503, "the queue is full")
    stage.server.answer = status(503, "the queue is full")
    stage.keep(3)
    stage.show("popup/popup.html?tab=7")
    stage.says("episode", "As of")


def _no_period(stage: Stage) -> None:
    stage.told()
    stage.says("episode", "No period yet")


def _marks(stage: Stage) -> None:
    stage.told(episode(intervals=[interval(1, 30, 250), interval(2, 20, 100)]))
    stage.says("episode", "Day 3 of 7")
    stage.driver.find_element(By.CSS_SELECTOR, "#marks summary").click()
    stage.says("marks", "All of it")


def _colleague(stage: Stage) -> None:
    whose = "Imani Okafor"
    asked = question() | {"text": f"For {whose}: Office visit on 3 April: is this thread about the same problem?"}
    worked = [interval(1, 30, 250, colleague=whose), interval(2, 20, 100)]
    stage.told(episode(colleagues=[whose], questions=[asked], intervals=worked))
    stage.says("episode", "you answer in their place")
    stage.driver.find_element(By.CSS_SELECTOR, "#marks summary").click()
    stage.says("marks", f"{whose}’s")


def _entered(stage: Stage) -> None:
    by_hand = {"entry": "manual", "activity": "communicate_phone"}
    stage.told(episode(intervals=[interval(1, 30, 420, **by_hand)]))
    stage.driver.find_element(By.CSS_SELECTOR, "#by-hand summary").click()
    stage.says("entered", "Phone call")


def _today(stage: Stage) -> None:
    stage.told(episode())
    stage.keep(2)
    stage.driver.find_element(By.CSS_SELECTOR, "#day summary").click()
    stage.says("day", "0:04")


def _idle(stage: Stage) -> None:
    stage.told(episode(), status="idle")
    stage.says("words", "Idle")


def _paused(stage: Stage) -> None:
    _open_period(stage)
    stage.click("pause")
    stage.says("words", "Paused")


def _parked(stage: Stage) -> None:
    stage.save(token=TOKEN)
    stage.server.answer = reject
    stage.keep(1)
    stage.driver.execute_script("chrome.runtime.sendMessage({ type: 'try_again' })")
    stage.popup()
    stage.says("parked", "the portal is unknown")


def _revoked(stage: Stage) -> None:
    stage.save(token=TOKEN)
    stage.server.answer = lambda body: (401, {"code": "revoked", "detail": "This device was revoked; pair it again."})
    stage.keep(2)
    stage.driver.execute_script("chrome.runtime.sendMessage({ type: 'try_again' })")
    stage.popup()
    stage.says("detail", "revoked")


def _unpaired(stage: Stage) -> None:
    stage.popup()
    stage.says("words", "Not paired")


OWN = "#own"
MAIN = "main"
FORM = "#form > .card:first-child, #answer"
STATES: dict[str, tuple[State, ...]] = {
    "Popup": (
        State(
            "popup-open", "A period that runs: its day, its minutes, what is not known.", _open_period, MAIN, width=360
        ),
        State("popup-asked", "A question that only the clinician can answer.", _asked, MAIN, width=360),
        State("popup-answered", "The answer, which can be undone.", _answered, MAIN, width=360),
        State(
            "popup-hold",
            "The period is over, and the days after it are waited for.",
            _judged(episode(8, answer=answer(reasons=[OVER])), "Hold until"),
            MAIN,
            width=360,
        ),
        State(
            "popup-blocked",
            "Not reportable, and why.",
            _judged(episode(answer=answer("not_reportable", reasons=[SEEN])), "Not reportable"),
            MAIN,
            width=360,
        ),
        State("popup-ready", "Ready.", _judged(episode(9, answer=answer("reportable")), "Ready"), MAIN, width=360),
        State(
            "popup-approved",
            "Approved by the practice.",
            _judged(episode(9, approved=True, answer=answer("reportable")), "Approved"),
            MAIN,
            width=360,
        ),
        State("popup-dark", "In the dark.", _asked, MAIN, width=360, dark=True),
        State("popup-none", "A thread without a period.", _no_period, MAIN, width=360),
        State("popup-away", "The server is away: the last word, with its age; intervals wait.", _away, MAIN, width=360),
        State("popup-marks", "Marking as refill, scheduling or result.", _marks, MAIN, width=360),
        State(
            "popup-colleague",
            "Answering for a colleague who is away: what is asked, and whose time it is.",
            _colleague,
            MAIN,
            width=360,
        ),
        State("popup-entered", "Work away from the screen, and its correction.", _entered, MAIN, width=360),
        State("popup-today", "Today's threads.", _today, MAIN, width=360),
        State("popup-idle", "No input for a while.", _idle, MAIN, width=360),
        State("popup-paused", "Paused.", _paused, MAIN, width=360),
        State("popup-parked", "An interval that the server refused, with its reason.", _parked, MAIN, width=360),
        State("popup-revoked", "A device that was revoked; what it measured waits.", _revoked, MAIN, width=360),
        State("popup-unpaired", "Not paired.", _unpaired, MAIN, width=360),
    ),
    "Options": (
        State("options-new", "Before anything was entered.", _new, "main"),
        State("options-paired", "Paired, with a portal that the browser allows.", _paired, "main"),
        State("options-dark", "The same in the dark.", _paired, "main", dark=True),
        State("options-wrong", "Something typed wrong is said in words, and has the focus.", _wrong, FORM),
        State("options-test", "A connection test that failed says why.", _no_answer, ".actions, #answer"),
        State("options-foreign", "What another token measured waits for somebody's word.", _foreign, "#foreign"),
    ),
    "Pairing": (
        State("pairing-code", "The code that waits for a yes on the practice's page.", _code, FORM),
        State("pairing-refused", "Somebody said no.", _refused, "#answer"),
        State(
            "pairing-several",
            "Two clinicians share a browser.",
            _several,
            "#pairings-section",
        ),
    ),
    "What a practice set by policy": (
        State("policy-open", "Server and portal are set, the rest is open.", _open_policy, "#practice"),
        State("policy-locked", "Everything is set.", _locked, "main"),
        State("policy-wrong", "A wrong value is said in words.", _wrong_policy, "#practice"),
    ),
    "A portal of your own": (
        State("own-new", "A portal file is opened or pasted.", _own, OWN),
        State("own-wrong", "What is wrong with it, by its field.", _own_wrong, OWN),
        State("own-recognised", "Tested against the open tab: what it recognises there.", _own_recognised, OWN),
        State(
            "own-unknown",
            "A page it does not recognise, and why.",
            _own_unknown,
            "#own-form .actions, #own-answer",
        ),
        State("own-kept", "Kept: to be changed, taken away or removed.", _own_kept, OWN),
        State("own-sure", "Before it is removed.", _own_sure, None, height=360),
    ),
}
