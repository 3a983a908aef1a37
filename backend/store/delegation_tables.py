"""The table of delegations, and what it adds to a fact; schema.py runs them as one migration."""

DELEGATIONS = """
-- Who may answer for whom; append-only. Of a clinician's rows the last that has begun counts, so each has one at most.
CREATE TABLE delegation (
  practice_id INTEGER NOT NULL,
  user_id TEXT NOT NULL,                  -- for whom
  number INTEGER NOT NULL,                -- 1, 2, 3 ... for this clinician
  to_user TEXT,                           -- who may; NULL: nobody from then on
  since INTEGER NOT NULL,
  until INTEGER,                          -- the first instant at which it holds no more; NULL: until the next row
  reason TEXT NOT NULL CHECK (reason IN ('away', 'left', 'ended')),
  made_by TEXT NOT NULL,                  -- user_id
  PRIMARY KEY (practice_id, user_id, number),
  FOREIGN KEY (practice_id, user_id) REFERENCES user,
  FOREIGN KEY (practice_id, to_user) REFERENCES user,
  CHECK (user_id <> to_user),
  CHECK ((to_user IS NULL) = (reason = 'ended'))
) STRICT, WITHOUT ROWID;
CREATE INDEX delegation_to ON delegation (practice_id, to_user);

ALTER TABLE fact ADD COLUMN said_for TEXT;  -- user_id of the colleague whose word it is; NULL: one's own word
"""
