// The badge: says at every moment what the extension is doing, by a mark and in words; colour only repeats it.

import { condition, STATES } from "./condition.js";

const COLOURS = { ready: "#1c6b3a", hold: "#7a5200", blocked: "#9c2b23", missing: "#3f4bb0" };

/** Draws the badge anew. */
export async function draw_badge() {
  const { state, detail, waiting } = await condition();
  const { mark, words, tone } = STATES[state];
  const text = state === "offline" ? `${mark}${waiting > 99 ? "99+" : waiting}` : mark;
  await Promise.all([
    chrome.action.setBadgeText({ text }),
    chrome.action.setBadgeTextColor({ color: "#ffffff" }),
    chrome.action.setBadgeBackgroundColor({ color: COLOURS[tone] }),
    chrome.action.setTitle({ title: `Threadtime: ${words.toLowerCase()}${detail ? `. ${detail}` : ""}` }),
  ]);
}
