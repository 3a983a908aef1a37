"""The tables of people, work, episodes, merged time and settings, as their migrations in schema.py make them."""

PEOPLE = """
CREATE TABLE practice (
  practice_id INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,               -- what --practice names
  name TEXT NOT NULL,
  timezone TEXT NOT NULL,                 -- IANA name
  setting TEXT NOT NULL DEFAULT 'office' CHECK (setting IN ('office', 'rhc', 'fqhc')),
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE portal (
  practice_id INTEGER NOT NULL REFERENCES practice,
  key TEXT NOT NULL,                      -- what stands on the wire
  kind TEXT NOT NULL,                     -- names the data file
  origin TEXT,                            -- https://host[:port]; NULL until the practice says where it lives
  created_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
  practice_id INTEGER NOT NULL REFERENCES practice,
  user_id TEXT NOT NULL,
  email TEXT NOT NULL,
  name TEXT NOT NULL,
  roles TEXT NOT NULL,                    -- JSON array of role names
  credential TEXT,                        -- MD, NP, PT ... of a clinician
  specialty TEXT,
  password_hash TEXT,
  active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX user_email ON user (practice_id, email);

CREATE TABLE sign_in_directory (
  email TEXT PRIMARY KEY,                 -- lower case
  practice_id INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
  practice_id INTEGER NOT NULL,
  token_digest BLOB NOT NULL,             -- SHA-256 of the cookie's secret
  user_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,               -- kept to within some seconds
  PRIMARY KEY (practice_id, token_digest),
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  practice_id INTEGER NOT NULL,
  device_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  token_digest BLOB NOT NULL,             -- SHA-256 of the token's secret
  created_at INTEGER NOT NULL,
  revoked_at INTEGER,
  PRIMARY KEY (practice_id, device_id),
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX device_token ON device (practice_id, token_digest);
"""

WORK = """
CREATE TABLE patient (
  practice_id INTEGER NOT NULL,
  patient_id TEXT NOT NULL,
  portal TEXT NOT NULL,
  reference TEXT,                         -- the portal's own, here and nowhere else; NULL: stands for a thread
  created_at INTEGER NOT NULL,
  due_at INTEGER,                         -- when to compute again: 0 at once (rows changed), NULL never by time alone
  PRIMARY KEY (practice_id, patient_id),
  FOREIGN KEY (practice_id, portal) REFERENCES portal
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX patient_reference ON patient (practice_id, portal, reference) WHERE reference IS NOT NULL;
CREATE INDEX patient_due ON patient (practice_id, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE thread (
  practice_id INTEGER NOT NULL,
  portal TEXT NOT NULL,
  reference TEXT NOT NULL,                -- the portal's own identifier
  patient_id TEXT NOT NULL,               -- whose it is now
  stand_in_id TEXT NOT NULL,              -- the patient row that stands for it while nobody is known
  PRIMARY KEY (practice_id, portal, reference),
  FOREIGN KEY (practice_id, patient_id) REFERENCES patient,
  FOREIGN KEY (practice_id, stand_in_id) REFERENCES patient
) STRICT, WITHOUT ROWID;
CREATE INDEX thread_patient ON thread (practice_id, patient_id);

-- Every patient that a row of the thread ever named.
CREATE TABLE thread_named (
  practice_id INTEGER NOT NULL,
  portal TEXT NOT NULL,
  thread TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  PRIMARY KEY (practice_id, portal, thread, patient_id),
  FOREIGN KEY (practice_id, portal, thread) REFERENCES thread (practice_id, portal, reference),
  FOREIGN KEY (practice_id, patient_id) REFERENCES patient
) STRICT, WITHOUT ROWID;

-- What a device sent, as sent (the patient as `named_id`), never changed; `patient_id` is whose it is now.
CREATE TABLE interval (
  practice_id INTEGER NOT NULL,
  interval_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  portal TEXT NOT NULL,
  thread TEXT,
  named_id TEXT,
  activity TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  ended_by TEXT NOT NULL,
  idle_after_seconds INTEGER NOT NULL,
  entry TEXT NOT NULL,
  tab TEXT,
  linked_from TEXT,
  recovered INTEGER CHECK (recovered IN (0, 1)),
  corrects TEXT,
  reason TEXT,
  problem TEXT,
  sent_at INTEGER NOT NULL,               -- the device's clock
  received_at INTEGER NOT NULL,           -- the server's
  clock_offset_ms INTEGER NOT NULL,       -- received_at - sent_at
  clock_off INTEGER NOT NULL CHECK (clock_off IN (0, 1)),
  PRIMARY KEY (practice_id, interval_id),
  FOREIGN KEY (practice_id, device_id) REFERENCES device,
  CHECK (ended_at > started_at),
  CHECK (thread IS NOT NULL OR named_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX interval_patient ON interval (practice_id, patient_id, started_at);
CREATE INDEX interval_clinician ON interval (practice_id, user_id, started_at);
CREATE INDEX interval_thread ON interval (practice_id, portal, thread) WHERE named_id IS NULL;
CREATE INDEX interval_corrects ON interval (practice_id, corrects) WHERE corrects IS NOT NULL;
-- Rows longer than a measured one may be: who looks for overlaps has to look further back for these.
CREATE INDEX interval_long ON interval (practice_id, user_id, started_at) WHERE ended_at - started_at > 300000;

-- The rows that count: a corrected one gives way to its correction; of several corrections of one row the last made.
CREATE VIEW standing_interval AS SELECT * FROM interval
WHERE NOT EXISTS (
  SELECT 1 FROM interval AS later
  WHERE later.practice_id = interval.practice_id AND later.corrects = interval.interval_id
) AND (corrects IS NULL OR NOT EXISTS (
  SELECT 1 FROM interval AS later
  WHERE later.practice_id = interval.practice_id AND later.corrects = interval.corrects
    AND later.interval_id > interval.interval_id
));

-- What somebody said or a feed brought; append-only, the latest word counts.
CREATE TABLE fact (
  practice_id INTEGER NOT NULL,
  fact_id INTEGER NOT NULL,               -- counts up within the practice
  kind TEXT NOT NULL,
  patient_id TEXT,                        -- of a fact about a patient
  portal TEXT,                            -- of a fact about a thread
  thread TEXT,
  body TEXT NOT NULL,                     -- JSON, in the words of the case schema
  source TEXT NOT NULL,
  by TEXT,                                -- user_id; NULL: the command line
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, fact_id),
  FOREIGN KEY (practice_id, patient_id) REFERENCES patient,
  FOREIGN KEY (practice_id, portal, thread) REFERENCES thread (practice_id, portal, reference)
) STRICT, WITHOUT ROWID;
CREATE INDEX fact_patient ON fact (practice_id, patient_id, kind) WHERE patient_id IS NOT NULL;
CREATE INDEX fact_portal ON fact (practice_id, portal) WHERE patient_id IS NULL AND thread IS NULL;
CREATE INDEX fact_thread ON fact (practice_id, portal, thread, kind) WHERE thread IS NOT NULL;
"""

SETTINGS = """
-- What the practice says instead of the rules' own defaults; append-only, the latest word counts.
CREATE TABLE practice_setting (
  practice_id INTEGER NOT NULL REFERENCES practice,
  setting_id INTEGER NOT NULL,            -- counts up within the practice
  name TEXT NOT NULL,                     -- of a parameter of the rules
  value TEXT NOT NULL,                    -- JSON; null: withdrawn
  payer TEXT,                             -- a payer type; NULL: every payer
  from_on TEXT NOT NULL,                  -- for episodes whose first day is this one or a later one
  by TEXT,                                -- user_id; NULL: the command line
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, setting_id)
) STRICT, WITHOUT ROWID;

-- Whose work adds up in the episode where specialties are kept apart; NULL: the whole group's.
ALTER TABLE episode ADD COLUMN specialty TEXT;
"""

EPISODES = """
CREATE TABLE episode (
  practice_id INTEGER NOT NULL,
  episode_id TEXT NOT NULL,
  patient_id TEXT NOT NULL,
  family TEXT NOT NULL CHECK (family IN ('em', 'nonphysician')),
  anchored_at INTEGER NOT NULL,
  window_start TEXT NOT NULL,
  window_end TEXT NOT NULL,
  provisional INTEGER NOT NULL CHECK (provisional IN (0, 1)),
  opened_at INTEGER NOT NULL,             -- when it was first computed
  status TEXT NOT NULL CHECK (status IN ('reportable', 'not_reportable', 'hold')),
  determination_id TEXT NOT NULL,         -- the one that stands: the latest, or the approved one
  settled_at INTEGER NOT NULL,            -- the instant that the latest computation was as of
  approved_at INTEGER,
  approved_by TEXT,
  flagged INTEGER NOT NULL DEFAULT 0 CHECK (flagged IN (0, 1)),
  gone_at INTEGER,                        -- joined with another, or left without intervals
  joined_into TEXT,
  days TEXT NOT NULL,                     -- JSON: counted seconds of the seven days
  shares TEXT NOT NULL,                   -- JSON: counted seconds by thread and by clinician
  pieces TEXT NOT NULL,                   -- JSON: every second of its intervals, counted or excluded and why
  PRIMARY KEY (practice_id, episode_id),
  FOREIGN KEY (practice_id, patient_id) REFERENCES patient
) STRICT;
CREATE INDEX episode_window ON episode (practice_id, window_start, episode_id) WHERE gone_at IS NULL;
CREATE INDEX episode_status ON episode (practice_id, status, window_start, episode_id) WHERE gone_at IS NULL;
CREATE INDEX episode_patient ON episode (practice_id, patient_id) WHERE gone_at IS NULL;

CREATE TABLE episode_interval (
  practice_id INTEGER NOT NULL,
  episode_id TEXT NOT NULL,
  interval_id TEXT NOT NULL,
  PRIMARY KEY (practice_id, episode_id, interval_id),
  FOREIGN KEY (practice_id, episode_id) REFERENCES episode,
  FOREIGN KEY (practice_id, interval_id) REFERENCES interval
) STRICT, WITHOUT ROWID;
CREATE INDEX episode_of_interval ON episode_interval (practice_id, interval_id);

CREATE TABLE determination (
  practice_id INTEGER NOT NULL,
  determination_id TEXT NOT NULL,
  episode_id TEXT NOT NULL,
  number INTEGER NOT NULL,                -- 1, 2, 3 ... within the episode
  determined_at INTEGER NOT NULL,
  answer TEXT NOT NULL,                   -- JSON, exactly what evaluate prints, without the id
  PRIMARY KEY (practice_id, determination_id),
  FOREIGN KEY (practice_id, episode_id) REFERENCES episode
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX determination_number ON determination (practice_id, episode_id, number);

CREATE TABLE episode_event (
  practice_id INTEGER NOT NULL,
  episode_id TEXT NOT NULL,
  number INTEGER NOT NULL,
  at INTEGER NOT NULL,
  event TEXT NOT NULL,
  detail TEXT NOT NULL,                   -- JSON
  by TEXT,
  PRIMARY KEY (practice_id, episode_id, number),
  FOREIGN KEY (practice_id, episode_id) REFERENCES episode
) STRICT, WITHOUT ROWID;
"""

MERGED = """
-- When each clinician worked on a patient, as stretches that neither overlap nor touch within a day (store/merged.py).
CREATE TABLE merged_time (
  practice_id INTEGER NOT NULL,
  patient_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, patient_id, user_id, started_at),
  CHECK (ended_at > started_at)
) STRICT, WITHOUT ROWID;
"""
