// The delivery: empties the outbox into the server, and says why it does not.
//
// A row leaves the outbox only when the server names it as accepted or duplicate. Rejected rows are parked. A request
// that the server cannot read is halved until the bad row stands alone. What is not well is tried again with full
// jitter, from 1 s up to 15 min, so that a practice's devices do not all come back in the same second.

import { post } from "./backend.js";
import { read_setting, write_setting } from "./database.js";
import * as outbox from "./outbox.js";
import { settings } from "./settings.js";

const BATCH = 100;
const FIRST_MS = 1_000;
const LAST_MS = 900_000;
const MOST_RETRY_AFTER_MS = 86_400_000;

/** @returns {Promise<Delivery>} */
export async function delivery() {
  return { attempt: 0, not_before: 0, stopped: false, problem: null, sent_at: null, ...(await read_setting("delivery")) };
}

/** @param {Delivery} state */
const remember = (state) => write_setting("delivery", state);

/** Forgets why nothing was sent: somebody changed something, or asked to try again. */
export async function resume() {
  const { sent_at } = await delivery();
  await remember({ attempt: 0, not_before: 0, stopped: false, problem: null, sent_at });
}

/** How long to wait before attempt number `attempt` (1 is the first). @param {number} attempt @param {() => number} random */
export function backoff(attempt, random) {
  return random() * Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 30));
}

/**
 * Sends what waits, unless another call is already doing so or it is too early.
 * @param {{now: () => number, random: () => number, send: typeof post}} world
 * @returns {Promise<void>}
 */
export async function drain(world = { now: Date.now, random: Math.random, send: post }) {
  await navigator.locks.request("drain", { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    while (await send_some(world));
  });
}

/** @param {{now: () => number, random: () => number, send: typeof post}} world @returns {Promise<boolean>} whether to go on */
async function send_some(world) {
  const { server, pairing } = await settings();
  const state = await delivery();
  if (server === null || pairing === null || state.stopped || world.now() < state.not_before) return false;
  const records = await outbox.peek(pairing.id, BATCH);
  if (records.length === 0) return false;
  const answer = await offer(server, pairing.token, records.map((record) => record.row), world);
  if (answer === null) {
    await remember({ attempt: 0, not_before: 0, stopped: false, problem: null, sent_at: world.now() });
    return true;
  }
  const attempt = state.attempt + 1;
  const wait = Math.max(backoff(attempt, world.random), Math.min(answer.retry_after_ms ?? 0, MOST_RETRY_AFTER_MS));
  await remember({ ...state, attempt, not_before: world.now() + wait, stopped: answer.stopped, problem: answer.problem });
  return false;
}

/**
 * Sends rows and settles what the answer names; halves them while the server cannot read the request.
 * @param {string} server
 * @param {string} token
 * @param {WireRow[]} rows at least one
 * @param {{now: () => number, send: typeof post}} world
 * @returns {Promise<{problem: string, stopped: boolean, retry_after_ms: number | null} | null>} null: all rows are dealt with
 */
async function offer(server, token, rows, world) {
  const answer = await world.send(server, token, rows, world.now());
  if (answer.kind === "later") return { problem: answer.problem, stopped: false, retry_after_ms: answer.retry_after_ms };
  if (answer.kind === "stopped") return { problem: answer.problem, stopped: true, retry_after_ms: null };
  if (answer.kind === "refused") {
    const [first] = rows;
    if (rows.length === 1 && first !== undefined) {
      await outbox.park(first.id, answer.problem);
      return null;
    }
    const middle = Math.ceil(rows.length / 2);
    const trouble = await offer(server, token, rows.slice(0, middle), world);
    return trouble ?? offer(server, token, rows.slice(middle), world);
  }
  const sent = new Set(rows.map((row) => row.id));
  const safe = [...answer.accepted, ...answer.duplicate].filter((id) => sent.has(id));
  await outbox.settle(safe);
  const refused = new Map(answer.rejected.map(({ id, index, reason }) => [id ?? rows[index]?.id, reason]));
  for (const [id, reason] of refused) {
    if (id !== undefined && sent.has(id)) await outbox.park(id, String(reason));
  }
  const dealt_with = new Set([...safe, ...refused.keys()]);
  if (rows.every((row) => dealt_with.has(row.id))) return null;
  return { problem: "The server’s answer leaves some intervals out; they are sent again.", stopped: false, retry_after_ms: null };
}
