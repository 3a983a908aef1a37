// Pairing by code: asks the server for a code, and then for the token until somebody has answered. The request lies in
// the database, so that a worker that died goes on with it.

import { ask_code, ask_token } from "./backend.js";
import { read_setting, write_settings } from "./database.js";
import { add_pairing } from "./settings.js";

const NAME = "pairing_request";

/** @returns {Promise<PairingRequest | null>} the request that waits, or that came to nothing and says why in `over` */
export async function pairing_request() {
  return (await read_setting(NAME)) ?? null;
}

/** @param {PairingRequest | null} request */
const remember = (request) => write_settings({ [NAME]: request });

/** Gives the request up. */
export const cancel_pairing = () => remember(null);

/**
 * Asks for a code; an earlier request is given up.
 * @param {{server: string, device_name: string, browser: string}} wanted
 * @returns {Promise<string | null>} what went wrong, in words
 */
export async function begin_pairing({ server, device_name, browser }, world = { now: Date.now, ask: ask_code }) {
  const answer = await world.ask(server, device_name, browser);
  if (answer.kind !== "asked") return answer.problem;
  const { device_code, user_code, verification_uri, expires_in, interval } = answer;
  const now = world.now();
  const interval_ms = interval * 1000;
  await remember({ server, device_name, device_code, user_code, verification_uri, interval_ms, expires_at: now + expires_in * 1000, next_at: now + interval_ms, problem: null, over: null });
  return null;
}

/**
 * Asks for the token once, unless it is too early or nothing waits.
 * @returns {Promise<"waiting" | "paired" | "nothing">} waiting: to be called again
 */
export async function poll_pairing(world = { now: Date.now, ask: ask_token }) {
  return navigator.locks.request("pairing", async () => {
    const request = await pairing_request();
    if (request === null || request.over !== null) return "nothing";
    if (world.now() < request.next_at) return "waiting";
    const answer = await world.ask(request.server, request.device_code);
    if ((await pairing_request())?.device_code !== request.device_code) return "nothing"; // given up meanwhile
    const now = world.now();
    if (answer.kind === "paired") {
      const { token, clinician, practice } = answer;
      // Pairing and end of the request in one write: the server gives the token only once.
      await add_pairing({ token, clinician, practice, server: request.server }, now, { [NAME]: null });
      return "paired";
    }
    if (answer.kind === "over" || now >= request.expires_at) {
      await remember({ ...request, over: answer.problem ?? "The code is over: nobody answered within ten minutes." });
      return "nothing";
    }
    const interval_ms = request.interval_ms + (answer.kind === "slower" ? 5_000 : 0);
    await remember({ ...request, interval_ms, next_at: now + interval_ms, problem: answer.problem });
    return "waiting";
  });
}
