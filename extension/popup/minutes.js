// Corrects the minutes of what was entered by hand for the thread behind the popup. The original stays.

import { BY_HAND } from "../worker/entered.js";
import { own_intervals } from "../worker/marks.js";
import { button, element, focus_on, make, moment, redraw } from "./elements.js";

/** @typedef {import("../worker/marks.js").Markable} Markable */

/** @param {number | undefined} tab @param {TabStatus | undefined} behind */
export async function show_entered(tab, behind) {
  const details = /** @type {HTMLDetailsElement} */ (element("by-hand"));
  if (!behind || !details.open) return;
  const entered = (await own_intervals(behind)).intervals.filter(({ entry }) => entry === "manual");
  element("entered-section").hidden = entered.length === 0;
  redraw(element("entered"), entered, () => entered.map((one) => entered_item(one, tab, behind)));
}

/** @param {Markable} one @param {number | undefined} tab @param {TabStatus} behind */
function entered_item({ id, activity, started_at, ended_at }, tab, behind) {
  const words = `${moment(ended_at, Date.now())} · ${BY_HAND[activity] ?? "Marked as not counted"}`;
  const field = /** @type {HTMLInputElement} */ (
    make("input", { "type": "number", "min": "1", "step": "1", "inputmode": "numeric", "value": String(Math.round((ended_at - started_at) / 60_000)), "aria-label": `Minutes of ${words}`, "data-key": `minutes:${id}` })
  );
  const correct = button("Correct", `correct:${id}`, () => send(tab, behind, id, field.valueAsNumber), `Correct the minutes of ${words}`);
  return make("li", {}, make("span", {}, words), make("span", { class: "row" }, field, " min ", correct));
}

/** @param {number | undefined} tab @param {TabStatus} behind @param {string} id @param {number} minutes */
async function send(tab, behind, id, minutes) {
  const answer = await chrome.runtime.sendMessage({ type: "correct_minutes", tab, id, minutes });
  const said = element("entered-said");
  const kept = answer?.kept === true;
  said.dataset["outcome"] = kept ? "done" : "wrong";
  said.replaceChildren(kept ? `✓ ${minutes} min instead of ${answer.before}. Sent as a correction; what was entered first stays on record.` : (answer?.problem ?? "That did not work. Please try again."));
  await show_entered(tab, behind);
  focus_on(element("entered"), `correct:${id}`);
}
