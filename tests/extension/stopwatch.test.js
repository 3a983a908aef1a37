// The rules of the stopwatch, one sentence each.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Desk, EPOCH, stopwatch, thread } from "./driver.js";

const is = (desk, expected) => assert.deepEqual(desk.record(), expected);

describe("What counts", () => {
  test("a thread in front of an attentive clinician counts from the moment it was recognised", () => {
    is(new Desk().click("A").pass(30, { typing: true }).leave(), [["A", 0, 30, "navigate"]]);
  });

  for (const [word, obstacle, by] of [
    ["hidden", { type: "seen", visible: false, focused: false }, "hidden"],
    ["on a locked machine", { type: "lock", locked: true }, "lock"],
    ["paused", { type: "pause", paused: true }, "pause"],
    ["being closed", { type: "end", by: "close" }, "close"],
    ["signed out", { type: "end", by: "sign_out" }, "sign_out"],
  ]) {
    test(`nothing counts on a tab that is ${word}`, () => {
      is(new Desk().click("A").pass(20, { typing: true }).tell(obstacle).pass(40, { typing: true }).leave(), [["A", 0, 20, by]]);
    });
  }

  test("nothing counts without a page that was recognised, nor without any input", () => {
    is(new Desk().front().input().pass(60, { typing: true }).hide(), []);
    is(new Desk().front().open(thread("A")).pass(60).hide(), []);
  });

  test("the input that opened the thread may have happened in the document before", () => {
    const desk = new Desk().front().tell({ type: "input", at: EPOCH - 2_000 }).open(thread("A")).pass(20, { typing: true });
    is(desk.leave(), [["A", 0, 20, "navigate"]]);
    is(new Desk().front().tell({ type: "input", at: EPOCH - 61_000 }).open(thread("A")).pass(20).leave(), []);
  });

  test("an older word about an input never replaces a newer one", () => {
    const desk = new Desk().click("A").pass(20, { typing: true }).tell({ type: "input", at: EPOCH + 1_000 }).pass(50).leave();
    is(desk, [["A", 0, 70, "navigate"]]);
  });

  test("the idle time in force goes on every interval, and a new one holds from the next interval on", () => {
    const desk = new Desk({ idle_after: 60 }).click("A").pass(20, { typing: true }).tell({ type: "idle_after", seconds: 15 });
    desk.pass(40).hide().pass(5).front().input().pass(40).hide();
    is(desk, [["A", 0, 60, "hidden"]]);
    assert.equal(desk.rows[0].idle_after_seconds, 60);
    desk.pass(1).front().pass(1).input().pass(10, { typing: true }).hide();
    assert.equal(desk.rows.at(-1).idle_after_seconds, 15);
  });
});

describe("Settling", () => {
  test("time that the idle rule takes away again settles no opening", () => {
    is(new Desk().click("A").pass(100).input().pass(3).leave(), []);
    is(new Desk().click("A").pass(100).input().pass(6).leave(), [["A", 100, 106, "navigate"]]);
  });

  test("an opening under five seconds is a mis-click and is not recorded", () => {
    is(new Desk().click("A").pass(4.9).click("B").pass(10, { typing: true }).leave(), [["B", 4.9, 14.9, "navigate"]]);
  });

  test("five seconds of active time settle an opening, also when the tab was left between", () => {
    is(new Desk().click("A").pass(3).hide().pass(10).front().pass(4).leave(), [
      ["A", 0, 3, "hidden"],
      ["A", 13, 17, "navigate"],
    ]);
    is(new Desk().click("A").pass(3).hide().pass(10).front().pass(1.9).leave(), []);
  });

  test("coming back to the same open thread counts at once", () => {
    const desk = new Desk().click("A").pass(10).hide().pass(5).front().pass(1).hide();
    is(desk, [["A", 0, 10, "hidden"], ["A", 15, 16, "hidden"]]);
  });

  test("opening the same thread anew settles anew", () => {
    is(new Desk().click("A").pass(10).leave().pass(1).click("A").pass(4).leave(), [["A", 0, 10, "navigate"]]);
  });

  test("a thread whose canonical id the page shows late is one opening under that id", () => {
    const desk = new Desk().click("child").pass(3).open(thread("parent", { place: "child" })).pass(10).leave();
    is(desk, [["parent", 0, 13, "navigate"]]);
  });
});

describe("Two clocks", () => {
  test("sleep closes the interval at the tick before it, whichever clock slept", () => {
    is(new Desk().click("A").pass(20).jump({ wall: 3600 }).tell({ type: "tick" }).pass(10), [["A", 0, 20, "clock"]]);
    is(new Desk().click("A").pass(20).jump({ wall: 3600, mono: 3600 }).tell({ type: "tick" }).pass(10), [["A", 0, 20, "clock"]]);
  });

  test("an input that would have grown too old before the next tick leaves no time before sleep", () => {
    is(new Desk().click("A").pass(10, { typing: true }).pass(59.5).jump({ wall: 60, mono: 60 }).tell({ type: "tick" }), [["A", 0, 10, "idle"]]);
  });

  test("after sleep nothing counts before the next input", () => {
    const desk = new Desk().click("A").pass(20).jump({ wall: 3600 }).tell({ type: "tick" }).pass(10).input().pass(10).hide();
    is(desk, [["A", 0, 20, "clock"], ["A", 3630, 3640, "hidden"]]);
  });

  test("a freeze of more than five seconds is not counted", () => {
    is(new Desk().click("A").pass(20).jump({ wall: 5.1, mono: 5.1 }).tell({ type: "tick" }).pass(5).hide(), [
      ["A", 0, 20, "clock"],
      ["A", 25.1, 30.1, "hidden"],
    ]);
  });

  test("a clock that is set forwards or backwards closes the interval, and lengths stay monotonic", () => {
    for (const wall of [2.5, -2.5, -7200]) {
      const desk = new Desk().click("A").pass(20, { typing: true }).jump({ wall }).pass(10, { typing: true }).hide();
      assert.equal(desk.rows[0].ended_by, "clock");
      const total = desk.rows.reduce((sum, r) => sum + r.ended_at - r.started_at, 0);
      assert.ok(total >= 28_000 && total <= 30_000, `${total} ms`);
    }
  });

  test("after the clock was set back nothing counts before the next input: it may hide a sleep", () => {
    const desk = new Desk().click("A").pass(20, { typing: true }).jump({ wall: -30 }).pass(10).input().pass(10).hide();
    assert.equal(desk.rows.reduce((ms, row) => ms + row.ended_at - row.started_at, 0), 30_000);
  });

  test("a small disagreement changes nothing, and the length is that of the monotonic clock", () => {
    const desk = new Desk().click("A").pass(10).jump({ wall: 1.5 }).pass(10).hide();
    is(desk, [["A", 0, 20, "hidden"]]);
  });

  test("a monotonic clock that runs backwards gives no negative interval", () => {
    const desk = new Desk().click("A").pass(20).jump({ mono: -50 }).tell({ type: "tick" }).pass(5, { typing: true }).hide();
    assert.ok(desk.rows.every((r) => r.ended_at > r.started_at));
    assert.equal(desk.rows[0].ended_at - desk.rows[0].started_at, 20_000);
  });
});

describe("Idle", () => {
  test("the interval ends at the last input and the whole tail is removed", () => {
    is(new Desk().click("A").pass(30, { typing: true }).pass(300).leave(), [["A", 0, 30, "idle"]]);
  });

  test("a pause of exactly the idle time counts; one millisecond more does not", () => {
    is(new Desk().click("A").pass(10, { typing: true }).pass(60).input().leave(), [["A", 0, 70, "navigate"]]);
    is(new Desk().click("A").pass(10, { typing: true }).pass(60.001).input().leave(), [["A", 0, 10, "idle"]]);
  });

  test("the answer does not depend on ticks coming in time", () => {
    const desk = new Desk({ ticking: false }).click("A").pass(4).tell({ type: "tick" }).pass(4).tell({ type: "tick" });
    is(desk.pass(4.5).hide(), [["A", 0, 12.5, "hidden"]]);
  });

  test("a tab that was away longer than the idle time counts from the next input", () => {
    const desk = new Desk().click("A").pass(10).hide().pass(100).front().pass(7).input().pass(10).hide();
    is(desk, [["A", 0, 10, "hidden"], ["A", 117, 127, "hidden"]]);
  });

  test("coming back without any input is not work", () => {
    is(new Desk().click("A").pass(10).hide().pass(10).front().pass(300).hide(), [["A", 0, 10, "hidden"]]);
  });
});

describe("Blur", () => {
  test("a blur of up to two seconds is bridged and counts", () => {
    is(new Desk().click("A").pass(10).blur().pass(2).front().pass(10).leave(), [["A", 0, 22, "navigate"]]);
  });

  test("a longer blur ends the interval where it began", () => {
    is(new Desk().click("A").pass(10).blur().pass(2.1).front().pass(10).leave(), [
      ["A", 0, 10, "blur"],
      ["A", 12.1, 22.1, "navigate"],
    ]);
  });

  test("a blur that ends in something else counts only until it began", () => {
    is(new Desk().click("A").pass(10).blur().pass(1.5).hide(), [["A", 0, 10, "hidden"]]);
    is(new Desk().click("A").pass(10).blur().pass(1.5).leave(), [["A", 0, 10, "navigate"]]);
  });

  test("a blur does not settle an opening", () => {
    is(new Desk().click("A").pass(4).blur().pass(1.9).hide(), []);
  });

  test("when the idle time runs out within a bridged blur, the tail goes", () => {
    is(new Desk().click("A").pass(10, { typing: true }).pass(59).blur().pass(1.5).front().pass(1).leave(), [["A", 0, 10, "idle"]]);
  });

  test("a longer blur ends the interval where it began, also when the idle time runs out meanwhile", () => {
    is(new Desk().click("A").pass(10, { typing: true }).pass(59).blur().pass(3).front().pass(1).leave(), [["A", 0, 69, "blur"]]);
  });

  test("five focus events in four milliseconds, in any order and twice, change nothing", () => {
    const storms = [
      (d) => d.hide().blur().hide(),
      (d) => d.blur().hide().see(false, true).hide(),
      (d) => d.see(false, true).blur().see(false, true).hide().hide(),
    ];
    for (const storm of storms) {
      const desk = new Desk().click("A").pass(10);
      storm(desk).pass(10);
      assert.equal(desk.record().reduce((sum, [, from, to]) => sum + to - from, 0), 10);
      assert.equal(desk.rows.at(-1).ended_at, EPOCH + 10_000);
    }
  });
});

describe("The limit", () => {
  test("an interval closes at exactly 300,000 ms and the next begins without a gap", () => {
    is(new Desk().click("A").pass(650, { typing: true }).hide(), [
      ["A", 0, 300, "limit"],
      ["A", 300, 600, "limit"],
      ["A", 600, 650, "hidden"],
    ]);
  });

  test("a boundary between two inputs is still exact", () => {
    const desk = new Desk().click("A").pass(290, { typing: true }).pass(30).input().pass(5).hide();
    is(desk, [["A", 0, 300, "limit"], ["A", 300, 325, "hidden"]]);
  });

  test("a boundary inside an idle tail ends the interval at the last input instead", () => {
    is(new Desk().click("A").pass(290, { typing: true }).pass(200).hide(), [["A", 0, 290, "idle"]]);
  });

  test("a tail never reaches into a row that was closed", () => {
    const desk = new Desk({ idle_after: 300 }).click("A").pass(301, { typing: true }).pass(400).hide();
    is(desk, [["A", 0, 300, "limit"], ["A", 300, 301, "idle"]]);
  });

  test("a stop shortly after a boundary without input gives both rows", () => {
    const desk = new Desk().click("A").pass(290, { typing: true }).pass(20).hide();
    is(desk, [["A", 0, 300, "limit"], ["A", 300, 310, "hidden"]]);
  });

  test("fractions of a millisecond never make a row longer or leave a gap", () => {
    const desk = new Desk();
    desk.mono = 12_345.678_9;
    desk.click("A");
    for (let i = 0; i < 700; i++) desk.jump({ mono: 1.000_37, wall: 1.000_37 }).input();
    desk.hide();
    assert.deepEqual(desk.rows.slice(0, 2).map((r) => r.ended_at - r.started_at), [300_000, 300_000]);
    assert.equal(desk.rows[1].started_at, desk.rows[0].ended_at);
    assert.ok(desk.rows.every((r) => Number.isInteger(r.started_at) && Number.isInteger(r.ended_at)));
  });
});

describe("Pages", () => {
  test("another thread ends the interval and begins its own", () => {
    is(new Desk().click("A").pass(10).input().open(thread("B")).pass(10).leave(), [
      ["A", 0, 10, "navigate"],
      ["B", 10, 20, "navigate"],
    ]);
  });

  test("another patient under the same thread id is another opening", () => {
    const desk = new Desk().click("A", { patient: "1" }).pass(10).open(thread("A", { patient: "2" })).pass(3).leave();
    is(desk, [["A", 0, 10, "navigate"]]);
  });

  test("writing the reply is another activity of the same opening, without a gap", () => {
    const desk = new Desk().click("A").pass(10).input().open(thread("A", { activity: "communicate_online" })).pass(3).leave();
    is(desk, [["A", 0, 10, "navigate"], ["A", 10, 13, "navigate"]]);
    assert.deepEqual(desk.rows.map((r) => r.activity), ["review_inquiry", "communicate_online"]);
  });

  test("a chart page that carries the thread belongs to the thread's opening", () => {
    const chart = thread("A", { kind: "chart", activity: "review_records", linked_from: "A", patient: "7", place: "chart" });
    const desk = new Desk().click("A", { patient: "7" }).pass(10).open(chart).pass(3).leave();
    is(desk, [["A", 0, 10, "navigate"], ["A", 10, 13, "navigate"]]);
    assert.equal(desk.rows[1].linked_from, "A");
  });

  test("an address in motion ends the interval, and the same thread at rest again counts at once", () => {
    const desk = new Desk().click("A").pass(10).tell({ type: "page", page: null, moving: true }).pass(0.25);
    is(desk.open(thread("A")).pass(2).leave(), [["A", 0, 10, "navigate"], ["A", 10.25, 12.25, "navigate"]]);
  });

  test("an address in motion that comes to rest on no thread ends the opening", () => {
    const desk = new Desk().click("A").pass(10).tell({ type: "page", page: null, moving: true }).pass(0.25).leave();
    is(desk.pass(1).click("A").pass(4).leave(), [["A", 0, 10, "navigate"]]);
  });

  test("the same page said twice changes nothing", () => {
    is(new Desk().click("A").pass(10).open(thread("A")).pass(10).open(thread("A")).leave(), [["A", 0, 20, "navigate"]]);
  });
});

describe("A crash", () => {
  test("closes the checkpoint at its last proof of life, marked recovered", () => {
    const desk = new Desk().click("A").pass(33);
    const [row] = stopwatch.recover(JSON.parse(JSON.stringify(desk.state)));
    assert.deepEqual([row.started_at, row.ended_at, row.ended_by, row.recovered], [EPOCH, EPOCH + 33_000, "crash", true]);
  });

  test("keeps no time that the idle rule may have removed before it", () => {
    const after = (seconds) => stopwatch.recover(new Desk().click("A").pass(10, { typing: true }).pass(seconds).state);
    assert.deepEqual([54, 56].map((seconds) => after(seconds)[0].ended_at - EPOCH), [64_000, 10_000]);
  });

  test("gives an opening that has not settled nothing", () => {
    assert.deepEqual(stopwatch.recover(new Desk().click("A").pass(4).state), []);
  });

  test("never gives a row longer than the limit", () => {
    const rows = stopwatch.recover(new Desk().click("A").pass(290, { typing: true }).pass(30).state);
    assert.deepEqual(rows.map((r) => r.ended_at - r.started_at), [300_000, 20_000]);
  });

  test("gives every row the number under which it is closed later", () => {
    const desk = new Desk().click("A").pass(290, { typing: true }).pass(30);
    const expected = stopwatch.recover(desk.state).map((r) => r.sequence);
    desk.hide();
    assert.deepEqual(desk.rows.map((r) => r.sequence), expected);
  });
});

describe("Whatever comes in whatever order", () => {
  /** A small seeded generator: every failure can be repeated. */
  function* numbers(seed) {
    for (let x = seed; ; ) {
      x = (Math.imul(x ^ (x >>> 15), 2246822519) + 0x9e3779b9) >>> 0;
      yield (x >>> 8) / 2 ** 24;
    }
  }

  function random_day(seed) {
    const source = numbers(seed);
    const next = (n) => Math.floor(source.next().value * n);
    const desk = new Desk({ idle_after: 15 + next(60) });
    const acts = [
      () => desk.input(),
      () => desk.see(next(3) > 0, next(3) > 0),
      () => desk.front().input(),
      () => desk.open([null, thread("A"), thread("B"), thread("A", { patient: "1" })][next(4)]),
      () => desk.tell({ type: "lock", locked: next(4) === 0 }),
      () => desk.tell({ type: "pause", paused: next(4) === 0 }),
      () => desk.pass(next(90)),
      () => desk.pass(next(400), { typing: true }),
      () => desk.jump({ wall: next(20) - 5, mono: next(8) }),
      () => desk.tell({ type: "end", by: "close" }),
    ];
    const log = [];
    for (let i = 0; i < 150; i++) {
      const mono = desk.mono;
      acts[next(acts.length)]();
      log.push(desk.mono - mono);
    }
    desk.tell({ type: "end", by: "close" });
    return desk;
  }

  test("no row is empty, reversed or over the limit, no number is used twice, and the sum never exceeds the time there was", () => {
    for (let seed = 1; seed <= 150; seed++) {
      const desk = random_day(seed);
      const lengths = desk.rows.map((r) => r.ended_at - r.started_at);
      assert.ok(lengths.every((ms) => ms > 0 && ms <= 300_000), `seed ${seed}`);
      assert.ok(lengths.reduce((a, b) => a + b, 0) <= desk.mono - 100, `seed ${seed}`);
      assert.equal(new Set(desk.rows.map((r) => r.sequence)).size, desk.rows.length, `seed ${seed}`);
      assert.ok(desk.rows.every((r) => r.thread), `seed ${seed}`);
    }
  });

  test("every event said twice gives the same rows", () => {
    class Echo extends Desk {
      tell(event) {
        super.tell(event);
        return super.tell(event);
      }
    }
    for (const twice of [false, true]) {
      const desk = new (twice ? Echo : Desk)().click("A").pass(310, { typing: true }).blur().pass(1).front().pass(5).hide();
      desk.pass(3).see(false, true).front().input().pass(80).input().pass(3).leave();
      is(desk, [
        ["A", 0, 300, "limit"],
        ["A", 300, 316, "hidden"],
        ["A", 399, 402, "navigate"],
      ]);
    }
  });
});

describe("What the stopwatch says of itself", () => {
  test("it tells counting, settling, idle, away, paused and elsewhere apart", () => {
    const said = (desk) => stopwatch.status(desk.state, desk.now());
    assert.equal(said(new Desk().front()), "elsewhere");
    assert.equal(said(new Desk().click("A")), "settling");
    assert.equal(said(new Desk().click("A").pass(6)), "counting");
    assert.equal(said(new Desk().click("A").pass(90)), "idle");
    assert.equal(said(new Desk().click("A").pass(6).hide()), "away");
    assert.equal(said(new Desk().click("A").pass(6).tell({ type: "pause", paused: true })), "paused");
  });
});
