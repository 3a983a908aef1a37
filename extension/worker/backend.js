// The backend client: the one file that fetches. One request to the server, one answer, told in kinds.

import { own_episodes } from "./told.js";

const PATH = "/api/v1/intervals";
const PAIRING_PATH = "/api/v1/pairing";
const OWN_PATH = "/api/v1/own-episodes";
const FACTS_PATH = "/api/v1/facts/";
const PROTOCOL = "1";
const PATIENCE_MS = 30_000;
const NOT_OURS = "The server’s answer is not one of Threadtime’s. Check its address.";

/** One POST. @param {string} address @param {string | null} token @param {object} body
 * @returns {Promise<{status: number, retry_after: string | null, date: string | null, text: string} | {problem: string}>} problem: no answer */
async function send(address, token, body) {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { ...(token === null ? {} : { "Authorization": `Bearer ${token}` }), "Content-Type": "application/json", "Threadtime-Protocol": PROTOCOL },
      body: JSON.stringify(body),
      credentials: "omit",
      cache: "no-store",
      redirect: "error", // the token goes to the address that was entered, and nowhere else
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const { status, headers } = response;
    return { status, retry_after: headers.get("Retry-After"), date: headers.get("Date"), text: await response.text() };
  } catch (error) {
    const slow = error instanceof DOMException && error.name === "TimeoutError";
    return { problem: slow ? "The server did not answer within 30 seconds." : "The server cannot be reached." };
  }
}

/**
 * @param {string} server origin
 * @param {string} token
 * @param {WireRow[]} rows at most 100; none at all asks only whether server and token are right
 * @param {number} sent_at this device's clock
 * @returns {Promise<Answer>}
 */
export async function post(server, token, rows, sent_at) {
  const answer = await send(server + PATH, token, { sent_at, intervals: rows });
  if ("problem" in answer) return { kind: "later", problem: answer.problem, retry_after_ms: null };
  return judge(answer.status, answer.retry_after, answer.text, sent_at, answer.date);
}

/** Asks for a pairing code. @param {string} server origin @param {string} device_name @param {string} browser
 * @returns {Promise<CodeAnswer>} */
export async function ask_code(server, device_name, browser) {
  const answer = await send(server + PAIRING_PATH, null, { device_name, browser });
  return "problem" in answer ? { kind: "refused", problem: answer.problem } : judge_code(server, answer.status, answer.text);
}

/** @param {string} server @param {number} status @param {string} text @returns {CodeAnswer} */
export function judge_code(server, status, text) {
  const body = parse(text);
  if (status === 404 || status === 405) return { kind: "refused", problem: "There is no Threadtime at this address, or one that does not pair by code." };
  if (status !== 200) return { kind: "refused", problem: `The server answered ${status}.${detail_of(body)}` };
  const { device_code, user_code, verification_uri, expires_in, interval } = body ?? {};
  const sound =
    [device_code, user_code, verification_uri].every((one) => typeof one === "string" && one.length <= 500) &&
    [expires_in, interval].every((one) => Number.isSafeInteger(one) && one > 0) &&
    URL.parse(verification_uri)?.origin === server; // the link leads to the server that was entered, and nowhere else
  return sound ? { kind: "asked", device_code, user_code, verification_uri, expires_in, interval } : { kind: "refused", problem: NOT_OURS };
}

/** Asks for the token. @param {string} server origin @param {string} device_code @returns {Promise<TokenAnswer>} */
export async function ask_token(server, device_code) {
  const answer = await send(`${server}${PAIRING_PATH}/token`, null, { device_code });
  return "problem" in answer ? { kind: "wait", problem: answer.problem } : judge_token(answer.status, answer.text);
}

/** @param {number} status @param {string} text @returns {TokenAnswer} */
export function judge_token(status, text) {
  const body = parse(text);
  if (status === 200) {
    const texts = [body?.access_token, body?.clinician?.id, body?.clinician?.name, body?.practice];
    if (!texts.every((one) => typeof one === "string")) return { kind: "over", problem: NOT_OURS };
    return { kind: "paired", token: body.access_token, clinician: { id: body.clinician.id, name: body.clinician.name }, practice: body.practice };
  }
  if (body?.code === "authorization_pending") return { kind: "wait", problem: null };
  if (body?.code === "slow_down") return { kind: "slower", problem: null };
  if (status === 429 || status >= 500) return { kind: "wait", problem: `The server answered ${status}.${detail_of(body)}` };
  return { kind: "over", problem: typeof body?.detail === "string" ? body.detail : `The server answered ${status}.` };
}

/**
 * @param {number} status
 * @param {string | null} retry_after
 * @param {string} text
 * @param {number} now this device's clock, as the request was sent
 * @param {string | null} [date] the server's clock, as it says
 * @returns {Answer}
 */
export function judge(status, retry_after, text, now, date = null) {
  const body = parse(text);
  const detail = detail_of(body);
  if (status === 200) {
    const lists = [body?.accepted, body?.duplicate, body?.rejected];
    if (lists.every(Array.isArray) && body.rejected.every((/** @type {unknown} */ one) => typeof one === "object" && one))
      return { kind: "answered", accepted: body.accepted, duplicate: body.duplicate, rejected: body.rejected, clock_ahead_ms: now - Date.parse(date ?? "") || 0 };
    return { kind: "later", problem: NOT_OURS, retry_after_ms: null };
  }
  if (status === 401 && body?.code === "revoked") return { kind: "stopped", problem: "This device was revoked. Pair it again in the options; what waits is kept." };
  if (status === 401) return { kind: "stopped", problem: `The server does not know this device token, or it was revoked.${detail}` };
  if (status === 403) return { kind: "stopped", problem: `This device may not send to the server.${detail}` };
  if (status === 426) return { kind: "stopped", problem: `The server and this extension are of different ages: one needs an update.${detail}` };
  if (status === 400 || status === 413 || status === 422) return { kind: "refused", problem: `The server refused the request (${status}).${detail}` };
  const retry_after_ms = status === 429 || status >= 500 ? wait_of(retry_after, now) : null;
  if (status === 404 || status === 405) return { kind: "later", problem: "There is no Threadtime at this address.", retry_after_ms };
  return { kind: "later", problem: `The server answered ${status}.${detail}`, retry_after_ms };
}

/** Asks for the clinician's own episodes of a thread or patient. @param {string} server origin @param {string} token
 * @param {Subject} subject @returns {Promise<EpisodesAnswer>} */
export async function ask_episodes(server, token, { portal, thread, patient }) {
  const answer = await send(server + OWN_PATH, token, { portal, thread, patient });
  return "problem" in answer ? { kind: "failed", problem: answer.problem } : judge_episodes(answer.status, answer.text);
}

/** @param {number} status @param {string} text @returns {EpisodesAnswer} absent: the server is too old to tell */
export function judge_episodes(status, text) {
  const body = parse(text);
  if (status === 404 || status === 405) return { kind: "absent" };
  if (status !== 200) return { kind: "failed", problem: `The server answered ${status}.${detail_of(body)}` };
  const told = own_episodes(body);
  return told === null ? { kind: "failed", problem: NOT_OURS } : { kind: "told", told };
}

/** Says facts of one kind. @param {string} server origin @param {string} token @param {string} kind
 * @param {Record<string, unknown>[]} rows @param {number} now @returns {Promise<FactsAnswer>} */
export async function post_facts(server, token, kind, rows, now) {
  const answer = await send(server + FACTS_PATH + encodeURIComponent(kind), token, { facts: rows });
  if ("problem" in answer) return { kind: "later", problem: answer.problem, retry_after_ms: null };
  return judge_facts(answer.status, answer.retry_after, answer.text, rows.length, now);
}

/** @param {number} status @param {string | null} retry_after @param {string} text @param {number} count of rows sent
 * @param {number} now @returns {FactsAnswer} */
export function judge_facts(status, retry_after, text, count, now) {
  const body = parse(text);
  if (status === 200) {
    const results = Array.isArray(body?.results) ? body.results : [];
    const refused = results.find((/** @type {any} */ one) => one?.outcome === "refused");
    if (refused) return { kind: "refused", problem: typeof refused.reason === "string" ? refused.reason : "The server gave no reason." };
    const taken = results.filter((/** @type {any} */ one) => ["new", "changed", "known"].includes(one?.outcome)).length;
    return taken === count ? { kind: "taken" } : { kind: "later", problem: NOT_OURS, retry_after_ms: null };
  }
  if ([400, 403, 404, 413, 422].includes(status)) return { kind: "refused", problem: typeof body?.detail === "string" ? body.detail : `The server answered ${status}.` };
  return { kind: "later", problem: `The server answered ${status}.${detail_of(body)}`, retry_after_ms: status === 429 || status >= 500 ? wait_of(retry_after, now) : null };
}

/** @param {any} body a problem */
const detail_of = (body) => (typeof body?.detail === "string" ? ` It says: ${body.detail}` : "");

/** @param {string} text @returns {any} undefined when it is not JSON */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // judged by the status alone
  }
}

/** @param {string | null} value seconds or a date @param {number} now @returns {number | null} milliseconds */
function wait_of(value, now) {
  if (value === null || value.trim() === "") return null;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** A JSON file of the extension itself. A worker that imports JSON as a module starts once in Chromium and, after its
 * first death, never again. @param {string} path @returns {Promise<any>} */
export async function packaged(path) {
  return (await fetch(chrome.runtime.getURL(path))).json();
}
