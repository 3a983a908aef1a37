// What a clinician says in the popup: that removed time was reading, and work that no screen can show. Each becomes a row
// of its own, marked as said by a person; nothing becomes one unless somebody says so.

import "../content/uuid.js";
import { status_of } from "./condition.js";
import * as outbox from "./outbox.js";
import { wire_row } from "./rows.js";
import { settings } from "./settings.js";
import { assign } from "./turns.js";

const READING_MS = 180_000;
/** A gap that nobody said anything about is forgotten: no answer means no. */
const FORGOTTEN_MS = 3_600_000;
const SHOWN = 3;
export const MINUTES = { least: 1, most: 240 };
export const REASON_LENGTH = 500;
const DAY_MS = 86_400_000;

/** What is entered by hand, by activity. @type {Record<string, string>} */
export const BY_HAND = {
  communicate_phone: "Phone call with the patient",
  staff_discussion: "Talking with staff about it",
  develop_plan: "Thinking it through away from the screen",
  review_records: "Reading records elsewhere",
  documentation: "Writing the note elsewhere",
};

/**
 * The row that a gap becomes if its clinician says so, or null for what no content script of ours would send.
 * @param {any} sent
 * @param {DocumentRecord} document
 * @returns {WireRow | null}
 */
export function reading_row(sent, document) {
  if (typeof sent !== "object" || sent === null) return null;
  const row = wire_row({ ...sent, entry: "measured", ended_by: "idle", recovered: false }, document);
  return row === null || row.ended_at - row.started_at > READING_MS ? null : { ...row, entry: "attested_reading" };
}

/** Offers a gap to the clinician, in memory alone. @param {any} sent @param {DocumentRecord} document */
export async function offer(sent, document) {
  const row = reading_row(sent, document);
  if (row !== null) await chrome.storage.session.set({ [`gap:${document.tab}:${row.id}`]: row });
}

/** The newest gaps of a tab that can still be said to have been reading. @param {number} tab @param {number} now
 * @returns {Promise<WireRow[]>} */
export async function offered(tab, now) {
  const stored = Object.entries(await chrome.storage.session.get(null)).filter(([key]) => key.startsWith("gap:"));
  const gaps = stored.map(([key, value]) => ({ key, row: /** @type {WireRow} */ (value) }));
  const current = await settings();
  return gaps
    .filter(({ row }) => now - row.ended_at < FORGOTTEN_MS && is_theirs(row, current))
    .filter(({ key }) => key.startsWith(`gap:${tab}:`))
    .map(({ row }) => row)
    .sort((a, b) => b.started_at - a.started_at)
    .slice(0, SHOWN);
}

/** Whether the gap fell into the turn of whoever has it now: nobody says it for somebody else.
 * @param {WireRow} row @param {Settings} current */
const is_theirs = (row, { turns, pairing }) => {
  const whose = assign(turns, row);
  return whose.pairing === (pairing?.id ?? "") && whose.row === row;
};

/** Forgets the gaps that nobody spoke of. @param {number} now */
export async function forget_gaps(now) {
  const stored = Object.entries(await chrome.storage.session.get(null)).filter(([key]) => key.startsWith("gap:"));
  const old = stored.filter(([, value]) => now - /** @type {WireRow} */ (value).ended_at >= FORGOTTEN_MS).map(([key]) => key);
  if (old.length > 0) await chrome.storage.session.remove(old);
}

/** The clinician says that a gap was reading. @param {unknown} tab @param {unknown} id @param {number} now
 * @returns {Promise<{kept: boolean}>} false when it was not offered, or no longer */
export async function say_reading(tab, id, now) {
  const key = `gap:${tab}:${id}`;
  const row = /** @type {WireRow | undefined} */ ((await chrome.storage.session.get(key))[key]);
  const current = await settings();
  if (row === undefined || now - row.ended_at >= FORGOTTEN_MS || !is_theirs(row, current)) return { kept: false };
  await outbox.add([row], current.pairing?.id ?? "", now);
  await chrome.storage.session.remove(key);
  return { kept: true };
}

/**
 * The row of time that was entered by hand, or in words what is wrong with it.
 * @param {any} said {id, activity, minutes, ended_at, reason}
 * @param {TabStatus} subject the page behind the popup, as the worker knows it
 * @param {number} idle_after_seconds
 * @param {number} now
 * @returns {{row: WireRow} | {problem: string}}
 */
export function manual_row({ id, activity, minutes, ended_at, reason }, subject, idle_after_seconds, now) {
  if (subject.thread === null && subject.patient === null) return { problem: "No thread is open in this tab." };
  if (typeof activity !== "string" || !Object.hasOwn(BY_HAND, activity)) return { problem: "Say what kind of work it was." };
  if (!Number.isSafeInteger(minutes) || minutes < MINUTES.least || minutes > MINUTES.most) {
    return { problem: `Minutes are a whole number from ${MINUTES.least} to ${MINUTES.most}.` };
  }
  if (!Number.isSafeInteger(ended_at) || ended_at > now || now - ended_at > DAY_MS) return { problem: "It ended within the last day, and not later than now." };
  const why = typeof reason === "string" ? reason.trim().toWellFormed() : "";
  if (why === "" || why.length > REASON_LENGTH) return { problem: `Say in a few words what it was, in ${REASON_LENGTH} characters or less.` };
  const { portal, thread, patient, document } = subject;
  const row = { id, portal, thread, patient, activity, started_at: ended_at - minutes * 60_000, ended_at, ended_by: "manual", idle_after_seconds };
  return { row: { ...row, tab: document, entry: "manual", reason: why } };
}

/** Keeps what was entered by hand for the thread of a tab. @param {any} said @param {number} now
 * @returns {Promise<{kept: true} | {problem: string}>} */
export async function enter(said, now) {
  const subject = await status_of(said.tab);
  if (subject === undefined) return { problem: "No thread is open in this tab." };
  const { idle_after_seconds, pairing } = await settings();
  const id = globalThis.threadtime.uuid7(now, crypto.getRandomValues(new Uint8Array(10)));
  const made = manual_row({ ...said, id }, subject, idle_after_seconds, now);
  if ("problem" in made) return made;
  await outbox.add([made.row], pairing?.id ?? "", now);
  return { kept: true };
}
