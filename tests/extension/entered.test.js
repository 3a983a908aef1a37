// What a clinician says becomes rows of its own; what a page or a form sends is trusted in nothing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { today } from "../../extension/popup/today.js";
import { BY_HAND, manual_row, reading_row } from "../../extension/worker/entered.js";
import { ended } from "../../extension/popup/entries.js";

const NOW = 1_775_480_400_000;
const document = { document: "d", tab: 1, frame: 0, origin: "https://portal.example", portal: "medplum", greeted_at: 0 };
const ID = "019d62e5-7c60-7aaa-8c1d-000000000001";

describe("Reading", () => {
  const gap = (more = {}) => ({
    id: ID, thread: "T", patient: "7", activity: "review_inquiry", linked_from: null, started_at: NOW - 100_000, ended_at: NOW, idle_after_seconds: 60, ...more,
  });

  test("is a row that says so, with the gap's own times and id", () => {
    const row = reading_row(gap(), document);
    assert.deepEqual([row.id, row.entry, row.ended_by, row.portal, row.tab], [ID, "attested_reading", "idle", "medplum", "d"]);
    assert.equal(row.ended_at - row.started_at, 100_000);
  });

  test("is of three minutes at most, and no page can pass anything else off as it", () => {
    assert.notEqual(reading_row(gap({ started_at: NOW - 180_000 }), document), null);
    for (const more of [{ started_at: NOW - 180_001 }, { started_at: NOW }, { id: "x" }, { thread: null, patient: null }, { activity: "idle" }]) {
      assert.equal(reading_row(gap(more), document), null, JSON.stringify(more));
    }
    assert.equal(reading_row(gap({ entry: "manual", ended_by: "manual", portal: "other", smuggled: 1 }), document).portal, "medplum");
    for (const value of [null, 3, "gap"]) assert.equal(reading_row(value, document), null);
  });
});

describe("Time entered by hand", () => {
  const subject = { status: "counting", since: 0, document: "d", portal: "medplum", thread: "T", patient: "7" };
  const said = (more = {}) => ({ id: ID, activity: "communicate_phone", minutes: 7, ended_at: NOW - 60_000, reason: " Called back ", ...more });

  test("is a row of the thread in the tab, with kind, length and reason", () => {
    assert.deepEqual(manual_row(said(), subject, 60, NOW).row, {
      id: ID, portal: "medplum", thread: "T", patient: "7", activity: "communicate_phone", started_at: NOW - 480_000, ended_at: NOW - 60_000,
      ended_by: "manual", idle_after_seconds: 60, tab: "d", entry: "manual", reason: "Called back",
    });
  });

  test("is refused in words when it makes no sense", () => {
    for (const more of [
      { activity: "idle" }, { activity: "toString" }, { activity: undefined }, { minutes: 0 }, { minutes: 2.5 }, { minutes: 241 }, { minutes: NaN }, { minutes: "7" },
      { ended_at: NOW + 1 }, { ended_at: NOW - 86_400_001 }, { ended_at: NaN }, { reason: "  " }, { reason: 3 }, { reason: "a".repeat(501) },
    ]) {
      assert.ok(manual_row(said(more), subject, 60, NOW).problem.length > 10, JSON.stringify(more));
    }
    assert.match(manual_row(said(), { ...subject, thread: null, patient: null }, 60, NOW).problem, /No thread/);
    assert.ok(Object.keys(BY_HAND).length > 3);
  });

  test("ended today, or yesterday when that time is still to come", () => {
    const now = new Date(2026, 3, 8, 12, 30).getTime();
    assert.equal(ended("12:30", now), now);
    assert.equal(ended("09:05", now), new Date(2026, 3, 8, 9, 5).getTime());
    assert.equal(ended("23:00", now), new Date(2026, 3, 7, 23, 0).getTime());
    assert.ok(Number.isNaN(ended("", now)));
  });

  test("is not in the time that was measured today", () => {
    const row = (id, entry) => ({ id, portal: "medplum", thread: "T", patient: "7", started_at: NOW - 9_000, ended_at: NOW - 1_000, ...(entry && { entry }) });
    assert.equal(today([row("1"), row("2", "manual"), row("3", "attested_reading"), row("4", "linked_chart")], subject, NOW), 16_000);
  });
});
