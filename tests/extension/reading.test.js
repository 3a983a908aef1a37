// Removed time that a clinician may say was reading: the stopwatch tells its beginning and end, and sends nothing of it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Desk, EPOCH, thread } from "./driver.js";

const spans = (desk) => desk.gaps.map((gap) => [gap.thread, (gap.started_at - EPOCH) / 1000, (gap.ended_at - EPOCH) / 1000]);

describe("A gap without input", () => {
  test("goes from the last input to the return, and no row has any of it", () => {
    const desk = new Desk().click("A").pass(30, { typing: true }).pass(100).input().pass(10, { typing: true }).leave();
    assert.deepEqual(spans(desk), [["A", 30, 130]]);
    assert.deepEqual(desk.record(), [["A", 0, 30, "idle"], ["A", 130, 140, "navigate"]]);
  });

  test("begins on the millisecond where the row before it ends, whatever fractions the clocks have", () => {
    for (let n = 0; n < 50; n++) {
      const desk = new Desk();
      desk.mono = 12_345.678_9 + n / 7;
      desk.wall += n / 3;
      desk.click("A").pass(20, { typing: true }).jump({ mono: n / 1_300, wall: n / 900 }).input().pass(100).input();
      assert.equal(desk.gaps[0].started_at, desk.rows[0].ended_at);
    }
  });

  test("is told with the thread, the patient, the activity and the idle time in force", () => {
    const desk = new Desk({ idle_after: 15 }).click("A", { patient: "7" }).pass(10, { typing: true }).pass(40).input();
    const [{ started_at, ended_at, ...rest }] = desk.gaps;
    assert.deepEqual(rest, { thread: "A", patient: "7", activity: "review_inquiry", linked_from: null, idle_after_seconds: 15 });
    assert.equal(ended_at - started_at, 40_000);
  });

  test("is of three minutes at most", () => {
    assert.deepEqual(spans(new Desk().click("A").pass(30, { typing: true }).pass(900).input()), [["A", 30, 210]]);
  });

  test("ends where the thread was no longer in front", () => {
    for (const end of [(d) => d.hide(), (d) => d.blur(), (d) => d.leave(), (d) => d.tell({ type: "lock", locked: true })]) {
      assert.deepEqual(spans(end(new Desk().click("A").pass(30, { typing: true }).pass(90)).pass(60).front().input()), [["A", 30, 120]]);
    }
  });

  test("ends at the last proof of life when the machine slept", () => {
    const desk = new Desk().click("A").pass(30, { typing: true }).pass(90).jump({ wall: 600 }).input();
    assert.deepEqual(spans(desk), [["A", 30, 120]]);
  });

  test("is none before the idle time is over, and none on a page that is only possibly related", () => {
    assert.deepEqual(spans(new Desk().click("A").pass(50).input().leave()), []);
    const chart = thread(null, { patient: "7", kind: "chart", entry: "linked_chart" });
    assert.deepEqual(spans(new Desk().front().input().open(chart).pass(100).input()), []);
  });
});
