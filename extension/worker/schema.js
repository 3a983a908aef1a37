// Whether a value keeps a JSON schema, in the words of it that portals/schema uses; any other word is an error. Pure.

/** @typedef {boolean | {[word: string]: any}} Schema */

/** Words that say something about the schema and ask nothing of a value. */
const SILENT = ["$schema", "$defs", "title", "description", "then", "else"];

/** @param {unknown} value */
const kind_of = (value) => (value === null ? "null" : Array.isArray(value) ? "array" : typeof value);

/** @param {unknown} a @param {unknown} b */
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const is_object = (value) => kind_of(value) === "object";

/** @param {string} text */
function is_pattern(text) {
  try {
    return new RegExp(text, "u") !== null;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** What each word asks: what is wrong, or null. A word asks nothing of a value of another type.
 * @type {Record<string, (asked: any, value: any, at: string, schema: any, root: Schema) => string | null>} */
const WORDS = {
  type: (asked, value, at) => (kind_of(value) === asked ? null : `${at || "/"}: has to be of type ${asked}.`),
  const: (asked, value, at) => (same(asked, value) ? null : `${at}: has to be ${JSON.stringify(asked)}.`),
  enum: (asked, value, at) => (asked.some((/** @type {unknown} */ one) => same(one, value)) ? null : `${at}: has to be one of ${asked.join(", ")}.`),
  minLength: (asked, value, at) => (typeof value !== "string" || value.length >= asked ? null : `${at}: is empty; fill it in.`),
  pattern: (asked, value, at) => (typeof value !== "string" || new RegExp(asked, "u").test(value) ? null : `${at}: has to look like ${asked}.`),
  format(asked, value, at) {
    if (asked !== "regex") throw new Error(`The schema asks for a format that is not known: ${asked}`);
    return typeof value !== "string" || is_pattern(value) ? null : `${at}: is not a regular expression; see to its brackets and backslashes.`;
  },
  minItems: (asked, value, at) => (!Array.isArray(value) || value.length >= asked ? null : `${at}: has no entry; add one.`),
  items: (asked, value, at, _, root) => (Array.isArray(value) ? first(value.map((one, index) => problem_of(asked, one, `${at}/${index}`, root))) : null),
  required: (asked, value, at) => (is_object(value) ? first(asked.map((/** @type {string} */ name) => (Object.hasOwn(value, name) ? null : `${at || "/"}: ${name} is missing; add it.`))) : null),
  properties: (asked, value, at, _, root) =>
    is_object(value) ? first(Object.entries(asked).map(([name, one]) => (Object.hasOwn(value, name) ? problem_of(/** @type {Schema} */ (one), value[name], `${at}/${name}`, root) : null))) : null,
  additionalProperties(asked, value, at, schema, root) {
    if (!is_object(value)) return null;
    const others = Object.keys(value).filter((name) => !Object.hasOwn(schema.properties ?? {}, name));
    return first(others.map((name) => problem_of(asked, value[name], `${at}/${name}`, root)));
  },
  allOf: (asked, value, at, _, root) => first(asked.map((/** @type {Schema} */ one) => problem_of(one, value, at, root))),
  anyOf: (asked, value, at, _, root) => (asked.some((/** @type {Schema} */ one) => problem_of(one, value, at, root) === null) ? null : `${at || "/"}: it needs at least one of ${asked.flatMap((/** @type {any} */ one) => one.required ?? []).join(", ")}.`),
  if: (asked, value, at, schema, root) => problem_of((problem_of(asked, value, at, root) === null ? schema.then : schema.else) ?? true, value, at, root),
  $ref: (asked, value, at, _, root) => problem_of(asked.slice(2).split("/").reduce((/** @type {any} */ from, /** @type {string} */ name) => from[name], root), value, at, root),
};

/** @param {(string | null)[]} problems */
const first = (problems) => problems.find((one) => one !== null) ?? null;

/**
 * @param {Schema} schema
 * @param {unknown} value as JSON gives it
 * @param {string} at where the value stands, as a JSON pointer
 * @param {Schema} root what `$ref` starts from
 * @returns {string | null} the first thing that is wrong, in words
 */
export function problem_of(schema, value, at = "", root = schema) {
  if (typeof schema === "boolean") return schema ? null : `${at}: is not known here; take it out.`;
  for (const [word, asked] of Object.entries(schema)) {
    if (SILENT.includes(word)) continue;
    const ask = WORDS[word];
    if (ask === undefined) throw new Error(`The schema uses a word that is not known: ${word}`);
    const problem = ask(asked, value, at, schema, root);
    if (problem !== null) return problem;
  }
  return null;
}
