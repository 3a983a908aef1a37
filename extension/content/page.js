// The page reader: says which thread, patient and kind of page stand before the clinician, as a portal file tells it.
//
// Pure: a portal file, an address and a document in, {kind, thread, patient, activity} out; no chrome.*. It looks only
// at the parts of the address and the one attribute of the elements that the file names. Titles, names and text are
// never read, and what does not look like an identifier is not taken for one.
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
      ...Object.entries(page.query ?? {}).map(([name, pattern]) => [pattern, query.get(name) ?? ""]),
    ];
    for (const [pattern, text] of parts) {
      if (pattern === undefined) continue;
      const found = new RegExp(pattern, "u").exec(/** @type {string} */ (text));
      if (!found) return null;
      Object.assign(groups, found.groups);
    }
    return groups;
  }

  /**
   * The first identifier that one of the places in the document gives.
   * @param {PortalPlace[] | undefined} places
   * @param {ParentNode} document
   */
  function look(places, document) {
    for (const { selector, attribute, pattern } of places ?? []) {
      const text = document.querySelector(selector)?.getAttribute(attribute);
      const found = text && new RegExp(pattern ?? "^(?<value>.*)$", "u").exec(text)?.groups?.["value"];
      const value = identifier(found);
      if (value !== null) return value;
    }
    return null;
  }

  /**
   * @param {PortalFile} portal
   * @param {Address} address
   * @param {Document} document
   * @returns {ReadPage | null} null: not recognised, or not a page that is timed
   */
  function read(portal, address, document) {
    for (const page of portal.pages) {
      const groups = match(page, address);
      if (groups === null) continue;
      if (page.page === "other") return null;
      const addressed = { thread: identifier(groups["thread"]), patient: identifier(groups["patient"]) };
      // What the document says goes before the address: one thread may be shown under several addresses.
      const thread = look(page.thread, document) ?? addressed.thread;
      const patient = look(page.patient, document) ?? addressed.patient;
      if ((page.page === "thread" ? thread : patient) === null) return null;
      const writing = page.writing && document.activeElement?.matches(page.writing.selector);
      return {
        kind: page.page,
        thread: page.page === "thread" ? thread : null,
        patient,
        activity: page.writing && writing ? page.writing.activity : page.activity,
        place: JSON.stringify([page.page, addressed.thread, addressed.patient]),
      };
    }
    return null;
  }

  /**
   * The part of the address on which a portal file's pages depend; the rest of it never matters.
   * @param {PortalFile} portal
   * @param {Address} address
   */
  function place(portal, address) {
    for (const [index, page] of portal.pages.entries()) {
      const groups = match(page, address);
      if (groups !== null) return JSON.stringify([index, groups["thread"] ?? null, groups["patient"] ?? null]);
    }
    return "";
  }

  globalThis.threadtime = Object.assign(globalThis.threadtime ?? {}, { page: { read, place } });
})();
