// The threads of today, with the minutes that this device measured on each.

import * as outbox from "../worker/outbox.js";
import { settings } from "../worker/settings.js";
import { element, make, redraw } from "./elements.js";
import { midnight, minutes, threads_of } from "./today.js";

/** @param {RecentRow[]} open rows that are still being measured in the page behind */
export async function show_day(open) {
  const details = /** @type {HTMLDetailsElement} */ (element("day"));
  if (!details.open) return;
  const now = Date.now();
  const pairing = (await settings()).pairing?.id ?? "";
  const threads = threads_of([...(await outbox.recent(pairing, midnight(now))), ...open], now);
  const list = threads.map(({ thread, patient, ms }) => ({
    name: thread === null ? "Chart pages" : `Thread ${thread}`,
    patient: patient === null ? "" : `patient ${patient}`,
    time: minutes(ms),
  }));
  element("day-none").hidden = list.length > 0;
  element("day-total").textContent = list.length === 0 ? "" : `${minutes(threads.reduce((sum, { ms }) => sum + ms, 0))} on this device today, as measured`;
  redraw(element("day-list"), list, () =>
    list.map(({ name, patient, time }) => make("li", {}, make("span", { class: "what" }, name, make("span", { class: "small quiet" }, patient)), make("span", { class: "num" }, time))),
  );
}
