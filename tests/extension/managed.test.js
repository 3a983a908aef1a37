// What a practice sets by policy: it is checked, it goes before what was entered on the device, and what is wrong is said.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "node:test";

import { read_policy } from "../../extension/worker/managed.js";
import { problem_of } from "../../extension/worker/schema.js";
import { under } from "../../extension/worker/settings.js";

const read = (path) => JSON.parse(readFileSync(new URL(`../../extension/${path}`, import.meta.url), "utf8"));
const SCHEMA = read("portals/schema/portal.schema.json");
const MEDPLUM = read("portals/medplum.json");
const PORTAL = { kind: "medplum", key: "inbox", origin: "https://portal.example" };
const SERVER = "https://threadtime.example";

const policy = (values) => read_policy(values, SCHEMA);
const problems = (values) => policy(values).problems;
const own_file = (change) => JSON.stringify({ ...MEDPLUM, kind: "ours", ...change });

describe("A practice's policy", () => {
  it("sets server, portals, idle time and lock", () => {
    const set = policy({ server: `${SERVER}/`, portals: [PORTAL], idle_after_seconds: 90, lock: true });
    assert.deepEqual(set, { server: SERVER, portals: [PORTAL], idle_after_seconds: 90, lock: true, problems: [] });
  });

  it("leaves open what it does not name", () => {
    assert.deepEqual(policy({ idle_after_seconds: 30 }), { portals: [], idle_after_seconds: 30, lock: false, problems: [] });
  });

  it("may bring the portal file of another kind", () => {
    const set = policy({ portals: [{ kind: "ours", key: "ours", origin: "https://ours.example", file: own_file({}) }] });
    assert.deepEqual(set.problems, []);
    assert.equal(set.portals[0].file.kind, "ours");
  });

  const wrong = {
    "a server without https": [{ server: "http://threadtime.example" }, /^server: http:\/\/ is allowed for this machine alone/],
    "a server that is no text": [{ server: 5 }, /^server: It has to be an address/],
    "portals that are no list": [{ portals: PORTAL }, /^portals: It has to be a list/],
    "a portal that is nothing": [{ portals: [null] }, /^portals, number 1: It needs kind, key and origin/],
    "a kind that nobody knows": [{ portals: [{ ...PORTAL, kind: "ours" }] }, /“ours” is none of medplum/],
    "a portal's address that is none": [{ portals: [{ ...PORTAL, origin: "*" }] }, /^portals, number 1: origin: “\*” is not an address/],
    "two portals with one key": [{ portals: [PORTAL, { ...PORTAL, origin: "https://other.example" }] }, /^portals, number 2: The key “inbox” is given twice/],
    "a misspelt setting of a portal": [{ portals: [{ ...PORTAL, orgin: "" }] }, /“orgin” is not a setting of a portal/],
    "an idle time of an hour": [{ idle_after_seconds: 3600 }, /from 15 to 300/],
    "a lock that is a word": [{ server: SERVER, lock: "no" }, /taken for true/],
    "a lock without a server": [{ lock: true }, /^server: It is missing/],
    "a misspelt setting": [{ severs: SERVER }, /“severs” is not a setting/],
    "a portal file that is not JSON": [{ portals: [{ ...PORTAL, file: "{" }] }, /the text of a portal file/],
    "a portal file that would read text": [
      { portals: [{ ...PORTAL, kind: "ours", file: own_file({ pages: [{ page: "chart", path: "^/", activity: "review_records", patient: [{ selector: "h1", attribute: "title" }] }] }) }] },
      /file: \/pages\/0\/patient\/0\/attribute: has to be one of href/,
    ],
    "a portal file of another kind": [{ portals: [{ ...PORTAL, file: own_file({}) }] }, /Its kind is “ours”/],
  };
  for (const [what, [values, words]] of Object.entries(wrong)) {
    it(`with ${what} says so in words`, () => {
      assert.equal(problems(values).length, 1);
      assert.match(problems(values)[0], words);
    });
  }

  it("keeps its good portals beside a wrong one, and locks when in doubt", () => {
    const set = policy({ server: SERVER, portals: [{}, PORTAL], lock: 1 });
    assert.deepEqual(set.portals, [PORTAL]);
    assert.equal(set.lock, true);
  });
});

describe("What holds on a device", () => {
  const pairing = { id: "P", token: "tt_1_x", server: "https://own.example", clinician: null, practice: null };
  const mine = { kind: "oscar", key: "mine", origin: "https://mine.example" };
  const own = { server: "https://own.example", pairing, pairings: [pairing], turns: [{ at: 0, pairing: "P" }], portals: [mine], idle_after_seconds: 60, policy: null };

  it("is what was entered there, without a policy", () => assert.equal(under(null, own), own));

  it("is the policy's server, and a token of another one is not sent anywhere", () => {
    const held = under(policy({ server: SERVER }), own);
    assert.equal(held.server, SERVER);
    assert.equal(held.pairing, null);
    assert.deepEqual(held.pairings, [{ ...pairing, token: null }]);
    assert.deepEqual(held.turns, own.turns);
  });

  it("sends nowhere when the policy's server is wrong", () => {
    const held = under(policy({ server: "threadtime example" }), own);
    assert.equal(held.server, null);
    assert.equal(held.pairing, null);
  });

  it("keeps a token of the policy's server", () => assert.equal(under(policy({ server: "https://own.example" }), own).pairing?.token, "tt_1_x"));

  it("adds the device's portals to the policy's, unless they are the same", () => {
    assert.deepEqual(under(policy({ portals: [PORTAL] }), own).portals, [PORTAL, mine]);
    const other = { ...PORTAL, origin: mine.origin };
    assert.deepEqual(under(policy({ portals: [other] }), own).portals, [other]);
  });

  it("is the policy alone when it locks", () => {
    const held = under(policy({ server: SERVER, portals: [PORTAL], lock: true }), { ...own, idle_after_seconds: 300 });
    assert.deepEqual(held.portals, [PORTAL]);
    assert.equal(held.idle_after_seconds, 60);
  });
});

describe("The schema of portal files, as the worker reads it", () => {
  for (const name of readdirSync(new URL("../../extension/portals", import.meta.url)).filter((one) => one.endsWith(".json"))) {
    it(`is kept by ${name}`, () => assert.equal(problem_of(SCHEMA, read(`portals/${name}`)), null));
  }

  const page = { page: "chart", path: "^/", activity: "review_records" };
  const broken = {
    "a missing word": { version: undefined },
    "a word that is not known": { more: 1 },
    "another format": { format: 2 },
    "no page": { pages: [] },
    "a page without address": { pages: [{ page: "chart", activity: "review_records" }] },
    "a page without activity": { pages: [{ page: "chart", path: "^/" }] },
    "a broken pattern": { pages: [{ ...page, path: "(" }] },
    "a pattern that is no text": { pages: [{ ...page, query: { id: 1 } }] },
    "frames on a page that is none of frames": { pages: [{ ...page, frames: "iframe" }] },
    "frames without frames": { pages: [{ page: "frames", path: "^/" }] },
    "only that is not true": { pages: [{ ...page, patient: [{ selector: "a", attribute: "href", only: false }] }] },
    "an empty selector": { pages: [{ ...page, reply: "" }] },
  };
  for (const [what, change] of Object.entries(broken)) {
    it(`is broken by ${what}`, () => assert.equal(typeof problem_of(SCHEMA, JSON.parse(own_file(change))), "string"));
  }

  it("fails loudly on a word of JSON schema that the worker does not know", () => {
    assert.throws(() => problem_of({ maxItems: 3 }, []), /maxItems/);
  });
});
