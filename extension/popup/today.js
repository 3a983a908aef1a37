// What this device measured today on one thread. Pure.

import { is_about } from "../worker/rows.js";

/** What a person said is kept apart from what was measured. */
const SAID = ["attested_reading", "manual"];

/** The start of the local day of an instant. @param {number} now */
export const midnight = (now) => new Date(now).setHours(0, 0, 0, 0);

/**
 * Milliseconds measured today, on one thread or (where there is none) one patient's pages; what began yesterday is cut.
 * @param {Pick<RecentRow, "id" | "portal" | "thread" | "patient" | "started_at" | "ended_at" | "entry" | "corrects">[]} rows may name a row twice: the last one counts
 * @param {{portal: string, thread: string | null, patient: string | null}} subject
 * @param {number} now
 */
export function today(rows, subject, now) {
  const from = midnight(now);
  const once = new Map(rows.map((row) => [row.id, row]));
  let total = 0;
  for (const row of once.values()) {
    if (SAID.includes(row.entry ?? "measured") || row.corrects !== undefined) continue;
    if (is_about(row, subject)) total += Math.max(0, row.ended_at - Math.max(row.started_at, from));
  }
  return total;
}

/**
 * The threads (and patients' pages without one) on which this device measured something today, the longest first.
 * @param {RecentRow[]} rows may name a row twice: the last one counts
 * @param {number} now
 * @returns {{portal: string, thread: string | null, patient: string | null, ms: number}[]}
 */
export function threads_of(rows, now) {
  const subjects = new Map();
  for (const { portal, thread, patient } of rows) {
    const key = JSON.stringify([portal, thread, thread === null ? patient : null]);
    subjects.set(key, { portal, thread, patient: patient ?? subjects.get(key)?.patient ?? null });
  }
  return [...subjects.values()]
    .map((subject) => ({ ...subject, ms: today(rows, subject, now) }))
    .filter(({ ms }) => ms > 0)
    .sort((a, b) => b.ms - a.ms);
}

/** Minutes and seconds, whole seconds that have passed. @param {number} ms */
export function minutes(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
