// The trial of a portal file: its page reader runs once on the open tab, and says what it recognised. Nothing is kept or sent.

import { pattern_of } from "../worker/addresses.js";

const PAGES = { thread: "A thread", chart: "A chart", orders: "Orders", prescribing: "Prescriptions", compose: "Where a thread is answered" };
const ACTIVITIES = {
  review_inquiry: "reading the message",
  review_records: "reading the chart",
  develop_plan: "planning",
  order_or_prescribe: "ordering or prescribing",
  communicate_online: "writing to the patient",
  documentation: "writing a note",
};

/**
 * Reads the portal's tab that was looked at last. Access to it has to be granted.
 * @param {PortalFile} file
 * @param {string} origin
 * @returns {Promise<{recognised: [string, string][]} | {problem: string}>} what was recognised, line by line
 */
export async function try_file(file, origin) {
  const tabs = (await chrome.tabs.query({ url: pattern_of(origin) })).filter(({ url }) => url && new URL(url).origin === origin);
  const [tab] = tabs.sort((a, b) => (b.lastAccessed ?? 0) - (a.lastAccessed ?? 0));
  if (tab?.id === undefined) return { problem: `No tab shows ${origin}. Open the portal in another tab, go to a thread there, and test again.` };
  const target = { tabId: tab.id, frameIds: [0] };
  await chrome.scripting.executeScript({ target, files: ["content/page.js"] });
  const [answer] = await chrome.scripting.executeScript({ target, func: read_here, args: [file] });
  const { entry, page } = /** @type {ReturnType<typeof read_here>} */ (answer?.result);
  return page === null ? { problem: `Not recognised: ${why_not(file, entry)} Nothing is counted there.` } : { recognised: lines(page) };
}

/** Runs in the portal's tab. @param {PortalFile} file */
function read_here(file) {
  const { place, read } = threadtime.page;
  const found = place(file, location, document);
  const page = read(file, location, document);
  const entry = found === "" ? null : Number(JSON.parse(found)[0]);
  return { entry, page: page && { kind: page.kind, thread: page.thread, patient: page.patient, activity: page.activity } };
}

/** @param {PortalFile} file @param {number | null} entry the first of its pages that matches */
function why_not(file, entry) {
  const page = entry === null ? undefined : file.pages[entry];
  if (page === undefined) return "none of its pages matches the address.";
  const here = `/pages/${entry} matches, a page “${page.page}”`;
  if (page.page === "other") return `${here}, which is known and not timed.`;
  if (page.page === "frames") return `${here}, but in none of its frames, or in more than one, a page that the file knows is in front.`;
  return `${here}, but no identifier of a ${page.page === "thread" ? "thread" : "patient"} was found.`;
}

/** @param {NonNullable<ReturnType<typeof read_here>["page"]>} page @returns {[string, string][]} */
function lines({ kind, thread, patient, activity }) {
  const whose = kind === "thread" ? "none: the server finds the patient by the thread" : "none";
  const none = kind === "compose" ? "the one whose reply button led there" : "none: it counts for the thread it is opened from";
  return [
    ["Page", PAGES[kind]],
    ["Thread", thread === null ? none : `✓ ${thread}`],
    ["Patient", patient === null ? whose : `✓ ${patient}`],
    ["Activity", ACTIVITIES[activity]],
  ];
}
