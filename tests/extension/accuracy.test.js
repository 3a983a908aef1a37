// A thousand scripted days against a second reading of the capture rules.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import "fake-indexeddb/auto";
import "../../extension/content/uuid.js";
import * as outbox from "../../extension/worker/outbox.js";
import { wire_row } from "../../extension/worker/rows.js";
import { days_until, figures } from "./accuracy.js";
import { chance, day } from "./days.js";
import { play } from "./playing.js";

const DAYS = 1_000;
const length = (rows) => rows.reduce((ms, { at, to }) => ms + to - at, 0);

/** No two rows of one document share any time. */
function apart(rows) {
  const ends = new Map();
  for (const { document, at, to } of rows.toSorted((a, b) => a.at - b.at)) {
    if (at < (ends.get(document) ?? 0) - 0.001) return false;
    ends.set(document, to);
  }
  return true;
}

/** The days, each looked at for what must hold of all before it is summed up. */
function* sound(days) {
  for (const measured of days) {
    const { script, rows } = measured;
    assert.ok(length(rows) <= script.ends, `day ${script.seed}: more than the wall clock`);
    assert.ok(apart(rows), `day ${script.seed}: a document counts a moment twice`);
    assert.ok(rows.every(({ started_at, ended_at }) => ended_at > started_at && ended_at - started_at <= 300_000), `day ${script.seed}`);
    yield measured;
  }
}

describe("A thousand days of tabs, windows, idling, sleep, set clocks, locks, crashes, moves and frames", () => {
  test("are told within a second in the median, never more than two seconds too long", () => {
    const { days, intervals, right, linked_too_many, doubtful } = figures(sound(days_until(DAYS)));
    assert.equal(days, DAYS);
    assert.ok(intervals.count > 10_000, `${intervals.count} intervals`);
    assert.ok(intervals.median <= 1_000, `median ${intervals.median} ms`);
    assert.ok(intervals.most_over <= 2_000, `${intervals.most_over} ms too many`);
    assert.ok(intervals.total <= 0 && intervals.total > -0.005 * right, `${intervals.total} of ${right} ms`);
    assert.equal(linked_too_many, 0);
    assert.ok(doubtful < 0.01 * intervals.count, `${doubtful} could be told either way`);
  });

  test("give the same rows when every event is told twice", () => {
    for (let seed = 1; seed <= 100; seed++) assert.deepEqual(play(day(seed), { echoes: 2 }), play(day(seed)), `day ${seed}`);
  });

  test("come out of the outbox each once, in whatever order and however often they were handed over", async () => {
    const document = { document: "d", tab: 1, frame: 0, origin: "https://portal.example", portal: "medplum", greeted_at: 0 };
    const { fraction } = chance(7);
    const bytes = () => Uint8Array.from({ length: 10 }, () => Math.floor(fraction() * 256));
    const rows = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) => play(day(seed))).map(({ sequence, at, to, document: _, ...row }) =>
      wire_row({ id: threadtime.uuid7(row.started_at, bytes()), ...row }, document),
    );
    assert.ok(rows.length > 30 && rows.every((row) => row !== null));
    const handed = [...rows, ...rows, ...rows].map((row) => ({ row, turn: fraction() })).sort((a, b) => a.turn - b.turn);
    while (handed.length > 0) await outbox.add(handed.splice(0, 1 + Math.floor(fraction() * 9)).map(({ row }) => row), "p", 0);
    const kept = (await outbox.peek("p", 10_000)).map(({ row }) => row);
    const by_id = (list) => list.toSorted((a, b) => a.id.localeCompare(b.id));
    assert.deepEqual(by_id(kept), by_id(rows));
  });
});
