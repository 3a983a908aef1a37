"""The audit's two tables: entries that nobody changes, and their details, which may be erased."""

AUDIT = """
-- Who did what, each entry sealed over the one before it (backend/audit.py).
CREATE TABLE audit_entry (
  practice_id INTEGER NOT NULL REFERENCES practice,
  number INTEGER NOT NULL,                -- 1, 2, 3 ... within the practice, without gaps
  at INTEGER NOT NULL,
  actor_kind TEXT NOT NULL,               -- user, device, command, server or visitor
  actor_id TEXT,
  action TEXT NOT NULL,
  subject_kind TEXT NOT NULL,
  subject_id TEXT,                        -- a surrogate id, never a portal's own identifier
  detail_digest BLOB,                     -- salted SHA-256 of the detail; NULL: it had none
  previous BLOB NOT NULL,                 -- the seal of the entry before
  seal BLOB NOT NULL,                     -- HMAC-SHA-256 under a key that is not in the data folder
  PRIMARY KEY (practice_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_at ON audit_entry (practice_id, at);

-- What an entry says beyond that; erased with the person it concerns, which the chain survives.
CREATE TABLE audit_detail (
  practice_id INTEGER NOT NULL,
  number INTEGER NOT NULL,
  salt BLOB NOT NULL,                     -- 16 random bytes
  detail TEXT NOT NULL,                   -- canonical JSON
  PRIMARY KEY (practice_id, number),
  FOREIGN KEY (practice_id, number) REFERENCES audit_entry
) STRICT, WITHOUT ROWID;
"""
