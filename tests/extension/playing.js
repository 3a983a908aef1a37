// Plays a scripted day through the stopwatch and the trail, as the glue feeds them in a browser: late events, events in
// odd orders and twice, ticks while the stopwatch is restless, checkpoints, and documents that end without a word.
import "../../extension/content/stopwatch.js";
import "../../extension/content/trail.js";
import { chance } from "./days.js";

const { stopwatch, trail: trails } = globalThis.threadtime;
const EPOCH = 1_775_480_400_000;
const TICK_MS = 1_000;
const REST_MS = 250;
const CHECKPOINT_MS = 4_000;
const NOTE_EVERY_MS = 1_000;

/** What is due, earliest first; of one moment in the order it was asked for. */
class Agenda {
  #heap = [];
  #asked = 0;

  before = (a, b) => a.at - b.at || a.order - b.order;

  put(at, run) {
    const heap = this.#heap;
    const item = { at, run, order: this.#asked++ };
    let place = heap.push(item) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (this.before(heap[above], item) <= 0) break;
      heap[place] = heap[above];
      place = above;
    }
    heap[place] = item;
  }

  take() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0 || last === undefined) return first;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && this.before(heap[below + 1], heap[below]) < 0) below++;
      if (this.before(last, heap[below]) <= 0) break;
      heap[place] = heap[below];
      place = below;
    }
    heap[place] = last;
    return first;
  }
}

/** One document with its content scripts. */
class Page {
  constructor(machine, { tab, document, window, page }) {
    Object.assign(this, { machine, tab, document, window, page });
    this.state = stopwatch.start(machine.idle_after);
    this.begun = false;
    this.dead = false;
    this.trail = null;
    this.read_before = "";
    this.place = "";
    this.resting = 0;
    this.ticking = false;
    this.noted = { page: -Infinity, frame: -Infinity };
    this.early = null;
    this.checkpoint_at = -Infinity;
    this.checkpoint = [];
    this.origins = [];
    this.before = { visible: false, focused: false };
    this.born = machine.mono() - machine.luck.between(0, 50);
  }

  now = () => ({ wall: this.machine.wall(), mono: this.machine.mono() - this.born });

  sight() {
    const { windows, focus } = this.machine;
    const visible = windows[this.window].shown === this.tab && !windows[this.window].minimised;
    return { visible, focused: visible && focus === this.window };
  }

  begin() {
    if (this.dead) return;
    const { stored, locked, paused } = this.machine;
    const kept = stored.get(this.tab) ?? {};
    this.begun = true;
    this.before = this.sight();
    this.trail = kept.trail ?? null;
    this.tell({ type: "lock", locked });
    this.tell({ type: "pause", paused });
    for (const at of [kept.input, this.early]) if (typeof at === "number") this.tell({ type: "input", at });
    this.place = JSON.stringify(this.page);
    this.look();
  }

  step(event) {
    const now = this.now();
    const { state, closed } = stopwatch.step(this.state, event, now);
    this.state = state;
    if (state.open?.mono === now.mono && state.open.offset === 0) {
      this.origins.push({ sequence: state.open.sequence, wall: state.open.wall, at: this.machine.time });
    }
    return closed;
  }

  /** The browser's word on focus and visibility goes before every event. */
  tell(event, sight = this.sight()) {
    if (this.dead || !this.begun) return;
    for (let time = 0; time < this.machine.echoes; time++) {
      const closed = [...this.step({ type: "seen", ...sight }), ...this.step(event)];
      this.write(closed);
    }
    if (!this.ticking && stopwatch.restless(this.state, this.now())) {
      this.ticking = true;
      this.machine.later(TICK_MS, () => this.tick(), { timer: true });
    }
  }

  tick() {
    this.ticking = false;
    if (this.dead) return;
    if (this.resting === 0) this.look();
    this.tell({ type: "tick" });
  }

  look() {
    if (!this.begun || this.dead) return;
    const place = JSON.stringify(this.page);
    if (place !== this.place) {
      this.place = place;
      this.read_before = "";
      this.leave_thread();
      this.tell({ type: "page", page: null, moving: true });
      const turn = ++this.machine.turns;
      this.resting = turn;
      this.machine.later(REST_MS, () => {
        if (this.resting !== turn) return;
        this.resting = 0;
        this.look();
      }, { timer: true });
      return;
    }
    if (this.resting !== 0) return;
    if (place === this.read_before && this.page?.kind !== "thread") return;
    const read = this.page && { ...this.page, activity: this.page.kind === "thread" ? "review_inquiry" : "review_records", place };
    const followed = trails.follow(this.trail, read, this.now().wall);
    this.trail = followed.trail;
    if (place === this.read_before) return;
    this.read_before = place;
    this.tell({ type: "page", page: followed.page });
  }

  leave_thread() {
    if (this.trail && this.state.page?.kind === "thread") this.trail = { ...this.trail, left_at: this.now().wall };
  }

  write(closed) {
    const { mono } = this.now();
    if (closed.length === 0 && mono - this.checkpoint_at < CHECKPOINT_MS && this.state.open) return;
    if (closed.length === 0 && !this.state.open && this.checkpoint_at === -Infinity) return;
    this.checkpoint = stopwatch.recover(this.state);
    this.checkpoint_at = this.checkpoint.length === 0 ? -Infinity : mono;
    this.keep(closed);
  }

  /** A row's own times are the wall clock's; the real ones follow from where its stretch began. */
  keep(rows) {
    for (const row of rows) {
      const origin = this.origins.findLast(({ sequence }) => sequence <= row.sequence);
      const at = origin.at + row.started_at - origin.wall;
      this.machine.rows.push({ ...row, document: this.document, at, to: at + row.ended_at - row.started_at });
    }
  }

  note(frame) {
    const now = this.machine.mono();
    const watch = frame ? "frame" : "page";
    if (now - this.noted[watch] < NOTE_EVERY_MS) return;
    this.noted[watch] = now;
    const at = this.machine.wall();
    if (!this.begun) this.early = at;
    else if (frame) this.machine.soon(() => this.tell({ type: "input", at }));
    else this.tell({ type: "input" });
  }

  end() {
    this.leave_thread();
    this.tell({ type: "end", by: "close" });
    const { input } = this.state;
    const now = this.now();
    const at = input && Math.floor(now.wall - Math.max(now.mono - input.mono, now.wall - input.wall));
    if (this.begun) this.machine.stored.set(this.tab, { input: at ?? undefined, trail: this.trail });
    this.dead = true;
  }

  crash() {
    const known = new Set(this.machine.rows.filter((row) => row.document === this.document).map((row) => row.sequence));
    this.keep(this.checkpoint.filter((row) => !known.has(row.sequence)));
    this.dead = true;
  }
}

/** The machine with its browser. Its clock is the script's: milliseconds of real time since the day began. */
class Machine {
  constructor({ seed, idle_after, actions }, echoes) {
    Object.assign(this, { idle_after, echoes });
    this.luck = chance(seed ^ 0x5eed);
    this.agenda = new Agenda();
    this.time = 0;
    this.set = 0;
    this.stood = [];
    this.stalled_until = 0;
    this.windows = [0, 1].map(() => ({ shown: null, minimised: false }));
    this.focus = null;
    this.locked = this.paused = false;
    this.pages = new Map();
    this.stored = new Map();
    this.rows = [];
    this.turns = 0;
    for (const action of actions) this.agenda.put(action.at, () => this[action.do](action));
  }

  wall = () => Math.round(EPOCH + this.time + this.set);
  mono = () => this.stood.reduce((mono, { from, ms }) => mono - Math.min(ms, this.time - from), this.time);

  /** Timers do not fire while no page runs. */
  later(ms, run, { timer = false } = {}) {
    const due = () => (timer && this.time < this.stalled_until ? this.agenda.put(this.stalled_until, due) : run());
    this.agenda.put(this.time + ms + (timer ? this.luck.between(0, 12) : 0), due);
  }

  soon = (run) => this.later(this.luck.between(0, 15), run);

  play() {
    for (let next = this.agenda.take(); next; next = this.agenda.take()) {
      this.time = next.at;
      next.run();
    }
    return this.rows;
  }

  /** Browsers tell of one change in several events, in odd orders; the last one finds what is true. */
  stir() {
    for (const page of this.pages.values()) {
      const { before } = page;
      const after = page.sight();
      const storm = this.luck.fraction() < 0.3 ? Math.floor(this.luck.between(1, 5)) : 0;
      for (let n = 0; n < storm; n++) {
        const visible = this.luck.one_of([before.visible, after.visible]);
        const focused = this.luck.one_of([before.focused, after.focused]);
        this.later(n, () => page.tell({ type: "tick" }, { visible, focused }));
      }
      page.before = after;
      this.later(4, () => page.tell({ type: "tick" }));
    }
  }

  tell_all(event) {
    for (const page of this.pages.values()) this.later(5, () => page.tell(event)); // storage keeps the order
  }

  load(action) {
    this.pages.get(action.tab)?.end();
    const page = new Page(this, action);
    this.pages.set(action.tab, page);
    this.later(action.ready, () => page.begin());
  }
  move({ tab, page }) {
    const shown = this.pages.get(tab);
    shown.page = page;
    this.later(this.luck.between(2, 80), () => shown.look());
  }
  front({ window, tab }) {
    this.windows[window] = { shown: tab, minimised: false };
    this.focus = window;
    this.stir();
  }
  away() {
    this.focus = null;
    this.stir();
  }
  minimise({ window }) {
    this.windows[window].minimised = true;
    this.focus = null;
    this.stir();
  }
  close({ tab }) {
    this.pages.get(tab)?.end();
    this.pages.delete(tab);
  }
  input = ({ tab, frame }) => this.pages.get(tab)?.note(frame);
  lock() {
    this.locked = true;
    this.tell_all({ type: "lock", locked: true });
  }
  unlock() {
    this.locked = false;
    this.tell_all({ type: "lock", locked: false });
  }
  pause() {
    this.paused = true;
    this.tell_all({ type: "pause", paused: true });
  }
  resume() {
    this.paused = false;
    this.tell_all({ type: "pause", paused: false });
  }
  hang({ ms }) {
    this.stalled_until = this.time + ms;
  }
  sleep({ ms, stands }) {
    this.stalled_until = this.time + ms;
    if (stands) this.stood.push({ from: this.time, ms });
  }
  clock({ by }) {
    this.set += by;
  }
  crash() {
    for (const page of this.pages.values()) page.crash();
    this.pages.clear();
    this.stored.clear();
    this.windows = [0, 1].map(() => ({ shown: null, minimised: false }));
    this.focus = null;
  }
}

/**
 * The rows that the device hands over, each with its document and its real time as `at` and `to`.
 * @param {ReturnType<typeof import("./days.js").day>} script
 * @param {{echoes?: number}} how echoes: how often every event is told
 */
export const play = (script, { echoes = 1 } = {}) => new Machine(script, echoes).play();
