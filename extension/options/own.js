// The part of the options for a portal of the practice's own: its file is checked, tried, kept, taken away and removed.

import { pattern_of, read_origin } from "../worker/addresses.js";
import { packaged } from "../worker/backend.js";
import { KINDS } from "../worker/kinds.js";
import { read_file } from "../worker/portal_file.js";
import { keep_portal, problem_of_portals, remove_portal, settings } from "../worker/settings.js";
import { attempt, element, say, Wrong } from "./answer.js";
import { try_file } from "./trial.js";

const form = element("own-form");
const text = /** @type {HTMLTextAreaElement} */ (element("own-text"));
const address = /** @type {HTMLInputElement} */ (element("own-address"));
const key = /** @type {HTMLInputElement} */ (element("own-key"));
const opened = /** @type {HTMLInputElement} */ (element("own-file"));
const sure = /** @type {HTMLDialogElement} */ (element("own-sure"));

const schema = await packaged("portals/schema/portal.schema.json");
/** @type {Portal[]} the practice's policy's */
let set = [];
/** @type {Portal[]} this device's */
let all = [];
/** @type {string | null} the key of the one that is being changed */
let chosen = null;
/** What is removed once the clinician is sure of it. */
let doubted = "";

/** The portals with a file of their own that were entered on this device. */
export const own_portals = () => all.filter(({ file }) => file !== undefined);

/** Shows what is kept. */
export async function show_own() {
  const { portals, policy } = await settings();
  set = policy?.portals ?? [];
  all = portals.slice(set.length);
  const granted = await Promise.all(own_portals().map(({ origin }) => chrome.permissions.contains({ origins: [pattern_of(origin)] })));
  element("own-portals").replaceChildren(...own_portals().map((portal, index) => item(portal, granted[index] === true)));
}

/** @param {Portal} portal @param {boolean} granted */
function item(portal, granted) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  const more = document.createElement("small");
  name.className = "name";
  more.textContent = `${portal.origin}, key ${portal.key}. ${granted ? "✓ This browser allows access." : "Access is asked for when you keep it again."}`;
  name.append(portal.file?.name ?? portal.kind, more);
  line.append(
    name,
    button("Change", portal, () => open(portal)),
    button("Download", portal, () => download(portal)),
    button("Copy for a policy", portal, () => attempt(() => copy(portal), "own-said")),
    button("Remove", portal, () => ask(portal)),
  );
  return line;
}

/** @param {string} words @param {Portal} portal @param {() => void} work */
function button(words, portal, work) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.setAttribute("aria-label", `${words}: ${portal.file?.name}, ${portal.origin}`);
  made.addEventListener("click", work);
  return made;
}

/** @param {Portal} portal */
const pretty = ({ file }) => `${JSON.stringify(file, null, 2)}\n`;

/** @param {Portal | null} portal null: a new one */
function open(portal) {
  chosen = portal?.key ?? null;
  element("own-form-title").textContent = portal === null ? "A new portal file" : `Changing ${portal.file?.name}`;
  text.value = portal === null ? "" : pretty(portal);
  address.value = portal?.origin ?? "";
  key.value = portal?.key ?? "";
  opened.value = "";
  say("", "", "own-said");
  say("", "", "own-answer");
  element("own-trial").hidden = true;
  show_form(true);
  show_command();
  element("own-form-title").focus();
}

/** @param {boolean} shown */
function show_form(shown) {
  form.hidden = !shown;
  element("own-new").hidden = shown;
}

function show_command() {
  const origin = read_origin(address.value);
  const words = ["python -m backend portal add --key", key.value.trim() || "KEY", "--kind own --origin", "origin" in origin ? origin.origin : "ADDRESS"];
  element("own-command").textContent = words.join(" ");
}

/** What is typed in, checked; throws Wrong. @returns {Portal & {file: PortalFile}} */
function typed() {
  const read = read_file(text.value, schema);
  if ("problem" in read) throw new Wrong(text, read.problem);
  const { file } = read;
  const problem = problem_of_selectors(file.pages);
  if (problem !== null) throw new Wrong(text, problem);
  if (KINDS.includes(file.kind)) {
    throw new Wrong(text, `/kind: “${file.kind}” is a kind that is shipped, and stays it. Give yours a name of its own, such as “${file.kind}-ours”.`);
  }
  const origin = read_origin(address.value);
  if ("problem" in origin) throw new Wrong(address, origin.problem);
  if (key.value.trim() === "") key.value = file.kind;
  show_command();
  return { kind: file.kind, key: key.value.trim(), origin: origin.origin, file };
}

/** Only a browser can tell whether a selector is one. @param {object} value @param {string} at @returns {string | null} */
function problem_of_selectors(value, at = "/pages") {
  for (const [name, one] of Object.entries(value)) {
    const here = `${at}/${name}`;
    if (typeof one === "object") {
      const problem = problem_of_selectors(one, here);
      if (problem !== null) return problem;
    } else if (["selector", "frames", "reply"].includes(name) && !is_selector(one)) return `${here}: is not a CSS selector; see to its dots, brackets and quotation marks.`;
  }
  return null;
}

/** @param {string} selector */
function is_selector(selector) {
  try {
    document.createDocumentFragment().querySelector(selector);
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "SyntaxError") return false;
    throw error;
  }
}

/** First of all, while the click still counts as one: browsers ask only then. @param {Portal} portal */
const ask_access = ({ origin }) => chrome.permissions.request({ origins: [pattern_of(origin)] });

async function keep() {
  const portal = typed();
  const problem = problem_of_portals([...set, ...all.filter((one) => one.key !== chosen), portal]);
  if (problem !== null) throw new Wrong(problem.startsWith("The address") ? address : key, problem);
  const granted = await ask_access(portal);
  await keep_portal(portal, chosen);
  await chrome.runtime.sendMessage({ type: "settings_changed" });
  await show_own();
  show_form(false);
  element("own-new").focus();
  if (granted) say("done", "Kept. Pages of the portal that are open already follow it once they are loaded anew.", "own-said");
  else say("wrong", "Kept, but the browser was not allowed access: nothing can be counted there. Keep it again to be asked again.", "own-said");
}

async function test() {
  const trial = element("own-trial");
  trial.hidden = true;
  const portal = typed();
  if (!(await ask_access(portal))) throw new Wrong(address, "The browser was not allowed access to this address.");
  const answer = await try_file(portal.file, portal.origin);
  if ("problem" in answer) return say("wrong", answer.problem, "own-answer");
  trial.replaceChildren(...answer.recognised.flatMap(([name, value]) => [line("dt", name), line("dd", value)]));
  trial.hidden = false;
  say("done", "Recognised, in the portal’s tab that you looked at last. Nothing of it was kept or sent.", "own-answer");
}

/** @param {string} tag @param {string} words */
function line(tag, words) {
  const made = document.createElement(tag);
  made.textContent = words;
  return made;
}

/** @param {Portal} portal */
function download(portal) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([pretty(portal)], { type: "application/json" }));
  link.download = `${portal.kind}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The portal as an entry of `portals` in a policy, which takes the file as one text. @param {Portal} portal */
async function copy({ kind, key, origin, file }) {
  await navigator.clipboard.writeText(JSON.stringify({ kind, key, origin, file: JSON.stringify(file) }));
  say("done", "Copied: one entry for “portals” in your practice’s policy.", "own-said");
}

/** @param {Portal} portal */
function ask(portal) {
  doubted = portal.key;
  element("own-sure-title").textContent = `Remove ${portal.file?.name} at ${portal.origin}?`;
  sure.showModal();
  element("own-stay").focus();
}

async function remove() {
  sure.close();
  await remove_portal(doubted);
  await chrome.runtime.sendMessage({ type: "settings_changed" });
  show_form(false);
  await show_own();
  say("done", "Removed.", "own-said");
  element("own-title").focus();
}

element("own-new").addEventListener("click", () => open(null));
element("own-close").addEventListener("click", () => {
  show_form(false);
  element("own-new").focus();
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(keep, "own-answer");
});
element("own-try").addEventListener("click", () => attempt(test, "own-answer"));
element("own-remove").addEventListener("click", () => attempt(remove, "own-said"));
element("own-stay").addEventListener("click", () => sure.close());
for (const input of [address, key]) input.addEventListener("input", show_command);
opened.addEventListener("change", () =>
  attempt(async () => {
    const [file] = opened.files ?? [];
    if (file === undefined) return say("", "", "own-answer");
    text.value = await file.text();
    const read = read_file(text.value, schema);
    if ("problem" in read) throw new Wrong(text, read.problem);
    if (key.value.trim() === "") key.value = read.file.kind;
    show_command();
    say("done", `This is a portal file: ${read.file.name}. Test it, or keep it.`, "own-answer");
  }, "own-answer"),
);
