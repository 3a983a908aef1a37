// The turns: whose the device was at an instant, so that each row is kept under the pairing it was measured under.

import * as outbox from "./outbox.js";
import { settings } from "./settings.js";

/**
 * Whose a row is, by when it began; what of it lies in the next one's turn is cut off. Pure.
 * @param {Turn[]} turns the oldest first
 * @param {WireRow} row
 * @returns {{pairing: string, row: WireRow}}
 */
export function assign(turns, row) {
  const pairing = turns.findLast((turn) => turn.at <= row.started_at)?.pairing ?? "";
  const next = turns.find((turn) => turn.at > row.started_at);
  if (next === undefined || next.at >= row.ended_at) return { pairing, row };
  return { pairing, row: { ...row, ended_at: next.at, ended_by: "sign_out" } };
}

/** Keeps rows in the outbox, each under its own pairing. @param {WireRow[]} rows @param {number} now */
export async function keep(rows, now) {
  const { turns } = await settings();
  for (const [pairing, some] of Map.groupBy(rows.map((row) => assign(turns, row)), (one) => one.pairing)) {
    await outbox.add(some.map((one) => one.row), pairing, now);
  }
}
