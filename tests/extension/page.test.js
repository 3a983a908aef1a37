// The page reader and the trail, on Medplum's addresses.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import "../../extension/content/page.js";
import "../../extension/content/trail.js";
import "../../extension/content/uuid.js";
import { KINDS } from "../../extension/worker/kinds.js";

const { page, trail, uuid7 } = globalThis.threadtime;
const portals = new URL("../../extension/portals/", import.meta.url);
const medplum = JSON.parse(readFileSync(new URL("medplum.json", portals), "utf8"));

/** A document with a selected row that leads to `selected`, and the focus in the reply or not. It refuses whatever else is read. */
function screen({ selected = null, writing = false } = {}) {
  const refuse = { get: (_, name) => { throw new Error(`the page reader read ${String(name)}`); } };
  return new Proxy(
    {
      querySelector: (selector) =>
        selector.includes("selected") && selected ? { getAttribute: (name) => (name === "href" ? selected : null) } : null,
      activeElement: { matches: (selector) => writing && selector.includes("message") },
    },
    { get: (target, name) => (name in target ? target[name] : refuse.get(target, name)) },
  );
}

const read = (address, document = screen()) => {
  const { pathname, search, hash } = new URL(address, "https://portal.example");
  return page.read(medplum, { pathname, search, hash }, document);
};
const facts = (found) => found && [found.kind, found.thread, found.patient, found.activity];

describe("Medplum's addresses", () => {
  for (const [address, expected] of [
    ["/Communication/T1?status=in-progress&name=Doe", ["thread", "T1", null, "review_inquiry"]],
    ["/Patient/7/Communication/T1", ["thread", "T1", "7", "review_inquiry"]],
    ["/Patient/7", ["chart", null, "7", "review_records"]],
    ["/Patient/7/timeline", ["chart", null, "7", "review_records"]],
    ["/Patient/7/Encounter/9", ["chart", null, "7", "review_records"]],
    ["/Patient/7/ServiceRequest/3", ["orders", null, "7", "order_or_prescribe"]],
    ["/Patient/7/MedicationRequest", ["prescribing", null, "7", "order_or_prescribe"]],
    ["/Communication", null],
    ["/Patient/7/Communication", null],
    ["/Spaces/Communication/9", null],
    ["/Fax/Communication/9", null],
    ["/Patient", null],
    ["/Task", null],
    ["/", null],
  ]) {
    test(`${address} is ${expected ? expected.slice(0, 3).join(" ") : "not timed"}`, () => {
      assert.deepEqual(facts(read(address)), expected);
    });
  }

  test("a message's own address gives the thread that the list has selected", () => {
    const found = read("/Communication/child", screen({ selected: "/Communication/parent?status=in-progress" }));
    assert.equal(found.thread, "parent");
    assert.equal(found.place, read("/Communication/child").place);
  });

  test("a reload that lost the thread's id finds it in the selected row", () => {
    const found = read("/Patient/7/Communication", screen({ selected: "/Patient/7/Communication/T1" }));
    assert.deepEqual(facts(found), ["thread", "T1", "7", "review_inquiry"]);
  });

  test("the focus in the reply is communication", () => {
    assert.equal(read("/Communication/T1", screen({ writing: true })).activity, "communicate_online");
  });

  test("names, e-mail addresses, broken and endless texts are no identifiers", () => {
    for (const text of ["Jane%20Doe", "jane@example.org", "%E0%A4%A", "a".repeat(201), "a%00b"]) {
      assert.equal(read(`/Communication/${text}`), null, text);
    }
  });

  test("filters in the query do not make another place", () => {
    const place = (address) => page.place(medplum, new URL(address, "https://portal.example"));
    assert.equal(place("/Communication/T1?status=a"), place("/Communication/T1?status=b#c"));
    assert.notEqual(place("/Communication/T1"), place("/Communication/T2"));
  });
});

test("a portal that names a query parameter or the hash is read there", () => {
  const portal = {
    pages: [{ page: "thread", query: { noteid: "^(?<thread>\\d+)$" }, hash: "^#p=(?<patient>\\d+)$", activity: "review_inquiry" }],
  };
  const found = page.read(portal, { pathname: "/x.php", search: "?noteid=5&q=secret", hash: "#p=8" }, screen());
  assert.deepEqual(facts(found), ["thread", "5", "8", "review_inquiry"]);
});

test("the worker knows every portal file that is shipped", () => {
  const stems = readdirSync(portals).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
  assert.deepEqual([...KINDS].sort(), stems.sort());
});

describe("The way from a thread to the chart", () => {
  const MINUTE = 60_000;
  const thread = (patient) => ({ kind: "thread", thread: "T", patient, activity: "review_inquiry", place: "t" });
  const chart = (patient, kind = "chart") => ({ kind, thread: null, patient, activity: "review_records", place: "c" });

  /** Follows pages, each a minute after the other, and gives [thread, entry, linked_from] of the last one. */
  function walk(pages, { minutes = 1 } = {}) {
    let at = 0;
    let followed = { trail: null, page: null };
    for (const one of pages) followed = trail.follow(followed.trail, one, (at += minutes * MINUTE));
    const { thread: t, entry, linked_from } = followed.page;
    return [t, entry, linked_from];
  }

  test("the chart of the thread's patient counts for the thread", () => {
    assert.deepEqual(walk([thread("7"), chart("7")]), ["T", "measured", "T"]);
    assert.deepEqual(walk([thread("7"), chart("7"), chart("7", "orders")]), ["T", "measured", "T"]);
  });
  test("a page with no patient between does not break the way", () => {
    assert.deepEqual(walk([thread("7"), null, chart("7")]), ["T", "measured", "T"]);
  });
  test("another patient's chart is not the thread's, and breaks the way", () => {
    assert.deepEqual(walk([thread("7"), chart("8")]), [null, "linked_chart", null]);
    assert.deepEqual(walk([thread("7"), chart("8"), chart("7")]), [null, "linked_chart", null]);
  });
  test("more than ten minutes after the thread the way is cold", () => {
    assert.deepEqual(walk([thread("7"), chart("7")], { minutes: 10 }), ["T", "measured", "T"]);
    assert.deepEqual(walk([thread("7"), chart("7")], { minutes: 10.01 }), [null, "linked_chart", null]);
  });
  test("where the portal names no patient of the thread, the chart is only possibly related", () => {
    assert.deepEqual(walk([thread(null), chart("7")]), [null, "linked_chart", "T"]);
    assert.deepEqual(walk([thread(null), chart("7"), chart("8")]), [null, "linked_chart", null]);
  });
  test("a chart without a thread before it is only possibly related", () => {
    assert.deepEqual(walk([chart("7")]), [null, "linked_chart", null]);
  });

  /** What a chart of patient 7 counts as, after a thread of `patient` and then pages in other tabs of the window. */
  function beside(shown, { patient = "7", reply = null } = {}) {
    let { trail: way } = trail.follow(null, thread(patient), 0);
    way = { ...way, reply };
    for (const [t, p] of shown) way = trail.pass(way, { thread: t, patient: p });
    const { page: found } = trail.follow(way, reply ? { ...chart(null, "compose"), replying: false } : chart("7"), MINUTE);
    return found && [found.thread, found.entry, found.linked_from];
  }

  test("the thread, its patient and pages of nobody in other tabs leave the way as it is", () => {
    assert.deepEqual(beside([["T", "7"], [null, "7"], ["T", null], [null, null]]), ["T", "measured", "T"]);
  });
  test("another thread or another patient in another tab breaks the way", () => {
    assert.deepEqual(beside([["U", null]]), [null, "linked_chart", null]);
    assert.deepEqual(beside([["U", "7"]]), [null, "linked_chart", null]);
    assert.deepEqual(beside([[null, "8"], [null, "7"]]), [null, "linked_chart", null]);
    assert.deepEqual(beside([[null, "8"]], { patient: null }), [null, "linked_chart", null]);
    assert.deepEqual(beside([[null, "7"]], { patient: null }), [null, "linked_chart", "T"]);
  });
  test("a reply that is being written stays its thread's, whatever other tabs show", () => {
    assert.deepEqual(beside([["U", "8"]], { reply: "open" }), ["T", "measured", null]);
    assert.equal(beside([["U", "8"]], { reply: "begun" }), null);
  });
});

test("an id is a UUIDv7 of its moment, in lower case", () => {
  const id = uuid7(1_775_480_400_000, new Uint8Array(10).fill(255));
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7fff-bfff-ffffffffffff$/);
  assert.equal(Number.parseInt(id.replace("-", "").slice(0, 12), 16), 1_775_480_400_000);
});
