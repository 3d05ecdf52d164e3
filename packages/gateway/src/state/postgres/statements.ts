/** The statements of the PostgreSQL state. Tables are named with their schema: a pool in transaction mode keeps no search path. */
import { OPENING } from "../contract/counts.ts";
import { editableColumns, type LinkRow, linkColumns } from "../contract/fields.ts";
import type { SealedKey } from "../contract/keys.ts";
import type { Oldest } from "../contract/oldest.ts";
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
} from "../contract/tables.ts";

/** How long a writer's lease lasts: several renewals may fail. */
const LEASE_END = "clock_timestamp() + interval '30 seconds'";

/** A link with variants of it: all, or the requested one. */
export interface JoinedRow {
  readonly link: LinkRow;
  /** In their order; never empty. */
  readonly variants: readonly VariantRow[];
}

/** A secret, or the run of a replica. */
interface SecretRow {
  readonly value: Uint8Array;
}

interface NamedSecretRow extends SecretRow {
  readonly name: string;
}

/** The clock of the database, milliseconds since 1970, with the latest revision. */
interface ClockRow {
  readonly now: number;
  readonly revision: number;
}

type VersionRow = Pick<LinkRow, "version">;
type OverdueRow = Pick<DeliveryRow, "variant">;
type OpenedRow = Pick<Row<"opening">, "variant">;

interface AllFailuresRow extends FailuresRow {
  readonly by_address: number;
}

/** The process that used a writer's name last. */
interface HolderRow {
  readonly process: string;
}

interface WriterRow extends Row<"audit_writer"> {
  /** `null`: it has no lease. */
  readonly has_ended: boolean | null;
  readonly head: HeadRow | null;
}

/** What notifications name. `null`: nothing. */
interface AnnouncedRow {
  readonly webhooks: readonly WebhookRow[] | null;
  readonly links: readonly LinkRow[] | null;
}

/** A delivery with its link and its variant. */
interface FoundRow extends JoinedRow {
  readonly delivery: DeliveryRow;
}

/** A link in a list. */
interface ListedRow extends JoinedRow, Pick<LinkRow, "created_at" | "id"> {}

/** A variant that a transaction has locked. */
interface LockedRow {
  readonly variant: VariantRow;
  readonly link: LinkRow;
  /** Whether the data is where it was. */
  readonly same: boolean | null;
}

/** What the commands of a batch may read. `null`: nothing. */
interface LoadedRow {
  readonly deliveries: readonly DeliveryRow[] | null;
  readonly attempts: readonly Row<"attempt">[] | null;
  readonly recent: readonly (Pick<Row<"failure">, "link" | "address"> & Count)[] | null;
}

/** An INSERT of a whole row. */
function insert(table: keyof typeof tables): string {
  const parameters = Object.keys(tables[table]).map((_, at) => `$${at + 1}`);
  return `INSERT INTO daypass.${table} (${columnsOf(table)}) VALUES (${parameters})`;
}

/** The statements by name; parameters are in the order of their callers. */
export const statements = {
  clock:
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now, value AS revision FROM daypass.revision" as SqlOne<ClockRow>,
  migrateAlone: "SELECT pg_advisory_xact_lock(x'6461797061737300'::bigint)",
  prepare:
    "CREATE SCHEMA IF NOT EXISTS daypass; CREATE TABLE IF NOT EXISTS daypass.migration (version int PRIMARY KEY)",
  version: "SELECT coalesce(max(version), 0) AS version FROM daypass.migration" as SqlOne<VersionRow>,
  oldest: "SELECT version, release FROM daypass.oldest" as SqlOne<Oldest>,
  migrated: "INSERT INTO daypass.migration VALUES ($1)",
  place:
    `SELECT cluster = (SELECT value FROM daypass.cluster) AS same, regexp_replace(cluster, '[^/]*$', '') = regexp_replace((SELECT value FROM daypass.cluster), '[^/]*$', '') AS promoted
    FROM daypass.place FOR UPDATE` as Sql<{ readonly same: boolean | null; readonly promoted: boolean | null }>,
  putPlace: `INSERT INTO daypass.place VALUES (1, (SELECT value FROM daypass.cluster)) ON CONFLICT (id) DO UPDATE SET cluster = excluded.cluster`,
  suspendCounted: `UPDATE daypass.link SET suspended = 'restored', version = version + 1 WHERE revoked_at IS NULL AND suspended IS NULL
    AND id IN (SELECT link FROM daypass.variant WHERE max IS NOT NULL OR max_bytes IS NOT NULL) RETURNING id`,
  applied: "SELECT result FROM daypass.applied WHERE id = $1" as Sql<{ readonly result: string }>,
  addApplied: "INSERT INTO daypass.applied VALUES ($1, $2, $3)",
  removeApplied: "DELETE FROM daypass.applied WHERE at <= $1",

  // The update changes nothing: it makes the first value a row of the result.
  addSecret:
    "INSERT INTO daypass.secret VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING value" as SqlOne<SecretRow>,
  secret: "SELECT value FROM daypass.secret WHERE name = $1" as Sql<SecretRow>,
  putSecret:
    "INSERT INTO daypass.secret VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value RETURNING name",

  secrets: "SELECT name, value FROM daypass.secret WHERE name NOT LIKE 'run %'" as Sql<NamedSecretRow>,
  keys: "SELECT id, version, sealed FROM daypass.key ORDER BY id" as Sql<SealedKey>,
  keysRevision: "SELECT coalesce(sum(version), 0)::float8 AS value FROM daypass.key" as SqlOne<RevisionRow>,
  // Readers do not wait.
  auditKeys:
    "SELECT name, value FROM daypass.secret WHERE name LIKE 'audit key %' ORDER BY name" as Sql<NamedSecretRow>,
  lockKeys: "LOCK TABLE daypass.key IN EXCLUSIVE MODE",
  putKey: `INSERT INTO daypass.key VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET version = excluded.version, sealed = excluded.sealed
    WHERE key.version < excluded.version`,

  addLink: `INSERT INTO daypass.link (${linkColumns}, idempotency, warned)
    SELECT ${linkColumns}, $2::text, 0 FROM json_populate_record(NULL::daypass.link, $1) ON CONFLICT DO NOTHING RETURNING id` as string,
  addVariants: "INSERT INTO daypass.variant SELECT * FROM json_populate_recordset(NULL::daypass.variant, $1)",
  lockLink: "SELECT * FROM daypass.link WHERE id = $1 FOR UPDATE" as Sql<LinkRow>,
  linkAndVariants:
    `SELECT to_json(l) AS link, (SELECT json_agg(v ORDER BY v.position) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE id = $1` as Sql<JoinedRow>,
  linkByIdempotency:
    `SELECT to_json(l) AS link, (SELECT json_agg(v ORDER BY v.position) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE idempotency = $1` as Sql<JoinedRow>,
  linkByVariant: `SELECT to_json(l) AS link, json_build_array(v) AS variants
    FROM daypass.variant v JOIN daypass.link l ON l.id = v.link WHERE v.id = $1` as Sql<JoinedRow>,
  linkBySlug:
    `SELECT to_json(l) AS link, (SELECT json_agg(v ORDER BY v.position) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE slug = $1` as Sql<JoinedRow>,
  linksAfter:
    `SELECT created_at, id, to_json(l) AS link, (SELECT json_agg(v ORDER BY v.position) FROM daypass.variant v WHERE v.link = l.id) AS variants
    FROM daypass.link l WHERE ($1::text IS NULL OR owner = $1) AND (created_at, id) < ($2, $3) ORDER BY created_at DESC, id DESC LIMIT $4` as Sql<ListedRow>,
  lockVariants: "SELECT id FROM daypass.variant WHERE link = $1 ORDER BY id FOR UPDATE",
  changeLink:
    `UPDATE daypass.link l SET ${editableColumns.map((column) => `${column} = n.${column}`)}, version = l.version + 1,
    warned = CASE l.expires_at WHEN n.expires_at THEN l.warned ELSE 0 END
    FROM json_populate_record(NULL::daypass.link, $1) n WHERE l.id = $2 AND l.version = $3 RETURNING l.id` as string,
  limit: "UPDATE daypass.variant SET max = $1, max_bytes = $2 WHERE link = $3",
  giveBack: "UPDATE daypass.variant SET given_back = given_back + $1 WHERE id = $2 RETURNING *" as Sql<VariantRow>,

  // A revocation of a link waits for the claims in progress, so that none is committed after it.
  lock: `SELECT to_json(v) AS variant, to_json(l) AS link, (SELECT cluster = (SELECT value FROM daypass.cluster) FROM daypass.place) AS same
    FROM daypass.variant v JOIN daypass.link l ON l.id = v.link WHERE v.id = ANY ($1) ORDER BY v.id FOR UPDATE OF v FOR SHARE OF l` as Sql<LockedRow>,
  // By pairs of a variant and a name, so that each is one look-up in an index.
  load: `SELECT (SELECT json_agg(d) FROM (
      SELECT d.* FROM daypass.delivery d WHERE d.variant = ANY ($1) AND d.state = 'claimed'
      UNION SELECT d.* FROM unnest($2::text[], $3::text[]) AS c (variant, claim) JOIN daypass.delivery d USING (variant, claim)
      UNION SELECT d.* FROM unnest($5::text[], $6::text[]) AS t (variant, token) JOIN daypass.delivery d USING (variant, token)) d) AS deliveries,
    (SELECT json_agg(a) FROM daypass.attempt a WHERE a.id = ANY ($7)) AS attempts,
    (SELECT json_agg(r) FROM (SELECT d.link, d.address, count(*) AS n
      FROM (SELECT DISTINCT v.link, u.address FROM unnest($2::text[], $4::text[]) AS u (variant, address)
        JOIN daypass.variant v ON v.id = u.variant) c JOIN daypass.delivery d USING (link, address)
      WHERE d.claimed_at > $8 GROUP BY d.link, d.address) r) AS recent` as SqlOne<LoadedRow>,
  store: `WITH counted AS (UPDATE daypass.variant v SET used = n.used, held = n.held, started = n.started, completed = n.completed
      FROM json_populate_recordset(NULL::daypass.variant, $1) n WHERE v.id = n.id
      AND (v.used, v.held, v.started, v.completed) IS DISTINCT FROM (n.used, n.held, n.started, n.completed)),
    put AS (INSERT INTO daypass.delivery SELECT * FROM json_populate_recordset(NULL::daypass.delivery, $2)
      ON CONFLICT (token) DO UPDATE SET state = excluded.state, lease_until = excluded.lease_until, etag = excluded.etag, size = excluded.size,
      held = excluded.held, covered = excluded.covered, completed_at = excluded.completed_at),
    begun AS (INSERT INTO daypass.attempt SELECT * FROM json_populate_recordset(NULL::daypass.attempt, $3)
      ON CONFLICT (id) DO UPDATE SET reserved = excluded.reserved)
    DELETE FROM daypass.attempt WHERE id = ANY ($4)`,
  delivery: `SELECT to_json(d) AS delivery, to_json(l) AS link, json_build_array(v) AS variants FROM daypass.delivery d
    JOIN daypass.variant v ON v.id = d.variant JOIN daypass.link l ON l.id = d.link WHERE d.token = $1` as Sql<FoundRow>,
  deliveriesAfter: `SELECT * FROM daypass.delivery WHERE link = $1 AND (claimed_at, token) < ($2, $3)
    ORDER BY claimed_at DESC, token DESC LIMIT $4` as Sql<DeliveryRow>,
  endLeases:
    `UPDATE daypass.delivery SET state = 'ended' WHERE token IN (SELECT token FROM daypass.delivery WHERE state = 'started'
    AND lease_until <= $1 LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING token, link, address` as Sql<Ended>,
  overdue:
    "SELECT DISTINCT variant FROM daypass.delivery WHERE state = 'claimed' AND start_by <= $1" as Sql<OverdueRow>,
  lockVariant: "SELECT id FROM daypass.variant WHERE id = $1 FOR UPDATE",
  lapse: `UPDATE daypass.delivery SET state = 'lapsed' WHERE variant = $1 AND state = 'claimed' AND start_by <= $2
    RETURNING token, link, address` as Sql<Ended>,
  giveUnused: "UPDATE daypass.variant SET used = used - $2 WHERE id = $1",
  // Links that lived a day and have one day left.
  warn: `UPDATE daypass.link SET warned = 1 WHERE warned = 0 AND expires_at > $1 AND expires_at <= $2 AND created_at <= expires_at - $3
    AND revoked_at IS NULL RETURNING id` as Sql<IdRow>,

  claimUse: `INSERT INTO daypass.use AS u (kid, grant_id, used, until) VALUES ($1, $2, 1, $3)
    ON CONFLICT (kid, grant_id) DO UPDATE SET used = u.used + 1 WHERE u.used < $4 RETURNING used`,
  open: `INSERT INTO daypass.opening AS o (variant, network, at) SELECT variant, network, at
    FROM json_populate_recordset(NULL::daypass.opening, $1) ORDER BY variant, network
    ON CONFLICT (variant, network) DO UPDATE SET at = excluded.at WHERE excluded.at >= o.at + ${OPENING}
    RETURNING variant` as Sql<OpenedRow>,
  removeOpenings: "DELETE FROM daypass.opening WHERE at <= $1",
  // Variants are locked in the order of a claim's locks.
  addCounts: `WITH locked AS MATERIALIZED (SELECT id FROM daypass.variant WHERE id = ANY ($2) ORDER BY id FOR UPDATE)
    UPDATE daypass.variant v SET opened = coalesce(v.opened, 0) + n.opened, downloaded = coalesce(v.downloaded, 0) + n.downloaded,
    last_opened = greatest(v.last_opened, n.last_opened)
    FROM locked JOIN json_populate_recordset(NULL::daypass.variant, $1) n USING (id) WHERE v.id = locked.id`,

  // One statement, so that both are of the same instant.
  lostUses: `SELECT (SELECT cluster = (SELECT value FROM daypass.cluster) FROM daypass.place) AS same,
    (SELECT created_at FROM daypass.revocation WHERE id = $1 AND lifted_at IS NULL) AS since` as SqlOne<{
    readonly same: boolean | null;
    readonly since: number | null;
  }>,
  putLostUses:
    `${insert("revocation")} ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, revision = excluded.revision,
    lifted_at = NULL` as string,
  removeUses: "DELETE FROM daypass.use WHERE until <= $1",

  // The row stays locked until the commit, so revisions are committed in their order. A sequence would not do that.
  nextRevision: "UPDATE daypass.revision SET value = value + 1 RETURNING value" as SqlOne<RevisionRow>,
  skipRevisions: "UPDATE daypass.revision SET value = value + 1000000",
  notify: "SELECT pg_notify('daypass_revocation', '')",
  addRevocation: insert("revocation") as string,
  revocationInForce: "SELECT * FROM daypass.revocation WHERE selector = $1 AND lifted_at IS NULL" as Sql<RevocationRow>,
  revocation: "SELECT * FROM daypass.revocation WHERE id = $1" as Sql<RevocationRow>,
  lift: "UPDATE daypass.revocation SET lifted_at = $1, revision = $2 WHERE id = $3 AND lifted_at IS NULL RETURNING id",
  revocationsAfter:
    "SELECT revision, selector, lifted_at FROM daypass.revocation WHERE revision > $1 ORDER BY revision LIMIT $2" as Sql<ChangeRow>,
  // Rules about visits are not revocations of an operator.
  revocationsPage:
    `SELECT * FROM daypass.revocation WHERE (created_at, id) < ($1, $2) AND selector NOT LIKE '{"kind":"visits-before"%' ORDER BY created_at DESC, id DESC LIMIT $3` as Sql<RevocationRow>,
  // Other selectors are kept, whatever their end is. A revocation of a recipient is a grant without an end.
  removeRevocations: `DELETE FROM daypass.revocation
    WHERE until <= $1 AND (selector LIKE '{"kind":"grant"%' OR selector LIKE '{"kind":"visits-before"%')`,

  addToken: `${insert("admin_token")} ON CONFLICT (id) DO NOTHING` as string,
  tokenByHash: "SELECT * FROM daypass.admin_token WHERE hash = $1 AND revoked_at IS NULL" as Sql<TokenRow>,
  tokens: "SELECT * FROM daypass.admin_token ORDER BY created_at, id" as Sql<TokenRow>,
  revokeToken: "UPDATE daypass.admin_token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL RETURNING id",

  addFailure: insert("failure") as string,
  failures:
    `SELECT (SELECT count(*) FROM daypass.failure WHERE address = $1 AND at > $3) AS by_address, count(*) AS n, max(at) AS last
    FROM daypass.failure WHERE link = $2 AND at > $3` as SqlOne<AllFailuresRow>,
  waitingFailures:
    "SELECT count(*) AS n FROM daypass.failure WHERE address = $1 AND link = $2 AND at > $3" as SqlOne<Count>,
  // Counts of the same address, or of the same link, must see each other.
  lockFailures: "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
  forgetFailure: `DELETE FROM daypass.failure WHERE ctid =
    (SELECT ctid FROM daypass.failure WHERE address = $1 AND link = $2 AND at = $3 LIMIT 1 FOR UPDATE)`,
  removeFailures: "DELETE FROM daypass.failure WHERE at <= $1",

  // The row stays locked until the commit, so that numbers have no gap. The statement after it sees what the commits before it stored.
  countRecords: `INSERT INTO daypass.audit_writer AS w (writer, last) VALUES ($1, $2)
    ON CONFLICT (writer) DO UPDATE SET last = w.last + excluded.last RETURNING last` as SqlOne<LastRow>,
  holdWriter: `INSERT INTO daypass.writer_lease AS l (writer, nonce, number, process, until)
    VALUES ($1, $2, $3, $4, ${LEASE_END}) ON CONFLICT (writer) DO UPDATE
    SET number = excluded.number, process = excluded.process, until = excluded.until
    WHERE l.nonce = excluded.nonce AND l.number < excluded.number RETURNING process` as Sql<HolderRow>,
  holderOf: "SELECT process FROM daypass.writer_lease WHERE writer = $1" as Sql<HolderRow>,
  endWriters: `INSERT INTO daypass.writer_lease SELECT writer, '', 0, 'daypass state move', '-infinity' FROM daypass.audit_writer`,
  latestMac: "SELECT mac FROM daypass.audit_record WHERE writer = $1 ORDER BY sequence DESC LIMIT 1" as Sql<MacRow>,
  addRecords: `INSERT INTO daypass.audit_record (writer, sequence, record, mac) SELECT $1, $2::bigint - cardinality($4::text[]) + r.n, r.record,
    CASE r.n WHEN cardinality($4::text[]) THEN $3 END FROM unnest($4::text[]) WITH ORDINALITY AS r (record, n)`,
  writers:
    `SELECT w.writer, w.last, (SELECT l.until <= clock_timestamp() FROM daypass.writer_lease l WHERE l.writer = w.writer) AS has_ended,
    (SELECT to_json(h) FROM (SELECT writer, first, last, head, signature FROM daypass.audit_head h
    WHERE h.writer = w.writer ORDER BY h.last DESC LIMIT 1) h) AS head FROM daypass.audit_writer w ORDER BY w.writer` as Sql<WriterRow>,
  recordsAfter:
    "SELECT * FROM daypass.audit_record WHERE writer = $1 AND sequence > $2 ORDER BY sequence LIMIT $3" as Sql<RecordRow>,
  headsAfter:
    "SELECT * FROM daypass.audit_head WHERE writer = $1 AND last > $2 ORDER BY last LIMIT $3" as Sql<StoredHeadRow>,
  addHead: `INSERT INTO daypass.audit_head (${columnsOf("audit_head")}) SELECT $1, $2, $3, $4, $5, $6
    WHERE NOT EXISTS (SELECT 1 FROM daypass.audit_head WHERE writer = $1 AND last >= $2) RETURNING writer` as string,
  lockWriter: "SELECT last FROM daypass.audit_writer WHERE writer = $1 FOR UPDATE" as Sql<LastRow>,
  removeRecords: "DELETE FROM daypass.audit_record WHERE writer = $1 AND sequence <= $2",
  removeHeads: "DELETE FROM daypass.audit_head WHERE writer = $1 AND last < $2",

  addWebhook: insert("webhook") as string,
  removeWebhook: "DELETE FROM daypass.webhook WHERE id = $1 RETURNING id",
  // Webhooks of revoked tokens. Their notifications are deleted with them.
  removeOrphans: `DELETE FROM daypass.webhook WHERE owner IN
    (SELECT 'token:' || id FROM daypass.admin_token WHERE revoked_at IS NOT NULL) RETURNING id` as Sql<IdRow>,
  webhooks: "SELECT * FROM daypass.webhook ORDER BY created_at, id" as Sql<WebhookRow>,
  announced: `SELECT (SELECT json_agg(w) FROM daypass.webhook w) AS webhooks, (SELECT json_agg(l) FROM daypass.link l
    WHERE l.id = ANY ($1) AND EXISTS (SELECT 1 FROM daypass.webhook)) AS links` as SqlOne<AnnouncedRow>,
  // At most once an hour, over all replicas. No row changes in the same hour.
  announce: `INSERT INTO daypass.announcement AS a (link, type, hour) VALUES ($1, $2, $3)
    ON CONFLICT (link, type) DO UPDATE SET hour = excluded.hour WHERE a.hour < excluded.hour RETURNING hour`,
  // The lines stay locked until the commit, in one order: who ends a line sees what was queued in it.
  queue: `WITH queued AS (INSERT INTO daypass.outbox (message, webhook, link, body, created_at)
      SELECT message, webhook, link, body, created_at FROM json_populate_recordset(NULL::daypass.outbox, $1) RETURNING webhook, link)
    INSERT INTO daypass.outbox_line AS l (webhook, link, due) SELECT DISTINCT webhook, link, $2::bigint FROM queued ORDER BY webhook, link
    ON CONFLICT (webhook, link) DO UPDATE SET due = l.due`,
  takeLines:
    `WITH due AS MATERIALIZED (SELECT l.webhook, l.link FROM (SELECT id FROM daypass.webhook ORDER BY random()) w
      CROSS JOIN LATERAL (SELECT webhook, link FROM daypass.outbox_line WHERE webhook = w.id AND due <= $1 ORDER BY due
        LIMIT greatest(0, $4::int - coalesce(($5::json ->> w.id)::int, 0)) FOR UPDATE SKIP LOCKED) l LIMIT $3)
    UPDATE daypass.outbox_line l SET due = $2 FROM due WHERE l.webhook = due.webhook AND l.link = due.link
    RETURNING l.webhook, l.link` as Sql<LineRow>,
  // The first notification of each line, also while it waits for its next attempt.
  firstOfLines:
    `SELECT o.*, w.url FROM unnest($1::text[], $2::text[]) l (webhook, link) JOIN daypass.webhook w ON w.id = l.webhook
      CROSS JOIN LATERAL (SELECT * FROM daypass.outbox WHERE webhook = l.webhook AND link = l.link AND dead_at IS NULL
        ORDER BY id LIMIT 1) o ORDER BY o.id` as Sql<NotificationRow>,
  delayLine: "UPDATE daypass.outbox_line SET due = $1 WHERE webhook = $2 AND link = $3",
  endLine: `DELETE FROM daypass.outbox_line WHERE webhook = $1 AND link = $2
    AND NOT EXISTS (SELECT 1 FROM daypass.outbox WHERE webhook = $1 AND link = $2 AND dead_at IS NULL)`,
  removeNotification: "DELETE FROM daypass.outbox WHERE id = $1 RETURNING webhook, link" as Sql<LineRow>,
  failNotification:
    `UPDATE daypass.outbox SET dead_at = $1, error = $2, failures = failures + 1 WHERE id = $3 AND dead_at IS NULL
    RETURNING webhook, link` as Sql<LineRow>,
  deadLetters: `SELECT o.*, w.url FROM daypass.outbox o JOIN daypass.webhook w ON w.id = o.webhook
    WHERE o.dead_at IS NOT NULL AND o.id > $1 ORDER BY o.id LIMIT $2` as Sql<NotificationRow>,
  revive: `WITH revived AS (UPDATE daypass.outbox SET dead_at = NULL, failures = 0
      WHERE dead_at IS NOT NULL AND (id = $2::bigint OR webhook = $3) RETURNING id, webhook, link),
    lines AS (INSERT INTO daypass.outbox_line (webhook, link, due) SELECT DISTINCT webhook, link, $1::bigint FROM revived
      ORDER BY webhook, link ON CONFLICT (webhook, link) DO UPDATE SET due = excluded.due)
    SELECT id FROM revived` as Sql<Pick<NotificationRow, "id">>,
  outboxDepth: `SELECT (SELECT count(*) FROM daypass.outbox WHERE dead_at IS NULL) AS waiting,
    (SELECT count(*) FROM daypass.outbox WHERE dead_at IS NOT NULL) AS dead` as SqlOne<OutboxDepth>,
} as const;

/** The name of a statement. */
export type StatementName = keyof typeof statements;
