/** The statements of the SQLite state. */
import { OPENING } from "../contract/counts.ts";
import { editableColumns, type LinkRow, linkColumns } from "../contract/fields.ts";
import type { OutboxDepth } from "../contract/outbox.ts";
import {
  type ChangeRow,
  type Count,
  columnsOf,
  type DeliveryRow,
  type Ended,
  type FailuresRow,
  type HeadRow,
  type IdRow,
  type LastRow,
  type LineRow,
  type MacRow,
  type NotificationRow,
  type RecordRow,
  type RevisionRow,
  type RevocationRow,
  type Row,
  type Sql,
  type SqlOne,
  type StoredHeadRow,
  type TokenRow,
  tables,
  type VariantRow,
  type WebhookRow,
  type WindowRow,
} from "../contract/tables.ts";

interface DecidingRow extends VariantRow, WindowRow {
  readonly link_number: number;
}

interface LapsedRow extends Ended, Pick<DeliveryRow, "variant"> {}

/** An INSERT of a whole row, and of columns that only this engine has. */
function insert(table: keyof typeof tables & string, ...more: readonly string[]): string {
  const columns = [...Object.keys(tables[table]), ...more];
  return `INSERT INTO ${table} (${columns}) VALUES (${columns.map(() => "?")})`;
}

export const statements = {
  secret: "SELECT value FROM secret WHERE name = ?" as Sql<{ readonly value: Uint8Array }>,
  addSecret: "INSERT INTO secret VALUES (?, ?)",
  putSecret: "INSERT INTO secret VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
  suspendCounted: `UPDATE link SET suspended = 'restored', version = version + 1 WHERE revoked_at IS NULL AND suspended IS NULL
    AND number IN (SELECT link_number FROM variant WHERE max IS NOT NULL OR max_bytes IS NOT NULL)`,

  addLink: `INSERT INTO link (${linkColumns}, idempotency) VALUES (${linkColumns.map(() => "?")}, ?)` as string,
  link: "SELECT * FROM link WHERE id = ?" as Sql<LinkRow>,
  linkBySlug: "SELECT * FROM link WHERE slug = ?" as Sql<LinkRow>,
  linkByIdempotency: "SELECT * FROM link WHERE idempotency = ?" as Sql<LinkRow>,
  linksAfter:
    "SELECT * FROM link WHERE (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?" as Sql<LinkRow>,
  ownLinksAfter:
    "SELECT * FROM link WHERE owner = ? AND (created_at, id) < (?, ?) ORDER BY created_at DESC, id DESC LIMIT ?" as Sql<LinkRow>,
  changeLink: `UPDATE link SET ${editableColumns.map((column) => `${column} = ?`)}, version = version + 1,
    warned = CASE expires_at WHEN ? THEN warned ELSE 0 END
    WHERE id = ? AND version = ?` as string,

  // Links that lived a day and have one day left.
  warn: `UPDATE link SET warned = 1 WHERE warned = 0 AND expires_at > ? AND expires_at <= ? AND created_at <= expires_at - ?
    AND revoked_at IS NULL RETURNING id` as Sql<IdRow>,

  addVariant: `INSERT INTO variant (${columnsOf("variant")}, link_number)
    SELECT ${Object.keys(tables.variant).map(() => "?")}, number FROM link WHERE id = ?` as string,
  variant:
    "SELECT v.*, l.id AS link FROM variant v JOIN link l ON l.number = v.link_number WHERE v.id = ?" as Sql<VariantRow>,
  variantsOf:
    "SELECT v.*, l.id AS link FROM link l JOIN variant v ON v.link_number = l.number WHERE l.id = ? ORDER BY v.position" as Sql<VariantRow>,
  count: "UPDATE variant SET used = ?, held = ?, started = started + ?, completed = completed + ? WHERE id = ?",
  limit: "UPDATE variant SET max = ?, max_bytes = ? WHERE link_number = (SELECT number FROM link WHERE id = ?)",
  giveBack: "UPDATE variant SET given_back = given_back + ? WHERE id = ?",
  // The fields of a link that decide about a delivery: all others are slow to read.
  deciding: `SELECT v.*, l.id AS link, l.starts_at, l.expires_at, l.revoked_at, l.suspended
    FROM variant v JOIN link l ON l.number = v.link_number WHERE v.id = ?` as Sql<DecidingRow>,

  delivery: "SELECT * FROM delivery WHERE token = ?" as Sql<DeliveryRow>,
  waiting: "SELECT * FROM delivery WHERE link_number = ? AND variant = ? AND state = 'claimed'" as Sql<DeliveryRow>,
  recentClaims:
    "SELECT count(*) AS n FROM delivery WHERE link_number = ? AND address = ? AND claimed_at > ?" as SqlOne<Count>,
  putDelivery: `${insert("delivery", "link_number")}
    ON CONFLICT (token) DO UPDATE SET state = excluded.state, lease_until = excluded.lease_until, etag = excluded.etag, size = excluded.size,
    held = excluded.held, covered = excluded.covered, completed_at = excluded.completed_at` as string,
  // The first page has no token. After an unknown one there is nothing.
  deliveriesAfter: `SELECT * FROM delivery WHERE link_number = (SELECT number FROM link WHERE id = ?1)
    AND number < CASE ?2 WHEN '' THEN 9007199254740991 ELSE (SELECT number FROM delivery WHERE token = ?2) END ORDER BY number DESC LIMIT ?3` as Sql<DeliveryRow>,
  endLeases: `UPDATE delivery SET state = 'ended' WHERE state = 'started' AND lease_until <= ?
    RETURNING token, (SELECT id FROM link WHERE number = link_number) AS link, address` as Sql<Ended>,
  lapse: `UPDATE delivery SET state = 'lapsed' WHERE state = 'claimed' AND start_by <= ?
    RETURNING token, variant, (SELECT id FROM link WHERE number = link_number) AS link, address` as Sql<LapsedRow>,
  giveUnused: "UPDATE variant SET used = used - 1 WHERE id = ?",

  attempt: "SELECT * FROM attempt WHERE id = ?" as Sql<Row<"attempt">>,
  putAttempt: `${insert("attempt")} ON CONFLICT (id) DO UPDATE SET reserved = excluded.reserved` as string,
  removeAttempt: "DELETE FROM attempt WHERE id = ?",

  claimUse: `INSERT INTO use (kid, grant_id, used, until) VALUES (?, ?, 1, ?)
    ON CONFLICT (kid, grant_id) DO UPDATE SET used = used + 1 WHERE used < ?`,
  removeUses: "DELETE FROM use WHERE until <= ?",

  addApplied: "INSERT INTO applied VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
  removeApplied: "DELETE FROM applied WHERE at <= ?",
  open: `${insert("opening")} ON CONFLICT (variant, network) DO UPDATE SET at = excluded.at
    WHERE excluded.at >= opening.at + ${OPENING}` as string,
  removeOpenings: "DELETE FROM opening WHERE at <= ?",
  addCounts: `UPDATE variant SET opened = coalesce(opened, 0) + ?, downloaded = coalesce(downloaded, 0) + ?,
    last_opened = max(coalesce(last_opened, 0), ?) WHERE id = ?`,

  nextRevision: "UPDATE revision SET value = value + 1 RETURNING value" as SqlOne<RevisionRow>,
  revision: "SELECT value FROM revision" as SqlOne<RevisionRow>,
  // Processes may know revocations that were lost: those that follow need higher revisions.
  skipRevisions: "UPDATE revision SET value = value + 1000000",
  addRevocation: insert("revocation") as string,
  putLostUses:
    `${insert("revocation")} ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, revision = excluded.revision,
    lifted_at = NULL` as string,
  revocationInForce: "SELECT * FROM revocation WHERE selector = ? AND lifted_at IS NULL" as Sql<RevocationRow>,
  revocation: "SELECT * FROM revocation WHERE id = ?" as Sql<RevocationRow>,
  lift: "UPDATE revocation SET lifted_at = ?, revision = ? WHERE id = ? AND lifted_at IS NULL",
  revocationsAfter:
    "SELECT revision, selector, lifted_at FROM revocation WHERE revision > ? ORDER BY revision LIMIT ?" as Sql<ChangeRow>,
  // Rules about visits are not revocations of an operator.
  revocationsPage:
    'SELECT * FROM revocation WHERE (created_at, id) < (?, ?) AND selector NOT LIKE \'{"kind":"visits-before"%\' ORDER BY created_at DESC, id DESC LIMIT ?' as Sql<RevocationRow>,
  // Other selectors are kept, whatever their end is. A revocation of a recipient is a grant without an end.
  removeRevocations: `DELETE FROM revocation
    WHERE until <= ? AND (selector LIKE '{"kind":"grant"%' OR selector LIKE '{"kind":"visits-before"%')`,

  addToken: insert("admin_token") as string,
  tokenByHash: "SELECT * FROM admin_token WHERE hash = ? AND revoked_at IS NULL" as Sql<TokenRow>,
  tokens: "SELECT * FROM admin_token ORDER BY created_at, id" as Sql<TokenRow>,
  revokeToken: "UPDATE admin_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",

  addFailure: insert("failure") as string,
  failuresByAddress: "SELECT count(*) AS n FROM failure WHERE address = ? AND at > ?" as SqlOne<Count>,
  failuresByLink: "SELECT count(*) AS n, max(at) AS last FROM failure WHERE link = ? AND at > ?" as SqlOne<FailuresRow>,
  waitingFailures: "SELECT count(*) AS n FROM failure WHERE address = ? AND link = ? AND at > ?" as SqlOne<Count>,
  forgetFailure: `DELETE FROM failure WHERE rowid =
    (SELECT rowid FROM failure WHERE address = ? AND link = ? AND at = ? LIMIT 1)`,
  removeFailures: "DELETE FROM failure WHERE at <= ?",

  countRecords: `INSERT INTO audit_writer (writer, last) VALUES (?, ?)
    ON CONFLICT (writer) DO UPDATE SET last = last + excluded.last RETURNING last` as SqlOne<LastRow>,
  // One statement for all records of a commit. The keys of an array begin at 0.
  addRecords:
    "INSERT INTO audit_record (writer, sequence, record, mac) SELECT ?, ? + key, value, CASE key WHEN ? THEN ? END FROM json_each(?)",
  latestMac: "SELECT mac FROM audit_record WHERE writer = ? ORDER BY sequence DESC LIMIT 1" as Sql<MacRow>,
  writers: "SELECT writer, last FROM audit_writer ORDER BY writer" as Sql<Row<"audit_writer">>,
  recordsAfter:
    "SELECT * FROM audit_record WHERE writer = ? AND sequence > ? ORDER BY sequence LIMIT ?" as Sql<RecordRow>,
  latestHead:
    "SELECT writer, first, last, head, signature FROM audit_head WHERE writer = ? ORDER BY last DESC LIMIT 1" as Sql<HeadRow>,
  headsAfter: "SELECT * FROM audit_head WHERE writer = ? AND last > ? ORDER BY last LIMIT ?" as Sql<StoredHeadRow>,
  addHead: `INSERT INTO audit_head (${columnsOf("audit_head")}) SELECT ?, ?, ?, ?, ?, ?
    WHERE NOT EXISTS (SELECT 1 FROM audit_head WHERE writer = ? AND last >= ?)` as string,
  removeRecords: "DELETE FROM audit_record WHERE writer = ? AND sequence <= ?",
  removeHeads: "DELETE FROM audit_head WHERE writer = ? AND last < ?",

  addWebhook: insert("webhook") as string,
  removeWebhook: "DELETE FROM webhook WHERE id = ?",
  // Webhooks of revoked tokens. Their notifications are deleted with them.
  removeOrphans:
    `DELETE FROM webhook WHERE owner IN (SELECT 'token:' || id FROM admin_token WHERE revoked_at IS NOT NULL) RETURNING id` as Sql<IdRow>,
  webhooks: "SELECT * FROM webhook ORDER BY created_at, id" as Sql<WebhookRow>,
  queue: "INSERT INTO outbox (message, webhook, link, body, created_at) VALUES (?, ?, ?, ?, ?)",
  // At most once an hour. No row changes in the same hour.
  announce:
    `${insert("announcement")} ON CONFLICT (link, type) DO UPDATE SET hour = excluded.hour WHERE hour < excluded.hour` as string,
  addLine: `${insert("outbox_line")} ON CONFLICT (webhook, link) DO NOTHING` as string,
  anyOrderOfWebhooks: "SELECT id FROM webhook ORDER BY random()" as Sql<IdRow>,
  // The first notification of a line, also while it waits for its next attempt.
  dueNotifications: `SELECT o.*, w.url FROM outbox_line l JOIN webhook w ON w.id = l.webhook JOIN outbox o ON o.id =
      (SELECT min(id) FROM outbox WHERE webhook = l.webhook AND link = l.link AND dead_at IS NULL)
    WHERE l.webhook = ? AND l.due <= ? ORDER BY l.due LIMIT ?` as Sql<NotificationRow>,
  delayLine: "UPDATE outbox_line SET due = ? WHERE webhook = ? AND link = ?",
  endLine: `DELETE FROM outbox_line AS l WHERE webhook = ? AND link = ?
    AND NOT EXISTS (SELECT 1 FROM outbox WHERE webhook = l.webhook AND link = l.link AND dead_at IS NULL)`,
  removeNotification: "DELETE FROM outbox WHERE id = ? RETURNING webhook, link" as Sql<LineRow>,
  failNotification: `UPDATE outbox SET dead_at = ?, error = ?, failures = failures + 1 WHERE id = ? AND dead_at IS NULL
    RETURNING webhook, link` as Sql<LineRow>,
  deadLetters:
    `SELECT o.*, w.url FROM outbox o JOIN webhook w ON w.id = o.webhook WHERE o.dead_at IS NOT NULL AND o.id > ?
    ORDER BY o.id LIMIT ?` as Sql<NotificationRow>,
  reviveLines: `INSERT INTO outbox_line (webhook, link, due) SELECT DISTINCT webhook, link, ? FROM outbox
    WHERE dead_at IS NOT NULL AND (id = ? OR webhook = ?) ON CONFLICT (webhook, link) DO UPDATE SET due = excluded.due`,
  revive: "UPDATE outbox SET dead_at = NULL, failures = 0 WHERE dead_at IS NOT NULL AND (id = ? OR webhook = ?)",
  outboxDepth: `SELECT (SELECT count(*) FROM outbox WHERE dead_at IS NULL) AS waiting,
    (SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL) AS dead` as SqlOne<OutboxDepth>,
} as const;
