// What the content scripts share: each adds one name to globalThis.threadtime. Types only; nothing here runs.

/** Date.now() and performance.now() of one moment, in milliseconds. */
interface Instant {
  wall: number;
  mono: number;
}

type EndedBy = "hidden" | "blur" | "idle" | "lock" | "pause" | "navigate" | "limit" | "clock" | "crash" | "close" | "sign_out";
type PageKind = "thread" | "chart" | "orders" | "prescribing" | "compose";
type Activity = "review_inquiry" | "review_records" | "develop_plan" | "order_or_prescribe" | "communicate_online" | "documentation";
type StopwatchStatus = "counting" | "settling" | "idle" | "away" | "paused" | "elsewhere";

/** What the page reader recognised. `place` is what the address alone said: it tells a late list from a new thread. */
interface ReadPage {
  kind: PageKind;
  thread: string | null;
  patient: string | null;
  activity: Activity;
  place: string;
  /** The focus is on the button that leads to the page where this thread is answered. */
  replying: boolean;
}

interface StopwatchPage extends Omit<ReadPage, "replying"> {
  entry: "measured" | "linked_chart";
  linked_from: string | null;
}

/** The thread that was last open in a tab, whose it was, and whose chart was seen since. */
interface Trail {
  thread: string;
  patient: string | null;
  left_at: number;
  chart: string | null;
  /** begun: the reply button had the focus; open: its page was reached. */
  reply: "begun" | "open" | null;
}

/** A tab's trail as it is stored. Another portal's threads and patients are other ones, whatever they are called. */
interface KeptTrail {
  origin: string;
  trail: Trail | null;
}

/** A stretch of active time that has not ended. Offsets are whole milliseconds since {wall, mono}. */
interface Stretch {
  wall: number;
  mono: number;
  offset: number;
  settled_to: number;
  page: StopwatchPage;
  idle_after_seconds: number;
  sequence: number;
}

/** A thread open in a tab: active so far for certain (milliseconds), and the rows that wait until it has settled. */
interface Opening {
  key: string;
  active: number;
  settled: boolean;
  held: StopwatchRow[];
}

interface StopwatchState {
  idle_after_seconds: number;
  visible: boolean;
  focused: boolean;
  locked: boolean;
  paused: boolean;
  page: StopwatchPage | null;
  input: Instant | null;
  proof: Instant | null;
  opening: Opening | null;
  open: Stretch | null;
  /** Monotonic instant since which the focus is away while a stretch is open. */
  blurred: number | null;
  /** Time without input that the idle rule has removed and that still goes on, since {wall, mono}. */
  gap: (Instant & { page: StopwatchPage; idle_after_seconds: number }) | null;
  sequence: number;
}

type StopwatchEvent =
  | { type: "tick" }
  | { type: "seen"; visible: boolean; focused: boolean }
  /** `at`: wall clock of an input that another document of the tab had. */
  | { type: "input"; at?: number }
  /** `moving`: the address has just changed and the page has not come to rest; the next one may be the same thread's. */
  | { type: "page"; page: StopwatchPage | null; moving?: boolean }
  | { type: "lock"; locked: boolean }
  | { type: "pause"; paused: boolean }
  | { type: "idle_after"; seconds: number }
  | { type: "end"; by: "close" | "hidden" | "sign_out" };

/** A closed interval. `sequence` is its number in the document: the same interval always has the same one. */
interface StopwatchRow {
  sequence: number;
  thread: string | null;
  patient: string | null;
  activity: Activity;
  entry: "measured" | "linked_chart";
  linked_from: string | null;
  started_at: number;
  ended_at: number;
  ended_by: EndedBy;
  idle_after_seconds: number;
  recovered?: true;
}

/** Removed time that has ended, at most three minutes of it: never sent unless the clinician says that it was reading. */
type StopwatchGap = Pick<StopwatchRow, "thread" | "patient" | "activity" | "linked_from" | "started_at" | "ended_at" | "idle_after_seconds">;

/** A row as the worker gets it: with the id that was made once, here. */
type NamedRow = Omit<StopwatchRow, "sequence"> & { id: string };

interface Address {
  pathname: string;
  search: string;
  hash: string;
}

/** Where an identifier stands in the document: one attribute of one element; `pattern` has a group named `value`. */
interface PortalPlace {
  selector: string;
  attribute: string;
  pattern?: string;
  only?: boolean;
}

interface PortalPage {
  page: PageKind | "frames" | "other";
  path?: string;
  query?: Record<string, string>;
  hash?: string;
  activity: Activity;
  thread?: PortalPlace[];
  patient?: PortalPlace[];
  writing?: { selector: string; activity: Activity };
  frames?: string;
  reply?: string;
}

/** A portal file: see docs/adding-a-portal.md. */
interface PortalFile {
  format: 1;
  kind: string;
  name: string;
  seen: "running" | "source" | "public_code";
  version: string;
  pages: PortalPage[];
}

/** What the worker tells a document that says hello; `refused` when its address is no granted portal. */
type Welcome = { document: string; tab: number; portal: PortalFile } | { refused: string };

interface Threadtime {
  stopwatch: {
    start(idle_after_seconds: number): StopwatchState;
    step(state: StopwatchState, event: StopwatchEvent, now: Instant): { state: StopwatchState; closed: StopwatchRow[]; gap: StopwatchGap | null };
    recover(state: StopwatchState): StopwatchRow[];
    status(state: StopwatchState, now: Instant): StopwatchStatus;
    restless(state: StopwatchState, now: Instant): boolean;
  };
  uuid7(wall: number, random: Uint8Array): string;
  page: {
    read(portal: PortalFile, address: Address, document: Document, touched?: Window | null): ReadPage | null;
    place(portal: PortalFile, address: Address, document: Document, touched?: Window | null): string;
  };
  trail: {
    follow(trail: Trail | null, page: ReadPage | null, wall: number): { trail: Trail | null; page: StopwatchPage | null };
    pass(trail: Trail | null, shown: { thread: string | null; patient: string | null }): Trail | null;
  };
  inputs: { watch(target: Window, note: () => void): () => void };
  running?: { alive(): boolean; stop(): void };
}

declare var threadtime: Threadtime;
