// The clinician's own episodes: the server's last word about each thread or patient that was looked at in the popup, kept
// for when the server is away, each under the pairing it was given to.

import { ask_episodes } from "./backend.js";
import { result, transact } from "./database.js";
import { settings } from "./settings.js";

const KEPT_MS = 14 * 86_400_000;

/** @param {string} pairing @param {Subject} subject */
const key_of = (pairing, { portal, thread, patient }) => JSON.stringify([pairing, portal, thread, patient]);

/** @param {string} pairing @param {Subject} subject @returns {Promise<KeptEpisodes | null>} */
export async function kept_episodes(pairing, subject) {
  return transact(["episodes"], "readonly", async (t) => (await result(t.objectStore("episodes").get(key_of(pairing, subject)))) ?? null);
}

/**
 * Asks the server anew and keeps its answer.
 * @param {Subject} subject
 * @returns {Promise<{outcome: "kept" | "absent" | "failed" | "unpaired", problem: string | null}>} absent: the server is too
 *   old to tell; failed: what was kept before still stands
 */
export async function renew(subject, world = { now: Date.now, ask: ask_episodes }) {
  const { pairing } = await settings();
  if (pairing === null || pairing.server === null || pairing.token === null) return { outcome: "unpaired", problem: null };
  if (subject.thread === null && subject.patient === null) return { outcome: "absent", problem: null };
  const answer = await world.ask(pairing.server, pairing.token, subject);
  if (answer.kind === "failed") return { outcome: "failed", problem: answer.problem };
  const { portal, thread, patient } = subject;
  const key = key_of(pairing.id, subject);
  // Under the lock of the settings: a pairing that is forgotten meanwhile must not get its answer back.
  return navigator.locks.request("settings", async () => {
    const known = (await settings()).pairings.some((one) => one.id === pairing.id && one.token !== null);
    await transact(["episodes"], "readwrite", (t) => {
      const store = t.objectStore("episodes");
      if (answer.kind === "absent" || !known) store.delete(key);
      else store.put({ ...answer.told, key, pairing: pairing.id, portal, thread, patient, received_at: world.now() });
    });
    return { outcome: answer.kind === "absent" ? "absent" : "kept", problem: null };
  });
}

/** Asks anew about those that are kept already: something of theirs has just reached the server.
 * @param {Subject[]} subjects */
export async function renew_kept(subjects, world = { now: Date.now, ask: ask_episodes }) {
  const { pairing } = await settings();
  for (const subject of subjects) {
    if ((await kept_episodes(pairing?.id ?? "", subject)) !== null) await renew(subject, world);
  }
}

/** Drops what was told to pairings that are forgotten, and what is older than two weeks. @param {number} now */
export async function prune_episodes(now) {
  const paired = (await settings()).pairings.filter(({ token }) => token !== null).map(({ id }) => id);
  await transact(["episodes"], "readwrite", async (t) => {
    const store = t.objectStore("episodes");
    for (const { key, pairing, received_at } of /** @type {KeptEpisodes[]} */ (await result(store.getAll()))) {
      if (!paired.includes(pairing) || now - received_at > KEPT_MS) store.delete(key);
    }
  });
}
