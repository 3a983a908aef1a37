// The outbox and the delivery, on a real implementation of IndexedDB and a scripted server.
import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import "fake-indexeddb/auto";
import { judge } from "../../extension/worker/backend.js";
import { database, transact } from "../../extension/worker/database.js";
import { backoff, clock_off, delivery, drain, resume } from "../../extension/worker/delivery.js";
import * as outbox from "../../extension/worker/outbox.js";
import { wire_row } from "../../extension/worker/rows.js";
import { of_nobody_known, save, settings } from "../../extension/worker/settings.js";

const TOKEN = `tt_1_${"a".repeat(43)}`;
const OTHER = `tt_1_${"b".repeat(43)}`;
const wanted = (token) => ({ server: "https://server.example", token, portals: [], idle_after_seconds: 60 });

const row = (number, more = {}) => ({
  id: `019d62e5-7c60-7aaa-8c1d-${String(number).padStart(12, "0")}`,
  portal: "medplum",
  thread: "T",
  patient: null,
  activity: "review_inquiry",
  started_at: number * 1000,
  ended_at: number * 1000 + 900,
  ended_by: "hidden",
  idle_after_seconds: 60,
  ...more,
});
const rows = (count) => Array.from({ length: count }, (_, index) => row(index + 1));

/** A server that answers as `answer` says and remembers the batches; and the world around the delivery. */
function world(answer) {
  const batches = [];
  return {
    batches,
    clock: 1_000_000,
    now() {
      return this.clock;
    },
    random: () => 0.5,
    async send(server, token, sent) {
      batches.push(sent.map(({ id }) => id));
      return answer(sent, token, batches.length);
    },
  };
}
const accept = (sent) => ({ kind: "answered", accepted: sent.map(({ id }) => id), duplicate: [], rejected: [] });

async function keep(list) {
  await outbox.add(list, (await settings()).pairing?.id ?? "", 0);
}
const waiting = async () => (await outbox.depth((await settings()).pairing?.id ?? "")).waiting;

beforeEach(async () => {
  for (const store of ["outbox", "recent", "documents", "settings"]) {
    await transact([store], "readwrite", (t) => t.objectStore(store).clear());
  }
  await save(wanted(TOKEN));
});

describe("The outbox", () => {
  test("keeps a row once, however often it is handed over, also after it was sent", async () => {
    await keep([row(1), row(1)]);
    await keep([row(1), row(2)]);
    assert.equal(await waiting(), 2);
    await outbox.settle([row(1).id]);
    assert.deepEqual(await outbox.add([row(1)], "", 0), [row(1).id]);
    assert.equal(await waiting(), 1);
  });

  test("loses nothing when many hand over at once", async () => {
    await Promise.all(rows(60).map((one) => keep([one])));
    assert.equal(await waiting(), 60);
  });

  test("keeps its rows when the database is opened anew", async () => {
    await keep(rows(3));
    (await database()).onversionchange(new Event("versionchange"));
    assert.equal(await waiting(), 3);
  });

  test("a transaction whose work fails keeps none of it", async () => {
    await assert.rejects(keep([row(1), { ...row(2), id: undefined }]));
    assert.equal(await waiting(), 0);
  });

  test("what was measured before any pairing belongs to the first; what another token measured waits for its clinician", async () => {
    await transact(["settings"], "readwrite", (t) => t.objectStore("settings").clear());
    await keep([row(1)]);
    await save(wanted(TOKEN));
    assert.equal(await waiting(), 1);
    await save(wanted(OTHER));
    assert.deepEqual(await outbox.depth((await settings()).pairing.id), { waiting: 0, oldest: null, foreign: 1, parked: 0 });
    await outbox.adopt((await settings()).pairing.id, of_nobody_known(await settings()));
    assert.equal(await waiting(), 1);
  });

  test("forgets after two days what it remembers for the popup", async () => {
    await keep([row(1), row(200_000)]);
    await outbox.prune(row(1).ended_at + 48 * 3_600_000);
    assert.deepEqual((await outbox.recent((await settings()).pairing.id, 0)).map(({ id }) => id), [row(200_000).id]);
  });
});

describe("The delivery", () => {
  test("sends at most a hundred rows at a time, the oldest first, and forgets what was accepted or known", async () => {
    await keep(rows(250).reverse());
    const there = world((sent) => ({ kind: "answered", accepted: [], duplicate: sent.map(({ id }) => id), rejected: [] }));
    await drain(there);
    assert.deepEqual(there.batches.map((batch) => batch.length), [100, 100, 50]);
    assert.equal(there.batches[0][0], row(1).id);
    assert.equal(await waiting(), 0);
    assert.equal((await delivery()).sent_at, there.clock);
  });

  test("parks a rejected row with its reason and sends all others", async () => {
    await keep(rows(5));
    const there = world((sent) => ({
      kind: "answered",
      accepted: sent.filter(({ id }) => id !== row(3).id).map(({ id }) => id),
      duplicate: [],
      rejected: [{ id: row(3).id, index: 2, reason: "the portal is unknown" }],
    }));
    await drain(there);
    assert.equal(await waiting(), 0);
    assert.deepEqual((await outbox.parked((await settings()).pairing.id)).map(({ id, reason }) => [id, reason]), [[row(3).id, "the portal is unknown"]]);
    await outbox.release(row(3).id);
    assert.equal(await waiting(), 1);
  });

  test("halves a request that cannot be read until the bad row stands alone", async () => {
    await keep(rows(1000));
    const bad = row(637).id;
    const there = world((sent) => (sent.some(({ id }) => id === bad) ? { kind: "refused", problem: "400" } : accept(sent)));
    await drain(there);
    assert.equal(await waiting(), 0);
    assert.deepEqual((await outbox.parked((await settings()).pairing.id)).map(({ id }) => id), [bad]);
    assert.ok(there.batches.length < 40, `${there.batches.length} requests`);
  });

  test("waits longer and longer while the server is not well, and loses nothing", async () => {
    await keep(rows(3));
    let well = false;
    const there = world((sent) => (well ? accept(sent) : { kind: "later", problem: "503", retry_after_ms: null }));
    const waits = [];
    for (let i = 0; i < 12; i++) {
      await drain(there);
      await drain(there); // too early: nothing is sent
      const { not_before } = await delivery();
      waits.push(not_before - there.clock);
      there.clock = not_before;
    }
    assert.equal(there.batches.length, 12);
    assert.deepEqual(waits.slice(0, 4), [1000, 2000, 4000, 8000]);
    assert.equal(waits.at(-1), 450_000);
    well = true;
    await drain(there);
    assert.equal(await waiting(), 0);
    assert.equal((await delivery()).problem, null);
  });

  test("after a week without the server all rows arrive, a hundred at a time, and two hundred devices spread their return", async () => {
    const WEEK = 7 * 86_400_000;
    const own = rows(2_000);
    await keep(own);
    const away = world(() => ({ kind: "later", problem: "The server cannot be reached.", retry_after_ms: null }));
    let seed = 7;
    away.random = () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const start = away.clock;
    while (away.clock < start + WEEK) {
      await drain(away);
      away.clock = Math.max(away.clock + 1, (await delivery()).not_before);
    }
    assert.ok(away.batches.length < 2_000, `${away.batches.length} requests in a week`);
    assert.equal(await waiting(), 2_000);
    const back = world(accept);
    back.clock = away.clock;
    await drain(back);
    assert.equal(await waiting(), 0);
    assert.deepEqual(back.batches.map((batch) => batch.length), Array.from({ length: 20 }, () => 100));
    assert.deepEqual(back.batches.flat(), own.map(({ id }) => id));
    // All of them have failed often, so each comes back some time within the longest wait.
    const seconds = new Map();
    for (let device = 0; device < 200; device++) {
      const at = Math.floor(backoff(1_000, away.random) / 1000);
      seconds.set(at, (seconds.get(at) ?? 0) + 1);
    }
    assert.ok(Math.max(...seconds.values()) <= 4, `${Math.max(...seconds.values())} devices in one second`);
  });

  test("never comes back before the server's Retry-After", async () => {
    await keep(rows(1));
    const there = world(() => ({ kind: "later", problem: "503", retry_after_ms: 77_000 }));
    await drain(there);
    assert.equal((await delivery()).not_before - there.clock, 77_000);
  });

  test("stops and says so when the token is refused, until somebody does something", async () => {
    await keep(rows(2));
    let known = false;
    const there = world((sent) => (known ? accept(sent) : { kind: "stopped", problem: "the token was revoked" }));
    await drain(there);
    there.clock += 86_400_000;
    await drain(there);
    assert.equal(there.batches.length, 1);
    assert.equal((await delivery()).problem, "the token was revoked");
    known = true;
    await resume();
    await drain(there);
    assert.equal(await waiting(), 0);
  });

  test("a row that the answer does not name stays, and is no endless loop", async () => {
    await keep(rows(3));
    const there = world((sent) => accept(sent.slice(0, 1)));
    await drain(there);
    assert.equal(there.batches.length, 1);
    assert.equal(await waiting(), 2);
  });

  test("an answer cannot settle a row that was not sent", async () => {
    await keep(rows(150));
    const all = rows(150).map(({ id }) => id);
    let calls = 0;
    const there = world(() => (calls++ ? { kind: "later", problem: "503", retry_after_ms: null } : { kind: "answered", accepted: all, duplicate: [], rejected: [] }));
    await drain(there);
    assert.equal(await waiting(), 50);
  });

  test("two calls at once send every row once", async () => {
    await keep(rows(120));
    const there = world(accept);
    await Promise.all([drain(there), drain(there), drain(there)]);
    assert.equal(there.batches.flat().length, 120);
  });

  test("nothing is sent without a server or a token, or under another clinician's", async () => {
    await keep(rows(1));
    const there = world(accept);
    for (const token of [null, OTHER]) {
      await save(wanted(token));
      await drain(there);
    }
    assert.deepEqual(there.batches, []);
  });

  test("the waiting time is spread over its whole length, from one second to fifteen minutes", () => {
    assert.equal(backoff(1, () => 1), 2_000);
    assert.equal(backoff(1, () => 0), 0);
    assert.equal(backoff(50, () => 1), 900_000);
  });
});

describe("The server's answers", () => {
  const kind = (status, text = "", retry = null) => judge(status, retry, text, 0);
  test("each status has its meaning", () => {
    for (const status of [401, 403, 426]) assert.equal(kind(status).kind, "stopped", status);
    for (const status of [400, 413, 422]) assert.equal(kind(status).kind, "refused", status);
    for (const status of [204, 302, 404, 405, 408, 415, 429, 500, 502, 503]) assert.equal(kind(status).kind, "later", status);
    assert.equal(kind(200, '{"accepted": [], "duplicate": [], "rejected": []}').kind, "answered");
  });
  test("a clock that is off is told by the server's own, and forgotten once it is right", async () => {
    const said = (date, now) => judge(200, null, '{"accepted": [], "duplicate": [], "rejected": []}', now, date);
    const noon = Date.parse("2026-04-06T12:00:00Z");
    assert.equal(said("Mon, 06 Apr 2026 12:00:00 GMT", noon + 3_600_000).clock_ahead_ms, 3_600_000);
    for (const date of [null, "", "noon"]) assert.equal(said(date, noon).clock_ahead_ms, 0, String(date));
    await keep(rows(2));
    await drain(world((sent) => ({ ...accept(sent), clock_ahead_ms: -3_600_000 })));
    assert.equal(await clock_off(), -3_600_000);
    assert.equal(await waiting(), 0);
    await keep([row(3)]);
    await drain(world((sent) => ({ ...accept(sent), clock_ahead_ms: 119_000 })));
    assert.equal(await clock_off(), null);
  });

  test("a page of something else is no answer", () => {
    for (const text of ["<html>", "null", "[]", "{}", '{"accepted": [], "duplicate": [], "rejected": [null]}']) {
      assert.equal(kind(200, text).kind, "later", text);
    }
  });
  test("Retry-After is read in seconds and as a date", () => {
    assert.equal(kind(503, "", "120").retry_after_ms, 120_000);
    assert.equal(kind(429, "", "Thu, 01 Jan 1970 00:01:00 GMT").retry_after_ms, 60_000);
    assert.equal(kind(503, "", "soon").retry_after_ms, null);
  });
  test("what the server says of the problem is passed on", () => {
    assert.match(kind(403, '{"detail": "the practice is closed"}').problem, /the practice is closed/);
  });
});

describe("What a content script says", () => {
  const document = { document: "0b7c", portal: "medplum", origin: "https://portal.example", tab: 1, frame: 0, greeted_at: 0 };
  const sent = (more = {}) => ({ ...row(1), entry: "measured", linked_from: null, ...more });

  test("the portal and the tab of a row are the worker's word", () => {
    const made = wire_row(sent({ portal: "another", tab: "x", smuggled: "text" }), document);
    assert.deepEqual(made, { ...row(1), tab: "0b7c" });
  });
  test("optional fields go over the wire only where they say something", () => {
    const made = wire_row(sent({ entry: "linked_chart", linked_from: "T", recovered: true }), document);
    assert.deepEqual([made.entry, made.linked_from, made.recovered], ["linked_chart", "T", true]);
  });
  test("nonsense is no row", () => {
    for (const more of [
      { id: "1" }, { id: row(1).id.toUpperCase() + "x" }, { thread: null, patient: null }, { thread: "" }, { thread: "a".repeat(201) },
      { thread: "\ud800" }, { ended_at: 1000 }, { ended_at: 400_000 }, { started_at: 0.5 }, { ended_by: "manual" },
      { activity: "idle" }, { entry: "manual" }, { linked_from: 3 },
    ]) {
      assert.equal(wire_row(sent(more), document), null, JSON.stringify(more));
    }
    for (const value of [null, undefined, 3, "row", []]) assert.equal(wire_row(value, document), null);
  });
});
