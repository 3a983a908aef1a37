// The documents: who a content script is, in the browser's own words, remembered from its greeting.

import { result, transact } from "./database.js";
import { origin_of, portal_at } from "./portals.js";

/** @param {chrome.runtime.MessageSender} sender @param {number} now
 * @returns {Promise<DocumentRecord | null>} null: no granted portal */
export async function greet(sender, now) {
  const origin = origin_of(sender);
  const portal = origin === null ? null : await portal_at(origin);
  if (origin === null || portal === null) return null;
  /** @type {DocumentRecord} */
  const record = {
    document: crypto.randomUUID(),
    tab: /** @type {number} */ (sender.tab?.id),
    frame: /** @type {number} */ (sender.frameId),
    origin,
    portal: portal.key,
    greeted_at: now,
  };
  await transact(["documents"], "readwrite", (t) => result(t.objectStore("documents").add(record)));
  return record;
}

/** @param {unknown} document @returns {Promise<DocumentRecord | null>} */
export async function known(document) {
  if (typeof document !== "string") return null;
  return transact(["documents"], "readonly", async (t) => (await result(t.objectStore("documents").get(document))) ?? null);
}

/** The document that a message names, if the message really comes from it.
 * @param {unknown} document @param {chrome.runtime.MessageSender} sender @returns {Promise<DocumentRecord | null>} */
export async function speaking(document, sender) {
  const record = await known(document);
  const same = record && record.origin === origin_of(sender) && record.tab === sender.tab?.id && record.frame === sender.frameId;
  return same ? record : null;
}

/** @returns {Promise<DocumentRecord[]>} */
export async function every_document() {
  return transact(["documents"], "readonly", (t) => result(t.objectStore("documents").getAll()));
}

/** @param {string} document */
export async function forget(document) {
  await transact(["documents"], "readwrite", (t) => result(t.objectStore("documents").delete(document)));
}
