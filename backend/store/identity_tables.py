"""The tables of signing in by the organisation's own provider; schema.py runs them as one migration."""

IDENTITIES = """
CREATE TABLE identity_provider (
  practice_id INTEGER NOT NULL,         -- at most one each
  issuer TEXT NOT NULL,                 -- as the provider itself writes it
  client_id TEXT NOT NULL,
  client_secret TEXT NOT NULL,
  name TEXT NOT NULL,                   -- what stands on the button
  address TEXT NOT NULL,                -- scheme, name and port by which browsers find this server
  set_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id),
  FOREIGN KEY (practice_id) REFERENCES practice
) STRICT, WITHOUT ROWID;

-- Who somebody is at the provider: by issuer and subject, never by an e-mail address, which a provider may give anew.
CREATE TABLE user_identity (
  practice_id INTEGER NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL,
  linked_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, issuer, subject),
  FOREIGN KEY (practice_id, user_id) REFERENCES user
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX user_identity_user ON user_identity (practice_id, user_id, issuer);

-- A browser that was sent to the provider and has not come back.
CREATE TABLE provider_step (
  practice_id INTEGER NOT NULL,
  state_digest BLOB NOT NULL,           -- SHA-256 of the state that the provider hands back
  browser_digest BLOB NOT NULL,         -- of the secret in the cookie of the browser that was sent
  purpose TEXT NOT NULL CHECK (purpose IN ('sign in', 'link', 'join')),
  user_id TEXT,                         -- whose account is to be linked
  link_digest BLOB,                     -- of the one-time link by which somebody joins
  after TEXT,                           -- the page that was asked for
  created_at INTEGER NOT NULL,
  PRIMARY KEY (practice_id, state_digest),
  FOREIGN KEY (practice_id, user_id) REFERENCES user,
  CHECK ((purpose = 'sign in') = (user_id IS NULL)),
  CHECK ((purpose = 'join') = (link_digest IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_step_created ON provider_step (practice_id, created_at);
"""
