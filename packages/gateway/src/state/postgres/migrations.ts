/**
 * Numbered forward migrations of the PostgreSQL state. A released one never changes: a later one corrects it.
 * A migration that older releases cannot use raises `oldest` to its number.
 */
export const migrations: readonly string[] = [
  `
CREATE TABLE daypass.place (id int PRIMARY KEY CHECK (id = 1), cluster text NOT NULL);
-- Where the data is. Another cluster or table: it was restored. Another timeline: a standby was promoted.
CREATE VIEW daypass.cluster AS SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || 'daypass.place'::regclass::oid || '/'
  || left(pg_walfile_name(pg_current_wal_lsn()), 8) AS value;
CREATE TABLE daypass.secret (name text COLLATE "C" PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE daypass.applied (id text COLLATE "C" PRIMARY KEY, result text NOT NULL, at bigint NOT NULL);
CREATE INDEX applied_by_time ON daypass.applied (at);

CREATE TABLE daypass.link (
  id text COLLATE "C" PRIMARY KEY,
  slug text COLLATE "C" UNIQUE,
  owner text COLLATE "C" NOT NULL,
  kind text NOT NULL,
  bucket text NOT NULL,
  key text NOT NULL,
  etag text,
  size bigint,
  starts_at bigint NOT NULL,
  expires_at bigint NOT NULL,
  revoked_at bigint,
  suspended text,
  settings text NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  idempotency text COLLATE "C" UNIQUE,
  warned int NOT NULL
);
CREATE INDEX link_to_warn ON daypass.link (expires_at) WHERE warned = 0;
CREATE INDEX link_by_time ON daypass.link (created_at DESC, id DESC);
CREATE INDEX link_by_owner ON daypass.link (owner, created_at DESC, id DESC);

CREATE TABLE daypass.variant (
  id text COLLATE "C" PRIMARY KEY,
  link text COLLATE "C" NOT NULL REFERENCES daypass.link (id),
  position int NOT NULL,
  name text COLLATE "C",
  max bigint,
  used bigint NOT NULL,
  given_back bigint NOT NULL,
  max_bytes bigint,
  held bigint NOT NULL,
  started bigint NOT NULL,
  completed bigint NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX variant_by_link ON daypass.variant (link, position);

CREATE TABLE daypass.delivery (
  token text COLLATE "C" PRIMARY KEY,
  variant text COLLATE "C" NOT NULL,
  link text COLLATE "C" NOT NULL,
  claim text COLLATE "C" NOT NULL,
  state text NOT NULL,
  claimed_at bigint NOT NULL,
  address text COLLATE "C" NOT NULL,
  start_by bigint NOT NULL,
  lease_until bigint NOT NULL,
  etag text,
  size bigint,
  held bigint NOT NULL,
  covered text NOT NULL,
  completed_at bigint,
  UNIQUE (variant, claim)
);
CREATE INDEX delivery_by_link ON daypass.delivery (link, claimed_at DESC, token DESC);
CREATE INDEX delivery_by_address ON daypass.delivery (link, address, claimed_at);
CREATE INDEX delivery_waiting ON daypass.delivery (variant, start_by) WHERE state = 'claimed';
CREATE INDEX delivery_running ON daypass.delivery (lease_until) WHERE state = 'started';

CREATE TABLE daypass.attempt (
  id text COLLATE "C" PRIMARY KEY,
  delivery text COLLATE "C" NOT NULL,
  reserved bigint NOT NULL
);

CREATE TABLE daypass.use (
  kid text COLLATE "C" NOT NULL,
  grant_id text COLLATE "C" NOT NULL,
  used bigint NOT NULL,
  until bigint NOT NULL,
  PRIMARY KEY (kid, grant_id)
) WITH (fillfactor = 70);
CREATE INDEX use_by_end ON daypass.use (until);

CREATE TABLE daypass.revision (id int PRIMARY KEY CHECK (id = 1), value bigint NOT NULL);
INSERT INTO daypass.revision VALUES (1, 0);
CREATE TABLE daypass.revocation (
  id text COLLATE "C" PRIMARY KEY,
  revision bigint NOT NULL UNIQUE,
  selector text COLLATE "C" NOT NULL,
  reason text,
  created_at bigint NOT NULL,
  until bigint,
  lifted_at bigint
);
CREATE UNIQUE INDEX revocation_in_force ON daypass.revocation (selector) WHERE lifted_at IS NULL;
CREATE INDEX revocation_by_time ON daypass.revocation (created_at DESC, id DESC);

CREATE TABLE daypass.admin_token (
  id text COLLATE "C" PRIMARY KEY,
  hash text COLLATE "C" NOT NULL UNIQUE,
  document text NOT NULL,
  created_at bigint NOT NULL,
  revoked_at bigint
);

CREATE TABLE daypass.failure (at bigint NOT NULL, address text COLLATE "C" NOT NULL, link text NOT NULL);
CREATE INDEX failure_by_address ON daypass.failure (address, at);
CREATE INDEX failure_by_link ON daypass.failure (link, at);

CREATE TABLE daypass.audit_writer (writer text COLLATE "C" PRIMARY KEY, last bigint NOT NULL) WITH (fillfactor = 70);
CREATE TABLE daypass.audit_record (
  writer text COLLATE "C" NOT NULL,
  sequence bigint NOT NULL,
  record text NOT NULL,
  PRIMARY KEY (writer, sequence)
);
CREATE TABLE daypass.audit_head (
  writer text COLLATE "C" NOT NULL,
  first bigint NOT NULL,
  last bigint NOT NULL,
  head text NOT NULL,
  signature text NOT NULL,
  leaves text NOT NULL,
  PRIMARY KEY (writer, last)
);

CREATE TABLE daypass.webhook (
  id text COLLATE "C" PRIMARY KEY,
  url text NOT NULL,
  events text NOT NULL,
  owner text COLLATE "C" NOT NULL,
  only_link text,
  created_at bigint NOT NULL
);
CREATE TABLE daypass.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  message text NOT NULL,
  webhook text COLLATE "C" NOT NULL REFERENCES daypass.webhook (id) ON DELETE CASCADE,
  link text COLLATE "C" NOT NULL,
  body text NOT NULL,
  failures int NOT NULL DEFAULT 0,
  error text,
  created_at bigint NOT NULL,
  due bigint NOT NULL,
  dead_at bigint
);
CREATE INDEX outbox_due ON daypass.outbox (due) WHERE dead_at IS NULL;
CREATE INDEX outbox_by_link ON daypass.outbox (webhook, link, id) WHERE dead_at IS NULL;
CREATE INDEX outbox_dead ON daypass.outbox (id) WHERE dead_at IS NOT NULL;
`,
  "ALTER TABLE daypass.audit_record ADD COLUMN mac text",
  'CREATE TABLE daypass.key (id text COLLATE "C" PRIMARY KEY, version bigint NOT NULL, sealed text NOT NULL)',
  // The engine seals the secrets with this migration.
  "COMMENT ON COLUMN daypass.secret.value IS 'sealed by the master key, but for runs'",
  `
CREATE TABLE daypass.outbox_line (
  webhook text COLLATE "C" NOT NULL REFERENCES daypass.webhook (id) ON DELETE CASCADE,
  link text COLLATE "C" NOT NULL,
  due bigint NOT NULL,
  PRIMARY KEY (webhook, link)
);
CREATE INDEX outbox_line_due ON daypass.outbox_line (webhook, due);
INSERT INTO daypass.outbox_line (webhook, link, due)
  SELECT webhook, link, min(due) FROM daypass.outbox WHERE dead_at IS NULL GROUP BY webhook, link;
ALTER TABLE daypass.outbox DROP COLUMN due;
CREATE TABLE daypass.announcement (
  link text COLLATE "C" NOT NULL,
  type text NOT NULL,
  hour bigint NOT NULL,
  PRIMARY KEY (link, type)
);
`,
  `CREATE TABLE daypass.writer_lease (
  writer text COLLATE "C" PRIMARY KEY,
  nonce text NOT NULL,
  number bigint NOT NULL,
  process text NOT NULL,
  until timestamptz NOT NULL
) WITH (fillfactor = 70)`,
  "CREATE INDEX revocation_by_end ON daypass.revocation (until) WHERE until IS NOT NULL",
  `
CREATE TABLE daypass.oldest (id int PRIMARY KEY CHECK (id = 1), version int NOT NULL, release text NOT NULL);
INSERT INTO daypass.oldest VALUES (1, 8, '0.1.0');
`,
  // The columns can be NULL, because an older replica stores rows without them.
  `
ALTER TABLE daypass.variant ADD COLUMN opened bigint;
ALTER TABLE daypass.variant ADD COLUMN downloaded bigint;
ALTER TABLE daypass.variant ADD COLUMN last_opened bigint;
CREATE TABLE daypass.opening (
  variant text COLLATE "C" NOT NULL,
  network text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  PRIMARY KEY (variant, network)
);
CREATE INDEX opening_by_time ON daypass.opening (at);
`,
];
