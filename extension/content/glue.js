// The glue: ties one document to the stopwatch, and its closed intervals to the worker.
//
// It listens, ticks while time alone can change something, writes a checkpoint every 5 s, and repeats every closed
// interval to the worker, under the same id, until the worker says that it is kept. The stopwatch runs in the top
// document, whose focus and visibility are the tab's, and which reads the frames that a portal shows its pages in; a frame
// only notes that there was an input.
(() => {
  const { stopwatch, page: reader, trail: trails, inputs, uuid7 } = threadtime;
  if (threadtime.running?.alive()) return;
  threadtime.running?.stop();

  const TICK_MS = 1_000;
  /** A tick may come a second later: at most 5 s are lost. */
  const CHECKPOINT_MS = 4_000;
  /** A single-page application may push several addresses at once; the page is read when they have come to rest. */
  const REST_MS = 250;
  const RETRY_FIRST_MS = 1_000;
  const RETRY_LAST_MS = 60_000;

  const top = window.top === window;
  /** @type {Exclude<Welcome, {refused: string}> | null} */
  let welcome = null;
  let state = stopwatch.start(60);
  /** @type {Trail | null} */
  let trail = null;
  let read_before = "";
  let place = "";
  /** @type {number | null} the number of the frame whose input was heard of last; storage names it only when it changes */
  let last_frame = null;
  /** @type {Window | null} the frame that had the last input; null when the top document had it */
  let touched = null;
  let stopped = false;
  let checkpoint_at = -Infinity;
  let reported = "";
  /** @type {Map<number, string>} the id of every interval that is open or closed but not yet handed over, by sequence */
  const ids = new Map();
  /** @type {Map<string, NamedRow>} */
  const unacknowledged = new Map();
  let retry_ms = RETRY_FIRST_MS;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let retry_timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let rest_timer;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let tick_timer;

  const clock = () => ({ wall: Date.now(), mono: performance.now() });
  /** False once the extension was updated or removed: this script is an orphan then, and can reach nobody. */
  const alive = () => !stopped && chrome.runtime?.id !== undefined;

  /** @param {StopwatchRow} row @returns {NamedRow} */
  function named({ sequence, ...row }) {
    let id = ids.get(sequence);
    if (id === undefined) {
      id = uuid7(row.started_at, crypto.getRandomValues(new Uint8Array(10)));
      ids.set(sequence, id);
    }
    return { id, ...row };
  }

  /** One event for the stopwatch. The browser's own word on focus and visibility goes before every one of them.
   * @param {StopwatchEvent} event */
  function tell(event) {
    if (!alive()) return stop();
    if (welcome === null) return;
    const now = clock();
    const seen = { type: /** @type {const} */ ("seen"), visible: document.visibilityState === "visible", focused: document.hasFocus() };
    const first = stopwatch.step(state, seen, now);
    const second = stopwatch.step(first.state, event, now);
    state = second.state;
    write([...first.closed, ...second.closed], now);
    for (const gap of [first.gap, second.gap]) if (gap) offer(gap);
    report(now);
    if (stopwatch.restless(state, now)) tick_timer ??= setInterval(tick, TICK_MS);
    else {
      clearInterval(tick_timer);
      tick_timer = undefined;
    }
  }

  function tick() {
    if (rest_timer === undefined) look();
    tell({ type: "tick" });
  }

  /** Reads the page. When the address has just changed, waits until it has come to rest. */
  function look() {
    if (welcome === null || !top) return;
    const now_place = reader.place(welcome.portal, location, document, touched);
    if (now_place !== place) {
      place = now_place;
      read_before = "";
      leave_thread();
      tell({ type: "page", page: null, moving: true });
      clearTimeout(rest_timer);
      rest_timer = setTimeout(() => {
        rest_timer = undefined;
        look();
      }, REST_MS);
      return;
    }
    if (rest_timer !== undefined) return;
    const page = reader.read(welcome.portal, location, document, touched);
    const text = JSON.stringify(page);
    if (text === read_before && page?.kind !== "thread" && page?.kind !== "compose") return;
    const followed = trails.follow(trail, page, Date.now());
    trail = followed.trail;
    if (text === read_before) return;
    read_before = text;
    tell({ type: "page", page: followed.page });
  }

  /** Closed intervals and the checkpoint go to storage in one write, so that no crash falls between them.
   * @param {StopwatchRow[]} closed @param {Instant} now */
  function write(closed, now) {
    if (welcome === null || (closed.length === 0 && now.mono - checkpoint_at < CHECKPOINT_MS && state.open)) return;
    const standing = stopwatch.recover(state);
    if (closed.length === 0 && standing.length === 0 && checkpoint_at === -Infinity) return;
    /** @type {Record<string, unknown>} */
    const entries = { [`checkpoint:${welcome.document}`]: { rows: standing.map(named), at: now.wall } };
    for (const row of closed) {
      const complete = named(row);
      unacknowledged.set(complete.id, complete);
      entries[`closed:${complete.id}`] = { document: welcome.document, row: complete };
    }
    const sequences = new Set(standing.map((row) => row.sequence));
    for (const sequence of ids.keys()) if (!sequences.has(sequence)) ids.delete(sequence);
    checkpoint_at = standing.length === 0 ? -Infinity : now.mono;
    // What storage refuses (it is full) is still in memory, and is offered to the worker until it is kept.
    chrome.storage.local.set(entries).catch((error) => console.warn("Threadtime: no checkpoint.", error));
    if (closed.length > 0) send();
  }

  /** A thread counts as left when it is left, not when it was last looked at. */
  function leave_thread() {
    if (trail !== null && state.page?.kind === "thread") trail = { ...trail, left_at: Date.now() };
  }

  /** The last input and the trail belong to the tab: the click that opens a thread happens in the document before. */
  function remember() {
    if (welcome === null || !alive()) return;
    const now = clock();
    // As the clock stands now: it may have been set since.
    const input = state.input && now.wall - Math.max(now.mono - state.input.mono, now.wall - state.input.wall);
    /** @type {KeptTrail} */
    const kept = { origin: location.origin, trail };
    const entries = { ...(input !== null && { [`input:${welcome.tab}`]: Math.floor(input) }), [`trail:${welcome.tab}`]: kept };
    chrome.storage.local.set(entries).catch((error) => console.warn("Threadtime: the tab's last input is forgotten.", error));
  }

  /** Removed time stays on this device, where the clinician may say that it was reading. @param {StopwatchGap} gap */
  function offer(gap) {
    const id = uuid7(gap.started_at, crypto.getRandomValues(new Uint8Array(10)));
    ask({ type: "gap", document: welcome?.document, gap: { id, ...gap } });
  }

  async function send() {
    clearTimeout(retry_timer);
    if (!alive() || welcome === null || unacknowledged.size === 0) return;
    retry_timer = setTimeout(send, retry_ms);
    retry_ms = Math.min(retry_ms * 2, RETRY_LAST_MS);
    const answer = await ask({ type: "rows", document: welcome.document, rows: [...unacknowledged.values()].slice(0, 100) });
    if (!Array.isArray(answer?.kept) || answer.kept.length === 0) return;
    for (const id of answer.kept) unacknowledged.delete(id);
    retry_ms = RETRY_FIRST_MS;
    send();
  }

  /** @param {object} message @returns {Promise<any>} undefined when the worker did not answer: it may die at any line */
  async function ask(message) {
    try {
      return await chrome.runtime.sendMessage(message);
    } catch {
      return undefined; // every caller asks again
    }
  }

  /** @param {Instant} now */
  function report(now) {
    if (welcome === null) return;
    const status = stopwatch.status(state, now);
    const { thread = null, patient = null } = state.page ?? {};
    const text = JSON.stringify([status, thread, patient]);
    if (text === reported) return;
    reported = text;
    ask({ type: "status", document: welcome.document, status, since: now.wall, thread, patient }).then((answer) => {
      if (answer === undefined && reported === text) reported = ""; // said again with the next event
      if (answer?.refused) stop();
    });
  }

  async function greet() {
    for (let wait_ms = RETRY_FIRST_MS; alive(); wait_ms = Math.min(wait_ms * 2, RETRY_LAST_MS)) {
      /** @type {Welcome | undefined} */
      const answer = await ask({ type: "hello" });
      if (answer && "refused" in answer) return stop();
      if (answer) return begin(answer);
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
    }
  }

  /** @param {Exclude<Welcome, {refused: string}>} answer */
  async function begin(answer) {
    const input_key = `input:${answer.tab}`;
    const frame_key = `frame:${answer.tab}`;
    const trail_key = `trail:${answer.tab}`;
    const stored = await chrome.storage.local.get([input_key, frame_key, trail_key, "idle_after_seconds", "locked", "paused"]);
    if (!alive()) return stop();
    welcome = answer;
    const early = input_at;
    if (!top) return early === null ? undefined : note();
    state = stopwatch.start(/** @type {number} */ (stored["idle_after_seconds"] ?? 60));
    const kept = /** @type {KeptTrail | undefined} */ (stored[trail_key]);
    trail = kept?.origin === location.origin ? kept.trail : null;
    last_frame = /** @type {number | null} */ (stored[frame_key] ?? null);
    tell({ type: "lock", locked: stored["locked"] === true });
    tell({ type: "pause", paused: stored["paused"] === true });
    for (const at of [stored[input_key], early]) if (typeof at === "number") tell({ type: "input", at });
    place = reader.place(welcome.portal, location, document);
    look();
  }

  /** @type {number | null} wall clock of the last input before the worker's welcome */
  let input_at = null;

  function note() {
    input_at = Date.now();
    if (welcome === null || !alive()) return;
    if (!top) {
      const entries = { [`input:${welcome.tab}`]: input_at, [`frame:${welcome.tab}`]: frame_number() };
      chrome.storage.local.set(entries).catch(() => undefined); // the next input writes again
      return;
    }
    touched = null;
    // Nobody types on a locked screen: the word that it was unlocked got lost.
    if (state.locked) ask({ type: "lock" });
    tell({ type: "input" });
  }

  /** In which of the top window's frames this one lies. */
  function frame_number() {
    /** @type {Window} */
    let frame = window;
    while (frame.parent !== window.top) frame = frame.parent;
    const frames = /** @type {Window} */ (window.top);
    for (let index = 0; index < frames.length; index++) if (frames[index] === frame) return index;
    return null;
  }

  /** @param {Record<string, chrome.storage.StorageChange>} changes @param {string} area */
  function stored(changes, area) {
    if (area !== "local" || welcome === null || !top) return;
    const value = (/** @type {string} */ key) => changes[key]?.newValue;
    const at = value(`input:${welcome.tab}`);
    if (typeof at === "number") {
      last_frame = /** @type {number | null} */ (value(`frame:${welcome.tab}`) ?? last_frame);
      touched = last_frame === null ? null : (window.frames[last_frame] ?? null);
      tell({ type: "input", at });
    }
    if ("locked" in changes) tell({ type: "lock", locked: value("locked") === true });
    if ("paused" in changes) tell({ type: "pause", paused: value("paused") === true });
    if (changes["turn_at"] && changes["turn_at"].oldValue !== value("turn_at")) sign_out();
    const seconds = value("idle_after_seconds");
    if (typeof seconds === "number") tell({ type: "idle_after", seconds });
  }

  /** Another clinician's turn begins: nothing of the one before goes over to them, and the open thread is opened anew. */
  function sign_out() {
    tell({ type: "end", by: "sign_out" });
    trail = null;
    input_at = null;
    back();
  }

  /** @param {any} message @param {chrome.runtime.MessageSender} sender @param {(answer: unknown) => void} answer */
  function heard(message, sender, answer) {
    if (sender.id !== chrome.runtime.id) return;
    if (message?.type === "navigated") look();
    if (message?.type === "alive") answer({ alive: !stopped && message.document === welcome?.document });
    if (message?.type === "trail" && top) hand_over(answer);
    if (message?.type === "passed") pass(message);
  }

  /** A page was opened from this one in a new tab. While this one is moving, nobody knows from which thread.
   * @param {(answer: {document: string | undefined, trail: Trail | null}) => void} answer */
  function hand_over(answer) {
    leave_thread();
    answer({ document: welcome?.document, trail: rest_timer === undefined ? trail : null });
  }

  /** Another tab of this window showed a page. Whoever comes back to an open thread is at that thread again.
   * @param {{origin: string, thread: string | null, patient: string | null}} shown */
  function pass(shown) {
    if (trail === null || state.page?.kind === "thread") return;
    trail = shown.origin === location.origin ? trails.pass(trail, shown) : null;
    if (trail !== null) return;
    read_before = "";
    look();
  }

  const sense = () => tell({ type: "tick" });
  function leave() {
    leave_thread();
    tell({ type: "end", by: "close" });
    remember();
  }
  const freeze = () => tell({ type: "end", by: "hidden" });
  function back() {
    read_before = "";
    look();
    sense();
  }
  /** @type {[EventTarget, string, (event: Event) => void, boolean?][]} */
  const listeners = top
    ? [
        [document, "visibilitychange", sense],
        [window, "focus", sense],
        [window, "blur", sense],
        [window, "pagehide", leave],
        [document, "freeze", freeze],
        [document, "resume", back],
        [window, "pageshow", back],
        [window, "popstate", look],
        [window, "hashchange", look],
        [document, "focusin", () => rest_timer === undefined && look()],
        [document, "load", (event) => /^i?frame$/i.test(/** @type {Node} */ (event.target).nodeName) && look(), true],
      ]
    : [];
  for (const [target, type, listener, capture] of listeners) target.addEventListener(type, listener, capture);
  const unwatch = inputs.watch(window, note);
  chrome.storage.onChanged.addListener(stored);
  chrome.runtime.onMessage.addListener(heard);

  function stop() {
    if (stopped) return;
    stopped = true;
    for (const [target, type, listener, capture] of listeners) target.removeEventListener(type, listener, capture);
    unwatch();
    for (const timer of [tick_timer, rest_timer, retry_timer]) clearTimeout(timer);
  }

  threadtime.running = { alive, stop };
  greet();
})();
