// The practice's policy: what it sets for every device, read from the browser's managed storage and checked.

import { read_origin } from "./addresses.js";
import { packaged } from "./backend.js";
import { read_setting, write_setting } from "./database.js";
import { KINDS } from "./kinds.js";
import { read_file } from "./portal_file.js";
import { IDLE_AFTER, problem_of_portals } from "./settings.js";

const NAMES = ["server", "portals", "idle_after_seconds", "lock"];
const PORTAL_NAMES = ["kind", "key", "origin", "file"];

/**
 * Takes what the browser says now. It may say nothing for a moment after it has started.
 * @param {{believe_nothing: boolean}} how whether nothing means that there is no policy any more
 * @returns {Promise<boolean>} whether the policy changed
 */
export async function take_policy({ believe_nothing }) {
  const values = await managed_values();
  const none = Object.keys(values).length === 0;
  if (none && !believe_nothing) return false;
  const policy = none ? null : read_policy(values, await packaged("portals/schema/portal.schema.json"));
  if (JSON.stringify(policy) === JSON.stringify((await read_setting("policy")) ?? null)) return false;
  await write_setting("policy", policy);
  return true;
}

/** @returns {Promise<Record<string, unknown>>} */
async function managed_values() {
  try {
    return await chrome.storage.managed.get(null);
  } catch (error) {
    // Firefox's word for: no policy names this extension.
    if (error instanceof Error && error.message.includes("Managed storage manifest not found")) return {};
    throw error;
  }
}

/**
 * What a policy sets. A value that is wrong sets nothing, and `problems` says so; a server that is wrong is none: what was
 * meant for one address must not go to another.
 * @param {Record<string, unknown>} values
 * @param {import("./schema.js").Schema} portal_schema
 * @returns {Policy}
 */
export function read_policy(values, portal_schema) {
  /** @type {Policy} */
  const policy = { portals: [], lock: false, problems: [] };
  const wrong = (/** @type {string} */ words) => policy.problems.push(words);
  for (const name of Object.keys(values)) if (!NAMES.includes(name)) wrong(`“${name}” is not a setting of Threadtime.`);
  const { server, portals, idle_after_seconds: seconds, lock } = values;
  if (server !== undefined) {
    const read = typeof server === "string" ? read_origin(server) : { problem: "It has to be an address." };
    policy.server = "origin" in read ? read.origin : null;
    if ("problem" in read) wrong(`server: ${read.problem}`);
  }
  if (portals !== undefined && !Array.isArray(portals)) wrong("portals: It has to be a list.");
  for (const [index, value] of (Array.isArray(portals) ? portals : []).entries()) {
    const read = read_portal(value, policy.portals, portal_schema);
    if ("problem" in read) wrong(`portals, number ${index + 1}: ${read.problem}`);
    else policy.portals.push(read);
  }
  if (seconds !== undefined) {
    const good = Number.isInteger(seconds) && Number(seconds) >= IDLE_AFTER.least && Number(seconds) <= IDLE_AFTER.most;
    if (good) policy.idle_after_seconds = Number(seconds);
    else wrong(`idle_after_seconds: It has to be a whole number from ${IDLE_AFTER.least} to ${IDLE_AFTER.most}.`);
  }
  policy.lock = lock !== undefined && lock !== false; // in doubt nobody changes anything
  if (lock !== undefined && typeof lock !== "boolean") wrong("lock: It has to be true or false; it is taken for true.");
  if (policy.lock && server === undefined) wrong("server: It is missing, and lock keeps everybody from entering it.");
  return policy;
}

/** @param {any} value @param {Portal[]} before @param {import("./schema.js").Schema} schema
 * @returns {Portal | {problem: string}} */
function read_portal(value, before, schema) {
  const { kind, key, origin, file: text } = value ?? {};
  const unknown = Object.keys(value ?? {}).find((name) => !PORTAL_NAMES.includes(name));
  if (unknown !== undefined) return { problem: `“${unknown}” is not a setting of a portal.` };
  if ([kind, key, origin].some((one) => typeof one !== "string")) return { problem: "It needs kind, key and origin, each a text." };
  const read = read_origin(origin);
  if ("problem" in read) return { problem: `origin: ${read.problem}` };
  const problem = problem_of_portals([...before, { kind, key, origin: read.origin }]);
  if (problem !== null) return { problem };
  if (text === undefined) {
    if (!KINDS.includes(kind)) return { problem: `kind: “${kind}” is none of ${KINDS.join(", ")}; give its portal file as file.` };
    return { kind, key, origin: read.origin };
  }
  const found = read_file(text, schema);
  if ("problem" in found) return { problem: `file: ${found.problem}` };
  const { file } = found;
  if (file.kind !== kind) return { problem: `file: Its kind is “${file.kind}”, and the portal's is “${kind}”.` };
  return { kind, key, origin: read.origin, file };
}
