// What only the clinician knows: one question at a time, and what became of the answers.

import { answers_of, open_questions, UNDO_MS } from "../worker/answers.js";
import { kept_episodes } from "../worker/episodes.js";
import { settings } from "../worker/settings.js";
import { button, element, focus_on, make, redraw } from "./elements.js";

const SHOWN_MS = 86_400_000;

/** The question that is answered anew. @type {string | null} */
let changing = null;

/** @param {number | undefined} tab @param {TabStatus | undefined} behind */
export async function show_questions(tab, behind) {
  const pairing = (await settings()).pairing?.id ?? "";
  const kept = behind ? await kept_episodes(pairing, behind) : null;
  const answers = await answers_of(pairing);
  const asked = kept?.episodes.flatMap(({ questions }) => questions) ?? [];
  const again = answers.find(({ question }) => question.id === changing)?.question;
  const open = [...(again ? [again] : []), ...open_questions(asked, answers, kept?.received_at ?? 0)];
  const now = Date.now();
  const said = answers.filter((one) => one.question.id !== changing && is_shown(one, behind, now)).map((one) => in_words(one, now));
  const section = element("questions");
  section.hidden = open.length === 0 && said.length === 0;
  const show = () => show_questions(tab, behind);
  redraw(element("answered"), said, () => said.map((one) => answered_item(one, show)));
  const [question] = open;
  const title = question === undefined ? "" : again ? "Answer anew" : open.length === 1 ? "One question" : `${open.length} questions, one at a time`;
  redraw(element("question"), [title, question], () => (question === undefined ? [] : question_card(title, question, tab, show)));
}

/** Those that are not settled, whatever they are about; of the others those of the last day about this page.
 * @param {SaidAnswer} answer @param {Subject | undefined} behind @param {number} now */
function is_shown({ state, said_at, subject }, behind, now) {
  if (state === "waiting" || state === "refused") return true;
  const here = behind?.portal === subject.portal && behind.thread === subject.thread && behind.patient === subject.patient;
  return here && now - said_at < SHOWN_MS;
}

/**
 * @param {SaidAnswer} answer
 * @param {number} now
 * @returns {{id: string, text: string, words: string, tone: string, act: "Undo" | "Change" | "Answer anew"}}
 */
export function in_words({ question: { id, text }, label, state, problem, said_at }, now) {
  const of = { id, text };
  if (state === "sent") return { ...of, words: `✓ “${label}”: the server has it.`, tone: "", act: "Change" };
  if (state === "aside") return { ...of, words: `“${label}”: it stays open at the desk.`, tone: "", act: "Answer anew" };
  if (state === "refused") return { ...of, words: `✕ “${label}” was refused: ${problem ?? ""}`, tone: "wrong", act: "Answer anew" };
  if (problem !== null) return { ...of, words: `“${label}”. Saved, will be sent. ${problem}`, tone: "", act: "Change" };
  const soon = now - said_at < UNDO_MS ? "Saved, goes out in a few seconds." : "Saved, will be sent.";
  return { ...of, words: `“${label}”. ${soon}`, tone: "", act: "Undo" };
}

/** @param {ReturnType<typeof in_words>} one @param {() => Promise<void>} show */
function answered_item({ id, text, words, tone, act }, show) {
  const key = `act:${id}`;
  const acted = async () => {
    if (act !== "Undo") changing = id;
    else {
      const answer = await chrome.runtime.sendMessage({ type: "unsay", question: id });
      tell(answer?.undone === true ? "Taken back. Nothing of it was sent." : "It may be at the server already; you can change it.");
    }
    await show();
    focus_on(element("question"), "option:0");
  };
  return make("li", {}, make("p", { class: "small quiet" }, text), make("p", { "class": "small", "data-outcome": tone }, words), button(act, key, acted, `${act}: ${text}`));
}

/** @param {string} title @param {Question} question @param {number | undefined} tab @param {() => Promise<void>} show */
function question_card(title, { id, text, options }, tab, show) {
  const choose = async (/** @type {string} */ label) => {
    const answer = await chrome.runtime.sendMessage({ type: "say", tab, question: id, label });
    changing = null;
    tell(answer?.kept === true ? `Saved: ${label}.` : "That could not be saved. Please try again.");
    await show();
    focus_on(element("answered"), `act:${id}`);
  };
  const buttons = options.map(({ label }, n) => button(label, `option:${n}`, () => choose(label)));
  if (changing === id) {
    buttons.push(button("Leave it", "leave", async () => {
      changing = null;
      await show();
      focus_on(element("answered"), `act:${id}`);
    }));
  }
  return [make("h2", { id: "question-title" }, title), make("p", { id: "question-text" }, text), make("div", { "class": "options", "role": "group", "aria-labelledby": "question-text" }, ...buttons)];
}

/** @param {string} words */
const tell = (words) => {
  element("question-said").textContent = words;
};
