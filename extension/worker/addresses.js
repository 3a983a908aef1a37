// Addresses that people type: makes origins of them and says in words what is wrong. Pure.

/** @param {string} host */
const loopback = (host) => host === "localhost" || host.endsWith(".localhost") || host === "127.0.0.1";

/**
 * The origin of an address, such as `https://portal.example`.
 * @param {string} text
 * @returns {{origin: string} | {problem: string}}
 */
export function read_origin(text) {
  const typed = text.trim();
  if (typed === "") return { problem: "Enter an address, such as https://portal.example." };
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`);
  // Chromium takes a host with spaces in it for a host.
  if (url === null || !/^[a-z0-9.-]+$/.test(url.hostname)) return { problem: `“${typed}” is not an address.` };
  if (url.username || url.password) return { problem: "Leave the name and the password out of the address." };
  if (url.protocol === "http:" && !loopback(url.hostname)) {
    return { problem: "http:// is allowed for this machine alone (localhost). Use https://." };
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") return { problem: "An address begins with https://." };
  return { origin: url.origin };
}

/** The host permission that an origin needs. Patterns name no port: Firefox knows none in them. @param {string} origin */
export function pattern_of(origin) {
  const { protocol, hostname } = new URL(origin);
  return `${protocol}//${hostname}/*`;
}
