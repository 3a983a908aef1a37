// The part of the options that shows what the practice has set: it can be read here, and not changed.

import { pattern_of } from "../worker/addresses.js";
import { element } from "./answer.js";

/** @param {Policy | null} policy */
export async function show_practice(policy) {
  element("practice").hidden = policy === null;
  if (policy === null) return;
  element("practice-words").textContent = policy.lock
    ? "Server, portals and idle time are those of your practice and cannot be changed here."
    : "What is marked here is set by your practice and cannot be changed here.";
  element("practice-problems").replaceChildren(...policy.problems.map((words) => line("li", words)));
  element("practice-wrong").hidden = policy.problems.length === 0;
  if (policy.lock || policy.server !== undefined) settle("server");
  if (policy.lock || policy.idle_after_seconds !== undefined) settle("idle-after");
  for (const id of ["portals", "add-portal", "own"]) element(id).hidden = policy.lock;
  await show_portals(policy);
}

/** @param {string} tag @param {string} words */
function line(tag, words) {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}

/** Makes a field one that is only read, and says why. @param {string} id */
function settle(id) {
  const field = /** @type {HTMLInputElement} */ (element(id));
  field.readOnly = true;
  field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby") ?? ""} practice-words`.trim());
}

/** @param {Policy} policy */
async function show_portals({ portals }) {
  const granted = await Promise.all(portals.map(({ origin }) => chrome.permissions.contains({ origins: [pattern_of(origin)] })));
  const items = portals.map(({ kind, key, origin, file }, index) =>
    line("li", `${origin} — ${file?.name ?? kind}, key ${key}. ${granted[index] ? "✓ This browser allows access." : "Access is asked for when you save."}`),
  );
  element("practice-portals").replaceChildren(...items);
}
