// An answer of the server about the clinician's own episodes, as tests take it: one episode on its third day.

export const NOW = Date.parse("2026-04-08T14:42:00Z"); // 10:42 in New York
export const PAGE = { portal: "medplum", thread: "thr-1", patient: "123" };

export const id = (n) => `019d62e5-7c60-7aaa-8c1d-${String(n).padStart(12, "0")}`;

export const QUESTION = {
  id: "related:visit-7:thr-1",
  text: "Office visit on 3 April: is this thread about the same problem?",
  options: [
    { label: "Same", facts: [{ kind: "attested_related", row: { portal: "medplum", thread: "thr-1", visit_id: "visit-7", related: true } }] },
    { label: "New", facts: [{ kind: "attested_related", row: { portal: "medplum", thread: "thr-1", visit_id: "visit-7", related: false } }] },
    { label: "Not sure", facts: [] },
  ],
};

export const ANSWER = {
  status: "hold", code: null, projected_code: "99422", hold_until: "2026-04-14", rules_version: "em-2020", blocking: [], warnings: [],
  missing: [{ id: "payer-coverage", asks: "Which payer covers the patient", of: "staff", until: null }],
  reasons: [
    { id: "payer-coverage", severity: "hold", message: "Not known: which payer covers the patient.", source: "CMS", remedy: "A coverage recorded.", curable: true },
    { id: "hold-until-lookahead", severity: "wait", message: "Decided on Tue 14 Apr 2026, unless the patient is seen first.", source: "AAD", remedy: null, curable: false },
  ],
};

export const INTERVAL = {
  id: id(1), thread: "thr-1", started_at: NOW - 600_000, ended_at: NOW - 300_000, activity: "review_inquiry", entry: "measured", counted: true, reason: null, corrected_by: null,
};

export const episode = (more = {}) => ({
  episode_id: "e-1", portal: "medplum", threads: ["thr-1"], window_start: "2026-04-06", window_end: "2026-04-12",
  counted_seconds: 720, own_seconds: 400, others: [{ name: "Roy", credential: "NP", seconds: 320 }], approved: false,
  steps: [{ minutes: 5, code: "99421" }, { minutes: 11, code: "99422" }, { minutes: 21, code: "99423" }],
  rules: { family: "em", day: "2026-04-06", payer_type: null }, settings: {}, facts: { counted_seconds: 720 },
  answer: ANSWER, questions: [QUESTION], intervals: [INTERVAL], ...more,
});

export const told = (...episodes) => ({ as_of: NOW, timezone: "America/New_York", episodes });
