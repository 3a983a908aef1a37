// What the popup says of an episode: the server's answer read field by field, its days, its time and the rules' words.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { bar, day_words, duration_words, local_day, others_words, period, unsent_seconds, verdict_words, zone_words } from "../../extension/popup/period.js";
import { judge_again, moved_on, RULES } from "../../extension/popup/rules.js";
import { own_episodes, verdict } from "../../extension/worker/told.js";
import * as engine from "../../shared_rules/engine.js";
import { ANSWER, episode, id, INTERVAL, NOW, QUESTION, told } from "./own.js";

const ZONE = "America/New_York";
const read = (more) => own_episodes(told(episode(more))).episodes[0];
const rules_of = (path) => JSON.parse(readFileSync(new URL(`../../shared_rules/${path}`, import.meta.url), "utf-8"));

describe("The server's answer", () => {
  test("is read whole, and what nobody knows of is ignored", () => {
    const answer = own_episodes({ ...told(episode({ surprise: 1 })), more: true });
    assert.equal(answer.timezone, ZONE);
    const [one] = answer.episodes;
    assert.deepEqual([one.counted_seconds, one.threads, one.window_end], [720, ["thr-1"], "2026-04-12"]);
    assert.deepEqual(one.questions[0], QUESTION);
    assert.equal(one.intervals[0].id, INTERVAL.id);
    assert.equal("surprise" in one, false);
  });

  test("a part that is missing or makes no sense leaves itself out, and nothing else", () => {
    const bare = own_episodes({ episodes: [{ episode_id: "e" }, { counted_seconds: 3 }, null, 7] });
    assert.equal(bare.episodes.length, 1);
    assert.deepEqual([bare.as_of, bare.timezone, bare.episodes[0].counted_seconds, bare.episodes[0].answer], [null, null, null, null]);
    const odd = read({ counted_seconds: -1, window_start: "yesterday", others: "Roy", steps: [{ minutes: 0, code: "x" }, null], answer: { status: "lovely" }, intervals: [{ ...INTERVAL, ended_at: 0 }] });
    assert.deepEqual([odd.counted_seconds, odd.window_start, odd.others, odd.steps, odd.answer, odd.intervals], [null, null, [], [], null, []]);
    assert.equal(own_episodes({ ...told(), timezone: "Mars/Olympus" }).timezone, null);
  });

  test("something else is no answer", () => {
    for (const body of [undefined, null, [], "x", {}, { episodes: {} }]) assert.equal(own_episodes(body), null);
  });

  test("an answer's button of which a part is not understood is not offered, nor a question that nothing could answer", () => {
    const half = { label: "Both", facts: [QUESTION.options[0].facts[0], { kind: "../intervals", row: {} }] };
    assert.deepEqual(read({ questions: [{ ...QUESTION, options: [...QUESTION.options, half] }] }).questions[0].options.map(({ label }) => label), ["Same", "New", "Not sure"]);
    assert.deepEqual(read({ questions: [{ ...QUESTION, options: [{ label: "Not sure", facts: [] }] }] }).questions, []);
  });
});

describe("An episode's days", () => {
  test("are those of the practice's zone", () => {
    assert.equal(local_day(Date.parse("2026-04-08T03:59:00Z"), ZONE), "2026-04-07");
    assert.equal(local_day(Date.parse("2026-04-08T03:59:00Z"), "Pacific/Auckland"), "2026-04-08");
    const view = period(read(), ZONE, NOW);
    assert.deepEqual([view.title, view.span, view.running], ["Day 3 of 7", "6 to 12 April, New York time", true]);
    assert.deepEqual(view.squares, ["past", "past", "today", "ahead", "ahead", "ahead", "ahead"]);
  });
  test("before and after it, it says when; over the end of a month it names both; a day is a day when clocks change", () => {
    assert.equal(period(read(), ZONE, Date.parse("2026-04-13T04:00:00Z")).title, "Ended 12 April");
    assert.equal(period(read(), ZONE, Date.parse("2026-04-13T03:59:00Z")).title, "Day 7 of 7");
    assert.equal(period(read(), ZONE, Date.parse("2026-04-05T12:00:00Z")).title, "Begins 6 April");
    const march = { window_start: "2026-10-28", window_end: "2026-11-03" };
    assert.equal(period(read(march), ZONE, Date.parse("2026-11-02T17:00:00Z")).title, "Day 6 of 7");
    assert.match(period(read(march), ZONE, NOW).span, /^28 October to 3 November/);
  });
  test("are left out where the server does not say them", () => {
    assert.equal(period(read({ window_end: undefined }), ZONE, NOW), null);
    assert.equal(period(read(), null, NOW), null);
  });
});

describe("An episode's time", () => {
  test("in words", () => {
    assert.deepEqual([0, 59, 60, 720, 754].map(duration_words), ["0 s", "59 s", "1 min", "12 min", "12 min 34 s"]);
    assert.equal(others_words([{ name: "Roy", credential: "NP" }]), "NP Roy");
    assert.equal(others_words([{ name: "Roy", credential: "NP" }, { name: "Lee", credential: null }, { name: "Moss", credential: "MD" }]), "NP Roy, Lee and MD Moss");
    assert.equal(others_words([]), "");
    assert.equal(zone_words("America/New_York"), "New York time");
    assert.equal(day_words("2026-04-08"), "8 April");
  });
  test("the bar ends after the last step, and later where there is more time", () => {
    const view = bar(read().steps, 720, 60);
    assert.deepEqual(view.marks.map(({ minutes }) => minutes), [5, 11, 21]);
    assert.ok(view.marks.every(({ at }) => at > 0 && at < 1) && view.counted < 1);
    assert.match(view.words, /^12 min counted, about 1 min more not sent yet; codes begin at 5, 11 and 21 minutes$/);
    assert.ok(bar(read().steps, 7200, 0).counted <= 1);
    assert.equal(bar([], 0, 0).counted, 0);
  });
  test("what this device has not sent is added up as it is: each row once, of the period, measured or said to be reading", () => {
    const row = (n, more = {}) => ({ ...INTERVAL, id: id(n), started_at: NOW - 90_500, ended_at: NOW, ...more });
    const rows = [
      row(1, { ended_at: NOW - 60_500 }), row(1), row(2, { entry: "manual" }), row(3, { entry: "linked_chart" }), row(4, { corrects: id(1) }),
      row(5, { entry: "attested_reading" }), row(6, { started_at: Date.parse("2026-04-13T05:00:00Z"), ended_at: Date.parse("2026-04-13T05:01:00Z") }),
      row(7, { started_at: Date.parse("2026-04-05T05:00:00Z"), ended_at: Date.parse("2026-04-05T05:01:00Z") }),
    ];
    assert.equal(unsent_seconds(rows, read(), ZONE), 181);
    assert.equal(unsent_seconds([], read(), ZONE), 0);
  });
});

describe("What the rules say, in words", () => {
  const words = (more, episode = {}) => verdict_words(verdict({ ...ANSWER, ...more }), { approved: false, running: false, ...episode });
  test("open, on hold, not known, blocked, ready, approved", () => {
    assert.equal(words({}, { running: true }).words, "Open");
    assert.equal(words({}).words, "Hold until 14 April");
    assert.equal(words({ reasons: [ANSWER.reasons[0]] }).words, "Something is not known yet");
    assert.equal(words({ status: "reportable", code: "99422" }).words, "Ready: 99422");
    assert.equal(words({ status: "reportable", code: "99422" }, { approved: true }).words, "Approved: 99422");
    const blocked = words({ status: "not_reportable", reasons: [{ id: "x", severity: "block", message: "Seen on 3 April.", source: "CPT", remedy: null }, ...ANSWER.reasons] });
    assert.deepEqual([blocked.mark, blocked.words, blocked.reasons.map(({ message }) => message)], ["✕", "Not reportable", ["Seen on 3 April."]]);
  });
  test("what is missing is said with its remedy and of whom it is asked", () => {
    const [first, second] = words({}).reasons;
    assert.deepEqual([first.message, first.remedy, first.source, first.from], ["Not known: which payer covers the patient.", "A coverage recorded.", "CMS", "Asked of the staff."]);
    assert.match(second.message, /^Decided on/);
    assert.match(words({}).note, /99422/);
    assert.equal(words({ missing: [] }).reasons[0].message, "Not known: which payer covers the patient.");
  });
});

describe("The rules on the device", () => {
  const book = engine.load(RULES.map((stem) => rules_of(`rules/${stem}.json`)), rules_of("facts.json").facts);
  const { facts } = rules_of("vectors/base.json");
  const waiting = { ...facts, period_running: true, lookahead_open: true, review_overdue: false };
  const answered = (given) => verdict(engine.evaluate(engine.version(book, "em", facts.payer_type, "2026-04-06"), given));
  const kept = (given, more = {}) => read({ facts: given, answer: answered(given), rules: { family: "em", day: "2026-04-06", payer_type: facts.payer_type }, ...more });

  test("every packaged file is named, and no other", () => {
    const stems = readdirSync(new URL("../../shared_rules/rules/", import.meta.url)).map((name) => name.replace(/\.json$/, ""));
    assert.deepEqual([...RULES], stems.sort());
  });
  test("the day moves on: the period ends, the look-ahead closes, and nothing else changes", () => {
    const moved = moved_on(waiting, "2026-04-13");
    assert.deepEqual([moved.period_running, moved.lookahead_open], [false, true]);
    assert.deepEqual(moved_on(waiting, "2026-04-12"), waiting);
    assert.deepEqual(moved_on(waiting, "2026-04-14"), { ...waiting, period_running: false, lookahead_open: false });
    assert.equal(moved_on({ review_overdue: false, review_until: "2026-04-13" }, "2026-04-14").review_overdue, true);
    assert.deepEqual(moved_on({ period_running: null }, "2026-04-14"), { period_running: null });
  });
  test("the same engine says on hold until the day has come, and then what the facts say", () => {
    const one = kept(waiting);
    assert.equal(judge_again({ engine, book }, one, "2026-04-08").status, "hold");
    const later = judge_again({ engine, book }, one, "2026-04-14");
    assert.deepEqual([later.status, later.code], ["reportable", "99422"]);
  });
  test("a schedule that was not read since is still asked for", () => {
    assert.equal(judge_again({ engine, book }, kept({ ...waiting, visits_read_after_lookahead: false }), "2026-04-20").status, "hold");
  });
  test("another version, an unknown family, fact or setting: not judged here", () => {
    const one = kept(waiting);
    for (const more of [
      { answer: { ...one.answer, rules_version: "em-2031" } }, { rules: { family: "robots", day: "2026-04-06", payer_type: null } }, { rules: undefined },
      { facts: { ...waiting, moon_phase: "full" } }, { settings: { tea_breaks: 3 } }, { facts: undefined }, { answer: undefined },
    ]) {
      assert.equal(judge_again({ engine, book }, kept(waiting, more), "2026-04-14"), null, JSON.stringify(more).slice(0, 60));
    }
  });
  test("a practice's settings hold on the device too", () => {
    const without = kept({ ...waiting, consent: "none" });
    assert.equal(judge_again({ engine, book }, without, "2026-04-14").status, "not_reportable");
    assert.equal(judge_again({ engine, book }, { ...without, settings: { consent_required_payers: [] } }, "2026-04-14").status, "reportable");
  });
  test("a period that runs by the hour is not ended by a day", () => {
    assert.equal(judge_again({ engine, book }, kept(waiting, { settings: { period_mode: "hours" } }), "2026-04-14"), null);
  });
});
