// What is kept of the server's word and of the clinician's answers, on a real implementation of IndexedDB and a scripted server.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import "fake-indexeddb/auto";
import { in_words } from "../../extension/popup/questions.js";
import { answers_of, open_questions, prune_answers, resume_answers, say, send_answers, UNDO_MS, unsay } from "../../extension/worker/answers.js";
import { judge_episodes, judge_facts } from "../../extension/worker/backend.js";
import { transact } from "../../extension/worker/database.js";
import { kept_episodes, prune_episodes, renew, renew_kept } from "../../extension/worker/episodes.js";
import { add_pairing, forget_pairing, settings, switch_pairing } from "../../extension/worker/settings.js";
import { own_episodes } from "../../extension/worker/told.js";
import { episode, NOW, PAGE, QUESTION, told } from "./own.js";

const SERVER = "https://server.example";
const made = (letter) => ({ token: `tt_1_${letter.repeat(43)}`, server: SERVER, clinician: { id: letter, name: letter }, practice: "Riverside" });
const tells = (...episodes) => ({ now: () => NOW, ask: async () => ({ kind: "told", told: own_episodes(told(...episodes)) }) });
const pairing = async () => (await settings()).pairing.id;

/** A server that answers facts as `answer` says, and the world around it. */
function world(answer = () => ({ kind: "taken" })) {
  const sent = [];
  return {
    sent,
    clock: NOW + UNDO_MS,
    now() { return this.clock; },
    random: () => 0.5,
    async post(server, token, kind, rows) {
      sent.push([server, token, kind, rows]);
      return answer(kind, sent.length);
    },
  };
}

beforeEach(async () => {
  for (const store of ["outbox", "recent", "documents", "settings", "episodes", "answers"]) {
    await transact([store], "readwrite", (t) => t.objectStore(store).clear());
  }
  await add_pairing(made("a"), 1000);
});

describe("The server's last word", () => {
  test("is kept for its page and its pairing, and shown to nobody else", async () => {
    assert.equal((await renew(PAGE, tells(episode()))).outcome, "kept");
    assert.equal((await kept_episodes(await pairing(), PAGE)).episodes[0].episode_id, "e-1");
    assert.equal(await kept_episodes(await pairing(), { ...PAGE, thread: "thr-2" }), null);
    await add_pairing(made("b"), 2000);
    assert.equal(await kept_episodes(await pairing(), PAGE), null);
  });
  test("stands while the server is away, and goes when an older server knows no such thing", async () => {
    await renew(PAGE, tells(episode()));
    const failed = await renew(PAGE, { now: () => NOW, ask: async () => ({ kind: "failed", problem: "The server cannot be reached." }) });
    assert.deepEqual(failed, { outcome: "failed", problem: "The server cannot be reached." });
    assert.notEqual(await kept_episodes(await pairing(), PAGE), null);
    assert.equal((await renew(PAGE, { now: () => NOW, ask: async () => ({ kind: "absent" }) })).outcome, "absent");
    assert.equal(await kept_episodes(await pairing(), PAGE), null);
  });
  test("is dropped with its pairing, also when it comes after that", async () => {
    await renew(PAGE, tells(episode()));
    const id = await pairing();
    const late = { now: () => NOW, ask: async () => { await forget_pairing(id, 3000); return { kind: "told", told: own_episodes(told(episode())) }; } };
    await renew(PAGE, late);
    assert.equal(await kept_episodes(id, PAGE), null);
    await add_pairing(made("a"), 4000);
    await renew(PAGE, tells(episode()));
    await forget_pairing(id, 5000);
    await prune_episodes(NOW);
    assert.equal(await kept_episodes(id, PAGE), null);
    assert.equal((await renew(PAGE, tells(episode()))).outcome, "unpaired");
  });
  test("goes after two weeks", async () => {
    await renew(PAGE, tells(episode()));
    await prune_episodes(NOW + 14 * 86_400_000);
    assert.notEqual(await kept_episodes(await pairing(), PAGE), null);
    await prune_episodes(NOW + 14 * 86_400_000 + 1);
    assert.equal(await kept_episodes(await pairing(), PAGE), null);
  });
  test("after rows were taken it is asked for anew where it is kept, and nowhere else", async () => {
    await renew(PAGE, tells(episode()));
    const asked = [];
    await renew_kept([PAGE, { ...PAGE, thread: "thr-9" }], { now: () => NOW, ask: async (_, __, subject) => { asked.push(subject.thread); return { kind: "absent" }; } });
    assert.deepEqual(asked, ["thr-1"]);
  });
  test("each status has its meaning", () => {
    assert.equal(judge_episodes(404, "").kind, "absent");
    assert.equal(judge_episodes(200, JSON.stringify(told())).kind, "told");
    for (const [status, text] of [[200, "<html>"], [401, ""], [403, ""], [500, ""], [503, ""]]) assert.equal(judge_episodes(status, text).kind, "failed", String(status));
  });
});

describe("An answer", () => {
  const answer = (label = "Same", at = NOW) => say({ subject: PAGE, question: QUESTION.id, label }, at);
  const state = async () => (await answers_of(await pairing())).map(({ label, state }) => [label, state]);
  beforeEach(async () => { await renew(PAGE, tells(episode())); });

  test("waits for second thoughts, and is then sent as the server offered it", async () => {
    assert.deepEqual(await answer(), { kept: true });
    const there = world();
    there.clock -= 1;
    assert.equal(await send_answers(there), false);
    there.clock += 1;
    assert.equal(await send_answers(there), true);
    const [fact] = QUESTION.options[0].facts;
    assert.deepEqual(there.sent, [[SERVER, made("a").token, fact.kind, [fact.row]]]);
    assert.deepEqual(await state(), [["Same", "sent"]]);
  });
  test("can be taken back until then, and changed later", async () => {
    await answer();
    assert.deepEqual(await unsay(QUESTION.id), { undone: true });
    await answer("New");
    await send_answers(world());
    assert.deepEqual(await unsay(QUESTION.id), { undone: false });
    assert.deepEqual(await answer("Same", NOW + 100_000), { kept: true });
    assert.deepEqual(await state(), [["Same", "waiting"]]);
  });
  test("what an earlier answer told the server and the new one does not say is withdrawn", async () => {
    await answer();
    const there = world();
    await send_answers(there);
    await answer("Not sure", NOW + 100_000);
    there.clock = NOW + 100_000 + UNDO_MS;
    assert.equal(await send_answers(there), true);
    const [{ row }] = QUESTION.options[0].facts;
    assert.deepEqual(there.sent.at(-1)[3], [{ ...row, withdrawn: true }]);
    assert.deepEqual(await state(), [["Not sure", "aside"]]);
    await answer("New", NOW + 200_000);
    there.clock = NOW + 200_000 + UNDO_MS;
    await send_answers(there);
    assert.deepEqual(there.sent.at(-1)[3].map((one) => [one.related, one.withdrawn]), [[false, undefined]]);
  });
  test("one that may have reached the server is not said to be taken back", async () => {
    await answer();
    await send_answers(world(() => ({ kind: "later", problem: "The server did not answer within 30 seconds.", retry_after_ms: null })));
    assert.deepEqual(await unsay(QUESTION.id), { undone: false });
    assert.deepEqual(await state(), [["Same", "waiting"]]);
  });
  test("one that was given while another was on its way is sent too", async () => {
    await answer();
    const there = world();
    const post = there.post.bind(there);
    there.post = async (...sent) => { if (there.sent.length === 0) await answer("New", NOW + 1); return post(...sent); };
    await send_answers(there);
    assert.deepEqual(await state(), [["New", "waiting"]]);
    there.clock += 1;
    await send_answers(there);
    assert.deepEqual(there.sent.map(([, , , [row]]) => row.related), [true, false]);
  });
  test("is sent again and again with the same content, later and later, until the server has it", async () => {
    await answer();
    let well = false;
    const there = world(() => (well ? { kind: "taken" } : { kind: "later", problem: "The server cannot be reached.", retry_after_ms: null }));
    const waits = [];
    for (let i = 0; i < 4; i++) {
      await send_answers(there);
      await send_answers(there); // too early: nothing is sent
      const [{ not_before, problem }] = await answers_of(await pairing());
      waits.push(not_before - there.clock);
      assert.equal(problem, "The server cannot be reached.");
      there.clock = not_before;
    }
    assert.deepEqual(waits, [1000, 2000, 4000, 8000]);
    well = true;
    there.clock -= 1;
    await resume_answers(there.clock);
    await send_answers(there);
    assert.deepEqual(await state(), [["Same", "sent"]]);
    assert.equal(new Set(there.sent.map((one) => JSON.stringify(one))).size, 1);
  });
  test("a refused one stays with its reason, and is not sent by itself again", async () => {
    await answer();
    const there = world(() => ({ kind: "refused", problem: "visit_id is not known." }));
    await send_answers(there);
    await resume_answers(there.clock);
    await send_answers(there);
    assert.equal(there.sent.length, 1);
    const [one] = await answers_of(await pairing());
    assert.deepEqual([one.state, one.problem], ["refused", "visit_id is not known."]);
    assert.match(in_words(one, NOW).words, /^✕ “Same” was refused: visit_id is not known\.$/);
  });
  test("goes with the token of the pairing it was given under, whoever's turn it is, and waits while that is forgotten", async () => {
    await answer();
    const a = await pairing();
    await add_pairing(made("b"), 2000);
    assert.deepEqual(await answers_of(await pairing()), []);
    await forget_pairing(a, 3000);
    const there = world();
    await send_answers(there);
    assert.deepEqual(there.sent, []);
    await add_pairing(made("a"), 4000);
    await switch_pairing(await pairing(), 5000);
    await send_answers(there);
    assert.equal(there.sent[0][1], made("a").token);
  });
  test("“Not sure” sends nothing and is not asked again at once", async () => {
    await answer("Not sure");
    const there = world();
    await send_answers(there);
    assert.deepEqual([there.sent, await state()], [[], [["Not sure", "aside"]]]);
    assert.deepEqual(open_questions([QUESTION], await answers_of(await pairing()), NOW), []);
  });
  test("what nobody asked cannot be answered", async () => {
    assert.deepEqual(await answer("Perhaps"), { kept: false });
    assert.deepEqual(await say({ subject: PAGE, question: "another", label: "Same" }, NOW), { kept: false });
    assert.deepEqual(await say({ subject: { ...PAGE, thread: "thr-2" }, question: QUESTION.id, label: "Same" }, NOW), { kept: false });
  });
  test("a question that the server asks again long after it took the answer is open again", async () => {
    await answer();
    await send_answers(world());
    const answers = await answers_of(await pairing());
    assert.deepEqual(open_questions([QUESTION], answers, NOW + UNDO_MS + 1), []);
    assert.deepEqual(open_questions([QUESTION], answers, NOW + UNDO_MS + 60_000), [QUESTION]);
  });
  test("is forgotten two weeks after the server took it; one that waits never", async () => {
    await answer();
    await prune_answers(NOW + 30 * 86_400_000);
    assert.deepEqual(await state(), [["Same", "waiting"]]);
    await send_answers(world());
    await prune_answers(NOW + 30 * 86_400_000);
    assert.deepEqual(await state(), []);
  });
  test("says in words where it is", async () => {
    await answer();
    const [one] = await answers_of(await pairing());
    assert.match(in_words(one, NOW).words, /Saved, goes out in a few seconds/);
    assert.match(in_words({ ...one, problem: "The server cannot be reached." }, NOW).words, /Saved, will be sent. The server cannot be reached./);
    assert.equal(in_words({ ...one, problem: "The server cannot be reached." }, NOW).act, "Change");
    assert.equal(in_words({ ...one, state: "sent" }, NOW).act, "Change");
  });
});

describe("The server's word on facts", () => {
  const judged = (status, body, count = 1) => judge_facts(status, null, JSON.stringify(body), count, 0);
  test("every row has to be taken", () => {
    for (const outcome of ["new", "changed", "known"]) assert.equal(judged(200, { results: [{ outcome }] }).kind, "taken");
    assert.deepEqual(judged(200, { results: [{ outcome: "new" }, { outcome: "refused", reason: "no such visit" }] }, 2), { kind: "refused", problem: "no such visit" });
    for (const body of [{}, [], null, { results: [] }, { results: [{ outcome: "lovely" }] }]) assert.equal(judged(200, body).kind, "later");
  });
  test("what a person has to mend is refused; the rest comes again", () => {
    for (const status of [400, 403, 404, 413, 422]) assert.equal(judged(status, { detail: "because" }).problem, "because", String(status));
    for (const status of [401, 408, 426, 429, 500, 503]) assert.equal(judged(status, {}).kind, "later", String(status));
    assert.equal(judge_facts(503, "7", "", 1, 0).retry_after_ms, 7000);
  });
});
