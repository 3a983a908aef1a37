// The elements of the options, and what they answer to a click: how it went, in words, with the focus on what was typed wrong.

/** @template {HTMLElement} T @param {string} id @returns {T} */
export const element = (id) => /** @type {T} */ (document.getElementById(id));

/** Something typed that cannot be taken, with the field it was typed into. */
export class Wrong extends Error {
  /** @param {HTMLElement} field @param {string} message */
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

/** @param {"done" | "wrong" | ""} outcome @param {string} words @param {string} id of the line that says it */
export function say(outcome, words, id = "answer") {
  const answer = element(id);
  answer.textContent = { done: "✓ ", wrong: "✕ ", "": "" }[outcome] + words;
  answer.dataset["outcome"] = outcome;
}

/** Runs a button's work and says its outcome; what was typed wrong gets the focus.
 * @param {() => Promise<void>} work @param {string} id of the line that says it */
export async function attempt(work, id = "answer") {
  for (const input of document.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  say("", "…", id);
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Wrong)) {
      say("wrong", `It did not work: ${error}`, id);
      throw error;
    }
    say("wrong", error.message, id);
    error.field.setAttribute("aria-invalid", "true");
    error.field.focus();
  }
}
