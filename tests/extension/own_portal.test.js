// A portal file that a practice wrote: what is wrong with it is said by field, and it is kept beside the portals of the list.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { beforeEach, describe, test } from "node:test";
import "fake-indexeddb/auto";
import { transact } from "../../extension/worker/database.js";
import { read_file } from "../../extension/worker/portal_file.js";
import { keep_portal, remove_portal, save, settings } from "../../extension/worker/settings.js";

const portals = new URL("../../extension/portals/", import.meta.url);
const SCHEMA = JSON.parse(readFileSync(new URL("schema/portal.schema.json", portals), "utf8"));
const CHART = { page: "chart", path: "^/p/(?<patient>\\d+)$", activity: "review_records" };
const FILE = { format: 1, kind: "ours", name: "Our inbox", seen: "running", version: "7.1", pages: [CHART] };
const problem = (change) => read_file(JSON.stringify({ ...FILE, ...change }), SCHEMA).problem;

describe("The text of a portal file", () => {
  test("is a file when it keeps the format, and every shipped one does", () => {
    assert.deepEqual(read_file(JSON.stringify(FILE), SCHEMA), { file: FILE });
    for (const name of readdirSync(portals).filter((one) => one.endsWith(".json"))) {
      assert.equal(read_file(readFileSync(new URL(name, portals), "utf8"), SCHEMA).problem, undefined, name);
    }
  });

  for (const [what, text, words] of [
    ["nothing", "  ", "It has to be the text of a portal file, in JSON."],
    ["no JSON", `{"format": 1,}`, /at line 1 column 14|See to its commas/],
    ["a list", "[]", "/: has to be of type object."],
  ]) {
    test(`is not ${what}`, () => {
      const found = read_file(text, SCHEMA).problem;
      if (words instanceof RegExp) assert.match(found, words);
      else assert.equal(found, words);
    });
  }

  for (const [change, words] of [
    [{ name: undefined }, "/: name is missing; add it."],
    [{ nmae: "x" }, "/nmae: is not known here; take it out."],
    [{ name: "" }, "/name: is empty; fill it in."],
    [{ pages: [] }, "/pages: has no entry; add one."],
    [{ pages: [{ ...CHART, path: undefined }] }, "/pages/0: it needs at least one of path, query, hash."],
    [{ pages: [{ ...CHART, path: "(" }] }, "/pages/0/path: is not a regular expression; see to its brackets and backslashes."],
    [{ pages: [{ ...CHART, path: "^/p/" }] }, "/pages/0: nothing names the patient; put (?<patient>...) into path, query or hash, or add a place under “patient”."],
    [{ pages: [CHART, { ...CHART, page: "thread" }] }, "/pages/1: nothing names the thread; put (?<thread>...) into path, query or hash, or add a place under “thread”."],
    [
      { pages: [{ ...CHART, patient: [{ selector: "a", attribute: "href" }, { selector: "a", attribute: "href", pattern: "id=(\\d+)" }] }] },
      "/pages/0/patient/1/pattern: nothing in it is the identifier; put (?<value>...) around it.",
    ],
  ]) {
    test(`says: ${words}`, () => assert.equal(problem(change), words));
  }
});

describe("Portals with a file of their own", () => {
  beforeEach(() => transact(["settings"], "readwrite", (t) => t.objectStore("settings").clear()));
  const ours = { key: "ours", kind: "ours", origin: "https://ours.example", file: FILE };
  const listed = { key: "medplum", kind: "medplum", origin: "https://portal.example" };
  const form = { server: null, token: null, idle_after_seconds: 60 };

  test("stay when the portals of the list are saved", async () => {
    await keep_portal(ours, null);
    await save({ ...form, portals: [listed] });
    assert.deepEqual((await settings()).portals, [listed, ours]);
    await save(form);
    assert.deepEqual((await settings()).portals, [listed, ours]);
  });

  test("are changed, under another key too, and removed", async () => {
    await keep_portal(ours, null);
    await save({ ...form, portals: [listed] });
    const changed = { ...ours, key: "north", file: { ...FILE, version: "7.2" } };
    await keep_portal(changed, "ours");
    assert.deepEqual((await settings()).portals, [listed, changed]);
    await remove_portal("north");
    assert.deepEqual((await settings()).portals, [listed]);
  });
});
