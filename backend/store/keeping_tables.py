"""The tables of how long what is kept, of holds, and of what was removed; schema.py runs them as one migration."""

KEEPING = """
-- How long the practice keeps a kind of data; append-only, the latest word counts.
CREATE TABLE retention (
  practice_id INTEGER NOT NULL REFERENCES practice,
  retention_id INTEGER NOT NULL,          -- counts up within the practice
  kind TEXT NOT NULL,                     -- intervals, records or audit
  period TEXT,                            -- such as '7 years'; NULL: for good
  from_on TEXT NOT NULL,                  -- holds from this day on
  by TEXT,                                -- user_id; NULL: the command line
  recorded_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, retention_id)
) STRICT, WITHOUT ROWID;

-- What must not be removed, whatever its age, until the hold is lifted.
CREATE TABLE hold (
  practice_id INTEGER NOT NULL REFERENCES practice,
  hold_id INTEGER NOT NULL,               -- counts up within the practice
  about TEXT NOT NULL CHECK (about IN ('patient', 'user', 'practice')),
  about_id TEXT,                          -- patient_id or user_id; NULL: the whole practice
  reason TEXT NOT NULL,
  placed_at INTEGER NOT NULL,
  placed_by TEXT,                         -- user_id; NULL: the command line
  lifted_at INTEGER,
  lifted_by TEXT,
  lifted_reason TEXT,
  PRIMARY KEY (practice_id, hold_id)
) STRICT, WITHOUT ROWID;

-- Each time that rows of append-only tables were removed, and why; never changed or removed itself.
CREATE TABLE erasure (
  practice_id INTEGER NOT NULL REFERENCES practice,
  erasure_id INTEGER NOT NULL,            -- counts up within the practice
  cause TEXT NOT NULL CHECK (cause IN ('patient', 'user', 'age')),
  subjects TEXT NOT NULL,                 -- JSON: the ids that were erased; none of what went by age
  reason TEXT,                            -- why in spite of what would have been kept
  by TEXT,                                -- user_id; NULL: the command line, or the server by age
  at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, erasure_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX erasure_people ON erasure (practice_id, erasure_id) WHERE cause <> 'age';

-- While its row is there, the practice's append-only rows may be deleted. Its `never` points at a row that cannot be,
-- and that is looked at when the transaction commits: so the row never outlives the transaction that made it.
CREATE TABLE erasing (
  practice_id INTEGER NOT NULL REFERENCES practice,
  erasure_id INTEGER NOT NULL,
  never INTEGER NOT NULL DEFAULT 0 CHECK (never = 0),
  PRIMARY KEY (practice_id),
  FOREIGN KEY (practice_id, erasure_id) REFERENCES erasure,
  FOREIGN KEY (never) REFERENCES erasing (practice_id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- Time that rows which are gone claimed for nobody who is known, where rows of somebody else claim it too: a second
-- that two patients claim goes on counting for neither.
CREATE TABLE claimed_span (
  practice_id INTEGER NOT NULL REFERENCES practice,
  user_id TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER NOT NULL,
  theirs INTEGER NOT NULL CHECK (theirs IN (0, 1)),  -- 1: its clinician had said that it was not the other's
  PRIMARY KEY (practice_id, user_id, started_at, ended_at, theirs),
  CHECK (ended_at > started_at)
) STRICT, WITHOUT ROWID;

ALTER TABLE episode ADD COLUMN closed_at INTEGER;  -- its intervals were removed by age; it stands as it was judged
CREATE INDEX episode_any ON episode (practice_id, patient_id);  -- of those that are gone, too
CREATE INDEX thread_stand_in ON thread (practice_id, stand_in_id);
CREATE INDEX thread_named_patient ON thread_named (practice_id, patient_id);
CREATE INDEX interval_named ON interval (practice_id, named_id) WHERE named_id IS NOT NULL;
CREATE INDEX interval_linked ON interval (practice_id, portal, linked_from) WHERE linked_from IS NOT NULL;
CREATE INDEX audit_subject ON audit_entry (practice_id, subject_kind, subject_id) WHERE subject_id IS NOT NULL;
"""

GUARDED = ("fact", "determination", "episode_event", "audit_detail", "interval", "episode")
"""Tables whose rows go only while `erasing` says so."""
KEPT_FOR_GOOD = ("retention", "erasure")
"""Tables whose rows nobody changes or removes."""
