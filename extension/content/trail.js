// The trail: remembers, in one tab, from which thread the clinician went to a chart page of the same patient, or to the
// page on which it is answered. A tab opened from another one of the same window begins with that one's trail. Pure.
//
// Chart, orders and prescribing pages count for the thread (`measured`) when the thread's patient is known to be theirs,
// no other patient stood between, and the thread was left at most ten minutes before. A page without a patient between
// the two does not break the trail. Anything less certain is `linked_chart`, which counts only once the clinician says so.
// A page on which a reply is written counts for the thread whose reply button had the focus just before, else for none.
(() => {
  const FRESH_MS = 600_000;

  /** The trail that leads to this chart page, or null when none does.
   * @param {Trail | null} trail @param {ReadPage} chart @param {number} wall @returns {Trail | null} */
  function lead(trail, chart, wall) {
    if (trail === null) return null;
    const other = [trail.patient, trail.chart].some((patient) => patient !== null && patient !== chart.patient);
    const since = wall - trail.left_at;
    return other || since < 0 || since > FRESH_MS ? null : { ...trail, chart: chart.patient };
  }

  /** @param {Trail | null} trail @param {Omit<ReadPage, "replying">} page @param {number} wall
   * @returns {{trail: Trail | null, page: StopwatchPage | null}} */
  function compose(trail, page, wall) {
    if (!trail?.reply || wall < trail.left_at || wall - trail.left_at > FRESH_MS) return { trail, page: null };
    const { thread, patient } = trail;
    return {
      trail: { ...trail, left_at: wall, reply: "open" },
      page: { ...page, thread, patient, entry: "measured", linked_from: null },
    };
  }

  /**
   * To be asked when the page has changed, and again while a thread or its reply stays open (the last time is when it was left).
   * @param {Trail | null} trail
   * @param {ReadPage | null} page
   * @param {number} wall milliseconds since the epoch
   * @returns {{trail: Trail | null, page: StopwatchPage | null}}
   */
  function follow(trail, page, wall) {
    if (page === null) return { trail: trail && { ...trail, reply: null }, page: null };
    const { replying, ...shown } = page;
    if (page.kind === "thread") {
      const thread = /** @type {string} */ (page.thread);
      const begun = replying || (trail?.thread === thread && trail.reply === "begun");
      return {
        trail: { thread, patient: page.patient, left_at: wall, chart: null, reply: begun ? "begun" : null },
        page: { ...shown, entry: "measured", linked_from: null },
      };
    }
    if (page.kind === "compose") return compose(trail, shown, wall);
    const led = lead(trail && { ...trail, reply: null }, page, wall);
    if (led === null) return { trail: null, page: { ...shown, entry: "linked_chart", linked_from: null } };
    // Where the portal does not say whose thread it was, this chart may be anybody's: the link is only named.
    const certain = led.patient !== null;
    return {
      trail: led,
      page: {
        ...shown,
        thread: certain ? led.thread : null,
        entry: certain ? "measured" : "linked_chart",
        linked_from: led.thread,
      },
    };
  }

  /**
   * What is left of a tab's trail once another tab of the same window has shown a page: another thread or another patient
   * between breaks it. What is being answered stays certain.
   * @param {Trail | null} trail
   * @param {{thread: string | null, patient: string | null}} shown
   * @returns {Trail | null}
   */
  function pass(trail, { thread, patient }) {
    if (trail === null || trail.reply === "open") return trail;
    if (thread !== null && thread !== trail.thread) return null;
    const other = patient !== null && [trail.patient, trail.chart].some((one) => one !== null && one !== patient);
    return other ? null : { ...trail, chart: trail.chart ?? patient };
  }

  globalThis.threadtime = Object.assign(globalThis.threadtime ?? {}, { trail: { follow, pass } });
})();
