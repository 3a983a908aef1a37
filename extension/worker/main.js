// The worker: wakes on an event, does one thing, and may die at any line. Every listener stands here, at the top level;
// nothing is remembered in this file but a timer that may be lost.

import { prune_answers, resume_answers, say, send_answers, UNDO_MS, unsay } from "./answers.js";
import { draw_badge } from "./badge.js";
import { status_of, tab_statuses } from "./condition.js";
import { delivery, drain, knock, resume } from "./delivery.js";
import { greet, speaking } from "./documents.js";
import { enter, forget_gaps, offer, say_reading } from "./entered.js";
import { prune_episodes, renew, renew_kept } from "./episodes.js";
import { KINDS, portal_file } from "./kinds.js";
import { take_policy } from "./managed.js";
import { correct_minutes, mark } from "./marks.js";
import { begin_pairing, cancel_pairing, pairing_request, poll_pairing } from "./pairing.js";
import { inject, portal_at, register } from "./portals.js";
import { keep_or_say, recover } from "./recovery.js";
import { wire_row } from "./rows.js";
import { forget_pairing, settings, switch_pairing } from "./settings.js";
import { hand_over, handed_over, tell_page, tell_window } from "./trails.js";

/** A page that ends needs a moment to write down what it measured last. */
const LAST_WORDS_MS = 500;

const STATUSES = ["counting", "settling", "idle", "away", "paused", "elsewhere"];

/** Runs work that nobody waits for. @param {string} what @param {() => Promise<unknown>} work */
function run(what, work) {
  work().catch((error) => console.error(`Threadtime: ${what} failed.`, error));
}

async function send() {
  const { sent_at } = await delivery();
  await drain();
  await draw_badge();
  const taken = await send_answers();
  if (taken || (await delivery()).sent_at !== sent_at) await renew_kept(await tab_statuses());
}

async function every_minute() {
  await heed({ believe_nothing: true });
  await recover(Date.now());
  await forget_gaps(Date.now());
  await prune_episodes(Date.now());
  await prune_answers(Date.now());
  await send();
  await be_heard();
}

/** While somebody is at work: hears from the server within the minute that this device may no longer send. */
async function be_heard() {
  if (!(await tab_statuses()).some(({ status }) => status === "counting" || status === "settling")) return;
  // An alarm may not come sooner than this.
  if (await knock()) await chrome.alarms.create("knock", { delayInMinutes: 0.5 });
  await draw_badge();
}

/** What the pages may know of the settings, where they can read it: not whose turn it is, but since when. */
async function publish() {
  const { idle_after_seconds, turns } = await settings();
  const turn_at = turns.at(-1)?.at ?? 0;
  const stored = await chrome.storage.local.get(null);
  if (stored["turn_at"] !== undefined && stored["turn_at"] !== turn_at) {
    const former = Object.keys(stored).filter((key) => /^(input|trail):/.test(key));
    await chrome.storage.local.remove(former); // the one whose turn it is now made no input and came from no thread
  }
  await chrome.storage.local.set({ idle_after_seconds, turn_at });
}

async function ask_for_lock() {
  const locked = (await chrome.idle.queryState(15)) === "locked";
  await chrome.storage.local.set({ locked });
  return { locked };
}

/** Lets the practice's policy hold. @param {{believe_nothing: boolean}} how */
async function heed(how) {
  if (await take_policy(how)) await settings_changed();
}

async function set_up() {
  await heed({ believe_nothing: false });
  if ((await chrome.alarms.get("minute")) === undefined) await chrome.alarms.create("minute", { periodInMinutes: 1 });
  await publish();
  await ask_for_lock();
  await register();
}

/** @param {chrome.runtime.MessageSender} sender @returns {Promise<Welcome>} */
async function hello(sender) {
  await handed_over(sender.tab?.id);
  const record = await greet(sender, Date.now());
  const portal = record && (await portal_at(record.origin));
  const file = portal && (portal.file ?? (KINDS.includes(portal.kind) ? await portal_file(portal.kind) : null));
  if (!record || !file) return { refused: "not a portal that was granted" };
  return { document: record.document, tab: record.tab, portal: file };
}

/** @param {any} message @param {chrome.runtime.MessageSender} sender */
async function take_rows(message, sender) {
  const document = await speaking(message.document, sender);
  if (document === null || !Array.isArray(message.rows)) return { kept: [] };
  const rows = message.rows.slice(0, 100).map((/** @type {unknown} */ row) => wire_row(row, document));
  const sound = rows.filter((/** @type {WireRow | null} */ row) => row !== null);
  if (sound.length < rows.length) console.warn("Threadtime: an interval makes no sense and was left out.");
  await keep_or_say(sound, Date.now());
  const kept = sound.map((/** @type {WireRow} */ row) => row.id);
  await chrome.storage.local.remove(kept.map((/** @type {string} */ id) => `closed:${id}`));
  run("sending", send);
  return { kept };
}

/** @param {any} message @param {chrome.runtime.MessageSender} sender */
async function take_status(message, sender) {
  const document = await speaking(message.document, sender);
  if (document === null || (await portal_at(document.origin)) === null) return { refused: "not a portal that was granted" };
  const { status, since, thread, patient } = message;
  const texts = [thread, patient].every((text) => text === null || (typeof text === "string" && text.length <= 200));
  if (!STATUSES.includes(status) || !Number.isSafeInteger(since) || !texts) return {};
  /** @type {TabStatus} */
  const entry = { status, since, document: document.document, portal: document.portal, thread, patient };
  await chrome.storage.session.set({ [`status:${document.tab}`]: entry });
  await draw_badge();
  run("telling the window's other pages", () => tell_window(entry, sender.tab, document.origin));
  run("asking whether this device is still known", be_heard);
  return {};
}

/** @param {any} message @param {chrome.runtime.MessageSender} sender */
async function take_gap(message, sender) {
  const document = await speaking(message.document, sender);
  if (document !== null && (await portal_at(document.origin)) !== null) await offer(message.gap, document);
  return {};
}

/** What the clinician said in the popup goes out at once. @template T @param {Promise<T>} work */
async function said(work) {
  const answer = await work;
  run("sending", send);
  return answer;
}

/** What the page in a tab is about, asked anew at the server. @param {unknown} tab */
async function own_episodes(tab) {
  const subject = await status_of(tab);
  return subject === undefined ? { outcome: "absent", problem: null } : renew(subject);
}

/** An answer goes out when it can no longer be taken back; where this worker died before, with the next minute.
 * @param {any} message */
async function take_answer({ tab, question, label }) {
  const subject = await status_of(tab);
  if (subject === undefined) return { kept: false };
  const answer = await say({ subject, question, label }, Date.now());
  setTimeout(() => run("sending an answer", send), UNDO_MS);
  return answer;
}

async function settings_changed() {
  await publish();
  await register();
  await inject();
  await resume();
  await prune_episodes(Date.now());
  run("sending", send);
  return {};
}

/** Another clinician takes over, or nobody does. @param {Promise<Settings>} change */
async function turn(change) {
  await change;
  await publish();
  await prune_episodes(Date.now());
  run("sending", send);
  return {};
}

/** @param {any} message */
async function begin(message) {
  const problem = await begin_pairing(message);
  if (problem === null) run("pairing", go_on_pairing);
  return { problem };
}

/** Asks for the token at its interval, while this worker lives; the alarm goes on where it died. */
async function go_on_pairing() {
  const outcome = await poll_pairing();
  if (outcome === "paired") await settings_changed();
  if (outcome !== "waiting") {
    await chrome.alarms.clear("pairing");
    return {};
  }
  if ((await chrome.alarms.get("pairing")) === undefined) await chrome.alarms.create("pairing", { periodInMinutes: 0.5 });
  const request = await pairing_request();
  clearTimeout(pairing_timer);
  if (request !== null) pairing_timer = setTimeout(() => run("pairing", go_on_pairing), Math.max(0, request.next_at - Date.now()));
  return {};
}
/** @type {ReturnType<typeof setTimeout> | undefined} lost with the worker, like the timeout itself */
let pairing_timer;

async function cancel() {
  await cancel_pairing();
  await chrome.alarms.clear("pairing");
  return {};
}

/** @param {unknown} paused */
async function pause(paused) {
  await chrome.storage.local.set({ paused: paused === true });
  await draw_badge();
  return {};
}

async function try_again() {
  await resume();
  await resume_answers(Date.now());
  await send();
  return {};
}

/** @param {any} message @param {chrome.runtime.MessageSender} sender @returns {Promise<unknown> | null} */
function answer_to(message, sender) {
  if (sender.id !== chrome.runtime.id) return null;
  if (sender.url?.startsWith(chrome.runtime.getURL(""))) {
    if (message?.type === "settings_changed") return settings_changed();
    if (message?.type === "try_again") return try_again();
    if (message?.type === "pause") return pause(message.paused);
    if (message?.type === "switch_pairing") return turn(switch_pairing(message.id, Date.now()));
    if (message?.type === "forget_pairing") return turn(forget_pairing(message.id, Date.now()));
    if (message?.type === "begin_pairing") return begin(message);
    if (message?.type === "cancel_pairing") return cancel();
    if (message?.type === "poll_pairing") return go_on_pairing();
    if (message?.type === "reading") return said(say_reading(message.tab, message.id, Date.now()));
    if (message?.type === "manual") return said(enter(message, Date.now()));
    if (message?.type === "mark") return said(mark(message, Date.now()));
    if (message?.type === "correct_minutes") return said(correct_minutes(message, Date.now()));
    if (message?.type === "own_episodes") return own_episodes(message.tab);
    if (message?.type === "say") return take_answer(message);
    if (message?.type === "unsay") return unsay(message.question);
    return null;
  }
  if (message?.type === "hello") return hello(sender);
  if (message?.type === "rows") return take_rows(message, sender);
  if (message?.type === "status") return take_status(message, sender);
  if (message?.type === "gap") return take_gap(message, sender);
  if (message?.type === "lock") return ask_for_lock();
  return null;
}

chrome.runtime.onMessage.addListener((message, sender, respond) => {
  const answer = answer_to(message, sender);
  if (answer === null) return false;
  // No answer means: not done. The page asks again, under the same ids.
  answer.then(respond, (error) => {
    console.error(`Threadtime: “${message.type}” failed.`, error);
    respond(undefined);
  });
  return true;
});

chrome.runtime.onInstalled.addListener(() =>
  run("setting up", async () => {
    await set_up();
    await register({ afresh: true });
    await resume();
    await inject(); // scripts of the version before are orphans now
    await every_minute();
  }),
);

chrome.runtime.onStartup.addListener(() =>
  run("starting", async () => {
    await set_up();
    await resume();
    await every_minute();
  }),
);

chrome.alarms.onAlarm.addListener(({ name }) => {
  if (name === "pairing") run("pairing", go_on_pairing);
  else if (name === "knock") run("asking whether this device is still known", be_heard);
  else run("the minute's work", every_minute);
});

chrome.storage.managed.onChanged.addListener(() => run("taking the practice's policy", () => heed({ believe_nothing: true })));

chrome.idle.onStateChanged.addListener((state) =>
  run("noting the lock", () => chrome.storage.local.set({ locked: state === "locked" })),
);

/** A page went away. Its last words may have been written down but not said: browsers drop messages of a page that ends.
 * @param {number} tab */
function page_left(tab) {
  run("taking over from a page that ended", async () => {
    const key = `status:${tab}`;
    if (!(key in (await chrome.storage.session.get(key)))) return;
    await chrome.storage.session.remove(key);
    await new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS));
    await recover(Date.now());
    await send();
  });
}
chrome.tabs.onRemoved.addListener(page_left);
chrome.webNavigation.onCommitted.addListener(({ tabId, frameId }) => {
  if (frameId === 0) page_left(tabId);
});

chrome.webNavigation.onCreatedNavigationTarget.addListener((opened) => run("handing over the way to a new tab", () => hand_over(opened)));

chrome.permissions.onAdded.addListener(() => run("starting in a portal", settings_changed));
chrome.permissions.onRemoved.addListener(() => run("leaving a portal", settings_changed));

/** A single-page application changed its address. The page itself is asked to look; of the address only the origin is
 * compared here. @param {{tabId: number, frameId: number, url: string}} details */
function navigated({ tabId, frameId, url }) {
  if (frameId !== 0) return;
  run("telling a page that it moved", async () => {
    if ((await portal_at(new URL(url).origin)) !== null) await tell_page(tabId, { type: "navigated" });
  });
}
chrome.webNavigation.onHistoryStateUpdated.addListener(navigated);
chrome.webNavigation.onReferenceFragmentUpdated.addListener(navigated);

run("starting the worker", async () => {
  await set_up();
  await recover(Date.now());
  await draw_badge();
  await go_on_pairing();
});
