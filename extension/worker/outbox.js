// The outbox: closed intervals that no server has acknowledged, one record a row, on disk before anybody is told so.

import { result, transact } from "./database.js";

const RECENT_MS = 48 * 3_600_000;

/**
 * Keeps rows, each once: a row whose id is known already (waiting, parked or sent within two days) is left as it is.
 * @param {WireRow[]} rows
 * @param {string} pairing
 * @param {number} now
 * @param {Record<string, string>} was of corrections, by id: the activity that stood before
 * @returns {Promise<string[]>} the ids that are safe now: all of them
 */
export async function add(rows, pairing, now, was = {}) {
  return transact(["outbox", "recent"], "readwrite", async (t) => {
    const outbox = t.objectStore("outbox");
    const recent = t.objectStore("recent");
    for (const row of rows) {
      const { id, portal, thread, patient, started_at, ended_at, entry, activity, idle_after_seconds, corrects } = row;
      const known = (await result(recent.getKey(id))) ?? (await result(outbox.getKey(id)));
      if (known !== undefined) continue;
      /** @type {OutboxRecord} */
      const record = { id, row, pairing, state: "waiting", reason: null, kept_at: now };
      outbox.add(record);
      /** @type {RecentRow} */
      const trace = { id, pairing, portal, thread, patient, started_at, ended_at, activity, idle_after_seconds };
      const more = { ...(entry !== undefined && { entry }), ...(corrects !== undefined && { corrects }), ...(was[id] !== undefined && { was: was[id] }) };
      recent.add({ ...trace, ...more });
    }
    return rows.map((row) => row.id);
  });
}

/** @param {string} state @param {string} pairing */
const all = (state, pairing) => IDBKeyRange.only([state, pairing]);

/**
 * The oldest rows that wait to be sent under a pairing.
 * @param {string} pairing
 * @param {number} limit
 * @returns {Promise<OutboxRecord[]>}
 */
export async function peek(pairing, limit) {
  return transact(["outbox"], "readonly", (t) =>
    result(t.objectStore("outbox").index("by_pairing").getAll(all("waiting", pairing), limit)),
  );
}

/** The rows of one thread that wait under a pairing. @param {string} pairing @param {Subject} subject
 * @returns {Promise<WireRow[]>} */
export async function unsent(pairing, { portal, thread }) {
  const records = /** @type {OutboxRecord[]} */ (
    await transact(["outbox"], "readonly", (t) => result(t.objectStore("outbox").index("by_pairing").getAll(all("waiting", pairing))))
  );
  return records.map(({ row }) => row).filter((row) => row.portal === portal && row.thread === thread);
}

/** Forgets rows that the server has on its disk. @param {string[]} ids */
export async function settle(ids) {
  await transact(["outbox"], "readwrite", (t) => ids.forEach((id) => t.objectStore("outbox").delete(id)));
}

/** Sets a row aside, where the clinician sees it and it blocks no other. @param {string} id @param {string} reason */
export async function park(id, reason) {
  await change(id, (record) => ({ ...record, state: "parked", reason }));
}

/** Lets a parked row be sent once more. @param {string} id */
export async function release(id) {
  await change(id, (record) => ({ ...record, state: "waiting", reason: null }));
}

/** @param {string} id @param {(record: OutboxRecord) => OutboxRecord} work */
async function change(id, work) {
  await transact(["outbox"], "readwrite", async (t) => {
    const store = t.objectStore("outbox");
    const record = await result(store.get(id));
    if (record !== undefined) await result(store.put(work(record)));
  });
}

/** @param {string} pairing @returns {Promise<OutboxRecord[]>} what the server refused of a pairing's rows */
export async function parked(pairing) {
  return transact(["outbox"], "readonly", (t) => result(t.objectStore("outbox").index("by_pairing").getAll(all("parked", pairing))));
}

/**
 * How many rows wait under a pairing, since when, how many of it are parked, and how many of others are still here.
 * @param {string} pairing
 * @returns {Promise<{waiting: number, oldest: number | null, foreign: number, parked: number}>}
 */
export async function depth(pairing) {
  return transact(["outbox"], "readonly", async (t) => {
    const index = t.objectStore("outbox").index("by_pairing");
    const [first] = await result(index.getAll(all("waiting", pairing), 1));
    const waiting = await result(index.count(all("waiting", pairing)));
    const aside = await result(index.count(all("parked", pairing)));
    const every = await result(t.objectStore("outbox").count());
    return { waiting, oldest: first?.row.started_at ?? null, foreign: every - waiting - aside, parked: aside };
  });
}

/** How many rows wait under any of some pairings. @param {string[]} pairings */
export async function waiting_under(pairings) {
  return transact(["outbox"], "readonly", async (t) => {
    let count = 0;
    for (const one of pairings) count += await result(t.objectStore("outbox").index("by_pairing").count(all("waiting", one)));
    return count;
  });
}

/** Puts every row that waits under some other pairings under this one: its clinician said that they are theirs.
 * @param {string} pairing @param {string[]} from */
export async function adopt(pairing, from) {
  await transact(["outbox"], "readwrite", async (t) => {
    const store = t.objectStore("outbox");
    for (const one of from) {
      for (const record of await result(store.index("by_pairing").getAll(all("waiting", one)))) store.put({ ...record, pairing });
    }
  });
}

/** What was measured on this device under a pairing and ended after an instant; of rows that an earlier version kept
 * nobody knows the pairing. @param {string} pairing @param {number} since @returns {Promise<RecentRow[]>} */
export async function recent(pairing, since) {
  const rows = await transact(["recent"], "readonly", (t) =>
    result(t.objectStore("recent").index("by_end").getAll(IDBKeyRange.lowerBound(since, true))),
  );
  return rows.filter((row) => row.pairing === pairing);
}

/** Forgets what ended more than two days ago. @param {number} now */
export async function prune(now) {
  await transact(["recent"], "readwrite", async (t) => {
    const store = t.objectStore("recent");
    const old = await result(store.index("by_end").getAllKeys(IDBKeyRange.upperBound(now - RECENT_MS)));
    for (const key of old) store.delete(key);
  });
}
