// How far the stopwatch is from the truth on scripted days, beside two simpler ways to count.
//
//     node tests/extension/accuracy.js DAYS     prints the figures as JSON, in milliseconds
import { day } from "./days.js";
import { play } from "./playing.js";
import { stays, truth, visibility } from "./truth.js";

const sum = (spans) => spans.reduce((total, { from, to }) => total + to - from, 0);
const shared = (a, b) => Math.min(a.to, b.to) - Math.max(a.from, b.from);

/** Rows as spans; one that the limit of five minutes cut goes on in the next. */
function joined(rows) {
  const spans = [];
  for (const { document, thread, patient, entry, at, to } of rows.toSorted((a, b) => a.document - b.document || a.at - b.at)) {
    const last = spans.at(-1);
    const goes_on = last && last.document === document && last.thread === thread && last.entry === entry && Math.abs(last.to - at) < 1;
    if (goes_on) last.to = to;
    else spans.push({ document, thread, patient, entry, from: at, to });
  }
  return spans;
}

/** Spans of one document and thread that overlap; whether a chart was linked to its thread is judged apart. */
const meets = (a, b) =>
  a.document === b.document && a.patient === b.patient && (a.thread === b.thread || a.entry !== b.entry) && shared(a, b) > 0;

/**
 * What was counted too much (too little: below 0) of each true interval, in milliseconds. One that was counted in two
 * pieces, or two that were counted in one, are compared as a whole; what nobody should have counted stands alone.
 */
export function by_interval(spans, intervals) {
  const left = new Set([...spans, ...intervals]);
  const own = new Set(spans);
  const errors = [];
  for (const first of left) {
    const group = [first];
    left.delete(first);
    for (const one of group) {
      for (const other of left) {
        if (own.has(one) === own.has(other) || !meets(one, other)) continue;
        group.push(other);
        left.delete(other);
      }
    }
    if (group.some(({ doubtful }) => doubtful)) continue;
    errors.push(group.reduce((ms, one) => ms + (own.has(one) ? 1 : -1) * (one.to - one.from), 0));
  }
  return errors;
}

/** Milliseconds that carry a thread and should not, and those that should and do not. */
function mislinked(spans, intervals) {
  const of = (a, b) =>
    a.reduce((ms, one) => ms + b.reduce((sum, other) => sum + (meets(one, other) && one.entry !== other.entry ? shared(one, other) : 0), 0), 0);
  const measured = (list) => list.filter(({ entry }) => entry === "measured");
  return { too_many: of(measured(spans), intervals), too_few: of(measured(intervals), spans) };
}

/** The same for each stay on a page where anything was to be counted, or was. */
function by_stay(places, spans, intervals) {
  const within = (list, place) => list.reduce((ms, one) => ms + (one.document === place.document ? Math.max(0, shared(one, place)) : 0), 0);
  const doubtful = intervals.filter((interval) => interval.doubtful);
  return places
    .filter((place) => within(doubtful, place) === 0)
    .map((place) => [within(spans, place), within(intervals, place)])
    .filter((pair) => pair.some((ms) => ms > 0))
    .map(([ms, right]) => ms - right);
}

/** One day: its script, the rows that the stopwatch gave, the true intervals, and the errors of each way to count.
 * @param {number} seed */
export function measure(seed) {
  const script = day(seed);
  const rows = play(script);
  const intervals = truth(script);
  const spans = joined(rows);
  const places = stays(script);
  const stay = (counted) => by_stay(places, counted, intervals);
  return {
    script,
    rows,
    intervals,
    errors: by_interval(spans, intervals),
    mislinked: mislinked(spans, intervals),
    doubtful: intervals.filter(({ doubtful }) => doubtful).length,
    right: sum(intervals.filter(({ doubtful }) => !doubtful)),
    ways: { ours: stay(spans), no_idle: stay(truth(script, { idle_after: Infinity })), visible: stay(visibility(script)) },
  };
}

/** Of errors: the middle one, the worst, and all together. */
function summary(errors) {
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  return {
    count: errors.length,
    median: sizes[sizes.length >> 1] ?? 0,
    most_over: errors.reduce((a, b) => Math.max(a, b), 0),
    most_under: -errors.reduce((a, b) => Math.min(a, b), 0),
    total: errors.reduce((a, b) => a + b, 0),
  };
}

/** The figures of many days. @param {Iterable<ReturnType<typeof measure>>} days */
export function figures(days) {
  const all = { errors: [], ours: [], no_idle: [], visible: [] };
  const totals = { days: 0, right: 0, doubtful: 0, linked_too_many: 0, linked_too_few: 0 };
  for (const { errors, ways, right, doubtful, mislinked: links } of days) {
    all.errors.push(...errors);
    for (const [name, way] of Object.entries(ways)) all[name].push(...way);
    totals.days += 1;
    totals.right += right;
    totals.doubtful += doubtful;
    totals.linked_too_many += links.too_many;
    totals.linked_too_few += links.too_few;
  }
  const { errors, ...ways } = Object.fromEntries(Object.entries(all).map(([name, list]) => [name, summary(list)]));
  return { ...totals, intervals: errors, ways };
}

/** The days of the seeds 1 to `count`, one after the other. @param {number} count */
export function* days_until(count) {
  for (let seed = 1; seed <= count; seed++) yield measure(seed);
}

if (import.meta.main) console.log(JSON.stringify(figures(days_until(Number(process.argv[2])))));
