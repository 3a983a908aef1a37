// The backend client: the one file that fetches. One request to the server, one answer, told in kinds.

const PATH = "/api/v1/intervals";
const PROTOCOL = "1";
const PATIENCE_MS = 30_000;

/**
 * @param {string} server origin
 * @param {string} token
 * @param {WireRow[]} rows at most 100; none at all asks only whether server and token are right
 * @param {number} sent_at this device's clock
 * @returns {Promise<Answer>}
 */
export async function post(server, token, rows, sent_at) {
  let response, text;
  try {
    response = await fetch(server + PATH, {
      method: "POST",
      headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json", "Threadtime-Protocol": PROTOCOL },
      body: JSON.stringify({ sent_at, intervals: rows }),
      credentials: "omit",
      cache: "no-store",
      redirect: "error", // the token goes to the address that was entered, and nowhere else
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    text = await response.text();
  } catch (error) {
    const slow = error instanceof DOMException && error.name === "TimeoutError";
    const problem = slow ? "The server did not answer within 30 seconds." : "The server cannot be reached.";
    return { kind: "later", problem, retry_after_ms: null };
  }
  return judge(response.status, response.headers.get("Retry-After"), text, sent_at);
}

/**
 * @param {number} status
 * @param {string | null} retry_after
 * @param {string} text
 * @param {number} now
 * @returns {Answer}
 */
export function judge(status, retry_after, text, now) {
  const body = parse(text);
  const detail = typeof body?.detail === "string" ? ` It says: ${body.detail}` : "";
  if (status === 200) {
    const lists = [body?.accepted, body?.duplicate, body?.rejected];
    if (lists.every(Array.isArray) && body.rejected.every((/** @type {unknown} */ one) => typeof one === "object" && one))
      return { kind: "answered", accepted: body.accepted, duplicate: body.duplicate, rejected: body.rejected };
    return { kind: "later", problem: "The server’s answer is not one of Threadtime’s. Check its address.", retry_after_ms: null };
  }
  if (status === 401) return { kind: "stopped", problem: `The server does not know this device token, or it was revoked.${detail}` };
  if (status === 403) return { kind: "stopped", problem: `This device may not send to the server.${detail}` };
  if (status === 426) return { kind: "stopped", problem: `The server and this extension are of different ages: one needs an update.${detail}` };
  if (status === 400 || status === 413 || status === 422) return { kind: "refused", problem: `The server refused the request (${status}).${detail}` };
  const retry_after_ms = status === 429 || status >= 500 ? wait_of(retry_after, now) : null;
  if (status === 404 || status === 405) return { kind: "later", problem: "There is no Threadtime at this address.", retry_after_ms };
  return { kind: "later", problem: `The server answered ${status}.${detail}`, retry_after_ms };
}

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
