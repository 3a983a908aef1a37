// What people type and what they read: addresses, tokens, keys, and today's minutes.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { minutes, today } from "../../extension/popup/today.js";
import { pattern_of, read_origin } from "../../extension/worker/addresses.js";
import { problem_of_portals, problem_of_token } from "../../extension/worker/settings.js";

describe("Addresses", () => {
  test("an address becomes an origin; https is understood", () => {
    assert.deepEqual(read_origin(" portal.example/Communication?x=1 "), { origin: "https://portal.example" });
    assert.deepEqual(read_origin("https://portal.example:8443"), { origin: "https://portal.example:8443" });
  });
  test("http is for this machine alone", () => {
    for (const host of ["localhost:8765", "127.0.0.1:1", "portal.localhost"]) assert.deepEqual(read_origin(`http://${host}`), { origin: `http://${host}` });
    assert.match(read_origin("http://portal.example").problem, /this machine alone/);
    assert.match(read_origin("http://localhost.example").problem, /this machine alone/);
  });
  test("nonsense is named in words", () => {
    for (const text of ["", "https://", "ftp://x", "https://a b", "https://me:secret@x.example", "javascript://x"]) {
      assert.ok(read_origin(text).problem.length > 10, text);
    }
  });
  test("a permission is asked for one host, without its port", () => {
    assert.equal(pattern_of("https://portal.example:8443"), "https://portal.example/*");
  });
});

describe("Tokens and keys", () => {
  test("a token that was copied in part is noticed", () => {
    assert.equal(problem_of_token(`tt_1_${"aZ-_0".repeat(8)}abc`), null);
    assert.match(problem_of_token("tt_1_abc"), /Copy it again/);
  });
  test("two portals share neither key nor address", () => {
    const portal = (key, origin) => ({ key, kind: "medplum", origin });
    assert.equal(problem_of_portals([portal("a", "https://a.example"), portal("b", "https://b.example")]), null);
    assert.match(problem_of_portals([portal("a", "https://a.example"), portal("a", "https://b.example")]), /twice/);
    assert.match(problem_of_portals([portal("a", "https://a.example"), portal("b", "https://a.example")]), /twice/);
    assert.match(problem_of_portals([portal("A b", "https://a.example")]), /not a portal key/);
  });
});

describe("Today's time on a thread", () => {
  const noon = new Date(2026, 3, 8, 12).getTime();
  const midnight = new Date(2026, 3, 8).getTime();
  const row = (id, from, to, more = {}) => ({ id, portal: "p", thread: "T", patient: null, started_at: from, ended_at: to, ...more });
  const subject = { portal: "p", thread: "T", patient: null };

  test("only this thread of this portal, each row once, and yesterday's part is cut", () => {
    const rows = [
      row("1", noon - 60_000, noon - 30_000),
      row("1", noon - 60_000, noon - 25_000),
      row("2", midnight - 10_000, midnight + 5_000),
      row("3", noon - 9_000, noon, { thread: "U" }),
      row("4", noon - 9_000, noon, { portal: "q" }),
    ];
    assert.equal(today(rows, subject, noon), 40_000);
  });
  test("is told in minutes and seconds", () => {
    assert.deepEqual([0, 999, 61_500, 3_661_000].map(minutes), ["0:00", "0:00", "1:01", "61:01"]);
  });
});
