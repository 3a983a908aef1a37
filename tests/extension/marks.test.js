// Marking time as a refill, scheduling or a result: rows that correct, and the way back.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { threads_of, today } from "../../extension/popup/today.js";
import { correcting_row, markable } from "../../extension/worker/marks.js";
import { own_episodes } from "../../extension/worker/told.js";
import { episode, id, INTERVAL, NOW, PAGE, told } from "./own.js";

const read = (more) => own_episodes(told(episode(more))).episodes[0];
const recent = (n, more = {}) => ({
  id: id(n), pairing: "p", ...PAGE, started_at: NOW - 60_000, ended_at: NOW - 10_000, activity: "communicate_online", idle_after_seconds: 45, ...more,
});
const how = (more = {}) => ({ reason: "marked as refill by the clinician", idle_after_seconds: 60, now: NOW, random: new Uint8Array(10), ...more });
const after = (n) => `019d62ff-0000-7000-8000-${String(n).padStart(12, "0")}`;

describe("What can be marked", () => {
  test("the server's intervals and those of this device on the thread, each once, the newest first", () => {
    const found = markable(read(), [recent(1), recent(2), recent(3, { thread: "thr-2" }), recent(4, { portal: "other" }), recent(5, { activity: undefined })], PAGE);
    assert.deepEqual(found.map((one) => [one.id, one.activity]), [[id(2), "communicate_online"], [id(1), "review_inquiry"]]);
    assert.deepEqual([found[1].patient, found[1].idle_after_seconds], ["123", 45]);
  });
  test("without a word of the server those of this device", () => {
    assert.deepEqual(markable(null, [recent(2)], PAGE).map((one) => one.id), [id(2)]);
    const chart = { ...PAGE, thread: null };
    assert.deepEqual(markable(null, [recent(2), recent(3, { thread: null })], chart).map((one) => one.id), [id(3)]);
  });
  test("a mark of this device shows at once, and so does taking it back", () => {
    const mark = recent(1, { id: after(1), corrects: id(1), activity: "refill_admin", was: "review_inquiry" });
    const [marked] = markable(read(), [mark], PAGE);
    assert.deepEqual([marked.activity, marked.was, marked.last], ["refill_admin", "review_inquiry", after(1)]);
    const back = recent(1, { id: after(2), corrects: id(1), activity: "review_inquiry", was: "refill_admin" });
    assert.deepEqual([markable(read(), [back, mark], PAGE)[0].activity, markable(read(), [back, mark], PAGE)[0].was], ["review_inquiry", "review_inquiry"]);
  });
  test("a correction that the server knows and this device does not is the last word; the way back is known where the server says it", () => {
    const elsewhere = { ...INTERVAL, activity: "scheduling", corrected_by: after(9) };
    const mark = recent(1, { id: after(1), corrects: id(1), activity: "refill_admin", was: "review_inquiry" });
    assert.deepEqual([markable(read({ intervals: [elsewhere] }), [mark], PAGE)[0].activity, markable(read({ intervals: [elsewhere] }), [], PAGE)[0].was], ["scheduling", null]);
    assert.equal(markable(read({ intervals: [{ ...elsewhere, recorded_activity: "review_inquiry" }] }), [], PAGE)[0].was, "review_inquiry");
  });
});

describe("A correcting row", () => {
  test("has the span and the entry of what it corrects, another activity and a reason", () => {
    const [one] = markable(read(), [], PAGE);
    const row = correcting_row(one, "refill_admin", how());
    assert.deepEqual({ ...row, id: null }, {
      id: null, portal: "medplum", thread: "thr-1", patient: "123", activity: "refill_admin", started_at: INTERVAL.started_at, ended_at: INTERVAL.ended_at,
      ended_by: "manual", idle_after_seconds: 60, corrects: INTERVAL.id, reason: "marked as refill by the clinician",
    });
    assert.match(row.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    assert.equal(correcting_row(markable(null, [recent(2, { entry: "manual" })], PAGE)[0], "scheduling", how()).entry, "manual");
  });
  test("is later than what it corrects, also on a device whose clock is behind", () => {
    const [one] = markable(read({ intervals: [{ ...INTERVAL, corrected_by: after(9) }] }), [], PAGE);
    const row = correcting_row(one, "refill_admin", how({ now: 0 }));
    assert.ok(row.id > after(9));
    assert.equal(row.corrects, id(1));
  });
});

describe("Today's threads", () => {
  test("each once with its minutes, the longest first; a correction adds none", () => {
    const rows = [recent(1), recent(2, { thread: "thr-2", started_at: NOW - 600_000 }), recent(3, { patient: null }), recent(4, { corrects: id(1) }), recent(5, { thread: null, patient: "9", entry: "linked_chart" })];
    assert.deepEqual(threads_of(rows, NOW), [
      { portal: "medplum", thread: "thr-2", patient: "123", ms: 590_000 },
      { portal: "medplum", thread: "thr-1", patient: "123", ms: 100_000 },
      { portal: "medplum", thread: null, patient: "9", ms: 50_000 },
    ]);
    assert.equal(today(rows, PAGE, NOW), 100_000);
  });
});
