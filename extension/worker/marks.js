// What the clinician corrects: an interval that was a refill, scheduling or a bare result, or minutes entered by hand. Each
// gets a row that corrects it, and stays.

import "../content/uuid.js";
import { status_of } from "./condition.js";
import { MINUTES } from "./entered.js";
import { kept_episodes } from "./episodes.js";
import * as outbox from "./outbox.js";
import { is_about } from "./rows.js";
import { settings } from "./settings.js";

/** What no machine that reads no text can see, by activity. @type {Record<string, string>} */
export const MARKS = { refill_admin: "Refill", scheduling: "Scheduling", results_only: "Bare result" };

/** An interval as the popup offers it. `was`: the activity to go back to; null: not known here.
 * @typedef {{id: string, portal: string, thread: string | null, patient: string | null, started_at: number, ended_at: number, activity: string,
 *   was: string | null, entry: string, idle_after_seconds: number | null, last: string, colleague?: string | null}} Markable `last`: the newest id
 *   in its history; `colleague`: whose it is, if not one's own */

/**
 * The clinician's own intervals of a thread, or of the episode it is in: the server's and those of this device. Pure.
 * @param {OwnEpisode | null} episode
 * @param {RecentRow[]} recent
 * @param {Subject} subject
 * @returns {Markable[]} the newest first
 */
export function markable(episode, recent, subject) {
  const corrections = recent.filter(({ corrects }) => corrects !== undefined);
  /** @type {Map<string, Markable>} */
  const found = new Map();
  for (const row of recent) {
    if (!is_about(row, subject) || row.activity === undefined || row.corrects !== undefined) continue;
    const { id, portal, thread, patient, started_at, ended_at, activity } = row;
    found.set(id, { id, portal, thread, patient, started_at, ended_at, activity, was: null, entry: row.entry ?? "measured", idle_after_seconds: row.idle_after_seconds ?? null, last: id });
  }
  for (const told of episode?.intervals ?? []) {
    if (corrections.some(({ id }) => id === told.id)) continue; // the correction of a row that stands here already
    const { id, thread, started_at, ended_at, activity, entry } = told;
    const patient = told.patient === undefined ? subject.patient : told.patient;
    const was = told.corrected_by === null ? null : told.recorded_activity;
    const idle_after_seconds = told.idle_after_seconds ?? found.get(id)?.idle_after_seconds ?? null;
    found.set(id, { id, portal: subject.portal, thread, patient, started_at, ended_at, activity, was, entry, idle_after_seconds, last: told.corrected_by ?? id, colleague: told.colleague ?? null });
  }
  return [...found.values()].map((one) => corrected(one, corrections)).sort((a, b) => b.started_at - a.started_at);
}

/** @param {Markable} one @param {RecentRow[]} corrections @returns {Markable} */
function corrected(one, corrections) {
  const own = corrections.filter(({ corrects }) => corrects === one.id).sort((a, b) => (a.id < b.id ? -1 : 1));
  const before = own[0]?.was ?? one.was;
  const newest = own.at(-1);
  if (newest === undefined || newest.activity === undefined || newest.id < one.last) return { ...one, was: before ?? null };
  const { activity, started_at, ended_at, id: last } = newest;
  return { ...one, activity, started_at, ended_at, was: before ?? null, last };
}

/**
 * The row that corrects an interval: the same span with another activity. Pure.
 * @param {Markable} one
 * @param {string} activity
 * @param {{reason: string, idle_after_seconds: number, now: number, random: Uint8Array}} how
 * @returns {WireRow}
 */
export function correcting_row({ id, portal, thread, patient, started_at, ended_at, entry, idle_after_seconds, last }, activity, how) {
  // The last of several corrections counts, by its id: none may be older than what it corrects, whatever the clocks say.
  const made = globalThis.threadtime.uuid7(Math.max(how.now, made_at(last) + 1), how.random);
  const row = { id: made, portal, thread, patient, activity, started_at, ended_at, ended_by: "manual", idle_after_seconds: idle_after_seconds ?? how.idle_after_seconds };
  return { ...row, ...(entry === "measured" ? {} : { entry }), corrects: id, reason: how.reason };
}

/** The moment in a UUIDv7. @param {string} id */
const made_at = (id) => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);

/** What the popup of a tab may mark. @param {TabStatus} subject @returns {Promise<{pairing: string, intervals: Markable[]}>} */
export async function own_intervals(subject) {
  const pairing = (await settings()).pairing?.id ?? "";
  const told = (await kept_episodes(pairing, subject))?.episodes ?? [];
  const refused = new Set((await outbox.parked(pairing)).map(({ id }) => id));
  const recent = (await outbox.recent(pairing, 0)).filter(({ id }) => !refused.has(id)); // the server does not know them
  return { pairing, intervals: markable(told[0] ?? null, recent, subject) };
}

/** Corrects the minutes of an entry by hand; it ended when it ended. @param {{tab: unknown, id: unknown, minutes: any}} said
 * @param {number} now @returns {Promise<{kept: true, before: number} | {problem: string}>} before: the minutes that stood */
export async function correct_minutes({ tab, id, minutes }, now) {
  if (!Number.isSafeInteger(minutes) || minutes < MINUTES.least || minutes > MINUTES.most) {
    return { problem: `Minutes are a whole number from ${MINUTES.least} to ${MINUTES.most}.` };
  }
  const subject = await status_of(tab);
  const { pairing, intervals } = subject === undefined ? { pairing: "", intervals: [] } : await own_intervals(subject);
  const one = intervals.find((each) => each.id === id && each.entry === "manual");
  if (one === undefined) return { problem: "This entry can no longer be corrected here." };
  const { idle_after_seconds } = await settings();
  const how = { reason: "minutes corrected by the clinician", idle_after_seconds, now, random: crypto.getRandomValues(new Uint8Array(10)) };
  const row = correcting_row({ ...one, started_at: one.ended_at - minutes * 60_000 }, one.activity, how);
  await outbox.add([row], pairing, now, { [row.id]: one.activity });
  return { kept: true, before: Math.round((one.ended_at - one.started_at) / 60_000) };
}

/**
 * Marks intervals, or takes their marks back.
 * @param {{tab: unknown, ids: unknown, activity: unknown}} said `activity`: one of MARKS; null takes back
 * @param {number} now
 * @returns {Promise<{marked: string[]}>} the ids of those that got a correcting row
 */
export async function mark({ tab, ids, activity }, now) {
  const subject = await status_of(tab);
  const fits = activity === null || (typeof activity === "string" && Object.hasOwn(MARKS, activity));
  if (subject === undefined || !Array.isArray(ids) || !fits) return { marked: [] };
  const { pairing, intervals } = await own_intervals(subject);
  const { idle_after_seconds } = await settings();
  /** @type {WireRow[]} */
  const rows = [];
  /** @type {Record<string, string>} */
  const was = {};
  for (const one of intervals.filter(({ id }) => ids.includes(id))) {
    const wanted = activity ?? one.was;
    if (wanted === null || wanted === one.activity) continue;
    const reason = activity === null ? "mark taken back by the clinician" : `marked as ${String(MARKS[activity]).toLowerCase()} by the clinician`;
    const row = correcting_row(one, wanted, { reason, idle_after_seconds, now, random: crypto.getRandomValues(new Uint8Array(10)) });
    rows.push(row);
    was[row.id] = one.activity;
  }
  await outbox.add(rows, pairing, now, was);
  return { marked: rows.map(({ corrects }) => String(corrects)) };
}
