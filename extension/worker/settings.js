// The settings: server, device token and portals. They lie where content scripts cannot read them.

import { read_setting, write_setting } from "./database.js";
import { adopt } from "./outbox.js";

export const IDLE_AFTER = { least: 15, usual: 60, most: 300 };

/** @returns {Promise<Settings>} */
export async function settings() {
  const stored = await read_setting("settings");
  return { server: null, pairing: null, portals: [], idle_after_seconds: IDLE_AFTER.usual, ...stored };
}

/**
 * @param {{server: string | null, token: string | null, portals: Portal[], idle_after_seconds: number}} wanted origins as read_origin gives them
 * @returns {Promise<Settings>}
 */
export async function save(wanted) {
  const before = await settings();
  const { token, ...rest } = wanted;
  const same = before.pairing !== null && before.pairing.token === token;
  const pairing = token === null ? null : same ? before.pairing : { id: crypto.randomUUID(), token };
  const after = { ...rest, pairing };
  await write_setting("settings", after);
  // What was measured before any pairing belongs to the clinician who pairs first; what another one measured does not.
  if (pairing !== null && !same) await adopt(pairing.id, "");
  return after;
}

/** @param {string} text @returns {string | null} what is wrong with a device token, in words */
export function problem_of_token(text) {
  return /^tt_[^_\s]+_[A-Za-z0-9_-]{43}$/.test(text) ? null : "A device token begins with tt_ and is one word. Copy it again, whole.";
}

/** @param {Portal[]} portals @returns {string | null} what is wrong with them together, in words */
export function problem_of_portals(portals) {
  for (const [index, portal] of portals.entries()) {
    if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(portal.key)) {
      return `“${portal.key}” is not a portal key: small letters, digits, dots and dashes, as your practice calls it.`;
    }
    const before = portals.slice(0, index);
    if (before.some((other) => other.key === portal.key)) return `The key “${portal.key}” is given twice.`;
    if (before.some((other) => other.origin === portal.origin)) return `The address ${portal.origin} is given twice.`;
  }
  return null;
}
