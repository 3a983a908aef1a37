// Marks time as a refill, scheduling or a bare result: the whole thread, or single intervals of it. The original stays.

import { MARKS, own_intervals } from "../worker/marks.js";
import { button, element, focus_on, make, moment, redraw } from "./elements.js";
import { minutes } from "./today.js";

/** @typedef {import("../worker/marks.js").Markable} Markable */

/** What an interval was, in words. @type {Record<string, string>} */
const ACTIVITIES = {
  ...MARKS,
  review_inquiry: "Reading the thread",
  review_records: "Records",
  staff_discussion: "Talk with staff",
  develop_plan: "Planning",
  order_or_prescribe: "Orders",
  communicate_online: "Writing",
  communicate_phone: "Phone call",
  documentation: "Note",
};

/** @param {Markable[]} some */
const length_of = (some) => minutes(some.reduce((sum, { started_at, ended_at }) => sum + ended_at - started_at, 0));
/** @param {number} count */
const intervals = (count) => (count === 1 ? "1 interval" : `${count} intervals`);

/** @returns {HTMLInputElement[]} */
const boxes = () => [.../** @type {NodeListOf<HTMLInputElement>} */ (element("mark-list").querySelectorAll("input"))];

/** Makes the form ready. @param {number | undefined} tab @param {TabStatus | undefined} behind */
export function prepare_marks(tab, behind) {
  const choice = /** @type {HTMLSelectElement} */ (element("mark-kind"));
  choice.replaceChildren(...Object.entries(MARKS).map(([activity, words]) => new Option(words, activity)));
  const whole = /** @type {HTMLInputElement} */ (element("mark-all"));
  whole.addEventListener("change", () => {
    for (const box of boxes()) box.checked = whole.checked;
  });
  element("mark-list").addEventListener("change", show_whole);
  element("marks").addEventListener("toggle", () => void show_marks(tab, behind));
  element("mark-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const ids = boxes().filter((box) => box.checked).map(({ value }) => value);
    if (ids.length === 0) return tell("Choose at least one interval.", "wrong");
    await send(tab, behind, ids, choice.value);
  });
}

/** The box for all says whether all are chosen, some or none. */
function show_whole() {
  const whole = /** @type {HTMLInputElement} */ (element("mark-all"));
  const chosen = boxes().filter((box) => box.checked).length;
  whole.checked = chosen > 0 && chosen === boxes().length;
  whole.indeterminate = chosen > 0 && chosen < boxes().length;
}

/** @param {number | undefined} tab @param {TabStatus | undefined} behind @param {string[]} ids @param {string | null} activity */
async function send(tab, behind, ids, activity) {
  const answer = await chrome.runtime.sendMessage({ type: "mark", tab, ids, activity });
  const marked = answer?.marked ?? [];
  if (marked.length === 0) tell("Nothing was changed. Please try again.", "wrong");
  else if (activity === null) tell(`✓ ${intervals(marked.length)} as measured again. It is sent as a correction.`, "done");
  else {
    tell(`✓ ${intervals(marked.length)} marked as ${String(MARKS[activity]).toLowerCase()}. Sent as a correction; what was measured stays on record.`, "done");
    const undo = button("Undo", "undo", () => send(tab, behind, marked, null));
    element("mark-said").append(" ", undo);
    undo.focus();
  }
  await show_marks(tab, behind);
  if (activity === null) element("mark-kind").focus();
}

/** @param {string} words @param {"done" | "wrong"} outcome */
function tell(words, outcome) {
  element("mark-said").dataset["outcome"] = outcome;
  element("mark-said").replaceChildren(words);
}

/** @param {number | undefined} tab @param {TabStatus | undefined} behind */
export async function show_marks(tab, behind) {
  const details = /** @type {HTMLDetailsElement} */ (element("marks"));
  details.hidden = behind === undefined || (behind.thread === null && behind.patient === null);
  if (!behind || !details.open) return;
  const all = (await own_intervals(behind)).intervals;
  const free = all.filter(({ activity }) => !Object.hasOwn(MARKS, activity));
  const marked = all.filter(({ activity }) => Object.hasOwn(MARKS, activity));
  element("mark-form").hidden = free.length === 0;
  element("mark-none").hidden = all.length > 0;
  const here = free.filter(({ thread }) => thread === behind.thread);
  element("mark-all-words").textContent = `All of it: ${intervals(free.length)}, ${length_of(free)}`;
  const chosen = new Map(boxes().map((box) => [box.value, box.checked]));
  redraw(element("mark-list"), free, () => free.map((one) => free_item(one, behind, chosen.get(one.id) ?? here.includes(one))));
  show_whole();
  redraw(element("marked"), marked, () => marked.map((one) => marked_item(one, tab, behind)));
  element("marked-section").hidden = marked.length === 0;
}

/** @param {Markable} one @param {Subject} behind */
function words_of({ started_at, ended_at, activity, thread, colleague }, behind) {
  const whose = colleague ? `, ${colleague}’s` : "";
  const elsewhere = thread === behind.thread ? "" : thread === null ? ", chart" : ", another thread";
  return `${moment(started_at, Date.now())}, ${minutes(ended_at - started_at)} · ${ACTIVITIES[activity] ?? activity}${elsewhere}${whose}`;
}

/** @param {Markable} one @param {Subject} behind @param {boolean} checked */
function free_item(one, behind, checked) {
  const box = /** @type {HTMLInputElement} */ (make("input", { "type": "checkbox", "value": one.id, "data-key": one.id }));
  box.checked = checked;
  return make("li", {}, make("label", {}, box, ` ${words_of(one, behind)}`));
}

/** @param {Markable} one @param {number | undefined} tab @param {TabStatus} behind */
function marked_item(one, tab, behind) {
  const words = words_of(one, behind);
  const item = make("li", {}, make("span", {}, words));
  if (one.was === null) item.append(make("span", { class: "small quiet" }, "Taken back at the desk."));
  else {
    item.append(button("Take back", `back:${one.id}`, async () => {
      await send(tab, behind, [one.id], null);
      focus_on(element("mark-list"), one.id);
    }, `Take back: ${words}`));
  }
  return item;
}
