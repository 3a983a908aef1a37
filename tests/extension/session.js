// What a scripted session at real speed must have come to: the second reading of the capture rules (truth.js), beside two
// simpler ways to count.
//
//     node tests/extension/session.js < LOG      LOG: {idle_after, ends, actions} as in days.js; prints, by thread,
//                                                {true, no_idle, visible} in milliseconds
import { readFileSync } from "node:fs";
import { stays, truth, visibility } from "./truth.js";

const script = JSON.parse(readFileSync(0, "utf8"));
const place = ({ document, page }) => `${document}/${page}`;
const intervals = truth(script);
/** Which thread a page's time belongs to: its own, or the one that its chart was opened from. */
const threads = new Map([...truth(script, { idle_after: Infinity }), ...intervals].map((one) => [place(one), one.thread]));
for (const one of stays(script)) if (one.thread !== null) threads.set(place(one), one.thread);

const by_thread = {};
for (const thread of threads.values()) by_thread[thread] ??= { true: 0, no_idle: 0, visible: 0 };
const ways = { true: intervals, no_idle: truth(script, { idle_after: Infinity }), visible: visibility(script) };
for (const [way, spans] of Object.entries(ways)) {
  for (const span of spans) {
    const thread = threads.get(place(span));
    if (thread !== undefined) by_thread[thread][way] += span.to - span.from;
  }
}
console.log(JSON.stringify(by_thread));
