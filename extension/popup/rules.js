// The rules on this device: judges an episode's last facts again while the server is away, by the packaged rules and
// engine. Counted time is the server's and stays what it was.

import { verdict } from "../worker/told.js";

/** The stems of shared_rules/rules/*.json. */
export const RULES = [
  "blocking-2020",
  "em-2020",
  "holding-2020",
  "information-2020",
  "nonphysician-2020",
  "nonphysician-2021",
  "nonphysician-medicare-2020",
  "parameters-2020",
  "related-services-2019",
  "warnings-2020",
];

/** The engine with the packaged rules, read when they are needed. @returns {Promise<{engine: any, book: any}>} */
export async function packaged_rules() {
  const at = (/** @type {string} */ path) => chrome.runtime.getURL(`shared_rules/${path}`);
  const json = async (/** @type {string} */ path) => (await import(at(path), { with: { type: "json" } })).default;
  const [engine, facts, ...documents] = await Promise.all([import(at("engine.js")), json("facts.json"), ...RULES.map((stem) => json(`rules/${stem}.json`))]);
  return { engine, book: engine.load(documents, facts.facts) };
}

/**
 * Facts that a later day changes by itself, moved on to it; all the others stay what they were. Pure.
 * @param {Record<string, any>} facts
 * @param {string} today in the practice's zone
 */
export function moved_on(facts, today) {
  const { window_end, hold_until, review_until, period_running, lookahead_open, review_overdue } = facts;
  return {
    ...facts,
    ...(period_running === true && typeof window_end === "string" && { period_running: today <= window_end }),
    ...(lookahead_open === true && typeof hold_until === "string" && { lookahead_open: today < hold_until }),
    ...(review_overdue === false && typeof review_until === "string" && { review_overdue: today > review_until }),
  };
}

/**
 * What the packaged rules say of an episode on a later day.
 * @param {{engine: any, book: any}} rules
 * @param {OwnEpisode} episode
 * @param {string} today in the practice's zone
 * @returns {Verdict | null} null: not to be judged here, for the version that judged it is not packaged or facts are lacking
 */
export function judge_again({ engine, book }, { rules, settings, facts, answer }, today) {
  if (rules === null || facts === null || answer === null) return null;
  if (settings["period_mode"] === "hours" && facts["period_running"] === true) return null; // the hour of its end is not told
  try {
    const version = engine.version(book, rules.family, rules.payer_type, rules.day);
    if (version.version !== answer.rules_version) return null;
    const again = verdict(engine.evaluate(engine.withSettings(version, settings), moved_on(facts, today)));
    return again && { ...again, hold_until: answer.hold_until };
  } catch (error) {
    // A newer server may know families, settings or facts that these rules do not.
    if (error instanceof engine.RulesError || error instanceof engine.FactError || error instanceof engine.SettingError) return null;
    throw error;
  }
}
