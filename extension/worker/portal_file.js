// A portal file as somebody wrote it: its text is read, and what is wrong with it is said by field, with what to do. Pure.

import { problem_of } from "./schema.js";

/**
 * @param {unknown} text
 * @param {import("./schema.js").Schema} schema portals/schema/portal.schema.json
 * @returns {{file: PortalFile} | {problem: string}}
 */
export function read_file(text, schema) {
  const read = parse(text);
  if ("problem" in read) return read;
  const problem = problem_of(schema, read.value) ?? problem_of_pages(read.value.pages);
  return problem === null ? { file: read.value } : { problem };
}

/** @param {unknown} text @returns {{value: any} | {problem: string}} */
function parse(text) {
  const wanted = "It has to be the text of a portal file, in JSON";
  if (typeof text !== "string" || text.trim() === "") return { problem: `${wanted}.` };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const at = /line \d+ column \d+/.exec(error.message);
    return { problem: at ? `${wanted}. It stops being that at ${at[0]}.` : `${wanted}. See to its commas, quotation marks and brackets.` };
  }
}

/** What the schema cannot say: that an identifier can be found at all. @param {PortalPage[]} pages */
function problem_of_pages(pages) {
  for (const [index, page] of pages.entries()) {
    const patterns = [page.path, page.hash, ...Object.values(page.query ?? {})];
    const named = (/** @type {string} */ name) => patterns.some((pattern) => pattern?.includes(`(?<${name}>`));
    const wanted = { thread: "thread", chart: "patient", orders: "patient", prescribing: "patient", compose: "", frames: "", other: "" }[page.page];
    if (wanted && !named(wanted) && !page[/** @type {"thread" | "patient"} */ (wanted)]?.length) {
      return `/pages/${index}: nothing names the ${wanted}; put (?<${wanted}>...) into path, query or hash, or add a place under “${wanted}”.`;
    }
    for (const name of /** @type {const} */ (["thread", "patient"])) {
      const place = page[name]?.findIndex(({ pattern }) => pattern !== undefined && !pattern.includes("(?<value>")) ?? -1;
      if (place >= 0) return `/pages/${index}/${name}/${place}/pattern: nothing in it is the identifier; put (?<value>...) around it.`;
    }
  }
  return null;
}
