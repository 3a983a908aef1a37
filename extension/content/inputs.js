// The inputs: notes that the clinician did something, and never what. Which key, where, and in what is not looked at.
//
// Only trusted events, at most one note a second. A pointer counts once it has moved more than 3 px within a second: a
// window raised under a resting pointer gets one trusted pointermove that nobody made. A busy page gets one pointermove
// for a whole movement, which holds the places on the way. A scroll counts only right after another input, because a
// script's scroll is trusted too.
(() => {
  const MOVED_PX = 3;
  const NOTE_EVERY_MS = 1_000;
  const SCROLL_FOLLOWS_MS = 1_000;

  /**
   * @param {Window} target
   * @param {() => void} note
   * @returns {() => void} stops watching
   */
  function watch(target, note) {
    let noted_at = -Infinity;
    let acted_at = -Infinity;
    let pointer = { x: 0, y: 0, at: -Infinity };

    /** @param {PointerEvent} event @param {number} now */
    function moved(event, now) {
      const { screenX: x, screenY: y } = event;
      const fresh = now - pointer.at <= NOTE_EVERY_MS;
      const far = fresh
        ? Math.hypot(x - pointer.x, y - pointer.y) > MOVED_PX
        : (event.getCoalescedEvents?.() ?? []).some((each) => Math.hypot(x - each.screenX, y - each.screenY) > MOVED_PX);
      if (!fresh || far) pointer = { x, y, at: now };
      return far;
    }

    /** @param {Event} event */
    function seen(event) {
      if (!event.isTrusted) return;
      const now = performance.now();
      if (event.type === "pointermove" && !moved(/** @type {PointerEvent} */ (event), now)) return;
      if (event.type !== "scroll") acted_at = now;
      else if (now - acted_at > SCROLL_FOLLOWS_MS) return;
      if (now - noted_at < NOTE_EVERY_MS) return;
      noted_at = now;
      note();
    }

    const types = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "touchmove", "scroll"];
    const how = { capture: true, passive: true };
    for (const type of types) target.addEventListener(type, seen, how);
    return () => types.forEach((type) => target.removeEventListener(type, seen, how));
  }

  globalThis.threadtime = Object.assign(globalThis.threadtime ?? {}, { inputs: { watch } });
})();
