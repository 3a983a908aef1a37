// Drives the stopwatch as the glue does: one clock, one tick a second while something can change by time alone.
import "../../extension/content/stopwatch.js";

const { stopwatch } = globalThis.threadtime;
const EPOCH = 1_775_480_400_000;

/** @returns a page of thread `thread`, as the page reader and the trail give it */
export function thread(name, more = {}) {
  return {
    kind: "thread",
    thread: name,
    patient: null,
    activity: "review_inquiry",
    entry: "measured",
    linked_from: null,
    place: name,
    ...more,
  };
}

/** One document under a script: times are seconds since its start. */
export class Desk {
  constructor({ idle_after = 60, ticking = true } = {}) {
    this.state = stopwatch.start(idle_after);
    this.mono = 100;
    this.wall = EPOCH;
    this.rows = [];
    this.gaps = [];
    this.ticking = ticking;
  }

  now() {
    return { wall: Math.round(this.wall), mono: this.mono };
  }

  /** One event now. */
  tell(event) {
    const before = structuredClone(this.state);
    const { state, closed, gap } = stopwatch.step(this.state, event, this.now());
    if (JSON.stringify(this.state) !== JSON.stringify(before)) throw new Error("the reducer changed the state it was given");
    this.state = state;
    this.rows.push(...closed);
    if (gap !== null) this.gaps.push(gap);
    return this;
  }

  /** Lets `seconds` pass; typing: an input every second. */
  pass(seconds, { typing = false } = {}) {
    let left = Math.round(seconds * 1000);
    while (left > 0) {
      const ms = Math.min(left, 1000);
      this.mono += ms;
      this.wall += ms;
      left -= ms;
      if (typing) this.input();
      else if (this.ticking && stopwatch.restless(this.state, this.now())) this.tell({ type: "tick" });
    }
    return this;
  }

  /** The monotonic and the wall clock go on by themselves: sleep, or somebody sets the clock. */
  jump({ mono = 0, wall = 0 }) {
    this.mono += mono * 1000;
    this.wall += wall * 1000;
    return this;
  }

  input = () => this.tell({ type: "input" });
  open = (page) => this.tell({ type: "page", page });
  leave = () => this.open(null);
  see = (visible, focused) => this.tell({ type: "seen", visible, focused });
  hide = () => this.see(false, false);
  blur = () => this.see(true, false);
  front = () => this.see(true, true);

  /** Opens a thread as a clinician does: a click in a tab in front. */
  click(name, more) {
    return this.front().input().open(thread(name, more));
  }

  /** What was recorded: [thread, seconds since the start, seconds since the start, ended_by]. */
  record() {
    return this.rows.map((r) => [r.thread, (r.started_at - EPOCH) / 1000, (r.ended_at - EPOCH) / 1000, r.ended_by]);
  }
}

export { stopwatch, EPOCH };
