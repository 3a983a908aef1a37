// The options: pairing, server and portals, entered by the clinician; access to hosts is asked for on a click.

import { pattern_of, read_origin } from "../worker/addresses.js";
import { post } from "../worker/backend.js";
import { KINDS, portal_file } from "../worker/kinds.js";
import { adopt, waiting_under } from "../worker/outbox.js";
import { IDLE_AFTER, of_nobody_known, pasted, problem_of_portals, problem_of_token, save, settings } from "../worker/settings.js";
import { attempt, element, say, Wrong } from "./answer.js";
import { own_portals, show_own } from "./own.js";
import { show_pairing, show_pairings } from "./pairing.js";
import { show_practice } from "./practice.js";

const server = /** @type {HTMLInputElement} */ (element("server"));
const token = /** @type {HTMLInputElement} */ (element("token"));
const device_name = /** @type {HTMLInputElement} */ (element("device-name"));
const idle_after = /** @type {HTMLInputElement} */ (element("idle-after"));
const portals = element("portals");

/** @param {ParentNode} parent @param {string} selector @returns {HTMLInputElement} */
const field = (parent, selector) => /** @type {HTMLInputElement} */ (parent.querySelector(selector));

/** @param {Partial<Portal>} portal */
function add_portal(portal) {
  const template = /** @type {HTMLTemplateElement} */ (element("portal-template"));
  portals.append(template.content.cloneNode(true));
  const set = /** @type {HTMLFieldSetElement} */ (portals.lastElementChild);
  const kind = /** @type {HTMLSelectElement} */ (set.querySelector("select"));
  kind.append(...files.map((file) => new Option(file.seen === "running" ? file.name : `${file.name}, unverified`, file.kind)));
  if (portal.kind) kind.value = portal.kind;
  field(set, ".address").value = portal.origin ?? "";
  field(set, ".key").value = portal.key ?? kind.value;
  kind.addEventListener("change", () => {
    const key = field(set, ".key");
    if (KINDS.includes(key.value)) key.value = kind.value; // a key of the practice's own stays
  });
  set.querySelector(".remove")?.addEventListener("click", () => {
    set.remove();
    number_portals();
    element("add-portal").focus();
  });
  number_portals();
  return set;
}

/** Gives every portal its number, and its fields stable ids: portal-1-kind, portal-1-address, portal-1-key. */
function number_portals() {
  for (const [index, set] of [...portals.children].entries()) {
    const name = `portal-${index + 1}`;
    /** @type {HTMLElement} */ (set.querySelector("legend")).textContent = `Portal ${index + 1}`;
    set.querySelector(".remove")?.setAttribute("aria-label", `Remove portal ${index + 1}`);
    for (const [selector, part] of [["select", "kind"], [".address", "address"], [".key", "key"], [".remove", "remove"]]) {
      const control = /** @type {HTMLElement} */ (set.querySelector(/** @type {string} */ (selector)));
      control.id = `${name}-${part}`;
      control.parentElement?.querySelector(":scope > label")?.setAttribute("for", control.id);
    }
  }
}

async function show_access() {
  for (const set of portals.children) {
    const read = read_origin(field(set, ".address").value);
    const granted = "origin" in read && (await chrome.permissions.contains({ origins: [pattern_of(read.origin)] }));
    const words = granted ? "✓ This browser allows access." : "Access is asked for when you save.";
    /** @type {HTMLElement} */ (set.querySelector(".access")).textContent = words;
  }
}

/** @param {HTMLInputElement} input @returns {string} */
function origin_in(input) {
  const read = read_origin(input.value);
  if ("problem" in read) throw new Wrong(input, read.problem);
  return read.origin;
}

/** What is typed in, checked; throws Wrong. */
function typed() {
  const origin = server.value.trim() === "" ? null : origin_in(server);
  const word = token.value.trim() === "" ? null : token.value.trim();
  const problem = word === null ? null : problem_of_token(word);
  if (problem !== null) throw new Wrong(token, problem);
  const seconds = Number(idle_after.value);
  if (!Number.isInteger(seconds) || seconds < IDLE_AFTER.least || seconds > IDLE_AFTER.most) {
    throw new Wrong(idle_after, `Idle after: a whole number from ${IDLE_AFTER.least} to ${IDLE_AFTER.most}.`);
  }
  const list = [...portals.children].map((set) => ({
    key: field(set, ".key").value.trim(),
    kind: /** @type {HTMLSelectElement} */ (set.querySelector("select")).value,
    origin: origin_in(field(set, ".address")),
  }));
  for (const [index] of list.entries()) {
    const wrong = now.policy?.lock ? null : problem_of_portals([...set_portals, ...own_portals(), ...list.slice(0, index + 1)]);
    if (wrong !== null) throw new Wrong(field(/** @type {Element} */ (portals.children[index]), ".key"), wrong);
  }
  return { server: origin, token: word, portals: list, idle_after_seconds: seconds };
}

async function save_all() {
  const wanted = typed();
  const { portals: own, ...rest } = wanted;
  const held = now.policy?.lock ? set_portals : [...set_portals, ...own_portals(), ...own];
  const origins = [wanted.server, ...held.map((portal) => portal.origin)].filter((origin) => origin !== null);
  // First, while the click still counts as one: browsers ask only then.
  const granted = origins.length === 0 || (await chrome.permissions.request({ origins: origins.map(pattern_of) }));
  await save(now.policy?.lock ? rest : wanted);
  await chrome.runtime.sendMessage({ type: "settings_changed" });
  await show_practice(now.policy);
  await show_access();
  await show_own();
  await show_foreign();
  await show_pairings();
  if (granted) say("done", "Saved.");
  else say("wrong", "Saved, but the browser was not allowed access: nothing can be counted there. Save again to be asked again.");
}

async function test() {
  const { server: origin, token: word } = typed();
  const { pairing } = await settings();
  const by_code = word === null && !pasted(pairing) ? pairing : null;
  if (origin === null && by_code === null) throw new Wrong(server, "Enter the server’s address.");
  if (word === null && by_code === null) throw new Wrong(token, "Pair this browser, or enter a device token.");
  const answer = await post(by_code?.server ?? origin ?? "", by_code?.token ?? word ?? "", [], Date.now());
  if (answer.kind === "answered") say("done", "The server answers and knows this device.");
  else say("wrong", answer.problem);
}

async function show_foreign() {
  const now = await settings();
  const foreign = await waiting_under(of_nobody_known(now));
  element("foreign").hidden = foreign === 0 || now.pairing === null;
  const were = foreign === 1 ? "1 interval was" : `${foreign} intervals were`;
  element("foreign-words").textContent = `${were} measured under another token and not sent yet. If you are the same clinician, send what is yours; else leave it for them.`;
}

/** Asks for a code; who says yes to it is paired. */
async function pair() {
  const origin = origin_in(server);
  if (device_name.value.trim() === "") throw new Wrong(device_name, "Give this device a name.");
  // First, while the click still counts as one: browsers ask only then.
  if (!(await chrome.permissions.request({ origins: [pattern_of(origin)] }))) {
    throw new Wrong(server, "Without access to the server this browser cannot be paired. Press the button again to be asked again.");
  }
  const answer = await chrome.runtime.sendMessage({ type: "begin_pairing", server: origin, device_name: device_name.value.trim(), browser: browser_name() });
  if (answer?.problem !== null) throw new Wrong(server, answer?.problem ?? "It did not work. Try again.");
  say("", "");
  await show_pairing();
}

/** The browser and its system, as it names itself. */
function browser_name() {
  const data = /** @type {any} */ (navigator).userAgentData;
  const brands = /** @type {{brand: string}[]} */ (data?.brands ?? []).map(({ brand }) => brand).filter((brand) => !/not.?a.?brand/i.test(brand));
  const brand = brands.find((one) => one !== "Chromium") ?? brands[0] ?? (/Firefox/.test(navigator.userAgent) ? "Firefox" : "Browser");
  return `${brand} on ${data?.platform || navigator.platform || "an unknown system"}`.slice(0, 100);
}

element("form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(save_all);
});
element("pair").addEventListener("click", () => attempt(pair));
element("test").addEventListener("click", () => attempt(test));
element("add-portal").addEventListener("click", () => field(add_portal({}), "select").focus());
element("adopt").addEventListener("click", () =>
  attempt(async () => {
    const { pairing } = await settings();
    if (pairing !== null) await adopt(pairing.id, of_nobody_known(await settings()));
    await chrome.runtime.sendMessage({ type: "try_again" });
    await show_foreign();
    say("done", "They are sent with this token.");
  }),
);

const files = await Promise.all(KINDS.map(portal_file));
const now = await settings();
/** The practice's own; they stand first. */
const set_portals = now.policy?.portals ?? [];
server.value = now.server ?? "";
token.value = pasted(now.pairing) ? (now.pairing?.token ?? "") : "";
device_name.value = browser_name();
idle_after.value = String(now.idle_after_seconds);
for (const portal of now.portals.slice(set_portals.length)) if (!portal.file) add_portal(portal);
if (now.portals.length === 0) add_portal({});
await show_practice(now.policy);
await show_access();
await show_own();
await show_foreign();
await show_pairings();
await show_pairing();
document.documentElement.dataset["shown"] = "true";
