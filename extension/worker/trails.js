// Trails between tabs: a page that is opened in a new tab goes on from the thread it was opened from, and loses the way there
// once another tab has shown another patient.

import { known } from "./documents.js";
import { portal_at } from "./portals.js";

/** In these the page is before the clinician. */
const BEFORE = ["counting", "settling", "idle"];

/** @param {number | undefined} tab */
const lock = (tab) => `trail of tab ${tab}`;

/** @param {number} tab @param {object} message @returns {Promise<any>} undefined: no page of ours listens there */
export async function tell_page(tab, message) {
  try {
    return await chrome.tabs.sendMessage(tab, message, { frameId: 0 });
  } catch (error) {
    console.info("Threadtime: a page does not listen, or not yet.", error);
    return undefined;
  }
}

/** A link was followed into a new tab. That a tab is opened by hand is never reported here.
 * @param {{sourceTabId: number, tabId: number}} opened */
export async function hand_over({ sourceTabId, tabId }) {
  await navigator.locks.request(lock(tabId), async () => {
    const [source, target] = await Promise.all([chrome.tabs.get(sourceTabId), chrome.tabs.get(tabId)]);
    if (source.windowId !== target.windowId) return;
    const answer = await tell_page(sourceTabId, { type: "trail" });
    const document = await known(answer?.document);
    if (document?.tab !== sourceTabId || (await portal_at(document.origin)) === null) return;
    /** @type {KeptTrail} */
    const kept = { origin: document.origin, trail: answer.trail ?? null };
    await chrome.storage.local.set({ [`trail:${tabId}`]: kept });
  });
}

/** Waits until the tab's first page can read what was handed over to it. @param {number | undefined} tab */
export const handed_over = (tab) => navigator.locks.request(lock(tab), async () => undefined);

/** Tells the window's other portal pages which page is before the clinician now.
 * @param {TabStatus} shown @param {chrome.tabs.Tab | undefined} tab @param {string} origin */
export async function tell_window({ status, thread, patient }, tab, origin) {
  if (tab === undefined || !BEFORE.includes(status) || (thread === null && patient === null)) return;
  const portals = await chrome.storage.session.get(null);
  for (const { id } of await chrome.tabs.query({ windowId: tab.windowId })) {
    if (id !== undefined && id !== tab.id && `status:${id}` in portals) await tell_page(id, { type: "passed", origin, thread, patient });
  }
}
