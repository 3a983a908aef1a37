"""Tables and columns of accounts: one-time links, the second factor, failures to sign in, names of sessions."""

ACCOUNTS = """
ALTER TABLE user ADD COLUMN totp_secret TEXT;        -- base32; NULL: the password is enough
ALTER TABLE user ADD COLUMN totp_waiting TEXT;       -- one that is shown and not yet confirmed by a code
ALTER TABLE user ADD COLUMN totp_step INTEGER;       -- of the last code that was used: no code serves twice
ALTER TABLE user ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;  -- since the last sign-in or lock
ALTER TABLE user ADD COLUMN locked_until INTEGER;
ALTER TABLE session ADD COLUMN browser TEXT;
CREATE INDEX session_user ON session (practice_id, user_id);
CREATE INDEX device_user ON device (practice_id, user_id);

CREATE TABLE user_link (
  practice_id INTEGER NOT NULL,
  user_id TEXT NOT NULL,                -- at most one link each
  token_digest BLOB NOT NULL,           -- SHA-256 of the link's secret
  made_by TEXT,                         -- user_id; NULL: the command line
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, user_id),
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX user_link_token ON user_link (practice_id, token_digest);

-- A right password that waits for its code.
CREATE TABLE sign_in_step (
  practice_id INTEGER NOT NULL,
  user_id TEXT NOT NULL,                -- at most one each: a new one replaces it
  token_digest BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, user_id),
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX sign_in_step_token ON sign_in_step (practice_id, token_digest);

CREATE TABLE recovery_code (
  practice_id INTEGER NOT NULL,
  user_id TEXT NOT NULL,
  code_digest BLOB NOT NULL,            -- a used one is removed
  PRIMARY KEY (practice_id, user_id, code_digest),
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;
"""
