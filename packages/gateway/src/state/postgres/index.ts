/** The PostgreSQL engine of the state, for replicas that share it. Commands of one link that arrive together share one commit. */
import { randomBytes } from "node:crypto";
import type { ClientConfig, Pool } from "pg";
import { commitChain, type MacOptions } from "../contract/commit-mac.ts";
import { pageOf, pageStart } from "../contract/page.ts";
import { toChange, toDelivery, toRevocation } from "../contract/rows.ts";
import type { State, Use } from "../contract/state.ts";
import type { DeliveryRow } from "../contract/tables.ts";
import { checkPlace, claimUses, found, revoke, suspendCounted, sweep } from "./changes.ts";
import { clientConfig, loadDriver, openConnections } from "./connection.ts";
import { deliverer } from "./deliver.ts";
import { joined } from "./joined.ts";
import { auditMethods, outboxMethods } from "./journal.ts";
import { keyMethods } from "./keys.ts";
import { linkMethods } from "./links.ts";
import { migrate } from "./migrate.ts";
import { auditKeyMethods, type SecretSeal, sealSecrets, secretOf } from "./secrets.ts";
import { tokenMethods } from "./tokens.ts";
import { afterMove, type Database, type Once, type Transaction } from "./transaction.ts";
import { watchRevocations } from "./watch.ts";
import { holdWriter, oneAtATime, type WriterClaim } from "./writers.ts";

/** Options of {@link postgresState}. */
export interface PostgresStateOptions {
  /** The address of the database, `postgres://…`, or of a pgbouncer in transaction mode. Secret: never appears in an error. */
  readonly url: string;
  /** An address that reaches the database without a pool, for LISTEN. The state is also polled every 500 ms, with it or without it. */
  readonly direct?: string | undefined;
  /** Number of connections, without the one of `direct`: 8 by default. */
  readonly connections?: number | undefined;
  /** Suspends counted links when a standby was promoted: `true` by default. Set it to `false` if every standby is synchronous, so that none loses a commit. */
  readonly suspendAfterFailover?: boolean | undefined;
  /** The name under which this process records decisions; each replica needs its own. Random by default. */
  readonly writer?: string | undefined;
  /** Refuses another process with the same `writer`. Absent: nothing does. */
  readonly claim?: WriterClaim | undefined;
  /** Authenticates each commit of the audit. Absent: none, and no sealer signs the records. */
  readonly mac?: MacOptions | undefined;
  /** Seals the secrets of the state. Absent: a reader of the database learns them. */
  readonly seal?: SecretSeal | undefined;
  /** Replaces the clock of the database, for tests. */
  readonly clock?: (() => Date) | undefined;
  /** Receives each fault that is tried again. Its text shows neither password nor URL. */
  readonly onFault?: ((error: Error) => void) | undefined;
  /** Receives the number of counted links that were suspended, also none, because the database was restored or a standby was promoted. */
  readonly onSuspended?: ((count: number) => void) | undefined;
}

/**
 * The state in PostgreSQL 14 or newer. Connects at the first call; while the database is away, calls wait for five seconds and then reject with
 * `StateUnavailable` (`STATE_UNAVAILABLE`). Rejects with a `TypeError` if `url` is not an address of PostgreSQL, and with
 * `StateUnusable` (`STATE_UNUSABLE`) if the state needs a newer release or another `seal`. Does not check that a standby is
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
  const { writer = randomBytes(6).toString("hex"), claim } = options;
  const chain = commitChain(writer, options.mac);
  const pg = await loadDriver();
  const pool: Pool = new pg.Pool({ ...clientConfig(url), max: connections });
  if (direct !== undefined) clientConfig(direct);

  const suspendIfMoved = (transaction: Transaction): Promise<number | undefined> =>
    checkPlace(transaction, { suspendAfterFailover, at: db.now() });
  async function settlePlace(transaction: Transaction): Promise<void> {
    const suspended = await suspendIfMoved(transaction);
    if (suspended !== undefined) onSuspended?.(suspended);
  }
  let suspendedAtStart: number | undefined;
  const db = openConnections({
    pool,
    writer,
    chain,
    clock,
    onFault,
    async prepare(transaction, client) {
      await sealSecrets(transaction.run, options.seal, await migrate(transaction.run, client));
      if (claim !== undefined) await holdWriter(transaction.run, writer, claim);
    },
    async begin(transaction) {
      suspendedAtStart = (await suspendIfMoved(transaction)) ?? suspendedAtStart;
    },
  });
  const onMoved = (): Promise<void> => db.transaction(settlePlace);
  const deliver = deliverer({ db, onMoved });
  const once = onceOver(db);
  const claimUse = joined<Use, boolean>((uses, deadline) => afterMove(() => claimUses(db, uses, deadline), onMoved));
  let watch: { stop(): void } | undefined;
  const revision = async (): Promise<number> => (await db.read("clock"))[0].revision;

  return {
    sharedByReplicas: true,
    secret: (name) => secretOf(db, options.seal, name),
    async beginRun(seen) {
      const [replica = ""] = seen?.split(".") ?? [randomBytes(12).toString("base64url")];
      const next = `${replica}.${randomBytes(12).toString("base64url")}`;
      const suspended = await once(async (transaction) => {
        const { run } = transaction;
        const [last] = await run("secret", `run ${replica}`);
        const isKnown = seen === undefined || (last !== undefined && String(last.value) === seen);
        await run("putSecret", `run ${replica}`, Buffer.from(next));
        if (isKnown) return null;
        await run("skipRevisions");
        return suspendCounted(transaction, db.now());
      });
      const restored = (suspended ?? suspendedAtStart) !== undefined;
      const total = (suspended ?? 0) + (suspendedAtStart ?? 0);
      suspendedAtStart = undefined;
      return { run: next, restored, suspended: total };
    },
    deliver,
    async findDelivery(token) {
      const [row] = await db.read("delivery", token);
      const target = found(row);
      return row && target && { ...target, delivery: toDelivery(row.delivery) };
    },
    async listDeliveries(link, page) {
      const rows = await db.read("deliveriesAfter", link, ...pageStart(page), page.limit + 1);
      const toItem = (row: DeliveryRow) => ({ ...toDelivery(row), variant: row.variant });
      return pageOf(rows, page, toItem, "claimed_at", "token");
    },
    claimUse,
    revoke: (revocation, by) =>
      db.transaction(async (transaction) => {
        await settlePlace(transaction);
        return revoke(transaction, revocation, { by, at: db.now() });
      }),
    lift: (id, by) =>
      db.transaction(async (transaction) => {
        const { run, append } = transaction;
        await settlePlace(transaction);
        const [counter] = await run("nextRevision");
        const isLifted = (await run("lift", db.now(), counter.value, id)).length > 0;
        if (isLifted) append({ action: "revocation.lifted", by, result: "ok", subject: id });
        await run("notify");
        const [row] = await run("revocation", id);
        return row && toRevocation(row);
      }),
    async listRevocations(page) {
      const rows = await db.read("revocationsPage", ...pageStart(page), page.limit + 1);
      return pageOf(rows, page, toRevocation, "created_at", "id");
    },
    async revocationsAfter(after, limit) {
      // The revision first: changes are committed in their order, so the rows contain every change up to it.
      const known = await revision();
      const revocations = (await db.read("revocationsAfter", after, limit)).map(toChange);
      return { revocations, revision: Math.max(known, revocations.at(-1)?.revision ?? 0) };
    },
    watch(onRevision) {
      const connect = async () => {
        const client = new pg.Client({ ...clientConfig(direct ?? ""), pipeline: false } as ClientConfig);
        // A listener comes first: an error without one would end the process.
        client.on("error", () => undefined);
        await client.connect();
        return client;
      };
      watch = watchRevocations({ connect: direct === undefined ? undefined : connect, revision, onRevision });
    },
    ...linkMethods(db, once),
    ...tokenMethods(db, once),
    ...keyMethods(db, once),
    ...auditMethods(db, once, chain),
    ...auditKeyMethods(db, once, options.seal),
    ...outboxMethods(db, once),
    sweep: () => sweep(db),
    backup: refuseBackup,
    isAvailable: db.isAvailable,
    holdWriter: oneAtATime(async () => {
      if (claim !== undefined) await db.transaction(({ run }) => holdWriter(run, writer, claim), { durable: false });
    }),
    isFull: db.isFull,
    async close() {
      watch?.stop();
      await db.close();
    },
  };
}

async function refuseBackup(): Promise<never> {
  throw new Error("the state is in PostgreSQL. Copy it with pg_dump, or by the backup of your database.");
}

/** Work whose answer was lost is not done again: its result is stored with it. */
function onceOver(db: Database): Once {
  return (work) => {
    const id = randomBytes(16).toString("base64url");
    return db.transaction(async (transaction) => {
      const { run, attempt } = transaction;
      const [known] = attempt === 0 ? [] : await run("applied", id);
      if (known !== undefined) return JSON.parse(known.result).value;
      const value = await work(transaction);
      await run("addApplied", id, JSON.stringify({ value }), db.now());
      return value;
    });
  };
}
