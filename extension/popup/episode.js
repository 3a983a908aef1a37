// The episode of the thread behind the popup: its days, its counted time and what the rules say so far; at once what was
// kept, then the server's fresh word. It informs and asks for nothing.

import { kept_episodes } from "../worker/episodes.js";
import * as outbox from "../worker/outbox.js";
import { settings } from "../worker/settings.js";
import { drawn, element, make, moment, redraw } from "./elements.js";
import { bar, duration_words, local_day, others_words, period, unsent_seconds, verdict_words } from "./period.js";
import { judge_again, packaged_rules } from "./rules.js";

const WIDTH = 288;
const SQUARE = 12;
const SHOWN_REASONS = 1;
const ASK_AGAIN_MS = 60_000;

/** How the last asking went. @type {{outcome: "kept" | "absent" | "failed" | "unpaired" | "asking", problem: string | null, at: number}} */
let reach = { outcome: "asking", problem: null, at: 0 };
/** @type {Promise<{engine: any, book: any}> | undefined} */
let rules;

/** Asks the server anew, unless it was asked within the minute. @param {number | undefined} tab @param {{now?: boolean}} how */
export async function ask(tab, { now = false } = {}) {
  if (!now && Date.now() - reach.at < ASK_AGAIN_MS) return;
  reach = { ...reach, at: Date.now() };
  const answer = await chrome.runtime.sendMessage({ type: "own_episodes", tab });
  reach = { ...reach, ...(answer ?? { outcome: "failed", problem: "The extension did not answer." }) };
}

/**
 * @param {TabStatus | undefined} behind
 * @param {RecentRow[]} open rows that are still being measured in the page
 */
export async function show_episode(behind, open) {
  const section = element("episode");
  const pairing = (await settings()).pairing?.id ?? "";
  const kept = behind && (await kept_episodes(pairing, behind));
  const recognised = behind !== undefined && (behind.thread !== null || behind.patient !== null);
  const unheard = recognised && !kept && reach.outcome === "failed";
  section.hidden = !kept && !unheard;
  if (unheard) return redraw(section, reach.problem, () => unheard_of(reach.problem));
  if (!kept || !behind) return;
  const [episode] = kept.episodes;
  if (episode === undefined) return redraw(section, "none", none_yet);
  const now = Date.now();
  const rows = behind.thread === null || episode.approved ? [] : [...(await outbox.unsent(pairing, behind)), ...open.filter(({ thread }) => thread === behind.thread)];
  const unsent = unsent_seconds(rows, episode, kept.timezone);
  const view = { ...(await judged(kept, episode, now)), ...spoken(kept, episode, unsent, now) };
  redraw(section, view, () => card(view));
}

/** @param {string} words */
const sentence = (words) => (words === "" || /[.!?]$/.test(words) ? words : `${words}.`);

/** @param {KeptEpisodes} kept @param {OwnEpisode} episode @param {number} unsent seconds @param {number} now */
function spoken({ timezone }, episode, unsent, now) {
  const { counted_seconds, steps, others, colleagues } = episode;
  return {
    colleagues: colleagues ?? [],
    days: period(episode, timezone, now),
    counted: counted_seconds === null ? null : { words: duration_words(counted_seconds), bar: bar(steps, counted_seconds, unsent) },
    others: others_words(others),
    unsent: unsent > 0 ? duration_words(unsent) : null,
  };
}

/** What the rules say, by the server or (while it is away) by the packaged rules, and how old that is.
 * @param {KeptEpisodes} kept @param {OwnEpisode} episode @param {number} now */
async function judged(kept, episode, now) {
  const days = period(episode, kept.timezone, now);
  const away = reach.outcome === "failed";
  let answer = episode.answer;
  let age = "";
  if (away) {
    const again = episode.approved || kept.timezone === null ? null : judge_again(await (rules ??= packaged_rules()), episode, local_day(now, kept.timezone));
    answer = again ?? answer;
    const judged_here = again === null ? "" : " Judged on this device for today.";
    age = `As of ${moment(kept.received_at, now)}. ${sentence(reach.problem ?? "")}${judged_here}`;
  }
  return { verdict: answer && verdict_words(answer, { approved: episode.approved, running: days?.running === true }), age };
}

/** @typedef {ReturnType<typeof spoken> & Awaited<ReturnType<typeof judged>>} View */

/** @param {View} view */
function card({ colleagues, days, counted, others, unsent, verdict, age }) {
  const parts = [];
  const heading = make("h2", { id: "episode-title" }, days?.title ?? "This period");
  parts.push(days === null ? heading : make("div", { class: "days" }, heading, squares(days)));
  if (days !== null) parts.push(make("p", { class: "quiet small" }, days.span));
  if (colleagues.length > 0) parts.push(make("p", { class: "small" }, make("b", {}, `For ${colleagues.join(", ")}`), ": you answer in their place."));
  if (counted !== null) {
    const words = make("p", {}, "This period: ", make("b", {}, counted.words), ` counted${others === "" ? "" : `, with ${others}`}`);
    parts.push(progress(counted.bar), words);
  }
  if (unsent !== null) parts.push(make("p", { class: "small" }, make("span", { "class": "hatched", "aria-hidden": "true" }), ` about ${unsent} more on this device, not sent yet`));
  if (verdict !== null) {
    const chip = make("span", { class: `chip ${verdict.tone}` }, make("span", { "aria-hidden": "true" }, verdict.mark), ` ${verdict.words}`);
    parts.push(make("p", { class: "verdict" }, chip, ...(verdict.note === "" ? [] : [" ", make("span", { class: "small" }, verdict.note)])));
    parts.push(...reasons(verdict.reasons));
  }
  if (age !== "") parts.push(make("p", { id: "age", class: "quiet small" }, age));
  return parts;
}

/** @param {NonNullable<View["days"]>} days */
function squares({ title, squares }) {
  const width = squares.length * (SQUARE + 4) - 4;
  const image = drawn("svg", { "class": "squares", width, "height": SQUARE, "viewBox": `0 0 ${width} ${SQUARE}`, "role": "img", "aria-label": title });
  squares.forEach((kind, n) => image.append(drawn("rect", { class: kind, x: n * (SQUARE + 4) + 1, y: 1, width: SQUARE - 2, height: SQUARE - 2, rx: 2 })));
  return image;
}

/** @param {ReturnType<typeof bar>} parts */
function progress({ counted, unsent, marks, words }) {
  const x = (/** @type {number} */ share) => Math.round(share * WIDTH);
  const image = drawn("svg", { "class": "progress", "width": WIDTH, "height": 34, "viewBox": `0 0 ${WIDTH} 34`, "role": "img", "aria-label": words });
  const hatch = drawn("pattern", { id: "hatch", width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, drawn("rect", { class: "hatch", width: 2, height: 4 }));
  image.append(drawn("defs", {}, hatch), drawn("rect", { class: "whole", y: 8, width: WIDTH, height: 6, rx: 3 }));
  if (unsent > 0) image.append(drawn("rect", { class: "unsent", x: x(counted), y: 8, width: Math.max(2, x(unsent)), height: 6, fill: "url(#hatch)" }));
  if (counted > 0) image.append(drawn("rect", { class: "counted", y: 8, width: Math.max(2, x(counted)), height: 6, rx: 3 }));
  marks.forEach(({ at, minutes }, n) => {
    const label = n === marks.length - 1 ? `${minutes} min` : String(minutes);
    image.append(drawn("line", { x1: x(at), x2: x(at), y1: 4, y2: 18 }), drawn("text", { "x": x(at), "y": 31, "text-anchor": "middle" }, label));
  });
  return image;
}

/** @param {NonNullable<View["verdict"]>["reasons"]} all */
function reasons(all) {
  const [first, more] = [all.slice(0, SHOWN_REASONS), all.slice(SHOWN_REASONS)];
  const list = (/** @type {typeof all} */ some) => make("ul", { class: "reasons" }, ...some.map(reason));
  if (all.length === 0) return [];
  if (more.length === 0) return [list(first)];
  return [list(first), make("details", { "data-key": "more" }, make("summary", { "class": "small", "data-key": "more-summary" }, more.length === 1 ? "1 more reason" : `${more.length} more reasons`), list(more))];
}

/** @param {NonNullable<View["verdict"]>["reasons"][number]} one */
function reason({ message, remedy, source, ...more }) {
  const from = "from" in more && typeof more.from === "string" ? more.from : "";
  const item = make("li", {}, make("p", {}, message));
  if (remedy !== null) item.append(make("p", { class: "small" }, make("b", {}, "What would help: "), remedy));
  const under = [from, source === null ? "" : `Source: ${source}`].filter((part) => part !== "");
  if (under.length > 0) item.append(make("p", { class: "quiet small" }, under.join(" ")));
  return item;
}

/** @param {string | null} problem */
function unheard_of(problem) {
  return [make("h2", { id: "episode-title" }, "This period"), make("p", { class: "quiet small" }, `${sentence(problem ?? "")} What it knows of this thread is not on this device yet.`)];
}

function none_yet() {
  return [
    make("h2", { id: "episode-title" }, "No period yet"),
    make("p", { class: "quiet small" }, "Its seven days appear here once work on this thread has reached the server and counts."),
  ];
}
