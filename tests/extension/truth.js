// What must have been counted on a scripted day: a second reading of the capture rules, which shares nothing with the
// stopwatch and works in another manner. The stopwatch goes event by event and knows no future; this looks back over the
// whole day at once, with spans of time [from, to) that are cut and joined. It knows no ticks and no checkpoints.

const SETTLE = 5_000;
const BRIDGED = 2_000;
const BREAKS_OVER = 5_000;
const CLOCK_BREAKS_OVER = 2_000;
const RESTS_AFTER = 250;
const NOTED_EVERY = 1_000;
const TRAIL = 600_000;
/** A browser tells of a change a moment later. An opening so near to five seconds may be told either way. */
const DOUBT = 100;

// Spans.

const cut = (spans, from, to) =>
  spans.map(([a, b]) => [Math.max(a, from), Math.min(b, to)]).filter(([a, b]) => a < b);
const without = (spans, holes) =>
  holes.reduce((left, [from, to]) => left.flatMap(([a, b]) => (to <= a || from >= b ? [[a, b]] : [[a, from], [to, b]].filter(([c, d]) => c < d))), spans);
const both = (spans, others) => others.flatMap(([from, to]) => cut(spans, from, to)).sort(([a], [b]) => a - b);

/** The spans in which what the actions say stands, as `stands` reads it after each. */
function spans_of({ actions, ends }, stands) {
  const spans = [];
  let since = null;
  for (const action of actions) {
    const now = stands(action);
    if (now && since === null) since = action.at;
    if (!now && since !== null) {
      spans.push([since, action.at]);
      since = null;
    }
  }
  if (since !== null) spans.push([since, ends]);
  return spans.filter(([a, b]) => a < b);
}

function switched(script, on, off) {
  let is = false;
  return spans_of(script, (action) => (is = action.do === on || (action.do !== off && is)));
}

/** When a tab is in sight, and when it also has the focus. */
function sight(script, tab, window) {
  const reading = (counts) => {
    let shown = null;
    let down = false;
    let focus = null;
    return spans_of(script, (action) => {
      if (action.do === "front") {
        focus = action.window;
        if (action.window === window) [shown, down] = [action.tab, false];
      }
      if (action.do === "away") focus = null;
      if (action.do === "minimise") {
        focus = null;
        if (action.window === window) down = true;
      }
      if (action.do === "crash") shown = focus = null;
      return counts(shown === tab && !down, focus === window);
    });
  };
  return { visible: reading((seen) => seen), focused: reading((seen, focus) => seen && focus) };
}

// Documents and the pages that stood in them.

/** Every document: its tab, its life, and the pages recognised in it, each until its address changed. */
function documents(script) {
  const found = [];
  for (const [index, load] of script.actions.entries()) {
    if (load.do !== "load") continue;
    const later = script.actions.slice(index + 1);
    const end = later.find((a) => a.do === "crash" || (a.tab === load.tab && (a.do === "load" || a.do === "close")));
    const until = end?.at ?? script.ends;
    const moves = later.filter((a) => a.do === "move" && a.tab === load.tab && a.at < until);
    const shown = [{ at: load.at, from: load.at + load.ready, page: load.page }, ...moves.map(({ at, page }) => ({ at, from: at + RESTS_AFTER, page }))];
    const pages = shown
      .map(({ from, page }, n) => ({ from, to: shown[n + 1]?.at ?? until, page }))
      .filter(({ from, to }) => from < to);
    const gone = end === undefined ? script.actions.length : script.actions.indexOf(end);
    found.push({ born: index, gone, document: load.document, tab: load.tab, window: load.window, until, pages, shown });
  }
  return found;
}

/** Of each page whose time it is: a thread's own; a chart's after a thread of its patient, with no other between. */
function belongs(tab_pages, index) {
  const { page, from } = tab_pages[index];
  if (page === null) return null;
  if (page.kind === "thread") return { thread: page.thread, patient: page.patient, entry: "measured" };
  for (const before of tab_pages.slice(0, index).reverse()) {
    if (before.page === null) continue;
    const { kind, patient } = before.page;
    if (patient !== null && patient !== page.patient) break;
    if (kind !== "thread") continue;
    if (from - before.to > TRAIL || patient === null) break;
    return { thread: before.page.thread, patient, entry: "measured" };
  }
  return { thread: null, patient: page.patient, entry: "linked_chart" };
}

// Attention.

/** The inputs that are noted: at most one a second, each document and its frames on their own. */
function noted(script, { tab }, all) {
  const inputs = [];
  for (const one of all.filter((other) => other.tab === tab)) {
    const own = script.actions.slice(one.born, one.gone).filter((a) => a.do === "input" && a.tab === tab);
    for (const frame of [false, true]) {
      let last = -Infinity;
      for (const { at } of own.filter((action) => action.frame === frame)) {
        if (at - last >= NOTED_EVERY) inputs.push((last = at));
      }
    }
  }
  return inputs.sort((a, b) => a - b);
}

/** The parts of a span, in front throughout, in which the last input is fresh; an idle tail goes as a whole. */
function attentive([from, to], inputs, idle_after) {
  const before = inputs.findLast((at) => at <= from) ?? -Infinity;
  const marks = [before, ...inputs.filter((at) => at > from && at < to)];
  const parts = [];
  let start = from - before <= idle_after ? from : null;
  for (const [n, mark] of marks.entries()) {
    if (n > 0 && start === null) start = mark;
    const next = marks[n + 1] ?? to;
    if (start === null || next - mark <= idle_after) continue;
    if (mark > start) parts.push([start, mark]);
    start = null;
  }
  if (start !== null && start < to) parts.push([start, to]);
  return parts;
}

/** The focus, with every absence of up to two seconds bridged through which nothing else happened. */
function bridge(focused, visible, stops, inputs, idle_after) {
  const joined = [];
  for (const [from, to] of focused) {
    const last = joined.at(-1);
    const left = last?.[1];
    const fresh = last && left - (inputs.findLast((at) => at <= left) ?? -Infinity) <= idle_after;
    const seen = last && visible.some(([a, b]) => a <= left && b >= to);
    if (last && from - left <= BRIDGED && fresh && seen && !stops.some((at) => at >= left && at <= from)) last[1] = to;
    else joined.push([from, to]);
  }
  return joined;
}

/**
 * Every interval that must stand: {document, page (its number in the document), thread, patient, entry, from, to, doubtful}.
 * @param {ReturnType<typeof import("./days.js").day>} script
 * @param {{idle_after?: number}} how idle_after: seconds; Infinity leaves the idle rule out
 */
export function truth(script, { idle_after = script.idle_after } = {}) {
  const limit = idle_after * 1000;
  const all = documents(script);
  const closed = [...switched(script, "lock", "unlock"), ...switched(script, "pause", "resume")];
  const broken = script.actions
    .filter((a) => (a.do === "sleep" || a.do === "hang") && a.ms > BREAKS_OVER)
    .map((a) => [a.at, a.at + a.ms]);
  const set = script.actions.filter((a) => a.do === "clock" && Math.abs(a.by) > CLOCK_BREAKS_OVER).map((a) => a.at);
  const found = [];
  for (const one of all) {
    const inputs = noted(script, one, all);
    const history = all.filter(({ tab }) => tab === one.tab).flatMap(({ pages }) => pages);
    const { visible, focused } = sight(script, one.tab, one.window);
    const stops = [...closed.flat(), ...broken.flat(), ...set, ...one.shown.map(({ at }) => at), ...one.pages.map(({ from }) => from)];
    const free = without(without(both(bridge(focused, visible, stops, inputs, limit), visible), closed), broken);
    let opening = [];
    let opened = null;
    const settle = () => {
      const active = opening.reduce((sum, { from, to }) => sum + to - from, 0);
      const doubtful = Math.abs(active - SETTLE) <= DOUBT;
      if (active >= SETTLE || doubtful) found.push(...opening.map((interval) => ({ ...interval, doubtful })));
      opening = [];
    };
    for (const [number, page] of one.pages.entries()) {
      const whose = belongs(history, history.indexOf(page));
      if (JSON.stringify(whose) !== opened) settle();
      opened = JSON.stringify(whose);
      if (whose === null) continue;
      const pieces = set.reduce((spans, at) => without_instant(spans, at), cut(free, page.from, page.to));
      for (const [from, to] of pieces.flatMap((span) => attentive(span, inputs, limit))) {
        opening.push({ document: one.document, page: number, ...whose, from, to });
      }
    }
    settle();
  }
  return found;
}

const without_instant = (spans, at) => spans.flatMap(([a, b]) => (a < at && at < b ? [[a, at], [at, b]] : [[a, b]]));

/** What somebody counts who looks at nothing but whether the page is in sight. */
export function visibility(script) {
  return documents(script).flatMap((one) => {
    const { visible } = sight(script, one.tab, one.window);
    return one.pages.flatMap(({ from, to, page }, number) =>
      page === null ? [] : cut(visible, from, to).map(([a, b]) => ({ document: one.document, page: number, from: a, to: b })),
    );
  });
}

/** Every page that was recognised: {document, page, thread (null on a chart), from, to}. */
export const stays = (script) =>
  documents(script).flatMap(({ document, pages }) =>
    pages.flatMap(({ from, to, page }, number) => (page === null ? [] : [{ document, page: number, thread: page.thread, from, to }])),
  );
