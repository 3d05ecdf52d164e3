/** The PostgreSQL engine of the state, for replicas that share it. Commands of one link that arrive together share one commit. */
import { randomBytes } from "node:crypto";
import type { Pool, PoolClient } from "pg";
import {
  optional,
  pageOf,
  pageStart,
  type Row,
  settingsText,
  toDelivery,
  toLink,
  toRevocation,
  toToken,
  toVariant,
} from "../contract/rows.ts";
import type {
  FailureCounts,
  FoundLink,
  Link,
  LinkChange,
  Revocation,
  State,
  Variant,
  WholeLink,
} from "../contract/state.ts";
import { clientConfig, type Database, loadDriver, openConnections, type Run } from "./connection.ts";
import { deliverer } from "./deliver.ts";
import { migrations } from "./migrations.ts";
import { watchRevocations } from "./watch.ts";

/** Options of {@link postgresState}. */
export interface PostgresStateOptions {
  /** The address of the database, `postgres://…`, or of a pgbouncer in transaction mode. Secret: never appears in an error. */
  readonly url: string;
  /** An address that reaches the database without a pool, for LISTEN. Without it, the state is polled every 500 ms. */
  readonly direct?: string | undefined;
  /** Number of connections, without the one of `direct`: 8 by default. */
  readonly connections?: number | undefined;
  /** Suspends counted links when a standby was promoted: `true` by default. Set it to `false` if every standby is synchronous, so that none loses a commit. */
  readonly suspendAfterFailover?: boolean | undefined;
  /** Replaces the clock of the database, for tests. */
  readonly clock?: (() => Date) | undefined;
  /** Receives each fault that is tried again. Its text shows neither password nor URL. */
  readonly onFault?: ((error: Error) => void) | undefined;
  /** Receives the number of counted links that were suspended, because the database was restored or a standby was promoted. */
  readonly onSuspended?: ((count: number) => void) | undefined;
}

/**
 * The state in PostgreSQL 14 or newer. Connects at the first call; while the database is away, calls wait for five seconds and then reject with
 * `StateUnavailable` (`STATE_UNAVAILABLE`). Rejects with a `TypeError` if `url` is not an address of PostgreSQL. Does not check that a standby is
 * synchronous: a failover that loses commits loses claims and revocations.
 *
 * @example
 * ```ts
 * import { postgresState } from "@daypass/gateway/state";
 *
 * export const open = (url: string) => postgresState({ url, direct: url });
 * ```
 */
export async function postgresState(options: PostgresStateOptions): Promise<State> {
  const { url, direct, connections = 8, suspendAfterFailover = true, clock, onFault, onSuspended } = options;
  const pg = await loadDriver();
  const pool: Pool = new pg.Pool({ ...clientConfig(url), max: connections });
  if (direct !== undefined) clientConfig(direct);

  /** Suspends counted links if the data was restored, and stores its new place. */
  async function checkPlace(run: Run): Promise<number> {
    const [place] = await run("place");
    if (place?.same === true) return 0;
    await run("putPlace");
    if (place === undefined || (place.promoted && !suspendAfterFailover)) return 0;
    return (await run("suspendCounted")).length;
  }

  async function prepare(run: Run, client: PoolClient): Promise<void> {
    await run("migrateAlone");
    await migrate(run, client);
    suspendedAtStart += await checkPlace(run);
  }
  let suspendedAtStart = 0;

  const db = openConnections({ pool, prepare, clock, onFault });
  const deliver = deliverer({
    db,
    async onMoved() {
      const suspended = await db.transaction(checkPlace, { durable: true });
      if (suspended > 0) onSuspended?.(suspended);
    },
  });
  const durable = { durable: true };
  const write = <T>(work: (run: Run) => Promise<T>): Promise<T> => db.transaction(work, durable);
  /** For work that cannot recognise that it was committed while the answer was lost: it is stored with its id. */
  const once = <T>(work: (run: Run) => Promise<T>): Promise<T> => {
    const id = randomBytes(16).toString("base64url");
    return db.transaction(async (run, attempt) => {
      const [known] = attempt === 0 ? [] : await run("applied", id);
      if (known !== undefined) return JSON.parse(known.result).value;
      const value = await work(run);
      await run("addApplied", id, JSON.stringify({ value }), db.now());
      return value;
    }, durable);
  };
  let watch: { stop(): void } | undefined;
  const revocationsAfter = async (revision: number): Promise<readonly Revocation[]> =>
    (await db.read("revocationsAfter", revision)).map(toRevocation);

  return {
    sharedByReplicas: true,
    secret: (name) =>
      write(async (run) => {
        await run("addSecret", name, randomBytes(32));
        const [row] = await run("secret", name);
        return Uint8Array.from(row.value);
      }),
    async beginRun(seen) {
      const [replica = ""] = seen?.split(".") ?? [randomBytes(12).toString("base64url")];
      const next = `${replica}.${randomBytes(12).toString("base64url")}`;
      const suspended = await once(async (run) => {
        const [last] = await run("secret", `run ${replica}`);
        const isKnown = seen === undefined || (last !== undefined && String(last.value) === seen);
        const rows = isKnown ? [] : await run("suspendCounted");
        await run("putSecret", `run ${replica}`, Buffer.from(next));
        return rows.length;
      });
      const total = suspended + suspendedAtStart;
      suspendedAtStart = 0;
      return { run: next, suspended: total };
    },
    createLink: (link, variants, idempotencyKey) =>
      once(async (run) => {
        const [known] = idempotencyKey === undefined ? [] : await run("linkByIdempotency", idempotencyKey);
        if (known !== undefined) return found(known) as FoundLink;
        await run("addLink", linkRow(link, idempotencyKey));
        await run("addVariants", JSON.stringify(variants.map(variantRow)));
        return { link, variant: variants[0] } as FoundLink;
      }),
    async findLink(address) {
      const [row] = await db.read("linkByVariant", address);
      return found(row ?? (await db.read("linkBySlug", address))[0]);
    },
    async getLink(id) {
      return whole((await db.read("linkAndVariants", id))[0]);
    },
    async listLinks({ owner = null, ...page }) {
      const rows = await db.read("linksAfter", owner, ...pageStart(page), page.limit + 1);
      return pageOf(rows, page, (row) => whole(row) as WholeLink, "created_at", "id");
    },
    updateLink: (id, version, change) => once((run) => updateLink(run, id, version, change)),
    giveBack: (variant, more) =>
      once(async (run) => {
        const [row] = await run("giveBack", more, variant);
        return row && toVariant(row);
      }),
    deliver,
    async findDelivery(token) {
      const [row] = await db.read("delivery", token);
      const target = found(row);
      return target && { ...target, delivery: toDelivery(row.delivery) };
    },
    async listDeliveries(link, page) {
      const rows = await db.read("deliveriesAfter", link, ...pageStart(page), page.limit + 1);
      const toItem = (row: Row) => ({ ...toDelivery(row), variant: row.variant });
      return pageOf(rows, page, toItem, "claimed_at", "token");
    },
    claimUse: ({ kid, grantId, uses, until }) =>
      once(async (run) => (await run("claimUse", kid, grantId, until, uses)).length > 0),
    revoke: (revocation) => write((run) => revoke(run, db, revocation)),
    lift: (id) =>
      write(async (run) => {
        const [counter] = await run("nextRevision");
        await run("lift", db.now(), counter.value, id);
        await run("notify");
        const [row] = await run("revocation", id);
        return row && toRevocation(row);
      }),
    async listRevocations(page) {
      const rows = await db.read("revocationsPage", ...pageStart(page), page.limit + 1);
      return pageOf(rows, page, toRevocation, "created_at", "id");
    },
    revocationsAfter,
    watch(onRevocations) {
      const connect = async () => {
        const client = new pg.Client({ ...clientConfig(direct ?? ""), pipeline: false } as object);
        // A listener comes first: an error without one would end the process.
        client.on("error", () => undefined);
        await client.connect();
        return client;
      };
      watch = watchRevocations({
        ...(direct === undefined ? {} : { connect }),
        revision: async () => (await db.read("clock"))[0].revision,
        after: revocationsAfter,
        onRevocations,
      });
    },
    addToken: ({ id, hash, createdAt, revokedAt, ...rest }) =>
      write(async (run) => void (await run("addToken", id, hash, JSON.stringify(rest), createdAt))),
    async findToken(hash) {
      const [row] = await db.read("tokenByHash", hash);
      return row && toToken(row);
    },
    listTokens: async () => (await db.read("tokens")).map(toToken),
    revokeToken: (id) => once(async (run) => (await run("revokeToken", db.now(), id)).length > 0),
    async recordFailure({ address, link, windowMs }) {
      const at = db.now();
      await db.transaction((run) => run("addFailure", at, address, link), { durable: false });
      return failures(db, address, link, windowMs);
    },
    failures: ({ address, link, windowMs }) => failures(db, address, link, windowMs),
    sweep: () => sweep(db),
    async backup() {
      throw new Error("the state is in PostgreSQL. Copy it with pg_dump, or by the backup of your database.");
    },
    async close() {
      watch?.stop();
      await db.close();
    },
  };
}

async function migrate(run: Run, client: PoolClient): Promise<void> {
  await run("prepare");
  const [{ version }] = await run("version");
  if (version > migrations.length) {
    throw new TypeError(
      `the state has version ${version}, this release knows ${migrations.length}. Start a newer release.`,
    );
  }
  for (const [at, migration] of migrations.entries()) {
    if (at < version) continue;
    const config = { text: `SET LOCAL statement_timeout = 0; ${migration}`, query_timeout: MIGRATION_MS };
    await client.query(config);
    await run("migrated", at + 1);
  }
}

/** A migration may rewrite a table. */
const MIGRATION_MS = 60 * 60_000;
const DAY = 24 * 60 * 60_000;
/** How long the id of a call is kept: far longer than the call is repeated. */
const APPLIED_MS = 10 * 60_000;

async function revoke(
  run: Run,
  db: Database,
  revocation: Pick<Revocation, "id" | "selector" | "reason" | "until">,
): Promise<Revocation> {
  const { id, selector, reason, until } = revocation;
  const text = JSON.stringify(selector);
  // The counter first: its lock makes two replicas that refuse the same selector wait for each other.
  const [counter] = await run("nextRevision");
  const [known] = await run("revocationInForce", text);
  if (known !== undefined) return toRevocation(known);
  const createdAt = db.now();
  await run("addRevocation", id, counter.value, text, reason ?? null, createdAt, until ?? null);
  await run("notify");
  return { id, revision: counter.value, selector, reason, createdAt, until, liftedAt: undefined };
}

async function updateLink(run: Run, id: string, version: number, change: LinkChange): Promise<Link | undefined> {
  // Variants come first, in the order of a claim's locks.
  const [, [row]] = await Promise.all([run("lockVariants", id), run("link", id)]);
  if (row === undefined) return undefined;
  const values = Object.entries(change).map(([name, value]) => [name, value ?? undefined]);
  const link: Link = { ...toLink(row), ...(Object.fromEntries(values) as Partial<Link>) };
  const { etag = null, size = null, startsAt, expiresAt, revokedAt = null, suspended = null } = link;
  const columns = [etag, size, startsAt, expiresAt, revokedAt, suspended, settingsText(link)] as const;
  if ((await run("changeLink", ...columns, id, version)).length === 0) return undefined;
  await run("limit", link.maxDeliveries ?? null, link.maxBytes ?? null, id);
  return { ...link, version: version + 1 };
}

async function failures(db: Database, address: string, link: string, windowMs: number): Promise<FailureCounts> {
  const [row] = await db.read("failures", address, link, db.now() - windowMs);
  return { byAddress: row.by_address, byLink: row.n, lastByLink: optional<number>(row.last) };
}

/** Each variant in a transaction of its own, so that no claim waits for a sweep. */
async function sweep(db: Database): Promise<void> {
  const lazy = { durable: false };
  const at = db.now();
  for (const { variant } of await db.read("overdue", at)) {
    await db.transaction(async (run) => {
      await run("lockVariant", variant);
      await run("lapse", variant, at);
    }, lazy);
  }
  for (const [name, until] of [
    ["endLeases", at],
    ["removeUses", at],
    ["removeRevocations", at],
    ["removeFailures", at - DAY],
    ["removeApplied", at - APPLIED_MS],
  ] as const) {
    await db.transaction((run) => run(name, until), lazy);
  }
}

interface JoinedRow {
  readonly link: Row;
  readonly variants: readonly Row[];
}

function whole(row: object | undefined): WholeLink | undefined {
  const { link, variants } = (row ?? {}) as Partial<JoinedRow>;
  return link && variants && { link: toLink(link), variants: variants.map(toVariant) };
}

function found(row: object | undefined): FoundLink | undefined {
  const { link, variants: [variant] = [] } = whole(row) ?? {};
  return link && variant && { link, variant };
}

function linkRow(link: Link, idempotency: string | undefined): object {
  const {
    id,
    slug,
    owner,
    kind,
    bucket,
    key,
    etag,
    size,
    startsAt,
    expiresAt,
    revokedAt,
    suspended,
    version,
    createdAt,
  } = link;
  return {
    ...{
      id,
      slug,
      owner,
      kind,
      bucket,
      key,
      etag,
      size,
      suspended,
      version,
      idempotency,
      settings: settingsText(link),
    },
    ...{ starts_at: startsAt, expires_at: expiresAt, revoked_at: revokedAt, created_at: createdAt },
  };
}

function variantRow({ givenBack, maxBytes, ...row }: Variant): object {
  return { ...row, given_back: givenBack, max_bytes: maxBytes };
}
