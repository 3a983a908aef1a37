/**
 * The rules of online visits, applied: a version and facts in, an answer with its reasons out.
 *
 * The format is written in README.md; engine.py gives the same answer. Nothing here reads a clock, a file or the
 * network: the parsed JSON of rules/*.json and facts.json is handed in. No threshold of days, minutes or years stands
 * here. A fact that is absent or null is not known; conditions are true, false or null (unknown).
 *
 *     const book = load(documents, facts);
 *     evaluate(version(book, "em", "medicare_ffs", "2026-04-06"), {qualifying_review: true, counted_seconds: 720}).code
 */

/** @typedef {any} Rules one version with everything it includes; schemas/rules.schema.json describes its parts */
/** @typedef {{versions: Rules[], facts: Rules}} RuleBook */

const SECONDS_A_MINUTE = 60;
const WEEKDAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" "); // as getUTCDay numbers them
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The rules data contradicts itself: an unknown name, an inclusion that is not there. */
export class RulesError extends Error {}

/** A fact is not in the dictionary, or not of its type. The message names the fact, never its value. */
export class FactError extends Error {}

/** A setting is not one of the version's, or outside what it allows. */
export class SettingError extends Error {}

/**
 * The rule book from the parsed rules files and the `facts` of facts.json.
 * @param {Rules[]} documents
 * @param {Rules} facts
 * @returns {RuleBook}
 */
export function load(documents, facts) {
  const byName = new Map(documents.map((document) => [document.version, document]));
  const versions = [...byName.values()]
    .filter((document) => document.kind === "codes")
    .map((document) => merged(document, byName, facts));
  const rank = (/** @type {Rules} */ v) => `${v.effective_from} ${v.version}`;
  return {versions: versions.sort((a, b) => (rank(a) < rank(b) ? -1 : 1)), facts};
}

/** @param {Rules} document @param {Map<string, any>} byName @param {Rules} facts @returns {Rules} */
function merged(document, byName, facts) {
  const unknown = document.includes.find((/** @type {string} */ name) => !byName.has(name));
  if (unknown !== undefined) throw new RulesError(`${document.version} includes ${unknown}, which is not there`);
  const parts = [...document.includes.map((/** @type {string} */ name) => byName.get(name)), document];
  const specs = Object.assign({}, ...parts.map((part) => part.parameters));
  /** @type {Rules} */
  const parameters = {};
  /** @type {Rules} */
  const settings = {};
  for (const [name, spec] of Object.entries(specs)) {
    parameters[name] = spec.value;
    if (spec.setting !== undefined) settings[name] = spec; // as it is written
  }
  const {version, family, payers, effective_from, effective_to, credentials, tiers} = document;
  const verified_to = parts.map((part) => part.verified_to).sort()[0];
  const criteria = parts.flatMap((part) => part.criteria);
  return {
    version, family, payers, effective_from, effective_to, credentials, verified_to, tiers,
    parameters, settings, changed_settings: {}, criteria, facts,
  };
}

/**
 * The version of the family for this payer in force on that day; before the first one, the first one.
 * @param {RuleBook} book @param {string} family @param {string | null} payerType @param {string} day
 * @returns {Rules}
 */
export function version(book, family, payerType, day) {
  const fitting = book.versions.filter(
    (v) => v.family === family && (v.payers === null || v.payers.includes(payerType)),
  );
  if (fitting.length === 0) throw new RulesError(`no rules for family ${family} and payer ${payerType ?? "None"}`);
  return fitting.find((v) => within(v.effective_from, v.effective_to, day)) ?? fitting[0];
}

/** em, nonphysician, or staff: whose time never counts. @param {RuleBook} book @param {string} credential */
export function familyOf(book, credential) {
  return book.versions.find((v) => v.credentials.includes(credential))?.family ?? "staff";
}

/** @param {string | null} first @param {string | null} last @param {string} day */
function within(first, last, day) {
  return (first === null || first <= day) && (last === null || day <= last);
}

/**
 * Whether a parameter such as `ctbs_codes` lists this code, in force on that day (null: on any).
 * @param {Rules[]} entries @param {string} code @param {string | null} day
 */
export function inCodes(entries, code, day = null) {
  return entries.some(
    (e) =>
      code.length === e.first.length && e.first <= code && code <= e.last &&
      (day === null || within(e.from, e.to, day)),
  );
}

/**
 * The same version with a practice's or a payer's settings in its parameters; SettingError names a bad one.
 * @param {Rules} rules @param {Rules} settings @returns {Rules}
 */
export function withSettings(rules, settings) {
  const parameters = {...rules.parameters};
  const changed = {...rules.changed_settings};
  for (const [name, value] of Object.entries(settings)) {
    if (!Object.hasOwn(rules.settings, name)) {
      throw new SettingError(`${name} is not a setting; settings are ${Object.keys(rules.settings).sort().join(", ")}`);
    }
    checkSetting(name, rules.settings[name].setting, value);
    parameters[name] = value;
    if (JSON.stringify(rules.parameters[name]) !== JSON.stringify(value)) changed[name] = value;
  }
  return {...rules, parameters, changed_settings: changed};
}

/** @param {string} name @param {Rules} spec @param {any} value */
function checkSetting(name, spec, value) {
  if (spec.type === "integer") {
    if (!Number.isInteger(value) || value < spec.minimum || value > spec.maximum) {
      throw new SettingError(`${name} is a whole number from ${spec.minimum} to ${spec.maximum}`);
    }
    return;
  }
  const chosen = spec.type === "list" ? value : [value];
  if (!Array.isArray(chosen) || !chosen.every((item) => typeof item === "string")) {
    throw new SettingError(`${name} is a ${spec.type === "list" ? "list of texts" : "text"}`);
  }
  if (spec.choices !== undefined && !chosen.every((item) => spec.choices.includes(item))) {
    throw new SettingError(`${name} is one of ${spec.choices.join(", ")}`);
  }
}

// --- conditions ------------------------------------------------------------------------------------------------------

/** @param {Rules} facts @param {string} name */
function known(facts, name) {
  return Object.hasOwn(facts, name) ? facts[name] : null;
}

/** @param {Rules} rules @param {Rules} facts @param {any} operand */
function operandValue(rules, facts, operand) {
  if (operand === null || typeof operand !== "object" || Array.isArray(operand)) return operand;
  return Object.hasOwn(operand, "param") ? rules.parameters[operand.param] : known(facts, operand.fact);
}

/**
 * The value of a condition: all, any, not, known, has_band, same_band, or a comparison (README.md).
 * @param {Rules} rules @param {Rules} facts @param {Rules} condition @returns {boolean | null}
 */
export function truth(rules, facts, condition) {
  if ("all" in condition) {
    const values = condition.all.map((/** @type {Rules} */ c) => truth(rules, facts, c));
    return values.includes(false) ? false : values.includes(null) ? null : true;
  }
  if ("any" in condition) {
    const values = condition.any.map((/** @type {Rules} */ c) => truth(rules, facts, c));
    return values.includes(true) ? true : values.includes(null) ? null : false;
  }
  if ("not" in condition) {
    const value = truth(rules, facts, condition.not);
    return value === null ? null : !value;
  }
  if ("known" in condition) return known(facts, condition.known) !== null;
  if ("has_band" in condition) {
    const seconds = known(facts, condition.has_band);
    return seconds === null ? null : tierOf(rules, seconds) !== null;
  }
  if ("same_band" in condition) {
    const [first, second] = condition.same_band.map((/** @type {string} */ name) => known(facts, name));
    return first === null || second === null ? null : tierOf(rules, first) === tierOf(rules, second);
  }
  return comparison(rules, facts, condition);
}

/** @param {Rules} rules @param {Rules} facts @param {Rules} condition @returns {boolean | null} */
function comparison(rules, facts, condition) {
  const left = "fact" in condition ? known(facts, condition.fact) : rules.parameters[condition.param];
  const operator = ["is", "in", "lt", "le", "gt", "ge"].find((word) => word in condition) ?? "";
  const right = operandValue(rules, facts, condition[operator]);
  if (left === null || right === null) return null;
  if (operator === "is") return left === right;
  if (operator === "in") return right.includes(left);
  if (typeof left !== typeof right) return null;
  if (operator === "lt") return left < right;
  if (operator === "le") return left <= right;
  return operator === "gt" ? left > right : left >= right;
}

/** @param {Rules} rules @param {number} seconds @returns {{code: string, min_minutes: number} | null} */
function tierOf(rules, seconds) {
  const minutes = Math.floor(seconds / SECONDS_A_MINUTE);
  return rules.tiers.findLast((/** @type {Rules} */ tier) => tier.min_minutes <= minutes) ?? null;
}

// --- facts -----------------------------------------------------------------------------------------------------------

/**
 * The known facts, each of its type, and those that the engine derives; FactError names a bad one.
 * @param {Rules} rules @param {Rules} facts @returns {Rules}
 */
export function checkedFacts(rules, facts) {
  /** @type {Rules} */
  const given = {};
  for (const [name, value] of Object.entries(facts)) {
    const spec = Object.hasOwn(rules.facts, name) ? rules.facts[name] : null;
    if (spec === null || spec.by === "engine") throw new FactError(`${name} is not a fact that may be given`);
    if (value !== null) {
      checkType(name, spec, value);
      given[name] = value;
    }
  }
  return {...given, ...derived(rules, given)};
}

/** @param {string} name @param {Rules} spec @param {any} value */
function checkType(name, spec, value) {
  const fits = {
    boolean: typeof value === "boolean",
    integer: Number.isSafeInteger(value) && value >= 0,
    string: typeof value === "string",
    date: typeof value === "string" && isDay(value),
  }[/** @type {"boolean" | "integer" | "string" | "date"} */ (spec.type)];
  if (!fits) {
    /** @type {Record<string, string>} */
    const articles = {integer: "a whole number not below 0", date: "a day as YYYY-MM-DD"};
    throw new FactError(`${name} is ${articles[spec.type] ?? `a ${spec.type}`}`);
  }
  if (spec.values !== undefined && !spec.values.includes(value)) {
    throw new FactError(`${name} is one of ${spec.values.join(", ")}`);
  }
}

/** @param {string} text */
function isDay(text) {
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) || text.startsWith("0000")) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** @param {Rules} rules @param {Rules} facts @returns {Rules} */
function derived(rules, facts) {
  /** @type {Rules} */
  const more = {};
  const day = known(facts, "date_of_service");
  const seconds = known(facts, "counted_seconds");
  if (day !== null) {
    more.codes_in_force = within(rules.effective_from, rules.effective_to, day);
    more.code_set_verified = day <= rules.verified_to;
  }
  if (seconds !== null) {
    more.counted_minutes = Math.floor(seconds / SECONDS_A_MINUTE);
    const tier = tierOf(rules, seconds);
    if (tier !== null && more.codes_in_force) more.projected_code = tier.code;
  }
  return more;
}

// --- answers ---------------------------------------------------------------------------------------------------------

/**
 * What the rules say of these facts: the answer that engine.py's evaluate describes.
 * @param {Rules} rules @param {Rules} facts @returns {Rules}
 */
export function evaluate(rules, facts) {
  const all = checkedFacts(rules, facts);
  const blocking = new Set();
  const warnings = new Set();
  const missing = new Map();
  const reasons = [];
  let waits = false;
  for (const criterion of rules.criteria) {
    const value = truth(rules, all, criterion.when);
    const effect = value ? criterion.severity : value === null ? criterion.when_unknown : "pass";
    if (effect === "pass") continue;
    waits ||= effect === "hold" || effect === "wait";
    if (effect === "block") blocking.add(criterion.id);
    if (effect === "warn") warnings.add(criterion.id);
    if (effect === "hold" && !missing.has(criterion.id)) missing.set(criterion.id, missingOf(rules, all, criterion));
    reasons.push(reasonOf(rules, all, criterion, effect, value === null && effect === "hold"));
  }
  const status = blocking.size > 0 ? "not_reportable" : waits ? "hold" : "reportable";
  const projected = known(all, "projected_code");
  return {
    status,
    eligible: status === "reportable",
    code: status === "reportable" ? projected : null,
    projected_code: projected,
    family: rules.family,
    blocking: [...blocking],
    warnings: [...warnings],
    missing: [...missing.values()],
    reasons,
    counted_minutes: known(all, "counted_minutes"),
    rules_version: rules.version,
    settings: {...rules.changed_settings},
  };
}

/** @param {Rules} rules @param {Rules} facts @param {Rules} criterion */
function missingOf(rules, facts, criterion) {
  const {asks, of, until} = criterion.missing;
  return {
    id: criterion.id,
    asks: sentence(rules, facts, asks),
    of,
    until: until === null ? null : known(facts, until),
  };
}

/**
 * The reason as a person reads it. One that only waits for an answer says what is not known, and is curable.
 * @param {Rules} rules @param {Rules} facts @param {Rules} criterion @param {string} effect @param {boolean} asked
 */
function reasonOf(rules, facts, criterion, effect, asked) {
  const text = asked ? `Not known: ${lowered(criterion.missing.asks)}.` : criterion.because;
  return {
    id: criterion.id,
    severity: effect,
    message: sentence(rules, facts, text),
    source: criterion.source,
    remedy: criterion.remedy === null ? null : sentence(rules, facts, criterion.remedy),
    curable: asked || criterion.curable,
  };
}

/** @param {string} text */
function lowered(text) {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}

/** @param {Rules} rules @param {Rules} facts @param {string} template */
function sentence(rules, facts, template) {
  return template.replace(/\{([a-z0-9_]+)(?::(day|duration))?\}/g, (_, name, form) => {
    const value = named(rules, facts, name);
    if (value === null) return "(not known)";
    if (form === "day") return dayText(value);
    if (form === "duration") return durationText(value);
    return Array.isArray(value) ? value.join(", ") : String(value);
  });
}

/** What a placeholder stands for. @param {Rules} rules @param {Rules} facts @param {string} name */
function named(rules, facts, name) {
  if (Object.hasOwn(rules.facts, name)) return known(facts, name);
  if (name === "min_minutes") return rules.tiers[0].min_minutes;
  if (name === "code_list") return rules.tiers.map((/** @type {Rules} */ tier) => tier.code);
  return name === "verified_to" ? rules.verified_to : rules.parameters[name];
}

/** @param {number} value seconds */
function durationText(value) {
  const minutes = Math.floor(value / SECONDS_A_MINUTE);
  const seconds = value % SECONDS_A_MINUTE;
  return minutes > 0 ? `${minutes} min ${String(seconds).padStart(2, "0")} s` : `${seconds} s`;
}

/** @param {string} text YYYY-MM-DD */
function dayText(text) {
  const day = new Date(`${text}T00:00:00Z`);
  return `${WEEKDAYS[day.getUTCDay()]} ${day.getUTCDate()} ${MONTHS[day.getUTCMonth()]} ${day.getUTCFullYear()}`;
}
