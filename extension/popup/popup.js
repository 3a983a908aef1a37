// The popup: says what is being counted on the page behind it, and what waits. It changes the pause, and whose turn it is;
// what the clinician adds is in entries.js, the episode in episode.js, and what is asked and marked in files of that name.

import { condition, STATES, status_of } from "../worker/condition.js";
import { delivery } from "../worker/delivery.js";
import * as outbox from "../worker/outbox.js";
import { name_of, settings } from "../worker/settings.js";
import { show_day } from "./day.js";
import { element, time } from "./elements.js";
import { prepare_form, show_gaps } from "./entries.js";
import { ask, show_episode } from "./episode.js";
import { prepare_marks, show_marks } from "./marks.js";
import { show_entered } from "./minutes.js";
import { show_questions } from "./questions.js";
import { midnight, minutes, today } from "./today.js";

/** What a page behind the popup says of itself. @type {Record<StopwatchStatus, string>} */
const NOTES = {
  counting: "on this thread today, on this device. It stands still while this window is open.",
  settling: "on this thread today, on this device. A thread counts once it has been open for 5 seconds.",
  idle: "on this thread today, on this device. No input for a while: time without input is left out.",
  away: "on this thread today, on this device.",
  paused: "on this thread today, on this device.",
  elsewhere: "No thread is recognised on this page. Nothing is counted here.",
};

/** The state of the page when the popup opened: the popup itself takes the focus away from it. @type {TabStatus | undefined} */
let behind;

/** @returns {Promise<number | undefined>} */
async function tab_behind() {
  // A test, which cannot open a real popup, names the tab in the address.
  const named = new URLSearchParams(location.search).get("tab");
  const [tab] = named === null ? await chrome.tabs.query({ active: true, currentWindow: true }) : [{ id: Number(named) }];
  return tab?.id;
}

/** Rows that are still open in a page, as its last checkpoint has them. @param {string} pairing @returns {Promise<RecentRow[]>} */
async function open_rows(pairing) {
  if (!behind) return [];
  const key = `checkpoint:${behind.document}`;
  const checkpoint = /** @type {{rows?: NamedRow[]} | undefined} */ ((await chrome.storage.local.get(key))[key]);
  const portal = behind.portal;
  return (checkpoint?.rows ?? []).map((row) => ({ ...row, portal, pairing }));
}

async function show_state() {
  const { state, detail } = await condition();
  // Only while all is well the page's own word is the state: the focus it had went to this window.
  const shown = state === "idle" && behind?.status === "counting" ? "counting" : state;
  const { mark, words, tone } = STATES[shown];
  element("state").className = `chip ${tone}`;
  element("mark").textContent = mark;
  element("words").textContent = words;
  element("since").textContent = behind && ["counting", "idle"].includes(shown) ? `since ${time(behind.since)}` : "";
  element("detail").textContent = detail;
  element("detail").hidden = detail === "";
}

async function show_subject() {
  if (!behind || (behind.thread === null && behind.patient === null)) {
    element("clock").hidden = true;
    element("subject").textContent = "No thread in this tab";
    element("note").textContent = behind ? NOTES.elsewhere : "Nothing is counted here.";
    return;
  }
  const now = Date.now();
  const id = (await settings()).pairing?.id ?? "";
  const rows = [...(await outbox.recent(id, midnight(now))), ...(await open_rows(id))];
  element("clock").hidden = false;
  element("clock").textContent = minutes(today(rows, behind, now));
  const patient = behind.patient === null ? "patient not named by the portal" : `patient ${behind.patient}`;
  element("subject").textContent = behind.thread === null ? `A chart page · ${patient}` : `This thread · ${patient}`;
  const note = NOTES[behind.status];
  element("note").textContent = behind.thread === null ? "Chart time not opened from a thread is only “possibly related”." : note;
}

async function show_outbox() {
  const { pairing } = await settings();
  const { waiting, oldest, foreign, parked } = await outbox.depth(pairing?.id ?? "");
  const { sent_at, stopped, problem } = await delivery();
  element("try-again").hidden = !(stopped || (problem !== null && waiting > 0));
  const wait = waiting === 1 ? "1 interval waits safely" : `${waiting} intervals wait safely`;
  const sent = parked > 0 ? "Nothing else waits" : sent_at === null ? "Nothing waits" : `All sent, ${time(sent_at)}`;
  const others = foreign > 0 ? ` · ${foreign} measured under another pairing` : "";
  element("outbox").textContent = (waiting === 0 ? sent : `${wait}${oldest === null ? "" : ` · oldest ${time(oldest)}`}`) + others;
}

async function show_parked() {
  const parked = await outbox.parked((await settings()).pairing?.id ?? "");
  element("parked-section").hidden = parked.length === 0;
  const list = element("parked");
  if (list.dataset["ids"] === parked.map(({ id }) => id).join()) return; // a button may have the focus
  list.dataset["ids"] = parked.map(({ id }) => id).join();
  list.replaceChildren(...parked.map(parked_item));
}

/** @param {OutboxRecord} record */
function parked_item({ id, row, reason }) {
  const item = document.createElement("li");
  const when = document.createElement("span");
  when.textContent = `${time(row.started_at)}, ${minutes(row.ended_at - row.started_at)}`;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Send again";
  button.setAttribute("aria-label", `Send again the interval of ${when.textContent}`);
  button.addEventListener("click", async () => {
    await outbox.release(id);
    await chrome.runtime.sendMessage({ type: "try_again" });
    await show();
  });
  const why = document.createElement("span");
  why.className = "reason small quiet";
  why.textContent = reason ?? "";
  item.append(when, button, why);
  return item;
}

/** Whose turn it is; where several clinicians share this browser, to be chosen. */
async function show_turn() {
  const { pairing, pairings } = await settings();
  const paired = pairings.filter((one) => one.token !== null);
  element("turn-section").hidden = paired.length === 0 || (paired.length === 1 && paired[0]?.clinician === null);
  const choice = /** @type {HTMLSelectElement} */ (element("turn"));
  const nobody = pairing === null ? [new Option("Nobody: choose", "", true)] : [];
  const options = [...nobody, ...paired.map((one) => new Option(name_of(one), one.id))];
  const text = JSON.stringify(options.map(({ value, text }) => [value, text]));
  if (choice.dataset["shown"] !== text) choice.replaceChildren(...options); // it may be open
  choice.dataset["shown"] = text;
  if (document.activeElement !== choice) choice.value = pairing?.id ?? "";
  choice.disabled = options.length === 1;
}

async function show() {
  const { paused } = await chrome.storage.local.get("paused");
  element("pause").textContent = paused === true ? "Go on" : "Pause";
  element("pause").setAttribute("aria-pressed", String(paused === true));
  const open = await open_rows((await settings()).pairing?.id ?? "");
  await Promise.all([show_state(), show_subject(), show_outbox(), show_parked(), show_turn(), show_gaps(tab)]);
  await Promise.all([show_episode(behind, open), show_questions(tab, behind), show_marks(tab, behind), show_entered(tab, behind), show_day(open)]);
  document.documentElement.dataset["shown"] = "true";
}

/** What is kept stands there already; the server's fresh word takes its place. */
async function refresh() {
  if (behind) await ask(tab);
  await show();
}

element("pause").addEventListener("click", async () => {
  const { paused } = await chrome.storage.local.get("paused");
  await chrome.runtime.sendMessage({ type: "pause", paused: paused !== true });
  await show();
});
element("turn").addEventListener("change", async ({ target }) => {
  const id = /** @type {HTMLSelectElement} */ (target).value;
  await chrome.runtime.sendMessage({ type: "switch_pairing", id });
  await ask(tab, { now: true });
  await show();
});
element("try-again").addEventListener("click", async () => {
  await chrome.runtime.sendMessage({ type: "try_again" });
  await ask(tab, { now: true });
  await show();
});

const tab = await tab_behind();
behind = await status_of(tab);
element("by-hand").hidden = !behind || (behind.thread === null && behind.patient === null);
prepare_form(tab);
prepare_marks(tab, behind);
element("day").addEventListener("toggle", () => void show());
await show();
setInterval(refresh, 1000);
await refresh();
