// The page reader: says which thread, patient and kind of page stand before the clinician, as a portal file tells it.
//
// Pure: a portal file, an address and a document in, {kind, thread, patient, activity} out; no chrome.*. It looks only
// at the parts of the address and the one attribute of the elements that the file names. Titles, names and text are
// never read, and what does not look like an identifier is not taken for one. Where a portal shows its pages in frames,
// the frame in front is read, by its own address and document; which one is in front is never guessed.
(() => {
  /** An identifier has no spaces (a name has) and no @ (an e-mail address has). */
  const IDENTIFIER = /^[^\s@\p{Cc}]{1,200}$/u;

  /** @param {string | null | undefined} text @returns {string | null} */
  function identifier(text) {
    if (!text) return null;
    let plain;
    try {
      plain = decodeURIComponent(text);
    } catch {
      return null; // not a well-formed address: whatever this is, it cannot be compared with anything
    }
    return IDENTIFIER.test(plain) ? plain.toWellFormed() : null;
  }

  /**
   * The named groups of every pattern, or null when one of them does not match.
   * @param {PortalPage} page
   * @param {Address} address
   * @returns {Record<string, string> | null}
   */
  function match(page, address) {
    /** @type {Record<string, string>} */
    const groups = {};
    const query = new URLSearchParams(address.search);
    const parts = [
      [page.path, address.pathname],
      [page.hash, address.hash],
      ...Object.entries(page.query ?? {}).map(([name, pattern]) => [pattern, query.get(name)]),
    ];
    for (const [pattern, text] of parts) {
      if (pattern === undefined) continue;
      const found = typeof text === "string" && typeof pattern === "string" && new RegExp(pattern, "u").exec(text);
      if (!found) return null;
      Object.assign(groups, found.groups);
    }
    return groups;
  }

  /** @param {PortalPlace} place @param {Element | null} element */
  function value_of({ attribute, pattern }, element) {
    const text = element?.getAttribute(attribute);
    return identifier(text && new RegExp(pattern ?? "^(?<value>.*)$", "u").exec(text)?.groups?.["value"]);
  }

  /**
   * The first identifier that one of the places in the document gives. With `only`, every element has to give the same.
   * @param {PortalPlace[] | undefined} places
   * @param {ParentNode} document
   */
  function look(places, document) {
    for (const place of places ?? []) {
      const elements = place.only ? [...document.querySelectorAll(place.selector)] : [document.querySelector(place.selector)];
      const values = new Set(elements.map((element) => value_of(place, element)));
      const [value] = values;
      if (values.size === 1 && value) return value;
    }
    return null;
  }

  /** @param {HTMLIFrameElement} frame */
  function shown(frame) {
    const { width, height, right, bottom } = frame.getBoundingClientRect();
    return frame.checkVisibility({ visibilityProperty: true }) && Math.min(width, height, right, bottom) > 0;
  }

  /**
   * The document of the frame in front: the visible one that has the focus, else the only visible one. Null where that is
   * not certain: the focus is in a frame of another kind, or the last input came to another of the visible frames.
   * @param {string} selector
   * @param {Document} document
   * @param {Window | null} touched the frame that had the last input, null when none had
   */
  function front(selector, document, touched) {
    const focused = /** @type {HTMLIFrameElement | null} */ (document.activeElement);
    const frames = [.../** @type {NodeListOf<HTMLIFrameElement>} */ (document.querySelectorAll(selector))].filter(shown);
    const among = focused !== null && frames.includes(focused);
    if (!among && (frames.length !== 1 || /^i?frame$/i.test(focused?.nodeName ?? ""))) return null;
    const frame = /** @type {HTMLIFrameElement} */ (among ? focused : frames[0]);
    if (touched !== frame.contentWindow && frames.some((other) => other.contentWindow === touched)) return null;
    return frame.contentDocument; // null for a frame of another origin, which is another portal's or nobody's
  }

  /** @param {string | undefined} selector @param {Document} document */
  const active = (selector, document) => selector !== undefined && document.activeElement?.matches(selector) === true;

  /**
   * @param {PortalFile} portal
   * @param {Address} address
   * @param {Document} document
   * @param {Window | null} [touched] the frame that had the last input
   * @returns {ReadPage | null} null: not recognised, or not a page that is timed
   */
  function read(portal, address, document, touched = null) {
    for (const page of portal.pages) {
      const groups = match(page, address);
      if (groups === null) continue;
      if (page.page === "other") return null;
      if (page.page === "frames") {
        const inside = front(page.frames ?? "", document, touched);
        const found = inside && read(portal, inside.location, inside);
        return found && { ...found, replying: found.replying || active(page.reply, document) };
      }
      const addressed = { thread: identifier(groups["thread"]), patient: identifier(groups["patient"]) };
      // What the document says goes before the address: one thread may be shown under several addresses.
      const thread = look(page.thread, document) ?? addressed.thread;
      const patient = look(page.patient, document) ?? addressed.patient;
      // A reply's own page names neither: the trail knows what is answered.
      if (page.page !== "compose" && (page.page === "thread" ? thread : patient) === null) return null;
      return {
        kind: page.page,
        thread: page.page === "thread" ? thread : null,
        patient,
        activity: page.writing && active(page.writing.selector, document) ? page.writing.activity : page.activity,
        place: JSON.stringify([page.page, addressed.thread, addressed.patient]),
        replying: active(page.reply, document),
      };
    }
    return null;
  }

  /**
   * The part of the address on which a portal file's pages depend, the frame's in front where it shows them in frames;
   * the rest of it never matters.
   * @param {PortalFile} portal
   * @param {Address} address
   * @param {Document} document
   * @param {Window | null} [touched]
   * @returns {string}
   */
  function place(portal, address, document, touched = null) {
    for (const [index, page] of portal.pages.entries()) {
      const groups = match(page, address);
      if (groups === null) continue;
      const inside = page.page === "frames" ? front(page.frames ?? "", document, touched) : null;
      const within = inside && place(portal, inside.location, inside);
      return JSON.stringify([index, groups["thread"] ?? null, groups["patient"] ?? null, within]);
    }
    return "";
  }

  globalThis.threadtime = Object.assign(globalThis.threadtime ?? {}, { page: { read, place } });
})();
