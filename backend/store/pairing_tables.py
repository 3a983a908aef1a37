"""The tables of pairing, and what it adds to a device; schema.py runs them as one migration."""

PAIRING = """
-- A browser that asks to be paired: of no practice until somebody of one says yes, and gone soon after its ten minutes.
CREATE TABLE pairing (
  device_code_digest BLOB PRIMARY KEY,    -- SHA-256 of the secret that the browser asks with
  code_name TEXT NOT NULL UNIQUE,         -- the first group of the code that a person types: finds the row
  code_proof TEXT NOT NULL,               -- the second group: shows that the person has seen the code
  device_name TEXT NOT NULL,
  browser TEXT NOT NULL,
  asked_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  polled_at INTEGER,
  wrong_tries INTEGER NOT NULL DEFAULT 0, -- second groups that did not fit
  answer TEXT CHECK (answer IN ('yes', 'no')),
  practice_id INTEGER,                    -- whose yes it was
  user_id TEXT,
  FOREIGN KEY (practice_id, user_id) REFERENCES user,
  CHECK (answer IS DISTINCT FROM 'yes' OR user_id IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX pairing_expires ON pairing (expires_at);

-- Wrong codes that a person typed; after five nobody types one in their name for a while.
CREATE TABLE pairing_tries (
  practice_id INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  wrong INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, user_id),
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;

ALTER TABLE device ADD COLUMN browser TEXT;       -- as it named itself when it was paired
ALTER TABLE device ADD COLUMN seen_at INTEGER;    -- its last request, kept to within a minute
ALTER TABLE device ADD COLUMN revoked_by TEXT;    -- user_id
"""
