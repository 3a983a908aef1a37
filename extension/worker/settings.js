// The settings: pairings, server and portals. They lie where content scripts cannot read them.

import { read_setting, write_settings } from "./database.js";
import { adopt } from "./outbox.js";

export const IDLE_AFTER = { least: 15, usual: 60, most: 300 };
/** Turns that are remembered: what was measured before them is of nobody known. */
const TURNS = 1000;

/** @returns {Promise<Settings>} what holds: the practice's policy over what was entered on this device */
export async function settings() {
  return under((await read_setting("policy")) ?? null, await own_settings());
}

/** @param {Policy | null} policy @param {Settings} own @returns {Settings} */
export function under(policy, own) {
  if (policy === null) return own;
  const server = policy.server !== undefined ? policy.server : policy.lock ? null : own.server;
  const free = own.portals.filter((one) => !policy.portals.some(({ key, origin }) => key === one.key || origin === one.origin));
  // A token of another server is good for nothing while the practice names its own.
  const pinned = policy.server !== undefined || policy.lock;
  const held = own.pairings.map((one) => (pinned && one.server !== server ? { ...one, token: null } : one));
  return {
    ...own,
    server,
    portals: policy.lock ? policy.portals : [...policy.portals, ...free],
    idle_after_seconds: policy.idle_after_seconds ?? (policy.lock ? IDLE_AFTER.usual : own.idle_after_seconds),
    pairings: held,
    pairing: held.find((one) => one.id === own.pairing?.id && one.token !== null) ?? null,
    policy,
  };
}

/** @returns {Promise<Settings>} what was entered on this device */
async function own_settings() {
  const { pairing: only, current, ...stored } = (await read_setting("settings")) ?? {};
  // Earlier versions knew one pairing, by a pasted token.
  const pairings = only ? [{ ...only, server: stored.server ?? null, clinician: null, practice: null }] : (stored.pairings ?? []);
  const id = only ? only.id : current;
  return {
    server: null,
    portals: [],
    idle_after_seconds: IDLE_AFTER.usual,
    turns: only ? [{ at: 0, pairing: only.id }] : [],
    ...stored,
    policy: null,
    pairings,
    pairing: pairings.find((/** @type {Pairing} */ one) => one.id === id && one.token !== null) ?? null,
  };
}

/**
 * One change at a time, whoever makes it: the worker and its pages all do.
 * @param {(before: Settings) => Settings} work
 * @param {Record<string, unknown>} more other settings, to be written in the same moment
 * @returns {Promise<Settings>}
 */
async function change(work, more = {}) {
  return navigator.locks.request("settings", async () => {
    const before = await own_settings();
    const after = work(before);
    const { pairing, policy, ...stored } = after;
    await write_settings({ settings: { ...stored, current: pairing?.id ?? null }, ...more });
    // What was measured before any pairing belongs to the clinician who pairs first; what another one measured does not.
    if (before.pairings.length === 0 && pairing !== null) await adopt(pairing.id, [""]);
    return after;
  });
}

/** From now on the device measures for this pairing. @param {Settings} before @param {Pairing | null} pairing @param {number} now
 * @returns {Settings} */
function take_turn(before, pairing, now) {
  const known = before.pairings.some((one) => one.id === pairing?.id);
  const pairings = known ? before.pairings.map((one) => (one.id === pairing?.id ? pairing : one)) : before.pairings.concat(pairing ?? []);
  const id = pairing?.id ?? "";
  const last = before.turns.at(-1);
  if (id === (last?.pairing ?? "")) return { ...before, pairings, pairing };
  // Nobody had a turn before the first one. Time does not go back: a clock that was set must not reorder the turns.
  const at = last === undefined ? 0 : Math.max(now, last.at + 1);
  return { ...before, pairings, pairing, turns: [...before.turns, { at, pairing: id }].slice(-TURNS) };
}

/** @param {Settings} before @param {string | undefined} id @returns {Settings} */
const without_token = (before, id) => ({
  ...before,
  pairings: before.pairings.map((one) => (one.id === id ? { ...one, token: null } : one)),
});

/** A pairing in words. @param {Pairing} pairing */
export const name_of = ({ clinician, practice }) => (clinician === null ? "A pasted device token" : `${clinician.name} · ${practice}`);

/** Whether a token was pasted, so that nobody knows whose it is. @param {Pairing | null} pairing */
export const pasted = (pairing) => pairing !== null && pairing.clinician === null;

/**
 * What the form of the options says. Its token is that of a pasted pairing: another one takes its place, none ends it.
 * @param {{server: string | null, token: string | null, portals?: Portal[], idle_after_seconds: number}} wanted origins as read_origin gives them; without portals they stay, and those with a file of their own always do
 * @returns {Promise<Settings>}
 */
export async function save({ token, portals, ...rest }, now = Date.now()) {
  return change((before) => {
    const { pairing } = before;
    const own = before.portals.filter((portal) => portal.file !== undefined);
    const changed = { ...before, ...rest, portals: portals === undefined ? before.portals : [...portals, ...own] };
    if (token === null) return pasted(pairing) ? take_turn(without_token(changed, pairing?.id), null, now) : changed;
    if (pasted(pairing) && pairing?.token === token) return take_turn(changed, { ...pairing, server: rest.server }, now);
    const made = { id: crypto.randomUUID(), token, server: rest.server, clinician: null, practice: null };
    return take_turn(pasted(pairing) ? without_token(changed, pairing?.id) : changed, made, now);
  });
}

/** A portal with a file of its own, instead of the one that had the key `former`. @param {Portal} portal @param {string | null} former */
export async function keep_portal(portal, former) {
  return change((before) => ({ ...before, portals: [...before.portals.filter(({ key }) => key !== (former ?? portal.key)), portal] }));
}

/** @param {string} key of a portal on this device */
export async function remove_portal(key) {
  return change((before) => ({ ...before, portals: before.portals.filter((one) => one.key !== key) }));
}

/**
 * A pairing by code. Who was paired here before, with the same server, keeps their pairing and what waits under it.
 * @param {Omit<Pairing, "id">} made
 * @param {number} now
 * @param {Record<string, unknown>} more
 */
export async function add_pairing(made, now, more = {}) {
  return change((before) => {
    const same = before.pairings.find((one) => one.server === made.server && one.clinician !== null && one.clinician.id === made.clinician?.id);
    const pairing = { ...made, id: same?.id ?? crypto.randomUUID() };
    return take_turn({ ...before, server: made.server }, pairing, now);
  }, { ...more, ...(await cleared(made)) });
}

/** A token that is new has no trouble yet. @param {Omit<Pairing, "id">} made @returns {Promise<Record<string, undefined>>} */
async function cleared(made) {
  const { pairings } = await own_settings();
  const same = pairings.filter((one) => one.server === made.server && one.clinician?.id === made.clinician?.id);
  return Object.fromEntries(same.map((one) => [`delivery:${one.id}`, undefined]));
}

/** @param {string} id of a pairing that has its token @param {number} now */
export async function switch_pairing(id, now) {
  return change((before) => {
    const wanted = before.pairings.find((one) => one.id === id && one.token !== null);
    return wanted === undefined ? before : take_turn(before, wanted, now);
  });
}

/** Drops a token. What waits under its pairing stays on the device. @param {string} id @param {number} now */
export async function forget_pairing(id, now) {
  return change((before) => {
    const changed = without_token(before, id);
    return before.pairing?.id === id ? take_turn(changed, null, now) : changed;
  });
}

/** The pairings of which nobody can say whose they were, and that send no more: the clinician may say that they are
 * theirs. @param {Settings} now @returns {string[]} */
export function of_nobody_known({ pairings, pairing }) {
  return ["", ...pairings.filter((one) => pasted(one) && one.token === null).map((one) => one.id)].filter((id) => id !== pairing?.id);
}

/** @param {string} text @returns {string | null} what is wrong with a device token, in words */
export function problem_of_token(text) {
  return /^tt_[^_\s]+_[A-Za-z0-9_-]{43}$/.test(text) ? null : "A device token begins with tt_ and is one word. Copy it again, whole.";
}

/** @param {Portal[]} portals @returns {string | null} what is wrong with them together, in words */
export function problem_of_portals(portals) {
  for (const [index, portal] of portals.entries()) {
    if (!/^[a-z0-9][a-z0-9._-]{0,59}$/.test(portal.key)) {
      return `“${portal.key}” is not a portal key: small letters, digits, dots and dashes, as your practice calls it.`;
    }
    const before = portals.slice(0, index);
    if (before.some((other) => other.key === portal.key)) return `The key “${portal.key}” is given twice.`;
    if (before.some((other) => other.origin === portal.origin)) return `The address ${portal.origin} is given twice.`;
  }
  return null;
}
