// Pairing, turns and whose token goes with which row, on a real implementation of IndexedDB and a scripted server.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import "fake-indexeddb/auto";
import { judge, judge_code, judge_token } from "../../extension/worker/backend.js";
import { transact, write_setting } from "../../extension/worker/database.js";
import { delivery, drain, knock } from "../../extension/worker/delivery.js";
import * as outbox from "../../extension/worker/outbox.js";
import { begin_pairing, cancel_pairing, pairing_request, poll_pairing } from "../../extension/worker/pairing.js";
import { add_pairing, forget_pairing, of_nobody_known, save, settings, switch_pairing } from "../../extension/worker/settings.js";
import { assign, keep } from "../../extension/worker/turns.js";

const SERVER = "https://server.example";
const token = (letter) => `tt_1_${letter.repeat(43)}`;
const made = (letter, server = SERVER) => ({ token: token(letter), server, clinician: { id: letter, name: letter.toUpperCase() }, practice: "Riverside" });
const row = (started_at, ended_at, number = started_at) => ({
  id: `019d62e5-7c60-7aaa-8c1d-${String(number).padStart(12, "0")}`, portal: "medplum", thread: "T", patient: null, activity: "review_inquiry",
  started_at, ended_at, ended_by: "hidden", idle_after_seconds: 60,
});
/** A server that takes everything and remembers who sent what where. */
function world(answer = (rows) => ({ kind: "answered", accepted: rows.map(({ id }) => id), duplicate: [], rejected: [] })) {
  const sent = [];
  return {
    sent,
    clock: 100_000,
    now() { return this.clock; },
    random: () => 0.5,
    async send(server, token, rows) {
      sent.push([server, token, rows.map(({ started_at, ended_at }) => [started_at, ended_at])]);
      return answer(rows, token);
    },
  };
}

beforeEach(async () => {
  for (const store of ["outbox", "recent", "documents", "settings"]) {
    await transact([store], "readwrite", (t) => t.objectStore(store).clear());
  }
});

describe("Several clinicians in one browser", () => {
  test("each row goes with the token of the pairing it was measured under, to that pairing's server", async () => {
    await add_pairing(made("a"), 1000);
    await add_pairing(made("b", "https://other.example"), 20_000);
    await keep([row(5000, 9000), row(21_000, 25_000)], 30_000);
    const there = world();
    await drain(there);
    assert.deepEqual(there.sent, [[SERVER, token("a"), [[5000, 9000]]], ["https://other.example", token("b"), [[21_000, 25_000]]]]);
  });

  test("a row over a switch is cut there, however late it comes, and whoever's turn it is then", async () => {
    const a = (await add_pairing(made("a"), 1000)).pairing.id;
    await add_pairing(made("b"), 20_000);
    await switch_pairing(a, 40_000);
    await keep([row(15_000, 45_000), row(30_000, 45_000), row(41_000, 42_000)], 90_000);
    const there = world();
    await drain(there);
    assert.deepEqual(there.sent, [[SERVER, token("a"), [[15_000, 20_000], [41_000, 42_000]]], [SERVER, token("b"), [[30_000, 40_000]]]]);
  });

  test("what lies within one turn stays whole, also at its edges", () => {
    const turns = [{ at: 0, pairing: "a" }, { at: 10, pairing: "b" }];
    assert.deepEqual(assign(turns, row(5, 10)), { pairing: "a", row: row(5, 10) });
    assert.deepEqual(assign(turns, row(10, 11)), { pairing: "b", row: row(10, 11) });
    assert.equal(assign([{ at: 5, pairing: "a" }], row(1, 3)).pairing, "");
    assert.equal(assign([], row(1, 3)).pairing, "");
  });

  test("a clock that was set back does not reorder the turns", async () => {
    await add_pairing(made("a"), 1000);
    await add_pairing(made("b"), 50_000);
    const { turns } = await add_pairing(made("c"), 40_000);
    assert.deepEqual(turns.map(({ at }) => at), [0, 50_000, 50_001]);
  });

  test("a revoked pairing keeps its rows and holds up no other", async () => {
    const a = (await add_pairing(made("a"), 1000)).pairing.id;
    const b = (await add_pairing(made("b"), 20_000)).pairing.id;
    await keep([row(5000, 9000), row(21_000, 25_000)], 30_000);
    const there = world((rows, of) => (of === token("a") ? { kind: "stopped", problem: "revoked" } : { kind: "answered", accepted: rows.map(({ id }) => id), duplicate: [], rejected: [] }));
    await drain(there);
    assert.equal((await delivery(a)).problem, "revoked");
    assert.equal((await delivery(b)).stopped, false);
    assert.deepEqual(await outbox.depth(b), { waiting: 0, oldest: null, foreign: 1, parked: 0 });
    // The same clinician pairs anew: the same pairing with another token, and what waited goes.
    const again = await add_pairing({ ...made("a"), token: token("n") }, 60_000);
    assert.equal(again.pairing.id, a);
    const now = world();
    await drain(now);
    assert.deepEqual(now.sent, [[SERVER, token("n"), [[5000, 9000]]]]);
  });

  test("nobody can take over the rows of a clinician who is known, forgotten or not", async () => {
    const a = (await add_pairing(made("a"), 1000)).pairing.id;
    await keep([row(5000, 9000)], 9000);
    await forget_pairing(a, 10_000);
    await keep([row(11_000, 12_000)], 12_000);
    await add_pairing(made("b"), 20_000);
    assert.deepEqual(of_nobody_known(await settings()), [""]);
    const there = world();
    await drain(there);
    assert.deepEqual(there.sent, [], "also what was measured between the two is nobody's until somebody says so");
  });

  test("a pasted token beside pairings by code takes nobody's place", async () => {
    await add_pairing(made("a"), 1000);
    await save({ server: SERVER, token: token("p"), portals: [], idle_after_seconds: 60 }, 20_000);
    assert.deepEqual((await settings()).pairings.map((one) => one.token), [token("a"), token("p")]);
    await save({ server: SERVER, token: null, portals: [], idle_after_seconds: 60 }, 30_000);
    assert.equal((await settings()).pairing, null);
  });

  test("the pairing of an earlier version is one by a pasted token", async () => {
    await write_setting("settings", { server: SERVER, pairing: { id: "old", token: token("p") }, portals: [], idle_after_seconds: 60 });
    const { pairing, turns } = await settings();
    assert.deepEqual(pairing, { id: "old", token: token("p"), server: SERVER, clinician: null, practice: null });
    assert.deepEqual(turns, [{ at: 0, pairing: "old" }]);
  });
});

describe("Pairing by code", () => {
  const asked = { kind: "asked", device_code: "secret", user_code: "BCDF-GHJK", verification_uri: `${SERVER}/pair`, expires_in: 600, interval: 5 };
  const begin = () => begin_pairing({ server: SERVER, device_name: "desk", browser: "Chromium" }, { now: () => 0, ask: async () => asked });
  const poll = (now, answer) => poll_pairing({ now: () => now, ask: async () => answer });
  const wait = { kind: "wait", problem: null };

  test("asks at its interval, slower when told so, until the token comes", async () => {
    await begin();
    const never = { now: () => 4999, ask: () => assert.fail("too early") };
    assert.equal(await poll_pairing(never), "waiting");
    assert.equal(await poll(5000, wait), "waiting");
    assert.equal(await poll(10_000, { kind: "slower", problem: null }), "waiting");
    assert.equal((await pairing_request()).next_at, 20_000);
    assert.equal(await poll(20_000, { kind: "paired", ...made("a") }), "paired");
    assert.equal((await settings()).pairing.token, token("a"));
    assert.equal(await pairing_request(), null);
  });

  test("says why none comes: refused, or the ten minutes are over", async () => {
    await begin();
    assert.equal(await poll(5000, { kind: "over", problem: "The answer was no." }), "nothing");
    assert.equal((await pairing_request()).over, "The answer was no.");
    await begin();
    assert.equal(await poll(600_000, wait), "nothing");
    assert.match((await pairing_request()).over, /ten minutes/);
    assert.equal((await settings()).pairing, null);
  });

  test("an answer to a request that was given up pairs nobody", async () => {
    await begin();
    const outcome = await poll_pairing({ now: () => 5000, ask: async () => (await cancel_pairing(), { kind: "paired", ...made("a") }) });
    assert.equal(outcome, "nothing");
    assert.equal((await settings()).pairing, null);
  });

  test("what a server answers is told in kinds, and what is not Threadtime's is not believed", () => {
    const problem = (code) => JSON.stringify({ detail: "Words.", code });
    assert.equal(judge_token(400, problem("authorization_pending")).kind, "wait");
    assert.equal(judge_token(400, problem("slow_down")).kind, "slower");
    assert.deepEqual(judge_token(400, problem("access_denied")), { kind: "over", problem: "Words." });
    assert.equal(judge_token(503, "").kind, "wait");
    assert.equal(judge_token(200, "{}").kind, "over");
    const body = { ...asked, kind: undefined };
    assert.equal(judge_code(SERVER, 200, JSON.stringify(body)).kind, "asked");
    assert.equal(judge_code(SERVER, 200, JSON.stringify({ ...body, verification_uri: "https://evil.example/pair" })).kind, "refused");
    assert.equal(judge_code(SERVER, 429, problem()).kind, "refused");
    assert.match(judge(401, null, problem("revoked"), 0).problem, /was revoked/);
  });
});

describe("A device at work", () => {
  test("asks whether it is still known, not more often than needed, and hears that it was revoked", async () => {
    await add_pairing(made("a"), 1000);
    const there = world();
    assert.equal(await knock(there), false);
    assert.deepEqual(there.sent, [[SERVER, token("a"), []]]);
    assert.equal(await knock(there), true, "the server has just said so: to be asked again later");
    assert.equal(there.sent.length, 1);
    there.clock += 30_000;
    there.send = async () => ({ kind: "stopped", problem: "This device was revoked." });
    await knock(there);
    assert.deepEqual([(await delivery()).stopped, (await delivery()).problem], [true, "This device was revoked."]);
    there.send = () => assert.fail("it is of no use");
    assert.equal(await knock(there), false);
  });
});
