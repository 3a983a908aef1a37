// What the clinician says in the popup: that time without input was reading, and work that no screen shows.

import { BY_HAND, offered } from "../worker/entered.js";
import { element, time } from "./elements.js";
import { minutes } from "./today.js";

/** @param {string} id */
const field = (id) => /** @type {HTMLInputElement} */ (element(id));

/** Shows the gaps of a tab that the clinician may speak of. @param {number | undefined} tab */
export async function show_gaps(tab) {
  const gaps = tab === undefined ? [] : await offered(tab, Date.now());
  element("reading-section").hidden = gaps.length === 0;
  const list = element("gaps");
  const ids = gaps.map(({ id }) => id).join();
  if (list.dataset["ids"] === ids) return; // a button may have the focus
  list.dataset["ids"] = ids;
  list.replaceChildren(...gaps.map((gap) => gap_item(/** @type {number} */ (tab), gap)));
}

/** @param {number} tab @param {WireRow} gap */
function gap_item(tab, { id, started_at, ended_at }) {
  const item = document.createElement("li");
  const when = document.createElement("span");
  when.textContent = `From ${time(started_at)}, ${minutes(ended_at - started_at)}`;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "I was reading";
  button.setAttribute("aria-label", `I was reading: ${when.textContent}`);
  button.addEventListener("click", async () => {
    const answer = await chrome.runtime.sendMessage({ type: "reading", tab, id });
    const words = answer?.kept ? `✓ ${minutes(ended_at - started_at)} of reading noted, marked as said by you.` : "That time can no longer be added.";
    element("said").textContent = words;
    await show_gaps(tab);
  });
  item.append(when, button);
  return item;
}

/** The instant of a time of day that is past: today's, or yesterday's when today's is still to come.
 * @param {string} clock as 14:05 @param {number} now */
export function ended(clock, now) {
  const [hours = NaN, mins = NaN] = clock.split(":").map(Number);
  const at = new Date(now).setHours(hours, mins, 0, 0);
  return at <= now ? at : at - 86_400_000;
}

/** Makes the form ready. @param {number | undefined} tab */
export function prepare_form(tab) {
  field("hand-kind").replaceChildren(...Object.entries(BY_HAND).map(([activity, words]) => new Option(words, activity)));
  element("by-hand").addEventListener("toggle", () => {
    const now = new Date();
    field("hand-ended").value ||= `${String(now.getHours()).padStart(2, "0")}:${String(now.getMinutes()).padStart(2, "0")}`;
  });
  element("hand-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const said = {
      activity: field("hand-kind").value,
      minutes: field("hand-minutes").valueAsNumber,
      ended_at: ended(field("hand-ended").value, Date.now()),
      reason: field("hand-reason").value,
    };
    const answer = await chrome.runtime.sendMessage({ type: "manual", tab, ...said });
    const kept = answer?.kept === true;
    element("hand-answer").dataset["outcome"] = kept ? "done" : "wrong";
    element("hand-answer").textContent = kept
      ? `✓ ${said.minutes} min noted, kept apart from measured time.`
      : (answer?.problem ?? "That did not work. Please try again.");
    if (kept) field("hand-reason").value = "";
  });
}
