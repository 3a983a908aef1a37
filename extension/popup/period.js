// An episode's seven days in words and figures: what the popup says of it. Pure.

/** Time that a person has to answer for, or whose thread is uncertain, is not "about" counted. */
const UNCERTAIN = ["manual", "linked_chart"];

/** The day of an instant in a zone, as 2026-04-08. @param {number} at @param {string} zone */
export function local_day(at, zone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(at);
  const part = (/** @type {string} */ type) => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** Days from one to another. @param {string} from @param {string} to */
const days_between = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);

/** 8 April. @param {string} day @param {{month?: boolean}} how */
export function day_words(day, { month = true } = {}) {
  return new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", ...(month && { month: "long" }) }).format(Date.parse(day));
}

/** New York time. @param {string} zone */
export const zone_words = (zone) => `${zone.split("/").at(-1)?.replaceAll("_", " ")} time`;

/** 12 min, or 12 min 34 s. @param {number} seconds */
export function duration_words(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  if (minutes === 0) return `${rest} s`;
  return rest === 0 ? `${minutes} min` : `${minutes} min ${rest} s`;
}

/** @param {string[]} parts */
const joined = (parts) => [parts.slice(0, -1).join(", "), parts.at(-1) ?? ""].filter((part) => part !== "").join(" and ");

/** @param {OwnEpisode["others"]} others */
export const others_words = (others) => joined(others.map(({ name, credential }) => (credential === null ? name : `${credential} ${name}`)));

/**
 * Seconds of one thread that this device has measured in the period and not sent. The server merges them with all the
 * rest; here they are added up as they are, which is why they are called "about".
 * @param {(Pick<WireRow, "id" | "started_at" | "ended_at" | "entry" | "corrects">)[]} rows waiting or still running; may name a row twice
 * @param {OwnEpisode} episode
 * @param {string | null} zone
 */
export function unsent_seconds(rows, { window_start, window_end }, zone) {
  const once = new Map(rows.map((row) => [row.id, row]));
  let total = 0;
  for (const row of once.values()) {
    if (UNCERTAIN.includes(row.entry ?? "measured") || row.corrects !== undefined) continue;
    const day = zone === null ? null : local_day(row.started_at, zone);
    const outside = day !== null && ((window_start !== null && day < window_start) || (window_end !== null && day > window_end));
    if (!outside) total += row.ended_at - row.started_at;
  }
  return Math.floor(total / 1000);
}

/**
 * Where in its period an episode stands.
 * @param {OwnEpisode} episode
 * @param {string | null} zone
 * @param {number} now
 * @returns {{title: string, span: string, squares: ("past" | "today" | "ahead")[], running: boolean} | null} null: the server did not say
 */
export function period({ window_start, window_end }, zone, now) {
  if (window_start === null || window_end === null || zone === null) return null;
  const today = local_day(now, zone);
  const length = Math.max(1, Math.min(31, days_between(window_start, window_end) + 1));
  const number = days_between(window_start, today) + 1;
  const running = number >= 1 && number <= length;
  const title = running ? `Day ${number} of ${length}` : number < 1 ? `Begins ${day_words(window_start)}` : `Ended ${day_words(window_end)}`;
  const same_month = window_start.slice(0, 7) === window_end.slice(0, 7);
  return {
    title,
    span: `${day_words(window_start, { month: !same_month })} to ${day_words(window_end)}, ${zone_words(zone)}`,
    squares: Array.from({ length }, (_, n) => (n + 1 < number ? "past" : n + 1 === number ? "today" : "ahead")),
    running,
  };
}

/**
 * The bar as parts of its length: what is counted, what is about to be, and the marks at the steps.
 * @param {OwnEpisode["steps"]} steps
 * @param {number} counted seconds
 * @param {number} unsent seconds
 */
export function bar(steps, counted, unsent) {
  const last = steps.at(-1)?.minutes ?? 0;
  const whole = Math.max(last * 60 * 1.25, counted + unsent, 60);
  return {
    counted: counted / whole,
    unsent: unsent / whole,
    marks: steps.map(({ minutes }) => ({ at: (minutes * 60) / whole, minutes })),
    words: `${duration_words(counted)} counted${unsent > 0 ? `, about ${duration_words(unsent)} more not sent yet` : ""}${last > 0 ? `; codes begin at ${joined(steps.map(({ minutes }) => String(minutes)))} minutes` : ""}`,
  };
}

/**
 * What the rules say so far: a chip, and sentences with what would change them.
 * @param {Verdict} answer
 * @param {{approved: boolean, running: boolean}} episode
 * @returns {{tone: "ready" | "hold" | "blocked" | "missing", mark: string, words: string, note: string, reasons: {message: string, remedy: string | null, source: string | null}[]}}
 */
export function verdict_words(answer, { approved, running }) {
  const told = (/** @type {string[]} */ ...severities) =>
    answer.reasons.filter(({ severity }) => severities.includes(severity)).map(({ message, remedy, source }) => ({ message, remedy, source }));
  if (approved) return { tone: "ready", mark: "✓", words: answer.code === null ? "Approved" : `Approved: ${answer.code}`, note: "Later work does not change it.", reasons: [] };
  if (answer.status === "reportable") {
    return { tone: "ready", mark: "✓", words: `Ready: ${answer.code ?? "no code"}`, note: "Nothing blocks it and nothing is missing. The practice decides.", reasons: told("warn") };
  }
  if (answer.status === "not_reportable") {
    return { tone: "blocked", mark: "✕", words: "Not reportable", note: "", reasons: told("block") };
  }
  const so_far = answer.projected_code === null ? "" : `So far ${answer.projected_code}, by time alone.`;
  const until = answer.hold_until === null ? "On hold" : `Hold until ${day_words(answer.hold_until)}`;
  const asked = missing_of(answer);
  const waits = told("wait");
  if (running) return { tone: "hold", mark: "◔", words: "Open", note: so_far, reasons: [...asked, ...waits] };
  if (waits.length > 0 || asked.length === 0) return { tone: "hold", mark: "◔", words: until, note: so_far, reasons: [...asked, ...waits] };
  return { tone: "missing", mark: "?", words: "Something is not known yet", note: so_far, reasons: asked };
}

/** @param {Verdict} answer */
function missing_of({ missing, reasons }) {
  const of_reason = new Map(reasons.filter(({ severity }) => severity === "hold").map((one) => [one.id, one]));
  const known = new Set(missing.map(({ id }) => id));
  const others = [...of_reason.values()].filter(({ id }) => !known.has(id)); // where the server leaves `missing` out
  const asked = missing.map(({ id, asks, of, until }) => {
    const from = of === null ? "" : ` Asked of ${of === "feed" ? "the record system" : `the ${of}`}${until === null ? "" : `, until ${day_words(until)}`}.`;
    const reason = of_reason.get(id);
    return { message: reason?.message ?? `Not known: ${asks}.`, remedy: reason?.remedy ?? null, source: reason?.source ?? null, from: from.trim() };
  });
  return [...asked, ...others.map(({ message, remedy, source }) => ({ message, remedy, source, from: "" }))];
}
