// The recovery: rows that a page left in storage when it, the browser or the extension ended, go to the outbox.

import { tab_statuses } from "./condition.js";
import { every_document, forget, known } from "./documents.js";
import * as outbox from "./outbox.js";
import { wire_row } from "./rows.js";
import { keep as keep_rows } from "./turns.js";

const ANSWER_MS = 3_000;
const DOCUMENTS_MS = 30 * 86_400_000;
/** How Chromium and Firefox say that nobody is there. */
const NOBODY = /Receiving end does not exist|No tab with id|Invalid tab ID/i;

/** @param {DocumentRecord} record @returns {Promise<boolean>} false only when the browser says so, or another document does */
async function alive({ tab, frame, document }) {
  const silence = new Promise((resolve) => setTimeout(resolve, ANSWER_MS, { alive: true }));
  const question = chrome.tabs.sendMessage(tab, { type: "alive", document }, { frameId: frame });
  try {
    const answer = /** @type {any} */ (await Promise.race([question, silence]));
    return answer?.alive !== false;
  } catch (error) {
    return !NOBODY.test(String(error)); // anything else is no proof of death: asked again in a minute
  }
}

/**
 * Keeps rows. While this device has no room for them the popup says so; whoever brought them has them still, and brings
 * them again.
 * @param {WireRow[]} rows @param {number} now
 */
export async function keep_or_say(rows, now) {
  if (rows.length === 0) return;
  try {
    await keep_rows(rows, now);
  } catch (error) {
    await chrome.storage.session.set({ trouble: "This device has no room to keep intervals: free some disk space." });
    throw error;
  }
  await chrome.storage.session.remove("trouble");
}

/** @param {DocumentRecord} document @param {unknown[]} rows @param {number} now */
async function keep(document, rows, now) {
  const sound = rows.map((row) => wire_row(row, document)).filter((row) => row !== null);
  if (sound.length < rows.length) console.warn("Threadtime: a stored interval makes no sense and was left out.");
  await keep_or_say(sound, now);
}

/** Documents are not forgotten here: a page's last words may come later than this.
 * @param {string} key @param {any} entry @param {number} now */
async function recover_entry(key, entry, now) {
  const [kind, rest] = [key.slice(0, key.indexOf(":")), key.slice(key.indexOf(":") + 1)];
  if (kind === "closed") {
    const document = await known(entry?.document);
    if (document) await keep(document, [entry.row], now);
    else console.warn("Threadtime: a stored interval of an unknown page was left out.");
    await chrome.storage.local.remove(key);
  }
  if (kind === "checkpoint") {
    const document = await known(rest);
    if (document && (await alive(document))) return;
    if (document && Array.isArray(entry?.rows)) await keep(document, entry.rows, now);
    await chrome.storage.local.remove(key);
  }
}

/** To be called at every start of the worker and once a minute. @param {number} now */
export async function recover(now) {
  await navigator.locks.request("recover", async () => {
    const stored = await chrome.storage.local.get(null);
    // What was closed goes first: it is the whole interval, and a checkpoint of it may be shorter.
    const entries = Object.entries(stored).sort(([a], [b]) => Number(b.startsWith("closed:")) - Number(a.startsWith("closed:")));
    for (const [key, entry] of entries) await recover_entry(key, entry, now);
    const tabs = new Set((await chrome.tabs.query({})).map((tab) => tab.id));
    const gone = Object.keys(stored).filter((key) => /^(input|frame|trail):/.test(key) && !tabs.has(Number(key.split(":")[1])));
    if (gone.length > 0) await chrome.storage.local.remove(gone);
    for (const record of await every_document()) {
      if (now - record.greeted_at > DOCUMENTS_MS && !tabs.has(record.tab)) await forget(record.document);
    }
    await outbox.prune(now);
  });
  await doubt_statuses();
}

/** A page that died could not say that it no longer counts. */
async function doubt_statuses() {
  for (const { status, document } of await tab_statuses()) {
    if (status !== "counting" && status !== "settling") continue;
    const record = await known(document);
    if (record && !(await alive(record))) await chrome.storage.session.remove(`status:${record.tab}`);
  }
}
