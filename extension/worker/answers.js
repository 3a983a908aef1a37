// The clinician's answers to the server's questions: on disk before anybody is told so, sent under the pairing they were
// given under, again and again until the server has them. For some seconds an answer can be taken back.

import { post_facts } from "./backend.js";
import { result, transact } from "./database.js";
import { backoff, delivery } from "./delivery.js";
import { kept_episodes } from "./episodes.js";
import { settings } from "./settings.js";

/** So long an answer waits for second thoughts before it is sent. */
export const UNDO_MS = 8_000;
const KEPT_MS = 14 * 86_400_000;
/** A question that the server still asks so long after it took the answer is asked anew. */
const SETTLED_MS = 60_000;

/** @param {string} pairing @param {string} question */
const key_of = (pairing, question) => JSON.stringify([pairing, question]);

/** @returns {Promise<SaidAnswer[]>} */
const every = () => transact(["answers"], "readonly", (t) => result(t.objectStore("answers").getAll()));

/** @param {string} pairing @returns {Promise<SaidAnswer[]>} the newest first */
export async function answers_of(pairing) {
  return (await every()).filter((one) => one.pairing === pairing).sort((a, b) => b.said_at - a.said_at);
}

/** The questions that nobody has answered on this device. Pure.
 * @param {Question[]} questions @param {SaidAnswer[]} answers @param {number} received_at of the questions */
export function open_questions(questions, answers, received_at) {
  const settled = answers.filter(({ state, settled_at }) => state !== "sent" || received_at - (settled_at ?? 0) < SETTLED_MS);
  return questions.filter(({ id }) => !settled.some(({ question }) => question.id === id));
}

/**
 * Keeps an answer; one given before to the same question gives way to it.
 * @param {{subject: Subject, question: unknown, label: unknown}} said ids and words alone: what is sent is what the server offered
 * @param {number} now
 * @returns {Promise<{kept: boolean}>} false: nobody asks this here
 */
export async function say({ subject, question: id, label }, now) {
  const pairing = (await settings()).pairing?.id ?? "";
  const asked = (await kept_episodes(pairing, subject))?.episodes.flatMap(({ questions }) => questions) ?? [];
  const question = asked.find((one) => one.id === id) ?? (await answers_of(pairing)).find((one) => one.question.id === id)?.question;
  const option = question?.options.find((one) => one.label === label);
  if (question === undefined || option === undefined) return { kept: false };
  const former = (await answers_of(pairing)).find((one) => one.question.id === question.id);
  const facts = [...withdrawn(former, option.facts, now), ...option.facts];
  /** @type {SaidAnswer} */
  const answer = {
    key: key_of(pairing, question.id), pairing, subject: { portal: subject.portal, thread: subject.thread, patient: subject.patient },
    question, label: option.label, facts,
    state: facts.length === 0 ? "aside" : "waiting",
    problem: null, said_at: now, not_before: now + UNDO_MS, attempt: 0, settled_at: null,
  };
  await transact(["answers"], "readwrite", (t) => result(t.objectStore("answers").put(answer)));
  return { kept: true };
}

/** What an earlier answer said, may have told the server, and this one does not say instead.
 * @param {SaidAnswer | undefined} former @param {SaidFact[]} facts of the new answer @param {number} now */
function withdrawn(former, facts, now) {
  if (former === undefined || former.state === "aside" || (former.attempt === 0 && former.not_before > now)) return [];
  const said_anew = facts.map(about);
  return former.facts.filter((fact) => !said_anew.includes(about(fact))).map(({ kind, row }) => ({ kind, row: { ...row, withdrawn: true } }));
}

/** What a fact is about: all of it but its yes or no. @param {SaidFact} fact */
const about = ({ kind, row }) => JSON.stringify([kind, Object.entries(row).filter(([, value]) => typeof value !== "boolean").sort()]);

/** Takes an answer back, unless the server may have it already. @param {unknown} id of the question
 * @returns {Promise<{undone: boolean}>} */
export async function unsay(id) {
  const key = key_of((await settings()).pairing?.id ?? "", String(id));
  // Under the lock of sending: what is on its way is not taken back by half.
  return navigator.locks.request("answers", () =>
    transact(["answers"], "readwrite", async (t) => {
      const store = t.objectStore("answers");
      const answer = /** @type {SaidAnswer | undefined} */ (await result(store.get(key)));
      if (answer === undefined || answer.state === "sent" || answer.attempt > 0) return { undone: false };
      await result(store.delete(key));
      return { undone: true };
    }),
  );
}

/** Sends the answers whose time has come. @param {{now: () => number, random: () => number, post: typeof post_facts}} world
 * @returns {Promise<boolean>} whether the server took any */
export async function send_answers(world = { now: Date.now, random: Math.random, post: post_facts }) {
  return navigator.locks.request("answers", async () => {
    let taken = false;
    const due = (await every()).filter(({ state, not_before }) => state === "waiting" && not_before <= world.now());
    for (const answer of due.sort((a, b) => a.said_at - b.said_at)) {
      const changed = await send_one(answer, world);
      if (changed === null) continue;
      taken ||= changed.settled_at !== null && changed.state !== "refused";
      await transact(["answers"], "readwrite", async (t) => {
        const store = t.objectStore("answers");
        const now = /** @type {SaidAnswer | undefined} */ (await result(store.get(answer.key)));
        if (now?.said_at === answer.said_at && now.label === answer.label) await result(store.put(changed)); // else it was answered anew
      });
    }
    return taken;
  });
}

/** @param {SaidAnswer} answer @param {{now: () => number, random: () => number, post: typeof post_facts}} world
 * @returns {Promise<SaidAnswer | null>} what became of it; null: nothing was tried */
async function send_one(answer, world) {
  const pairing = (await settings()).pairings.find(({ id }) => id === answer.pairing);
  if (!pairing || pairing.server === null || pairing.token === null || (await delivery(pairing.id)).stopped) return null;
  for (const [kind, facts] of Map.groupBy(answer.facts, (fact) => fact.kind)) {
    const told = await world.post(pairing.server, pairing.token, kind, facts.map(({ row }) => row), world.now());
    if (told.kind === "refused") return { ...answer, state: "refused", problem: told.problem, settled_at: world.now() };
    if (told.kind === "later") {
      const attempt = answer.attempt + 1;
      const wait = Math.max(backoff(attempt, world.random), told.retry_after_ms ?? 0);
      return { ...answer, attempt, not_before: world.now() + wait, problem: told.problem };
    }
  }
  const says_nothing = answer.facts.every(({ row }) => row["withdrawn"] === true);
  return { ...answer, state: says_nothing ? "aside" : "sent", problem: null, settled_at: world.now() };
}

/** Waits no longer after failures: somebody changed something, or asked to try again. @param {number} now */
export async function resume_answers(now) {
  await transact(["answers"], "readwrite", async (t) => {
    const store = t.objectStore("answers");
    for (const answer of /** @type {SaidAnswer[]} */ (await result(store.getAll()))) {
      if (answer.state === "waiting" && answer.attempt > 0) store.put({ ...answer, attempt: 0, not_before: now });
    }
  });
}

/** Forgets after two weeks what the server took and what was left open. @param {number} now */
export async function prune_answers(now) {
  await transact(["answers"], "readwrite", async (t) => {
    const store = t.objectStore("answers");
    for (const { key, state, said_at } of /** @type {SaidAnswer[]} */ (await result(store.getAll()))) {
      if ((state === "sent" || state === "aside") && now - said_at > KEPT_MS) store.delete(key);
    }
  });
}
