// Scripts of working days: what a clinician and their machine did, and when. Seeded; knows nothing of the stopwatch.
//
// `at` is milliseconds of real time since the day began. What a script can say: `load` (a document in a tab, recognised
// `ready` ms later), `move` (the address of a single-page application changes), `front` (a window has the focus and shows
// a tab), `away` (another program has the focus, the windows stay in sight), `minimise`, `close`, `input` (in the page or
// in a `frame` of it), `lock`, `unlock`, `pause`, `resume`, `sleep` (`stands`: the pages' clock stood still), `hang` (no
// page ran), `clock` (somebody sets it), `crash`.

/** A small seeded generator: every failure can be repeated. @param {number} seed */
export function chance(seed) {
  let x = seed >>> 0;
  const fraction = () => {
    x = (x + 0x6d2b79f5) >>> 0;
    let y = Math.imul(x ^ (x >>> 15), x | 1);
    y ^= y + Math.imul(y ^ (y >>> 7), y | 61);
    return ((y ^ (y >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (low, high) => low + fraction() * (high - low);
  return { fraction, between, one_of: (list) => list[Math.floor(fraction() * list.length)] };
}

const THREADS = [
  ["T1", "P1"], ["T2", "P1"], ["T3", "P2"], ["T4", "P3"], ["T5", null], ["T6", "P4"],
].map(([thread, patient]) => ({ kind: "thread", thread, patient }));
const CHARTS = ["P1", "P2", "P3", "P5"].flatMap((patient) =>
  ["chart", "orders", "prescribing"].map((kind) => ({ kind, thread: null, patient })),
);
const SHORTEST_MINUTES = 30;
const LONGEST_MINUTES = 90;

class Day {
  constructor(seed) {
    this.luck = chance(seed);
    this.idle_after = this.luck.one_of([15, 30, 60, 60, 60, 120, 300]);
    this.actions = [];
    this.at = 0;
    this.made = 0;
    this.windows = [[], []];
    this.shown = [null, null];
    this.window = 0;
    this.pages = new Map();
  }

  /** @param {string} what */
  note(what, more = {}) {
    this.actions.push({ at: Math.round(this.at), do: what, ...more });
  }

  wait(low, high) {
    this.at += this.luck.between(low, high);
  }

  get tab() {
    return this.shown[this.window];
  }

  input() {
    this.note("input", { tab: this.tab, frame: this.luck.fraction() < 0.1 });
  }

  // What a clinician does.

  load(page = this.page()) {
    this.pages.set(this.tab, page);
    this.note("load", { tab: this.tab, document: ++this.made, window: this.window, page, ready: Math.round(this.luck.between(80, 700)) });
    this.wait(800, 1500);
  }

  /** Mostly a thread; after a thread often its patient's chart. */
  page() {
    const before = this.pages.get(this.tab);
    const kind = this.luck.fraction();
    if (before?.kind === "thread" && kind < 0.4) {
      const own = CHARTS.filter(({ patient }) => patient === before.patient);
      return this.luck.one_of(own.length > 0 && kind < 0.3 ? own : CHARTS);
    }
    if (kind < 0.15) return null;
    return kind < 0.25 ? this.luck.one_of(CHARTS) : this.luck.one_of(THREADS);
  }

  move(page = this.page()) {
    if (JSON.stringify(page) === JSON.stringify(this.pages.get(this.tab))) return;
    this.pages.set(this.tab, page);
    this.wait(450, 900); // nobody reads and clicks faster
    this.input();
    this.wait(5, 60);
    this.note("move", { tab: this.tab, page });
  }

  /** The portal itself goes on to another page at once. */
  redirect() {
    const before = this.pages.get(this.tab);
    this.move(null);
    this.wait(30, 200);
    this.pages.set(this.tab, this.luck.one_of(THREADS.filter(({ thread }) => thread !== before?.thread)));
    this.note("move", { tab: this.tab, page: this.pages.get(this.tab) });
  }

  work(most = 120_000) {
    const ends = this.at + this.luck.between(2_000, most);
    while (this.at < ends) {
      this.input();
      if (this.luck.fraction() < 0.06) this.wait(8_000, this.idle_after * 1000 - 1_500);
      else this.wait(300, 6_000);
    }
  }

  read() {
    this.input();
    this.wait(this.idle_after * 1000 * 0.5, this.idle_after * 1000 * 4);
    if (this.luck.fraction() < 0.7) this.input();
  }

  misclick() {
    this.move(this.luck.one_of(THREADS));
    this.wait(400, 4_700);
    this.move(this.luck.one_of(THREADS));
  }

  new_tab() {
    const tab = `tab ${++this.made}`;
    this.windows[this.window].push(tab);
    this.shown[this.window] = tab;
    this.note("front", { window: this.window, tab });
    this.load();
  }

  switch_tab() {
    this.shown[this.window] = this.luck.one_of(this.windows[this.window]);
    this.note("front", { window: this.window, tab: this.tab });
    this.wait(100, 3_000);
  }

  switch_window() {
    this.window = 1 - this.window;
    if (this.tab === null) this.new_tab();
    else this.note("front", { window: this.window, tab: this.tab });
    this.wait(100, 3_000);
  }

  close_tab() {
    if (this.windows[this.window].length < 2) return;
    const closed = this.tab;
    this.windows[this.window] = this.windows[this.window].filter((tab) => tab !== closed);
    this.note("close", { tab: closed });
    this.switch_tab();
  }

  back() {
    this.note("front", { window: this.window, tab: this.tab });
    this.wait(0, 2_000);
  }

  glance(low, high) {
    this.note("away");
    this.wait(low, high);
    this.back();
  }

  minimise() {
    this.note("minimise", { window: this.window });
    this.wait(300, 300_000);
    this.back();
  }

  coffee() {
    this.wait(120_000, 900_000);
    if (this.luck.fraction() < 0.8) this.input();
  }

  lock() {
    if (this.luck.fraction() < 0.5) this.note("away");
    this.note("lock");
    this.wait(1_000, 600_000);
    this.note("unlock");
    this.back();
    if (this.luck.fraction() < 0.8) this.input();
  }

  pause() {
    this.note("pause");
    this.work(90_000);
    this.note("resume");
  }

  // What the machine does.

  sleep() {
    const ms = Math.round(this.luck.between(6_500, this.luck.one_of([30_000, 3_600_000])));
    this.note("sleep", { ms, stands: this.luck.fraction() < 0.5 });
    this.at += ms;
    this.wait(10, 3_000);
    if (this.luck.fraction() < 0.8) this.input();
  }

  hang() {
    const ms = Math.round(this.luck.fraction() < 0.6 ? this.luck.between(500, 3_500) : this.luck.between(6_500, 20_000));
    this.note("hang", { ms });
    this.at += ms;
    this.wait(10, 1_000);
  }

  clock() {
    const by = this.luck.one_of([-7_200_000, -30_000, -3_000, -1_200, 1_200, 3_000, 30_000, 7_200_000]);
    this.note("clock", { by });
    this.wait(10, 3_000);
  }

  crash() {
    this.note("crash");
    this.wait(5_000, 60_000);
    this.windows = [[], []];
    this.shown = [null, null];
    this.pages.clear();
    this.new_tab();
  }

  live() {
    const acts = [
      [30, () => this.work()], [22, () => this.move()], [8, () => this.read()], [6, () => this.load()], [4, () => this.misclick()],
      [3, () => this.redirect()], [4, () => this.new_tab()], [5, () => this.switch_tab()], [4, () => this.switch_window()],
      [2, () => this.close_tab()], [4, () => this.glance(100, 1_850)], [4, () => this.glance(2_300, 90_000)], [3, () => this.minimise()],
      [2, () => this.coffee()], [1.5, () => this.lock()], [1, () => this.pause()], [1.5, () => this.sleep()], [2, () => this.hang()],
      [1.5, () => this.clock()], [0.7, () => this.crash()],
    ];
    const all = acts.reduce((sum, [weight]) => sum + weight, 0);
    const ends = this.luck.between(SHORTEST_MINUTES, LONGEST_MINUTES) * 60_000;
    this.new_tab();
    while (this.at < ends) {
      let left = this.luck.fraction() * all;
      const [, act] = acts.find(([weight]) => (left -= weight) < 0) ?? acts[0];
      act();
    }
    for (const tab of this.windows.flat()) this.note("close", { tab });
    return { idle_after: this.idle_after, actions: this.actions, ends: Math.round(this.at) };
  }
}

/** The day of a seed: {idle_after (seconds), actions, ends}. @param {number} seed */
export const day = (seed) => ({ seed, ...new Day(seed).live() });
