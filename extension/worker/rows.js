// Makes rows for the wire of what a content script sent, and trusts none of it. Pure.

const TEXTS = { thread: 200, patient: 200, linked_from: 200 };
const ENDS = ["hidden", "blur", "idle", "lock", "pause", "navigate", "limit", "clock", "crash", "close", "sign_out"];
const ACTIVITIES = ["review_inquiry", "review_records", "develop_plan", "order_or_prescribe", "communicate_online", "documentation"];
const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** @param {unknown} value @param {number} longest */
const identifier = (value, longest) =>
  value === null || (typeof value === "string" && value !== "" && value.length <= longest && value.isWellFormed());

/** Whether a row is about this page: its thread, or where it has none, its patient's pages without one.
 * @param {Pick<WireRow, "portal" | "thread" | "patient">} row @param {Subject} subject */
export function is_about(row, { portal, thread, patient }) {
  if (row.portal !== portal || row.thread !== thread) return false;
  return thread !== null || row.patient === patient;
}

/**
 * A fresh object with the fields of the wire and no other, or null for what no content script of ours would send.
 * @param {any} sent
 * @param {DocumentRecord} document where it comes from: portal and tab are the worker's word, not the page's
 * @returns {WireRow | null}
 */
export function wire_row(sent, document) {
  if (typeof sent !== "object" || sent === null) return null;
  const { id, thread, patient, linked_from, activity, entry, started_at, ended_at, ended_by, idle_after_seconds, recovered } = sent;
  const sound =
    UUID7.test(id) &&
    Object.entries(TEXTS).every(([name, longest]) => identifier(sent[name], longest)) &&
    (thread !== null || patient !== null) &&
    [started_at, ended_at, idle_after_seconds].every(Number.isSafeInteger) &&
    started_at < ended_at &&
    ended_at - started_at <= 300_000 &&
    ENDS.includes(ended_by) &&
    ACTIVITIES.includes(activity) &&
    (entry === "measured" || entry === "linked_chart");
  if (!sound) return null;
  return {
    id,
    portal: document.portal,
    thread,
    patient,
    activity,
    started_at,
    ended_at,
    ended_by,
    idle_after_seconds,
    tab: document.document,
    ...(entry === "measured" ? {} : { entry }),
    ...(linked_from === null ? {} : { linked_from }),
    ...(recovered === true ? { recovered } : {}),
  };
}
