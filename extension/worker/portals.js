// The portals of this device: which of them are granted, and the content scripts that run in them.

import { pattern_of } from "./addresses.js";
import { settings } from "./settings.js";

const SCRIPTS = ["uuid", "stopwatch", "page", "trail", "inputs", "glue"].map((name) => `content/${name}.js`);

/** The portals whose host the clinician or a policy has granted. @returns {Promise<Portal[]>} */
export async function granted_portals() {
  const { portals } = await settings();
  const granted = await Promise.all(
    portals.map((portal) => chrome.permissions.contains({ origins: [pattern_of(portal.origin)] })),
  );
  return portals.filter((_, index) => granted[index]);
}

/** @param {string} origin @returns {Promise<Portal | null>} the granted portal at exactly this origin */
export async function portal_at(origin) {
  return (await granted_portals()).find((portal) => portal.origin === origin) ?? null;
}

/** The origin of a content script's document in the browser's own words, never the script's.
 * @param {chrome.runtime.MessageSender} sender @returns {string | null} */
export function origin_of(sender) {
  if (sender.id !== chrome.runtime.id || sender.tab?.id === undefined || sender.frameId === undefined) return null;
  // `url` is a frame's own; `origin` is missing in older Firefox.
  return sender.origin ?? (sender.url ? new URL(sender.url).origin : null);
}

/** Makes the registered content scripts those of the granted portals. A host that is not granted would be registered
 * without an error and get nothing, so it is not registered at all.
 * @param {{afresh?: boolean}} how afresh: after an update, whose list of scripts may be another one */
export async function register({ afresh = false } = {}) {
  const patterns = [...new Set((await granted_portals()).map((portal) => pattern_of(portal.origin)))].sort();
  /** @type {chrome.scripting.RegisteredContentScript[]} */
  const wanted = patterns.map((pattern) => ({
    id: `portal ${pattern}`,
    matches: [pattern],
    js: SCRIPTS,
    allFrames: true,
    runAt: "document_start",
  }));
  await navigator.locks.request("register", async () => {
    const present = (await chrome.scripting.getRegisteredContentScripts()).map((script) => script.id).sort();
    if (!afresh && present.join() === wanted.map((script) => script.id).join()) return;
    if (present.length > 0) await chrome.scripting.unregisterContentScripts({ ids: present });
    if (wanted.length > 0) await chrome.scripting.registerContentScripts(wanted);
  });
}

/** Starts the content scripts in pages that are open already: after an update, or when a portal was just granted. */
export async function inject() {
  for (const portal of await granted_portals()) {
    for (const tab of await chrome.tabs.query({ url: pattern_of(portal.origin) })) {
      if (tab.id === undefined) continue;
      try {
        await chrome.scripting.executeScript({ target: { tabId: tab.id, allFrames: true }, files: SCRIPTS });
      } catch (error) {
        // An error page or a tab that was closed meanwhile: it runs no portal.
        console.info("Threadtime: nothing to start in a tab.", error);
      }
    }
  }
}
