// The part of the options that shows a pairing: the code while it waits, and the clinicians who share this browser.

import { pairing_request } from "../worker/pairing.js";
import { name_of, settings } from "../worker/settings.js";
import { element, say } from "./answer.js";

const LOOK_MS = 1_000;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Shows the code that waits, and looks again until it has been answered: the worker asks, this page only looks. */
export async function show_pairing() {
  clearTimeout(timer);
  const request = await pairing_request();
  const shown = !element("code-section").hidden;
  element("code-section").hidden = request === null || request.over !== null;
  if (request === null) return shown ? show_outcome() : undefined;
  if (request.over !== null) {
    say("wrong", request.over);
    return chrome.runtime.sendMessage({ type: "cancel_pairing" });
  }
  const link = /** @type {HTMLAnchorElement} */ (element("verification"));
  link.href = request.verification_uri;
  link.textContent = request.verification_uri;
  if (element("code").textContent !== request.user_code) element("code").textContent = request.user_code; // it is read out
  const until = new Date(request.expires_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  element("code-words").textContent = `Good until ${until}. ${request.problem ?? "This page may be closed meanwhile."}`;
  // The worker may have died; a message wakes it.
  if (Date.now() >= request.next_at) await chrome.runtime.sendMessage({ type: "poll_pairing" });
  timer = setTimeout(show_pairing, LOOK_MS);
}

/** The request that was shown is gone: somebody said yes, or it was given up. */
async function show_outcome() {
  const { pairing } = await settings();
  await show_pairings();
  if (given_up) given_up = false;
  else if (pairing !== null) {
    say("done", `Paired: ${name_of(pairing)}.`);
    /** @type {HTMLInputElement} */ (element("token")).value = "";
  }
}

let given_up = false;
element("cancel-pairing").addEventListener("click", async () => {
  given_up = true;
  await chrome.runtime.sendMessage({ type: "cancel_pairing" });
  await show_pairing();
  element("pair").focus();
});

/** Lists who is paired here, whose turn it is, and lets it be changed. */
export async function show_pairings() {
  const { pairing, pairings } = await settings();
  const paired = pairings.filter((one) => one.token !== null);
  element("pairings-section").hidden = paired.length === 0;
  element("pairings").replaceChildren(...paired.map((one) => item(one, one.id === pairing?.id)));
}

/** @param {Pairing} pairing @param {boolean} current */
function item(pairing, current) {
  const line = document.createElement("li");
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = name_of(pairing) + (current ? " — measuring for them now" : "");
  line.append(name);
  if (!current) line.append(button("Switch", "Switch to", "switch_pairing", pairing));
  line.append(button("Forget", "Forget", "forget_pairing", pairing));
  return line;
}

/** @param {string} words @param {string} said @param {string} type @param {Pairing} pairing */
function button(words, said, type, pairing) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.className = type.replace("_pairing", "");
  made.setAttribute("aria-label", `${said} ${name_of(pairing)}`);
  made.addEventListener("click", async () => {
    await chrome.runtime.sendMessage({ type, id: pairing.id });
    const token = /** @type {HTMLInputElement} */ (element("token"));
    const now = (await settings()).pairing;
    token.value = now?.clinician === null ? (now.token ?? "") : ""; // what Save would keep
    await show_pairings();
    element("pairings-title").focus();
  });
  return made;
}
