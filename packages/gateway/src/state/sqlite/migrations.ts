/**
 * Numbered forward migrations of the SQLite state. A released one never changes: a later one corrects it.
 * A migration that older releases cannot use raises `oldest` to its number.
 */
export const migrations: readonly string[] = [
  `
CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE link (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  slug TEXT UNIQUE,
  owner TEXT NOT NULL,
  kind TEXT NOT NULL,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  etag TEXT,
  size INTEGER,
  starts_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  suspended TEXT,
  settings TEXT NOT NULL,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  idempotency TEXT UNIQUE
) STRICT;
CREATE INDEX link_by_time ON link (created_at DESC, id DESC);
CREATE INDEX link_by_owner ON link (owner, created_at DESC, id DESC);

CREATE TABLE variant (
  id TEXT PRIMARY KEY,
  link_number INTEGER NOT NULL REFERENCES link (number),
  position INTEGER NOT NULL,
  name TEXT,
  max INTEGER,
  used INTEGER NOT NULL,
  given_back INTEGER NOT NULL,
  max_bytes INTEGER,
  held INTEGER NOT NULL,
  started INTEGER NOT NULL,
  completed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX variant_by_link ON variant (link_number, position);

-- Rows are in the order of their claims, and every index but that of tokens begins with a number: a group of claims changes few pages.
CREATE TABLE delivery (
  number INTEGER PRIMARY KEY,
  token TEXT NOT NULL UNIQUE,
  variant TEXT NOT NULL,
  link_number INTEGER NOT NULL,
  claim TEXT NOT NULL,
  state TEXT NOT NULL,
  claimed_at INTEGER NOT NULL,
  address TEXT NOT NULL,
  start_by INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  etag TEXT,
  size INTEGER,
  held INTEGER NOT NULL,
  covered TEXT NOT NULL,
  completed_at INTEGER
) STRICT;
CREATE INDEX delivery_by_link ON delivery (link_number);
CREATE INDEX delivery_by_address ON delivery (link_number, address, claimed_at);
CREATE INDEX delivery_waiting ON delivery (link_number, start_by) WHERE state = 'claimed';
CREATE INDEX delivery_running ON delivery (lease_until) WHERE state = 'started';

CREATE TABLE attempt (
  id TEXT PRIMARY KEY,
  delivery TEXT NOT NULL,
  reserved INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE use (
  kid TEXT NOT NULL,
  grant_id TEXT NOT NULL,
  used INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (kid, grant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX use_by_end ON use (until);

CREATE TABLE revision (id INTEGER PRIMARY KEY CHECK (id = 1), value INTEGER NOT NULL) STRICT;
INSERT INTO revision VALUES (1, 0);
CREATE TABLE revocation (
  id TEXT PRIMARY KEY,
  revision INTEGER NOT NULL UNIQUE,
  selector TEXT NOT NULL,
  reason TEXT,
  created_at INTEGER NOT NULL,
  until INTEGER,
  lifted_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX revocation_in_force ON revocation (selector) WHERE lifted_at IS NULL;
CREATE INDEX revocation_by_time ON revocation (created_at DESC, id DESC);

CREATE TABLE admin_token (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE failure (at INTEGER NOT NULL, address TEXT NOT NULL, link TEXT NOT NULL) STRICT;
CREATE INDEX failure_by_address ON failure (address, at);
CREATE INDEX failure_by_link ON failure (link, at);
`,
  `
ALTER TABLE link ADD COLUMN warned INTEGER NOT NULL DEFAULT 0;
CREATE INDEX link_to_warn ON link (expires_at) WHERE warned = 0;

CREATE TABLE audit_writer (writer TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE audit_record (
  writer TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (writer, sequence)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_head (
  writer TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  head TEXT NOT NULL,
  signature TEXT NOT NULL,
  leaves TEXT NOT NULL,
  PRIMARY KEY (writer, last)
) STRICT;

CREATE TABLE webhook (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL,
  events TEXT NOT NULL,
  owner TEXT NOT NULL,
  only_link TEXT,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  message TEXT NOT NULL,
  webhook TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
  link TEXT NOT NULL,
  body TEXT NOT NULL,
  failures INTEGER NOT NULL DEFAULT 0,
  error TEXT,
  created_at INTEGER NOT NULL,
  due INTEGER NOT NULL,
  dead_at INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (due) WHERE dead_at IS NULL;
CREATE INDEX outbox_by_link ON outbox (webhook, link, id) WHERE dead_at IS NULL;
CREATE INDEX outbox_dead ON outbox (id) WHERE dead_at IS NOT NULL;
`,
  "ALTER TABLE audit_record ADD COLUMN mac TEXT",
  `
CREATE TABLE outbox_line (
  webhook TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
  link TEXT NOT NULL,
  due INTEGER NOT NULL,
  PRIMARY KEY (webhook, link)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_line_due ON outbox_line (webhook, due);
INSERT INTO outbox_line (webhook, link, due) SELECT webhook, link, min(due) FROM outbox WHERE dead_at IS NULL GROUP BY webhook, link;
DROP INDEX outbox_due;
ALTER TABLE outbox DROP COLUMN due;
CREATE TABLE announcement (
  link TEXT NOT NULL,
  type TEXT NOT NULL,
  hour INTEGER NOT NULL,
  PRIMARY KEY (link, type)
) STRICT, WITHOUT ROWID;
`,
  "CREATE INDEX revocation_by_end ON revocation (until) WHERE until IS NOT NULL",
  `
CREATE TABLE oldest (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, release TEXT NOT NULL) STRICT;
INSERT INTO oldest VALUES (1, 6, '0.1.0');
`,
  `
ALTER TABLE variant ADD COLUMN opened INTEGER;
ALTER TABLE variant ADD COLUMN downloaded INTEGER;
ALTER TABLE variant ADD COLUMN last_opened INTEGER;
CREATE TABLE opening (
  variant TEXT NOT NULL,
  network TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (variant, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX opening_by_time ON opening (at);
CREATE TABLE applied (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`,
];
