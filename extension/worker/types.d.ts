// What the worker and the extension's pages share. Types only; nothing here runs.

/** A row as it goes over the wire. */
interface WireRow {
  id: string;
  portal: string;
  thread: string | null;
  patient: string | null;
  activity: string;
  started_at: number;
  ended_at: number;
  ended_by: string;
  idle_after_seconds: number;
  tab?: string;
  entry?: string;
  linked_from?: string;
  recovered?: boolean;
  corrects?: string;
  reason?: string;
}

/** A row that waits or is parked. `pairing` says under whose token it was measured ("" before any). */
interface OutboxRecord {
  id: string;
  row: WireRow;
  pairing: string;
  state: "waiting" | "parked";
  reason: string | null;
  kept_at: number;
}

/** What is remembered of a row for two days, sent or not: it makes handing over idempotent and feeds the popup. */
interface RecentRow {
  id: string;
  pairing: string;
  portal: string;
  thread: string | null;
  patient: string | null;
  started_at: number;
  ended_at: number;
  entry?: string;
  /** Earlier versions did not remember the rest. */
  activity?: string;
  idle_after_seconds?: number;
  corrects?: string;
  /** Of a correction: the activity that stood before it. */
  was?: string;
}

/** What the browser said of a document when it greeted: nothing a content script says later can change it. */
interface DocumentRecord {
  document: string;
  tab: number;
  frame: number;
  origin: string;
  portal: string;
  greeted_at: number;
}

/** A clinician on this device. Without a token it was forgotten, and only says whose the rows under it are. */
interface Pairing {
  id: string;
  token: string | null;
  /** Origin of the server that gave the token. */
  server: string | null;
  /** Who said yes to the code; null: the token was pasted. */
  clinician: { id: string; name: string } | null;
  practice: string | null;
}

/** From `at` on, until the next one, the device measured under this pairing; "": under none. */
interface Turn {
  at: number;
  pairing: string;
}

/** A code that waits for somebody's answer. `problem`: why asking is hard now; `over`: why no token came. */
interface PairingRequest {
  server: string;
  device_name: string;
  device_code: string;
  user_code: string;
  verification_uri: string;
  interval_ms: number;
  expires_at: number;
  next_at: number;
  problem: string | null;
  over: string | null;
}

type CodeAnswer =
  | { kind: "asked"; device_code: string; user_code: string; verification_uri: string; expires_in: number; interval: number }
  | { kind: "refused"; problem: string };

type TokenAnswer =
  | { kind: "paired"; token: string; clinician: { id: string; name: string }; practice: string }
  | { kind: "wait" | "slower"; problem: string | null }
  | { kind: "over"; problem: string };

/** A portal as configured: its key is on the wire, its kind names the portal file. */
interface Portal {
  key: string;
  kind: string;
  origin: string;
  /** The practice's own portal file; without it the shipped one of this kind. */
  file?: PortalFile;
}

/** What the practice sets for every device; what is absent it leaves open. `server` null: it set one that is wrong. */
interface Policy {
  server?: string | null;
  portals: Portal[];
  idle_after_seconds?: number;
  /** Whether the device's own server, portals and idle time do not count. */
  lock: boolean;
  problems: string[];
}

/** `pairing`: whose turn it is now, with its token; `pairings`: all that ever were. */
interface Settings {
  server: string | null;
  pairing: Pairing | null;
  pairings: Pairing[];
  turns: Turn[];
  portals: Portal[];
  idle_after_seconds: number;
  policy: Policy | null;
}

/** Why nothing is sent, or null. `until` null: until somebody does something. */
interface Delivery {
  attempt: number;
  not_before: number;
  stopped: boolean;
  problem: string | null;
  sent_at: number | null;
  /** When the server last answered that it knows the token. */
  known_at: number;
}

type Answer =
  | { kind: "answered"; accepted: string[]; duplicate: string[]; rejected: { id: string | null; index: number; reason: string }[]; clock_ahead_ms?: number }
  /** The network, the server or something between is not well: later. */
  | { kind: "later"; problem: string; retry_after_ms: number | null }
  /** Sending on is of no use until a person does something. */
  | { kind: "stopped"; problem: string }
  /** The server cannot read this request: some row in it is bad. */
  | { kind: "refused"; problem: string };

interface TabStatus {
  status: StopwatchStatus;
  since: number;
  document: string;
  portal: string;
  thread: string | null;
  patient: string | null;
}

/** What a page is about, in the portal's own identifiers. */
interface Subject {
  portal: string;
  thread: string | null;
  patient: string | null;
}

/** A reason of the rules, as a person reads it. */
interface Reason {
  id: string;
  severity: string;
  message: string;
  source: string | null;
  remedy: string | null;
}

/** What the rules say of an episode. */
interface Verdict {
  status: "reportable" | "hold" | "not_reportable";
  code: string | null;
  projected_code: string | null;
  hold_until: string | null;
  reasons: Reason[];
  missing: { id: string; asks: string; of: string | null; until: string | null }[];
  rules_version: string | null;
}

/** A fact that an answer says, as `POST /api/v1/facts/{kind}` takes it. */
interface SaidFact {
  kind: string;
  row: Record<string, unknown>;
}

interface Question {
  id: string;
  text: string;
  options: { label: string; facts: SaidFact[] }[];
}

/** An interval of the clinician's own, as it stands at the server. */
interface OwnInterval {
  id: string;
  thread: string | null;
  /** Absent: the server did not say. */
  patient?: string | null;
  started_at: number;
  ended_at: number;
  activity: string;
  /** Before any correction, where the server says so. */
  recorded_activity: string | null;
  entry: string;
  counted: boolean | null;
  corrected_by: string | null;
  idle_after_seconds: number | null;
  /** Whose it is, where the clinician answers for them; absent: one's own. */
  colleague?: string | null;
}

/** An episode as the server told it; what it left out is null or empty. */
interface OwnEpisode {
  episode_id: string;
  threads: string[];
  window_start: string | null;
  window_end: string | null;
  counted_seconds: number | null;
  others: { name: string; credential: string | null }[];
  approved: boolean;
  /** Names of those with time in it for whom the clinician answers; an episode kept by an older version has none. */
  colleagues?: string[];
  steps: { minutes: number; code: string }[];
  rules: { family: string; day: string; payer_type: string | null } | null;
  settings: Record<string, unknown>;
  facts: Record<string, unknown> | null;
  answer: Verdict | null;
  questions: Question[];
  intervals: OwnInterval[];
}

interface OwnEpisodes {
  as_of: number | null;
  timezone: string | null;
  episodes: OwnEpisode[];
}

/** The server's last word about a thread or patient, under the pairing it was given to. */
interface KeptEpisodes extends OwnEpisodes, Subject {
  key: string;
  pairing: string;
  /** When it came, by this device's clock. */
  received_at: number;
}

type EpisodesAnswer = { kind: "told"; told: OwnEpisodes } | { kind: "absent" } | { kind: "failed"; problem: string };

type FactsAnswer =
  | { kind: "taken" }
  | { kind: "refused"; problem: string }
  | { kind: "later"; problem: string; retry_after_ms: number | null };

/** What the clinician answered, until the server has it and a while longer. `aside`: not sure, so nothing is sent. */
interface SaidAnswer {
  key: string;
  pairing: string;
  /** The page on which it was asked. */
  subject: Subject;
  question: Question;
  label: string;
  facts: SaidFact[];
  state: "waiting" | "sent" | "refused" | "aside";
  /** Of a refused one the server's reason, of a waiting one why it still waits. */
  problem: string | null;
  said_at: number;
  /** Not sent before this. */
  not_before: number;
  attempt: number;
  settled_at: number | null;
}
