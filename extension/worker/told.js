// What the server tells of the clinician's own episodes, read field by field: an unknown field is ignored, one that is
// missing or makes no sense leaves its part out. Pure.

const MOST = { episodes: 3, intervals: 200, questions: 20, options: 6, others: 20, reasons: 60, steps: 10, threads: 50, facts: 20 };

/** @param {unknown} value @returns {string | null} */
const text = (value) => (typeof value === "string" && value !== "" && value.length <= 2000 ? value.toWellFormed() : null);
/** @param {unknown} value @returns {number | null} */
const whole = (value) => (Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null);
/** @param {unknown} value @returns {string | null} */
const day = (value) => (typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value) && !Number.isNaN(Date.parse(value)) ? value : null);
/** @param {unknown} value @returns {Record<string, any> | null} */
const object = (value) => (typeof value === "object" && value !== null && !Array.isArray(value) ? value : null);

/**
 * The entries that make sense, in order.
 * @template T
 * @param {unknown} value
 * @param {number} most
 * @param {(one: Record<string, any>) => T | null} read
 * @returns {T[]}
 */
function list(value, most, read) {
  if (!Array.isArray(value)) return [];
  return value.slice(0, most).flatMap((one) => {
    const entry = object(one);
    const made = entry === null ? null : read(entry);
    return made === null ? [] : [made];
  });
}

/** @param {unknown} body the parsed answer @returns {OwnEpisodes | null} null: it is no such answer */
export function own_episodes(body) {
  const answer = object(body);
  if (answer === null || !Array.isArray(answer["episodes"])) return null;
  return { as_of: whole(answer["as_of"]), timezone: zone(answer["timezone"]), episodes: list(answer["episodes"], MOST.episodes, episode) };
}

/** @param {unknown} value @returns {string | null} */
function zone(value) {
  const name = text(value);
  try {
    return name === null ? null : new Intl.DateTimeFormat("en", { timeZone: name }) && name;
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** @param {Record<string, any>} told @returns {OwnEpisode | null} */
function episode(told) {
  const episode_id = text(told["episode_id"]);
  if (episode_id === null) return null;
  const threads = Array.isArray(told["threads"]) ? told["threads"].slice(0, MOST.threads) : [];
  return {
    episode_id,
    threads: threads.filter((one) => text(one) !== null),
    window_start: day(told["window_start"]),
    window_end: day(told["window_end"]),
    counted_seconds: whole(told["counted_seconds"]),
    others: list(told["others"], MOST.others, (one) => {
      const name = text(one["name"]);
      return name === null ? null : { name, credential: text(one["credential"]) };
    }),
    approved: told["approved"] === true,
    colleagues: names(told["colleagues"]),
    steps: list(told["steps"], MOST.steps, step).sort((a, b) => a.minutes - b.minutes),
    rules: rules(object(told["rules"])),
    settings: object(told["settings"]) ?? {},
    facts: object(told["facts"]),
    answer: verdict(object(told["answer"])),
    questions: list(told["questions"], MOST.questions, question),
    intervals: list(told["intervals"], MOST.intervals, interval),
  };
}

/** Of whom it is, where the clinician answers for them. @param {unknown} told @returns {string[]} */
const names = (told) => (Array.isArray(told) ? told.slice(0, MOST.others).filter((one) => text(one) !== null) : []);

/** @param {Record<string, any>} told */
function step(told) {
  const [minutes, code] = [whole(told["minutes"]), text(told["code"])];
  return minutes === null || minutes === 0 || code === null ? null : { minutes, code };
}

/** @param {Record<string, any> | null} told @returns {OwnEpisode["rules"]} */
function rules(told) {
  const [family, from] = [text(told?.["family"]), day(told?.["day"])];
  return family === null || from === null ? null : { family, day: from, payer_type: text(told?.["payer_type"]) };
}

/** What the server's engine or this device's own says. @param {Record<string, any> | null} told @returns {Verdict | null} */
export function verdict(told) {
  const status = told?.["status"];
  if (told === null || !["reportable", "hold", "not_reportable"].includes(status)) return null;
  return {
    status,
    code: text(told["code"]),
    projected_code: text(told["projected_code"]),
    hold_until: day(told["hold_until"]),
    reasons: list(told["reasons"], MOST.reasons, reason),
    missing: list(told["missing"], MOST.reasons, (one) => {
      const [id, asks] = [text(one["id"]), text(one["asks"])];
      return id === null || asks === null ? null : { id, asks, of: text(one["of"]), until: day(one["until"]) };
    }),
    rules_version: text(told["rules_version"]),
  };
}

/** @param {Record<string, any>} told @returns {Reason | null} */
function reason(told) {
  const [id, severity, message] = [text(told["id"]), text(told["severity"]), text(told["message"])];
  if (id === null || severity === null || message === null) return null;
  return { id, severity, message, source: text(told["source"]), remedy: text(told["remedy"]) };
}

/** @param {Record<string, any>} told @returns {Question | null} null: it cannot be answered here */
function question(told) {
  const [id, asks] = [text(told["id"]), text(told["text"])];
  const options = list(told["options"], MOST.options, option);
  return id === null || asks === null || !options.some(({ facts }) => facts.length > 0) ? null : { id, text: asks, options };
}

/** @param {Record<string, any>} told */
function option(told) {
  const label = text(told["label"]);
  const facts = list(told["facts"], MOST.facts, (one) => {
    const [kind, row] = [text(one["kind"]), object(one["row"])];
    return kind === null || row === null || !/^[a-z_]{1,40}$/.test(kind) ? null : { kind, row };
  });
  // An answer of which a part was not understood would say something else than its button.
  const understood = Array.isArray(told["facts"]) && facts.length === told["facts"].length;
  return label === null || !understood ? null : { label, facts };
}

/** @param {Record<string, any>} told @returns {OwnInterval | null} */
function interval(told) {
  const [id, activity, entry] = [text(told["id"]), text(told["activity"]), text(told["entry"]) ?? "measured"];
  const [started_at, ended_at] = [whole(told["started_at"]), whole(told["ended_at"])];
  if (id === null || activity === null || started_at === null || ended_at === null || ended_at <= started_at) return null;
  return {
    id, activity, entry, started_at, ended_at,
    thread: text(told["thread"]),
    ...("patient" in told && { patient: text(told["patient"]) }),
    recorded_activity: text(told["recorded_activity"]),
    counted: typeof told["counted"] === "boolean" ? told["counted"] : null,
    corrected_by: text(told["corrected_by"]),
    idle_after_seconds: whole(told["idle_after_seconds"]),
    ...(text(told["colleague"]) !== null && { colleague: text(told["colleague"]) }),
  };
}
