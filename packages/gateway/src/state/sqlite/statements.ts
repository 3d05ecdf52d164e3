/** The statements of the SQLite state. */
export const statements = {
  secret: "SELECT value FROM secret WHERE name = ?",
  addSecret: "INSERT INTO secret VALUES (?, ?)",
  putSecret: "INSERT INTO secret VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  suspendCounted: `UPDATE link SET suspended = 'restored', version = version + 1 WHERE revoked_at IS NULL AND suspended IS NULL
    AND id IN (SELECT link FROM variant WHERE max IS NOT NULL OR max_bytes IS NOT NULL)`,

  addLink: `INSERT INTO link (id, slug, owner, kind, bucket, key, etag, size, starts_at, expires_at, revoked_at, suspended, settings, version, created_at, idempotency)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  link: "SELECT * FROM link WHERE id = ?",
  linkBySlug: "SELECT * FROM link WHERE slug = ?",
  linkByIdempotency: "SELECT * FROM link WHERE idempotency = ?",
  linksAfter: "SELECT * FROM link WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?",
  ownLinksAfter:
    "SELECT * FROM link WHERE owner = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?",
  changeLink: `UPDATE link SET etag = ?, size = ?, starts_at = ?, expires_at = ?, revoked_at = ?, suspended = ?, settings = ?, version = version + 1
    WHERE id = ? AND version = ?`,

  addVariant: "INSERT INTO variant VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  variant: "SELECT * FROM variant WHERE id = ?",
  variantsOf: "SELECT * FROM variant WHERE link = ? ORDER BY id",
  count: "UPDATE variant SET used = ?, held = ?, started = started + ?, completed = completed + ? WHERE id = ?",
  limit: "UPDATE variant SET max = ?, max_bytes = ? WHERE link = ?",
  giveBack: "UPDATE variant SET given_back = given_back + ? WHERE id = ?",

  delivery: "SELECT * FROM delivery WHERE token = ?",
  deliveryByClaim: "SELECT * FROM delivery WHERE variant = ? AND claim = ?",
  waiting: "SELECT * FROM delivery WHERE variant = ? AND state = 'claimed'",
  recentClaims: "SELECT count(*) AS n FROM delivery WHERE link = ? AND address = ? AND claimed_at > ?",
  putDelivery: `INSERT INTO delivery VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (token) DO UPDATE SET state = excluded.state, lease_until = excluded.lease_until, etag = excluded.etag, size = excluded.size,
    held = excluded.held, covered = excluded.covered, completed_at = excluded.completed_at`,
  deliveriesAfter:
    "SELECT * FROM delivery WHERE link = ? AND (claimed_at, token) < (?, ?) ORDER BY claimed_at DESC, token DESC LIMIT ?",
  endLeases: "UPDATE delivery SET state = 'ended' WHERE state = 'started' AND lease_until <= ?",
  overdue: "SELECT DISTINCT variant FROM delivery WHERE state = 'claimed' AND start_by <= ?",
  lapse: "UPDATE delivery SET state = 'lapsed' WHERE variant = ? AND state = 'claimed' AND start_by <= ?",
  giveUnused: "UPDATE variant SET used = used - ? WHERE id = ?",

  attempt: "SELECT * FROM attempt WHERE id = ?",
  putAttempt: "INSERT INTO attempt VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET reserved = excluded.reserved",
  removeAttempt: "DELETE FROM attempt WHERE id = ?",

  claimUse: `INSERT INTO use VALUES (?, ?, 1, ?)
    ON CONFLICT (kid, grant_id) DO UPDATE SET used = used + 1 WHERE used < ?`,
  removeUses: "DELETE FROM use WHERE until <= ?",

  nextRevision: "UPDATE revision SET value = value + 1 RETURNING value",
  addRevocation: "INSERT INTO revocation VALUES (?, ?, ?, ?, ?, ?, NULL)",
  revocationInForce: "SELECT * FROM revocation WHERE selector = ? AND lifted_at IS NULL",
  revocation: "SELECT * FROM revocation WHERE id = ?",
  lift: "UPDATE revocation SET lifted_at = ?, revision = ? WHERE id = ? AND lifted_at IS NULL",
  revocationsAfter: "SELECT * FROM revocation WHERE revision > ? ORDER BY revision",
  revocationsPage: "SELECT * FROM revocation WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?",
  removeRevocations: "DELETE FROM revocation WHERE until <= ?",

  addToken: "INSERT INTO admin_token VALUES (?, ?, ?, ?, NULL)",
  tokenByHash: "SELECT * FROM admin_token WHERE hash = ? AND revoked_at IS NULL",
  tokens: "SELECT * FROM admin_token ORDER BY created_at, id",
  revokeToken: "UPDATE admin_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",

  addFailure: "INSERT INTO failure VALUES (?, ?, ?)",
  failuresByAddress: "SELECT count(*) AS n FROM failure WHERE address = ? AND at > ?",
  failuresByLink: "SELECT count(*) AS n, max(at) AS last FROM failure WHERE link = ? AND at > ?",
  removeFailures: "DELETE FROM failure WHERE at <= ?",
} as const;
