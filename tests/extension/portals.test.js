// The portal files other than Medplum's, on addresses alone and on documents with nothing but what the file may read.
// tests/portals/test_portal_pages.py reads the same files on pages in a real browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import "../../extension/content/page.js";
import "../../extension/content/trail.js";
import { KINDS } from "../../extension/worker/kinds.js";

const { page, trail } = globalThis.threadtime;
const files = Object.fromEntries(
  KINDS.map((kind) => [kind, JSON.parse(readFileSync(new URL(`../../extension/portals/${kind}.json`, import.meta.url), "utf8"))]),
);
const UUID = "6f1c2b3a-0a0b-4c0d-8e0f-0123456789ab";

/** A document in which each selector finds elements with one attribute: {selector: [value, ...]}; `focus`: what has it. */
function screen(found = {}, { focus = null, address = "/" } = {}) {
  const elements = (selector) => (found[selector] ?? []).map((value) => (typeof value === "string" ? { getAttribute: () => value } : value));
  return {
    location: new URL(address, "https://portal.example"),
    activeElement: focus,
    querySelector: (selector) => elements(selector)[0] ?? null,
    querySelectorAll: elements,
  };
}

/** A frame that shows `address`; `document` is what stands in it. */
function frame(address, document = {}, { visible = true, nodeName = "IFRAME" } = {}) {
  return {
    nodeName,
    matches: () => false,
    contentWindow: {},
    contentDocument: screen(document, { address }),
    checkVisibility: () => visible,
    getBoundingClientRect: () => ({ width: 600, height: 400, right: 600, bottom: 400 }),
  };
}

const read = (kind, address, document = screen(), touched = null) =>
  page.read(files[kind], new URL(address, "https://portal.example"), document, touched);
const facts = (found) => found && [found.kind, found.thread, found.patient, found.activity];

const RECORDS = "review_records";
const ORDER = "order_or_prescribe";
const REVIEW = "review_inquiry";

describe("What the addresses alone say", () => {
  for (const [kind, address, expected] of [
    ["openemr", "/openemr/interface/main/messages/messages.php?showall=no&task=edit&noteid=5&", ["thread", "5", null, REVIEW]],
    ["openemr", "/openemr/interface/patient_file/summary/demographics.php?set_pid=17", ["chart", null, "17", RECORDS]],
    ["openemr", "/openemr/controller.php?prescription&list&id=17", ["prescribing", null, "17", ORDER]],
    ["openemr", "/openemr/interface/main/messages/messages.php?form_active=1", null],
    ["openemr", "/openemr/interface/patient_file/summary/demographics.php?set_pid=pid:17", null],
    ["openemr-mail", "/openemr/portal/messaging/messages.php", null],
    ["openemr-mail", "/openemr/interface/patient_file/summary/demographics.php?set_pid=17", ["chart", null, "17", RECORDS]],
    ["oscar", "/oscar/oscarMessenger/ViewMessage.do?messageID=555&boxType=0", ["thread", "555", null, REVIEW]],
    ["oscar", "/oscar/demographic/demographiccontrol.jsp?demographic_no=123", ["chart", null, "123", RECORDS]],
    ["oscar", "/oscar/oscarRx/choosePatient.do?providerNo=9&demographicNo=123", ["prescribing", null, "123", ORDER]],
    ["oscar", "/oscar/oscarMessenger/CreateMessage.jsp", null],
    ["roundcube", "/mail/?_task=mail&_uid=41&_mbox=INBOX&_action=show", ["thread", "41", null, REVIEW]],
    ["roundcube", "/mail/?_task=mail&_action=compose&_id=47", ["compose", null, null, "communicate_online"]],
    ["roundcube", "/mail/?_task=mail&_uid=41&_mbox=Jane+Doe&_action=show", null],
    ["roundcube", "/mail/?_task=addressbook", null],
    ["ottehr", `/patient/${UUID}`, ["chart", null, UUID, RECORDS]],
    ["ottehr", `/in-person/${UUID}/plan`, null],
    ["openmrs", `/openmrs/spa/patient/${UUID}/chart/Orders`, ["orders", null, UUID, ORDER]],
    ["openmrs", `/openmrs/spa/patient/${UUID}/chart/Medications`, ["prescribing", null, UUID, ORDER]],
    ["openmrs", `/openmrs/spa/patient/${UUID}/chart/Allergies`, ["chart", null, UUID, RECORDS]],
    ["openmrs", "/openmrs/spa/home/appointments", null],
    ["bahmni", `/bahmni/clinical/#/default/patient/${UUID}/dashboard`, ["chart", null, UUID, RECORDS]],
    ["bahmni", `/bahmni/clinical/#/default/patient/${UUID}/dashboard/orders?x=1`, ["orders", null, UUID, ORDER]],
    ["bahmni", `/bahmni/clinical/#/default/patient/${UUID}/dashboard/treatment`, ["prescribing", null, UUID, ORDER]],
    ["bahmni", `/bahmni/clinical/#/default/patient/${UUID}/dashboard/form-observations`, ["chart", null, UUID, "documentation"]],
    ["bahmni", "/bahmni/clinical/#/default/patient/search", null],
    ["spruce", "/org/entity_1RJ8/contact/entity_0E5Q", ["chart", null, "entity_0E5Q", RECORDS]],
    ["spruce", "/org/entity_1RJ8/thread/t_2GUJ", null],
  ]) {
    test(`${kind}: ${address} is ${expected ? expected.filter(Boolean).join(" ") : "not timed"}`, () => {
      assert.deepEqual(facts(read(kind, address)), expected);
    });
  }

  test("no file recognises a page that it does not name", () => {
    for (const kind of KINDS) {
      for (const address of ["/", "/login", "/unknown/17?id=17&patient=17#/17", "/index.php?pid=17&noteid=5"]) {
        assert.equal(read(kind, address), null, `${kind} ${address}`);
      }
    }
  });
});

describe("Who is named on the page", () => {
  const message = "/messages/interface/main/messages/messages.php?task=edit&noteid=5";
  const about = (patient) => screen({ "form#new_note #noteid": ["5"], "form#new_note #reply_to": [patient] });

  test("one patient is taken, with or without the list's semicolon; two are nobody", () => {
    assert.equal(read("openemr", message, about("17")).patient, "17");
    assert.equal(read("openemr", message, about("17;")).patient, "17");
    assert.equal(read("openemr", message, about("17;18;")).patient, null);
    assert.equal(read("openemr", message, about("0")).patient, null);
  });

  test("a message linked to several people is about nobody in particular", () => {
    const link = (number) => `javascript:x('../demographic/demographiccontrol.jsp?demographic_no=${number}&displaymode=edit')`;
    const linked = (...numbers) => screen({ 'a[href*="demographic_no="]': numbers.map(link) });
    const address = "/oscarMessenger/ViewMessage.do?messageID=555";
    assert.equal(read("oscar", address, linked(123, 123)).patient, "123");
    assert.equal(read("oscar", address, linked(123, 124)).patient, null);
    assert.equal(read("oscar", address, linked()).patient, null);
  });
});

describe("Frames", () => {
  const main = "/interface/main/tabs/main.php?token_main=x";
  const note = (number, patient) => [
    `/interface/main/messages/messages.php?task=edit&noteid=${number}`,
    { "form#new_note #noteid": [number], "form#new_note #reply_to": [patient] },
  ];
  const tabs = (frames, more) => screen({ "#framesDisplay iframe": frames }, more);

  test("the only visible frame is read, and its message says whose it is", () => {
    const frames = [frame(...note("5", "17")), frame("/demographics.php?set_pid=99", {}, { visible: false })];
    assert.deepEqual(facts(read("openemr", main, tabs(frames))), ["thread", "5", "17", REVIEW]);
  });

  test("of two visible frames it is the one with the focus, while no input came to the other", () => {
    const frames = [frame(...note("5", "17")), frame(...note("6", "18"))];
    const focused = tabs(frames, { focus: frames[1] });
    assert.equal(read("openemr", main, tabs(frames)), null);
    assert.equal(read("openemr", main, focused).thread, "6");
    assert.equal(read("openemr", main, focused, frames[1].contentWindow).thread, "6");
    assert.equal(read("openemr", main, focused, {}).thread, "6");
    assert.equal(read("openemr", main, focused, frames[0].contentWindow), null);
  });

  test("nothing is read while the focus is in a frame of another kind, a dialog for one", () => {
    const frames = [frame(...note("5", "17"))];
    assert.equal(read("openemr", main, tabs(frames, { focus: frame("/interface/dialog.php") })), null);
    assert.equal(read("openemr", main, tabs(frames, { focus: { nodeName: "BODY", matches: () => false } })).thread, "5");
  });

  test("hidden frames, other origins, unknown pages and no frame at all are not timed", () => {
    const foreign = { ...frame(...note("5", "17")), contentDocument: null };
    for (const frames of [[], [foreign], [frame(...note("5", "17"), { visible: false })], [frame("/interface/calendar.php")]]) {
      assert.equal(read("openemr", main, tabs(frames)), null);
    }
  });

  test("a change in the frame in front is a change of place, one in a hidden frame is none", () => {
    const place = (...frames) => page.place(files.openemr, new URL(main, "https://portal.example"), tabs(frames));
    const hidden = (number) => frame(...note(number, "17"), { visible: false });
    const shown = (number) => frame(...note(number, "17"));
    assert.notEqual(place(shown("5")), place(shown("6")));
    assert.equal(place(shown("5"), hidden("7")), place(shown("5"), hidden("8")));
  });
});

describe("The page on which a thread is answered", () => {
  const thread = (name, replying = false) => ({ kind: "thread", thread: name, patient: null, activity: REVIEW, place: "t", replying });
  const compose = { kind: "compose", thread: null, patient: null, activity: "communicate_online", place: "c", replying: false };

  function walk(pages, minutes = 1) {
    let followed = { trail: null, page: null };
    for (const [index, one] of pages.entries()) followed = trail.follow(followed.trail, one, index * minutes * 60_000);
    return followed.page && [followed.page.thread, followed.page.entry];
  }

  test("counts for the thread whose reply button had the focus, also when the focus moved on at once", () => {
    assert.deepEqual(walk([thread("A"), thread("A", true), compose]), ["A", "measured"]);
    assert.deepEqual(walk([thread("A", true), thread("A"), compose, compose]), ["A", "measured"]);
  });
  test("counts for none when another way led there", () => {
    assert.equal(walk([compose]), null);
    assert.equal(walk([thread("A"), compose]), null);
    assert.equal(walk([thread("A", true), thread("B"), compose]), null);
    assert.equal(walk([thread("A", true), null, compose]), null);
    assert.equal(walk([thread("A", true), compose, thread("A"), compose]), null);
    assert.equal(walk([thread("A", true), compose], 11), null);
  });
  test("stays with its thread for as long as it is written", () => {
    assert.deepEqual(walk([thread("A", true), ...Array(30).fill(compose)]), ["A", "measured"]);
  });
  test("Roundcube's reply button is one in the list's own page and in the message's", () => {
    const focus = { nodeName: "A", matches: (selector) => selector.includes("a.reply") };
    const preview = frame("/?_task=mail&_uid=41&_mbox=INBOX&_action=preview");
    const list = screen({ "iframe#messagecontframe": [preview] }, { focus });
    assert.equal(read("roundcube", "/?_task=mail&_mbox=INBOX", list).replying, true);
    assert.equal(read("roundcube", "/?_task=mail&_uid=41&_mbox=INBOX&_action=show", screen({}, { focus })).replying, true);
  });
});
