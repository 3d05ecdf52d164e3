/** The statements of the PostgreSQL state. Tables are named with their schema: a pool in transaction mode keeps no search path. */

/** The statements by name; parameters are in the order of their callers. */
export const statements = {
  clock:
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now, value AS revision FROM daypass.revision",
  migrateAlone: "SELECT pg_advisory_xact_lock(x'6461797061737300'::bigint)",
  prepare:
    "CREATE SCHEMA IF NOT EXISTS daypass; CREATE TABLE IF NOT EXISTS daypass.migration (version int PRIMARY KEY)",
  version: "SELECT coalesce(max(version), 0) AS version FROM daypass.migration",
  migrated: "INSERT INTO daypass.migration VALUES ($1)",
  place: `SELECT cluster = (SELECT value FROM daypass.cluster) AS same, regexp_replace(cluster, '[^/]*$', '') = regexp_replace((SELECT value FROM daypass.cluster), '[^/]*$', '') AS promoted
    FROM daypass.place FOR UPDATE`,
  putPlace: `INSERT INTO daypass.place VALUES (1, (SELECT value FROM daypass.cluster)) ON CONFLICT (id) DO UPDATE SET cluster = excluded.cluster`,
  suspendCounted: `UPDATE daypass.link SET suspended = 'restored', version = version + 1 WHERE revoked_at IS NULL AND suspended IS NULL
    AND id IN (SELECT link FROM daypass.variant WHERE max IS NOT NULL OR max_bytes IS NOT NULL) RETURNING id`,
  applied: "SELECT result FROM daypass.applied WHERE id = $1",
  addApplied: "INSERT INTO daypass.applied VALUES ($1, $2, $3)",
  removeApplied: "DELETE FROM daypass.applied WHERE at <= $1",

  addSecret: "INSERT INTO daypass.secret VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
  secret: "SELECT value FROM daypass.secret WHERE name = $1",
  putSecret:
    "INSERT INTO daypass.secret VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING name",

  addLink: "INSERT INTO daypass.link SELECT * FROM json_populate_record(NULL::daypass.link, $1)",
  addVariants: "INSERT INTO daypass.variant SELECT * FROM json_populate_recordset(NULL::daypass.variant, $1)",
  link: "SELECT * FROM daypass.link WHERE id = $1",
  linkAndVariants: `SELECT to_json(l) AS link, (SELECT json_agg(v ORDER BY v.id) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE id = $1`,
  linkByIdempotency: `SELECT to_json(l) AS link, (SELECT json_agg(v ORDER BY v.id) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE idempotency = $1`,
  linkByVariant: `SELECT to_json(l) AS link, json_build_array(v) AS variants
    FROM daypass.variant v JOIN daypass.link l ON l.id = v.link WHERE v.id = $1`,
  linkBySlug: `SELECT to_json(l) AS link, (SELECT json_agg(v ORDER BY v.id) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE slug = $1`,
  linksAfter: `SELECT created_at, id, to_json(l) AS link, (SELECT json_agg(v ORDER BY v.id) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE ($1::text IS NULL OR owner = $1) AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4`,
  lockVariants: "SELECT id FROM daypass.variant WHERE link = $1 ORDER BY id FOR UPDATE",
  changeLink: `UPDATE daypass.link SET etag = $1, size = $2, starts_at = $3, expires_at = $4, revoked_at = $5, suspended = $6, settings = $7,
    version = version + 1 WHERE id = $8 AND version = $9 RETURNING id`,
  limit: "UPDATE daypass.variant SET max = $1, max_bytes = $2 WHERE link = $3",
  giveBack: "UPDATE daypass.variant SET given_back = given_back + $1 WHERE id = $2 RETURNING *",

  // A revocation of the link waits for the claims in progress, so that none is committed after it.
  lock: `SELECT to_json(v) AS variant, to_json(l) AS link, (SELECT cluster = (SELECT value FROM daypass.cluster) FROM daypass.place) AS same
    FROM daypass.variant v JOIN daypass.link l ON l.id = v.link WHERE v.id = $1 FOR UPDATE OF v FOR SHARE OF l`,
  load: `SELECT
    (SELECT json_agg(d) FROM daypass.delivery d WHERE d.variant = $1 AND (d.state = 'claimed' OR d.claim = ANY ($2) OR d.token = ANY ($3)))
      AS deliveries,
    (SELECT json_agg(a) FROM daypass.attempt a WHERE a.id = ANY ($4)) AS attempts,
    (SELECT json_object_agg(address, n) FROM (SELECT d.address, count(*) AS n FROM daypass.delivery d
      WHERE d.link = (SELECT link FROM daypass.variant WHERE id = $1) AND d.address = ANY ($5) AND d.claimed_at > $6 GROUP BY d.address) c)
      AS recent`,
  store: `WITH counted AS (UPDATE daypass.variant SET used = $2, held = $3, started = $4, completed = $5 WHERE id = $1),
    put AS (INSERT INTO daypass.delivery SELECT * FROM json_populate_recordset(NULL::daypass.delivery, $6)
      ON CONFLICT (token) DO UPDATE SET state = excluded.state, lease_until = excluded.lease_until, etag = excluded.etag, size = excluded.size,
      held = excluded.held, covered = excluded.covered, completed_at = excluded.completed_at),
    begun AS (INSERT INTO daypass.attempt SELECT * FROM json_populate_recordset(NULL::daypass.attempt, $7)
      ON CONFLICT (id) DO UPDATE SET reserved = excluded.reserved)
    DELETE FROM daypass.attempt WHERE id = ANY ($8)`,
  delivery: `SELECT to_json(d) AS delivery, to_json(l) AS link, json_build_array(v) AS variants FROM daypass.delivery d
    JOIN daypass.variant v ON v.id = d.variant JOIN daypass.link l ON l.id = d.link WHERE d.token = $1`,
  deliveriesAfter: `SELECT * FROM daypass.delivery WHERE link = $1 AND (claimed_at, token) < ($2, $3)
    ORDER BY claimed_at DESC, token DESC LIMIT $4`,
  endLeases: "UPDATE daypass.delivery SET state = 'ended' WHERE state = 'started' AND lease_until <= $1",
  overdue: "SELECT DISTINCT variant FROM daypass.delivery WHERE state = 'claimed' AND start_by <= $1",
  lockVariant: "SELECT id FROM daypass.variant WHERE id = $1 FOR UPDATE",
  lapse: `WITH lapsed AS (UPDATE daypass.delivery SET state = 'lapsed' WHERE variant = $1 AND state = 'claimed' AND start_by <= $2 RETURNING token)
    UPDATE daypass.variant SET used = used - (SELECT count(*) FROM lapsed) WHERE id = $1`,

  claimUse: `INSERT INTO daypass.use AS u VALUES ($1, $2, 1, $3)
    ON CONFLICT (kid, grant_id) DO UPDATE SET used = u.used + 1 WHERE u.used < $4 RETURNING used`,
  removeUses: "DELETE FROM daypass.use WHERE until <= $1",

  // The row stays locked until the commit, so revisions are committed in their order. A sequence would not do that.
  nextRevision: "UPDATE daypass.revision SET value = value + 1 RETURNING value",
  notify: "SELECT pg_notify('daypass_revocation', '')",
  addRevocation: "INSERT INTO daypass.revocation VALUES ($1, $2, $3, $4, $5, $6, NULL)",
  revocationInForce: "SELECT * FROM daypass.revocation WHERE selector = $1 AND lifted_at IS NULL",
  revocation: "SELECT * FROM daypass.revocation WHERE id = $1",
  lift: "UPDATE daypass.revocation SET lifted_at = $1, revision = $2 WHERE id = $3 AND lifted_at IS NULL",
  revocationsAfter: "SELECT * FROM daypass.revocation WHERE revision > $1 ORDER BY revision",
  revocationsPage: `SELECT * FROM daypass.revocation WHERE (created_at, id) < ($1, $2) ORDER BY created_at DESC, id DESC LIMIT $3`,
  removeRevocations: "DELETE FROM daypass.revocation WHERE until <= $1",

  addToken: "INSERT INTO daypass.admin_token VALUES ($1, $2, $3, $4, NULL) ON CONFLICT (id) DO NOTHING",
  tokenByHash: "SELECT * FROM daypass.admin_token WHERE hash = $1 AND revoked_at IS NULL",
  tokens: "SELECT * FROM daypass.admin_token ORDER BY created_at, id",
  revokeToken: "UPDATE daypass.admin_token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING id",

  addFailure: "INSERT INTO daypass.failure VALUES ($1, $2, $3)",
  failures: `SELECT (SELECT count(*) FROM daypass.failure WHERE address = $1 AND at > $3) AS by_address, count(*) AS n, max(at) AS last
    FROM daypass.failure WHERE link = $2 AND at > $3`,
  removeFailures: "DELETE FROM daypass.failure WHERE at <= $1",
} as const;

/** The name of a statement. */
export type StatementName = keyof typeof statements;
