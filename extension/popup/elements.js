// The popup's elements: found by id, made without markup, and drawn anew only when what they say has changed, so that the
// focus stays where it is.

/** @param {string} id */
export const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** A time of day, as the clinician's own clock shows it. @param {number} at */
export const time = (at) => new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });

/** A time of day, with its day where that is not today. @param {number} at @param {number} now */
export function moment(at, now) {
  const same = new Date(at).toDateString() === new Date(now).toDateString();
  return same ? time(at) : `${new Date(at).toLocaleDateString([], { day: "numeric", month: "short" })}, ${time(at)}`;
}

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** @param {string} tag @param {Record<string, string | number>} attributes @param {(Node | string)[]} children */
export function drawn(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  made.append(...children);
  return made;
}

/** @param {string} words @param {string} key by which the focus finds it again @param {() => Promise<void>} act @param {string} [label] */
export function button(words, key, act, label) {
  const made = make("button", { "type": "button", "data-key": key, ...(label !== undefined && { "aria-label": label }) }, words);
  made.addEventListener("click", () => void act());
  return made;
}

/**
 * Fills an element anew when what it says has changed; an element with the same key gets the focus back, and stays open.
 * @param {HTMLElement} into
 * @param {unknown} says what it says, as plain data
 * @param {() => (Node | string)[]} draw
 */
export function redraw(into, says, draw) {
  const text = JSON.stringify(says) ?? "";
  if (into.dataset["says"] === text) return;
  into.dataset["says"] = text;
  const focused = into.contains(document.activeElement) ? document.activeElement?.getAttribute("data-key") : null;
  const open = [...into.querySelectorAll("details[open]")].map((one) => one.getAttribute("data-key"));
  into.replaceChildren(...draw());
  for (const one of into.querySelectorAll("details")) one.open = open.includes(one.getAttribute("data-key"));
  if (focused) focus_on(into, focused);
}

/** @param {HTMLElement} within @param {string} key */
export function focus_on(within, key) {
  const found = [...within.querySelectorAll("[data-key]")].find((one) => one.getAttribute("data-key") === key);
  /** @type {HTMLElement | undefined} */ (found)?.focus();
}
