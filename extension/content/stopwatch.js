// The stopwatch: turns what was seen of a clinician's attention into closed intervals.
//
// Pure. step(state, event, now) -> {state, closed[], gap}: no clock, no chrome.*, no page. `now` is {wall, mono}: Date.now()
// says when, performance.now() says how long; both in milliseconds. States are plain data and can be stored. Every
// decision is computed from the state, never from pairs of events, because browsers deliver focus and visibility in
// odd orders and twice. Where truth is uncertain, the smaller number is recorded.
(() => {
  /** A thread that was just opened counts only once it has been active this long. */
  const SETTLE_MS = 5_000;
  /** A blur at most this long is bridged, and counts. */
  const BRIDGE_MS = 2_000;
  /** A longer step between two proofs of life is sleep, freeze or throttling: nobody knows what happened in it. */
  const STEP_MS = 5_000;
  /** Two clocks that disagree by more than this in one step: one of them was set, or the machine slept. */
  const DRIFT_MS = 2_000;
  /** So often the glue tells that time has passed, while it matters. */
  const TICK_MS = 1_000;
  /** A crash loses no more than this: so old is the last checkpoint at most. */
  const LOST_MS = 5_000;
  /** No interval is longer. */
  const LIMIT_MS = 300_000;
  /** So much of a gap the clinician may say was reading. */
  const READING_MS = 180_000;

  /**
   * @param {number} idle_after_seconds
   * @returns {StopwatchState}
   */
  function start(idle_after_seconds) {
    return {
      idle_after_seconds,
      visible: false,
      focused: false,
      locked: false,
      paused: false,
      page: null,
      input: null,
      proof: null,
      opening: null,
      open: null,
      blurred: null,
      gap: null,
      sequence: 0,
    };
  }

  /** A copy that may be changed. Pages and instants are replaced, never changed. @param {StopwatchState} s @returns {StopwatchState} */
  const copy = (s) => ({
    ...s,
    opening: s.opening && { ...s.opening, held: [...s.opening.held] },
    open: s.open && { ...s.open },
  });

  /** How old an instant is by the clock that says more: after sleep the two differ by hours.
   * @param {Instant} then
   * @param {Instant} now */
  const age = (then, now) => Math.max(now.mono - then.mono, now.wall - then.wall);

  /** @param {StopwatchState} s @param {Instant} now @param {number} idle_after_seconds */
  const attentive = (s, now, idle_after_seconds) => s.input !== null && age(s.input, now) <= idle_after_seconds * 1000;

  /** Two pages with one key are one opening: moving between them does not settle anew. @param {StopwatchPage} page */
  const key = (page) => JSON.stringify([page.thread, page.patient, page.entry]);

  /** @param {StopwatchPage | null} a @param {StopwatchPage | null} b */
  function same(a, b) {
    if (a === null || b === null) return a === b;
    return key(a) === key(b) && a.kind === b.kind && a.activity === b.activity && a.linked_from === b.linked_from;
  }

  /**
   * One row of the stretch `open`, from its offset to `to` (milliseconds since the stretch began).
   * @param {Stretch} open
   * @param {number} sequence
   * @param {number} to
   * @param {EndedBy} ended_by
   * @returns {StopwatchRow}
   */
  function row(open, sequence, to, ended_by) {
    const { thread, patient, activity, entry, linked_from } = open.page;
    return {
      sequence,
      thread,
      patient,
      activity,
      entry,
      linked_from,
      started_at: open.wall + open.offset,
      ended_at: open.wall + to,
      ended_by,
      idle_after_seconds: open.idle_after_seconds,
    };
  }

  /**
   * Cuts whole pieces of the limit's length off the front of the open stretch, as far as `to`; the rest stays open.
   * @param {StopwatchState} s
   * @param {number} to milliseconds since the stretch began
   * @returns {StopwatchRow[]}
   */
  function cut(s, to) {
    const rows = [];
    const open = /** @type {Stretch} */ (s.open);
    while (to - open.offset > LIMIT_MS) {
      const boundary = open.offset + LIMIT_MS;
      rows.push(row(open, open.sequence, boundary, "limit"));
      open.offset = boundary;
      open.sequence = s.sequence++;
    }
    return rows;
  }

  /** Rows of a settled opening are closed; those of one that has not settled are held until it has, or forgotten.
   * @param {StopwatchState} s @param {StopwatchRow[]} rows @param {StopwatchRow[]} closed */
  function hand_over(s, rows, closed) {
    const opening = /** @type {Opening} */ (s.opening);
    if (opening.settled) closed.push(...opening.held.splice(0), ...rows);
    else opening.held.push(...rows);
  }

  /**
   * Ends the open stretch.
   * @param {StopwatchState} s
   * @param {number} at monotonic instant
   * @param {EndedBy} by
   * @param {StopwatchRow[]} closed
   */
  function close(s, at, by, closed) {
    const open = s.open;
    const opening = s.opening;
    if (open === null || opening === null) return;
    const to = Math.max(Math.floor(at - open.mono), open.offset);
    const rows = cut(s, to);
    if (to > open.offset) rows.push(row(open, open.sequence, to, by));
    opening.active += to - open.settled_to;
    opening.settled ||= opening.active >= SETTLE_MS;
    hand_over(s, rows, closed);
    s.open = null;
  }

  /** Whether nobody knows what happened between two proofs of life. @param {Instant} last @param {Instant} now */
  function broken(last, now) {
    const mono_step = now.mono - last.mono;
    const wall_step = now.wall - last.wall;
    return mono_step < 0 || mono_step > STEP_MS || wall_step > STEP_MS || Math.abs(mono_step - wall_step) > DRIFT_MS;
  }

  /** Ends what ran until a step in which nobody knows what happened.
   * @param {StopwatchState} s @param {Instant} last @param {Instant} now @param {StopwatchRow[]} closed */
  function part(s, last, now, closed) {
    const input = /** @type {Instant} */ (s.input);
    // The last input may have grown too old before the machine slept, where no tick was to tell.
    const next = { wall: last.wall + TICK_MS, mono: last.mono + TICK_MS };
    const idle = s.open !== null && s.blurred === null && !attentive(s, next, s.open.idle_after_seconds);
    close(s, idle ? input.mono : (s.blurred ?? last.mono), idle ? "idle" : "clock", closed);
    // A clock that was set back may hide any sleep: how old the input is, nobody can tell.
    if (now.wall - last.wall < now.mono - last.mono - DRIFT_MS) s.input = null;
  }

  /** Time has passed since the last proof of life: says what that alone ends.
   * @param {StopwatchState} s @param {Instant} now @param {StopwatchRow[]} closed */
  function pass(s, now, closed) {
    const last = s.proof;
    s.proof = { wall: now.wall, mono: now.mono };
    if (last === null || s.input === null) return;
    if (broken(last, now)) return part(s, last, now, closed);
    if (s.open === null || s.opening === null) return;
    // While the focus is away nobody knows yet whether the interval ended there: only a blur that was bridged can be idle.
    if (s.blurred !== null) {
      if (now.mono > s.blurred + BRIDGE_MS) close(s, s.blurred, "blur", closed);
    } else if (!attentive(s, now, s.open.idle_after_seconds)) {
      const { page, idle_after_seconds, wall, mono, offset } = s.open;
      const from = Math.max(Math.floor(s.input.mono - mono), offset); // to the millisecond where the row ends
      close(s, s.input.mono, "idle", closed);
      if (page.entry === "measured") s.gap = { page, idle_after_seconds, mono: mono + from, wall: wall + from };
    }
  }

  /** Only time up to an input settles an opening: what follows may turn out to be an idle tail, and be removed.
   * @param {StopwatchState} s @param {number} at @param {StopwatchRow[]} closed */
  function settle(s, at, closed) {
    const open = /** @type {Stretch} */ (s.open);
    const opening = /** @type {Opening} */ (s.opening);
    const to = Math.max(Math.floor(at - open.mono), open.settled_to);
    opening.active += to - open.settled_to;
    open.settled_to = to;
    opening.settled ||= opening.active >= SETTLE_MS;
    hand_over(s, cut(s, to), closed);
  }

  /** Whether the opening will have settled, unless time since the last input is taken away again.
   * @param {StopwatchState} s @param {Instant} now */
  function seems_settled({ opening, open }, now) {
    if (opening === null) return false;
    const since = open === null ? 0 : now.mono - open.mono - open.settled_to;
    return opening.settled || opening.active + since >= SETTLE_MS;
  }

  /** The gap that an idle rule left behind, once it has ended: until `at` the same page was in front, and nobody did
   * anything. It is time that was removed; the clinician may say that it was reading.
   * @param {StopwatchState} s @param {number} at monotonic instant @returns {StopwatchGap | null} */
  function end_gap(s, at) {
    if (s.gap === null) return null;
    const { page, idle_after_seconds, mono, wall } = s.gap;
    const ms = Math.min(Math.floor(at - mono), READING_MS);
    s.gap = null;
    if (ms <= 0) return null;
    const { thread, patient, activity, linked_from } = page;
    return { thread, patient, activity, linked_from, started_at: wall, ended_at: wall + ms, idle_after_seconds };
  }

  /** Ends a gap that an event, or time alone, has ended. @param {StopwatchState} s @param {StopwatchEvent} event
   * @param {Instant} now @param {Instant | null} last the proof of life before @returns {StopwatchGap | null} */
  function passed_gap(s, event, now, last) {
    if (s.gap === null || last === null) return null;
    if (broken(last, now)) return end_gap(s, last.mono);
    const over = event.type === "input" || !s.focused || stopped_by(s) !== null || !same(s.gap.page, s.page);
    return over || now.mono - s.gap.mono >= READING_MS ? end_gap(s, now.mono) : null;
  }

  /** @param {StopwatchState} s @param {StopwatchEvent & {type: "page"}} event @param {Instant} now @param {StopwatchRow[]} closed */
  function turn(s, { page, moving = false }, now, closed) {
    const before = s.page;
    s.page = page;
    if (page === null && before === null && !moving) s.opening = null;
    if (same(before, page)) return;
    if (before && page && s.opening && !seems_settled(s, now) && before.place === page.place && key(before) !== key(page)) {
      // The page only now says which thread it shows (its list came late): nothing was counted yet, so nothing is lost.
      s.opening.key = key(page);
      s.opening.held = s.opening.held.map((r) => ({ ...r, thread: page.thread, patient: page.patient }));
      if (s.open) s.open.page = page;
      return;
    }
    close(s, s.blurred ?? now.mono, "navigate", closed);
    if (page === null && !moving) s.opening = null;
    else if (page !== null && s.opening?.key !== key(page)) s.opening = { key: key(page), active: 0, settled: false, held: [] };
  }

  /** @param {StopwatchState} s @param {StopwatchEvent & {type: "input"}} event @param {Instant} now @param {StopwatchRow[]} closed */
  function note_input(s, event, now, closed) {
    // An input of another document of the tab is known by the wall clock alone.
    const ago = event.at === undefined ? 0 : Math.max(0, now.wall - event.at);
    if (s.input !== null && age(s.input, now) <= ago) return;
    s.input = { wall: now.wall - ago, mono: now.mono - ago };
    // Only an input beyond the limit proves that the limit did not fall into an idle tail; so only then a row closes.
    if (s.open && s.opening) settle(s, s.blurred ?? s.input.mono, closed);
  }

  /** What ends an interval at once, in the order in which it is named. @param {StopwatchState} s @returns {EndedBy | null} */
  function stopped_by(s) {
    if (!s.visible) return "hidden";
    if (s.locked) return "lock";
    if (s.paused) return "pause";
    return null;
  }

  /**
   * @param {StopwatchState} state
   * @param {StopwatchEvent} event
   * @param {Instant} now
   * @returns {{state: StopwatchState, closed: StopwatchRow[], gap: StopwatchGap | null}}
   */
  function step(state, event, now) {
    const s = copy(state);
    /** @type {StopwatchRow[]} */
    const closed = [];
    pass(s, now, closed);
    if (event.type === "seen") {
      s.visible = event.visible;
      s.focused = event.focused;
    } else if (event.type === "input") note_input(s, event, now, closed);
    else if (event.type === "page") turn(s, event, now, closed);
    else if (event.type === "lock") s.locked = event.locked;
    else if (event.type === "pause") s.paused = event.paused;
    else if (event.type === "idle_after") s.idle_after_seconds = event.seconds;
    else if (event.type === "end") {
      close(s, s.blurred ?? now.mono, event.by, closed);
      s.page = null;
      s.opening = null;
      if (event.by === "sign_out") s.input = null; // whoever is next has made none yet
    }
    const gap = passed_gap(s, event, now, state.proof);
    const stop = stopped_by(s);
    if (s.open && stop) close(s, s.blurred ?? now.mono, stop, closed);
    if (s.open) s.blurred = s.focused ? null : (s.blurred ?? now.mono);
    else s.blurred = null;
    if (!s.open && s.page && s.focused && !stop && attentive(s, now, s.idle_after_seconds)) {
      s.open = {
        wall: now.wall,
        mono: now.mono,
        offset: 0,
        settled_to: 0,
        page: s.page,
        idle_after_seconds: s.idle_after_seconds,
        sequence: s.sequence++,
      };
    }
    return { state: s, closed, gap };
  }

  /**
   * The rows that stand if nothing more is ever heard of this document: closed at the last proof of life.
   * @param {StopwatchState} state
   * @returns {StopwatchRow[]}
   */
  function recover(state) {
    const s = copy(state);
    /** @type {StopwatchRow[]} */
    const closed = [];
    if (s.open && s.proof && s.input) {
      // The last input may have grown too old in the seconds that no checkpoint tells of.
      const lost = { wall: s.proof.wall + LOST_MS, mono: s.proof.mono + LOST_MS };
      const idle = s.blurred === null && !attentive(s, lost, s.open.idle_after_seconds);
      close(s, idle ? s.input.mono : (s.blurred ?? s.proof.mono), "crash", closed);
    }
    return closed.map((r) => ({ ...r, recovered: true }));
  }

  /** @param {StopwatchState} s @param {Instant} now @returns {StopwatchStatus} */
  function status(s, now) {
    if (s.paused) return "paused";
    if (s.page === null) return "elsewhere";
    if (s.open) return seems_settled(s, now) ? "counting" : "settling";
    if (!s.visible || !s.focused || s.locked) return "away";
    return attentive(s, now, s.idle_after_seconds) ? "away" : "idle";
  }

  /** Whether time alone can change anything: only then is a tick needed. @param {StopwatchState} s @param {Instant} now */
  const restless = (s, now) => s.open !== null || s.gap !== null || (s.visible && attentive(s, now, s.idle_after_seconds));

  globalThis.threadtime = Object.assign(globalThis.threadtime ?? {}, {
    stopwatch: { start, step, recover, status, restless },
  });
})();
