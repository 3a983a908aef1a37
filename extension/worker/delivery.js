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
const CLOCK_OFF_MS = 120_000;
/** So long the server's word holds that it knows the token. */
export const KNOWN_MS = 25_000;

/** @type {Delivery} */
const FRESH = { attempt: 0, not_before: 0, stopped: false, problem: null, sent_at: null, known_at: 0 };

/** Each pairing has its own: one that was revoked holds up no other.
 * @param {string} [id] the pairing; without it the one whose turn it is @returns {Promise<Delivery>} */
export async function delivery(id) {
  const of = id ?? (await settings()).pairing?.id ?? "";
  return { ...FRESH, ...(await read_setting(`delivery:${of}`)) };
}

/** How far this device's clock was off when the server last answered, in ms, ahead of it above zero; null: not so far that
 * the server marks what is measured by it. @returns {Promise<number | null>} */
export async function clock_off() {
  return (await read_setting("clock_off_ms")) ?? null;
}

/** @param {number} ahead ms */
async function note_clock(ahead) {
  const off = Math.abs(ahead) > CLOCK_OFF_MS ? ahead : null;
  if (off !== (await clock_off())) await write_setting("clock_off_ms", off);
}

/** @param {string} id @param {Delivery} state */
const remember = (id, state) => write_setting(`delivery:${id}`, state);

/** Forgets why nothing was sent: somebody changed something, or asked to try again. */
export async function resume() {
  for (const { id } of (await settings()).pairings) {
    const { sent_at } = await delivery(id);
    await remember(id, { ...FRESH, sent_at });
  }
}

/** How long to wait before attempt number `attempt` (1 is the first). @param {number} attempt @param {() => number} random */
export function backoff(attempt, random) {
  return random() * Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt, 30));
}

/**
 * Sends what waits, each row with the token of its own pairing, unless another call is already doing so or it is too early.
 * @param {{now: () => number, random: () => number, send: typeof post}} world
 * @returns {Promise<void>}
 */
export async function drain(world = { now: Date.now, random: Math.random, send: post }) {
  await navigator.locks.request("drain", { ifAvailable: true }, async (lock) => {
    if (lock === null) return;
    for (const { id } of (await settings()).pairings) while (await send_some(id, world));
  });
}

/**
 * Asks whether the token of the pairing whose turn it is is still good, unless the server has just said so: somebody is
 * at work, and must hear soon when nothing of it would be taken.
 * @returns {Promise<boolean>} whether it has to be asked again, some time after `KNOWN_MS`
 */
export async function knock(world = { now: Date.now, random: Math.random, send: post }) {
  const { pairing } = await settings();
  if (pairing === null || pairing.server === null || pairing.token === null) return false;
  const state = await delivery(pairing.id);
  if (state.stopped || world.now() < state.not_before) return false;
  if (world.now() - state.known_at < KNOWN_MS) return true;
  await settle_answer(pairing.id, await offer(pairing.server, pairing.token, [], world), world);
  return false;
}

/** @param {string} id of a pairing @param {{now: () => number, random: () => number, send: typeof post}} world
 * @returns {Promise<boolean>} whether to go on */
async function send_some(id, world) {
  const pairing = (await settings()).pairings.find((one) => one.id === id); // anew: it may have been forgotten meanwhile
  const state = await delivery(id);
  if (!pairing || pairing.server === null || pairing.token === null || state.stopped || world.now() < state.not_before) return false;
  const records = await outbox.peek(id, BATCH);
  if (records.length === 0) return false;
  const trouble = await offer(pairing.server, pairing.token, records.map((record) => record.row), world);
  return settle_answer(id, trouble, world, { sent: true });
}

/** @param {string} id @param {Awaited<ReturnType<typeof offer>>} trouble @param {{now: () => number, random: () => number}} world
 * @param {{sent?: boolean}} how @returns {Promise<boolean>} whether all went well */
async function settle_answer(id, trouble, world, { sent = false } = {}) {
  const state = await delivery(id);
  const now = world.now();
  if (trouble === null) {
    await remember(id, { ...FRESH, sent_at: sent ? now : state.sent_at, known_at: now });
    return true;
  }
  const attempt = state.attempt + 1;
  const wait = Math.max(backoff(attempt, world.random), Math.min(trouble.retry_after_ms ?? 0, MOST_RETRY_AFTER_MS));
  await remember(id, { ...state, attempt, not_before: now + wait, stopped: trouble.stopped, problem: trouble.problem });
  return false;
}

/**
 * Sends rows and settles what the answer names; halves them while the server cannot read the request.
 * @param {string} server
 * @param {string} token
 * @param {WireRow[]} rows none at all only asks
 * @param {{now: () => number, send: typeof post}} world
 * @returns {Promise<{problem: string, stopped: boolean, retry_after_ms: number | null} | null>} null: all rows are dealt with
 */
async function offer(server, token, rows, world) {
  const answer = await world.send(server, token, rows, world.now());
  if (answer.kind === "later") return { problem: answer.problem, stopped: false, retry_after_ms: answer.retry_after_ms };
  if (answer.kind === "stopped") return { problem: answer.problem, stopped: true, retry_after_ms: null };
  if (answer.kind === "refused") {
    const [first] = rows;
    if (first === undefined) return { problem: answer.problem, stopped: false, retry_after_ms: null };
    if (rows.length === 1) {
      await outbox.park(first.id, answer.problem);
      return null;
    }
    const middle = Math.ceil(rows.length / 2);
    const trouble = await offer(server, token, rows.slice(0, middle), world);
    return trouble ?? offer(server, token, rows.slice(middle), world);
  }
  await note_clock(answer.clock_ahead_ms ?? 0);
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
