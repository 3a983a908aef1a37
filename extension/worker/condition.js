// The condition of the whole extension on this device, as the badge and the popup tell it.

import { clock_off, delivery } from "./delivery.js";
import { depth } from "./outbox.js";
import { granted_portals } from "./portals.js";
import { settings } from "./settings.js";

/** @typedef {"unpaired" | "error" | "offline" | "paused" | "counting" | "idle"} State */

/** Mark, words and colour of each state; the mark alone tells them apart.
 * @type {Record<State, {mark: string, words: string, tone: "ready" | "hold" | "blocked" | "missing"}>} */
export const STATES = {
  unpaired: { mark: "✕", words: "Not paired", tone: "blocked" },
  error: { mark: "!", words: "Needs attention", tone: "blocked" },
  offline: { mark: "↑", words: "Offline", tone: "hold" },
  paused: { mark: "‖", words: "Paused", tone: "missing" },
  counting: { mark: "●", words: "Counting", tone: "ready" },
  idle: { mark: "◔", words: "Idle", tone: "hold" },
};

/** @returns {Promise<TabStatus[]>} what the open portal pages last said of themselves */
export async function tab_statuses() {
  const stored = await chrome.storage.session.get(null);
  return Object.entries(stored)
    .filter(([key]) => key.startsWith("status:"))
    .map(([, value]) => /** @type {TabStatus} */ (value));
}

/** What the page in a tab last said of itself. @param {unknown} tab @returns {Promise<TabStatus | undefined>} */
export async function status_of(tab) {
  const key = `status:${tab}`;
  return /** @type {TabStatus | undefined} */ ((await chrome.storage.session.get(key))[key]);
}

/** @param {number} ahead ms */
function clock_words(ahead) {
  const minutes = Math.round(Math.abs(ahead) / 60_000);
  return `This computer’s clock is ${minutes} minutes ${ahead > 0 ? "ahead of" : "behind"} your practice’s server. Time is measured and sent all the same, and marked: please set the clock.`;
}

/** @returns {Promise<{state: State, detail: string, waiting: number}>} `detail`: the reason in words, or "" */
export async function condition() {
  const { pairing, portals, policy } = await settings();
  const { waiting, parked } = await depth(pairing?.id ?? "");
  if (policy !== null && policy.problems.length > 0) {
    return { state: "error", detail: `Your practice’s policy for this browser is wrong: ${policy.problems.join(" ")}`, waiting };
  }
  if (pairing === null || pairing.server === null) return { state: "unpaired", detail: "Pair this browser in the options.", waiting };
  const { trouble } = await chrome.storage.session.get("trouble");
  if (typeof trouble === "string") return { state: "error", detail: trouble, waiting };
  const { stopped, problem } = await delivery();
  if (stopped) return { state: "error", detail: problem ?? "", waiting };
  if (parked > 0) return { state: "error", detail: `${parked === 1 ? "One interval was" : `${parked} intervals were`} refused by the server.`, waiting };
  if ((await granted_portals()).length < Math.max(1, portals.length)) {
    return { state: "error", detail: "A portal is not set up: open the options and allow access to it.", waiting };
  }
  const ahead = await clock_off();
  if (ahead !== null) return { state: "error", detail: clock_words(ahead), waiting };
  if (problem !== null && waiting > 0) return { state: "offline", detail: problem, waiting };
  const { paused } = await chrome.storage.local.get("paused");
  if (paused === true) return { state: "paused", detail: "", waiting };
  const counting = (await tab_statuses()).some(({ status }) => status === "counting");
  return { state: counting ? "counting" : "idle", detail: "", waiting };
}
