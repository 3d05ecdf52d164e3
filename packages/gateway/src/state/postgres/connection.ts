/** Connections to PostgreSQL: transactions that are tried again until their deadline, and the clock of the database. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientConfig, Pool, PoolClient } from "pg";
import type { AuditEntry } from "../contract/audit.ts";
import type { CommitChain } from "../contract/commit-mac.ts";
import type { Millis } from "../contract/deliveries.ts";
import { entryLimits } from "../contract/entry-limits.ts";
import { StateUnavailable } from "../contract/unavailable.ts";
import { flushJournal } from "./journal.ts";
import { statements } from "./statements.ts";
import { type Database, DEADLINE_MS, type Rows, type Run, type Transaction } from "./transaction.ts";

/** How long one statement or one connection may take. A connection that was cut silently looks like a slow one. */
const STATEMENT_MS = 2500;
/** Between two statements of a transaction. */
const IDLE_MS = 1000;
const RETRY_MS = 50;
/** Reads succeed on a full disk, and so do writes into the rest of a page: a success does not show that there is space again. */
const FULL_MS = 60_000;
/** A reading of the clock is replaced by a worse one after this time. */
const CLOCK_MS = 60_000;

/** Options of {@link openConnections}. */
export interface ConnectionOptions {
  readonly pool: Pool;
  /** The name under which this process records decisions. */
  readonly writer: string;
  readonly chain: CommitChain;
  /** Runs on a connection before the first call; rejects if the database cannot be used. */
  readonly prepare: (transaction: Transaction, client: PoolClient) => Promise<void>;
  /** Runs after it, when the clock of the database is known. */
  readonly begin: (transaction: Transaction) => Promise<void>;
  /** Replaces the clock of the database, for tests. */
  readonly clock?: (() => Date) | undefined;
  /** Receives each fault that is tried again. */
  readonly onFault?: ((error: Error) => void) | undefined;
}

/** Settings of every connection. A fault shows neither password nor URL. */
export function clientConfig(url: string): ClientConfig {
  if (!/^postgres(?:ql)?:\/\/./.test(url))
    throw new TypeError("the address of the state is not a URL that begins with postgres:// or postgresql://");
  return {
    connectionString: url,
    application_name: "daypass",
    connectionTimeoutMillis: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    keepAlive: true,
    pipeline: true,
    // Counters and times are below 2^53.
    types: { getTypeParser: (oid: number, format) => (oid === INT8 ? Number : defaultParser(oid, format)) },
  } as ClientConfig;
}

const INT8 = 20;
let defaultParser: (oid: number, format?: "text" | "binary") => unknown = () => String;

/** Loads the driver, which only a configured gateway needs. */
export async function loadDriver(): Promise<Pick<typeof import("pg"), "Client" | "Pool">> {
  const { default: pg } = await import("pg");
  defaultParser = pg.types.getTypeParser as typeof defaultParser;
  return pg;
}

/** SQLSTATE of faults that pass: connections, shutdown, failover, deadlock, a lock or statement that took too long, an id that a lost commit stored. */
const PASSING = /^(?:08|53|57|58|40|55P03|55000|25006|25P0[23])/;
const DISK_FULL = "53100";
const APPLIED_TWICE = "applied_pkey";

function isPassing(error: unknown): boolean {
  const { code, severity, constraint } = error as { code?: string; severity?: string; constraint?: string };
  // The driver reports a lost connection as a plain error.
  if (severity === undefined) return (error as Error).constructor === Error || /^E[A-Z_]+$/.test(code ?? "");
  return PASSING.test(code ?? "") || constraint === APPLIED_TWICE;
}

/** Opens a database on a pool. Connects at the first call. */
export function openConnections({ pool, writer, chain, prepare, begin, clock, onFault }: ConnectionOptions): Database {
  // A connection reports its end also after it was given back, and an error without a listener ends the process.
  pool.on("error", () => undefined).on("connect", (client) => void client.on("error", () => undefined));
  const time = databaseClock(clock);
  const limits = entryLimits();
  let isAvailable = true;
  let fullUntil: Millis = 0;
  let prepared: Promise<void> | undefined;
  const prepareOnce = (): Promise<void> => {
    prepared ??= inTransaction(async (transaction, client) => {
      await transaction.run("migrateAlone");
      await prepare(transaction, client);
      time.read(await timed(() => transaction.run("clock")));
      await begin(transaction);
    }).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  };

  async function inTransaction<T>(
    work: (transaction: Transaction, client: PoolClient) => Promise<T>,
    durable = true,
    attempt = 0,
  ): Promise<T> {
    const client = await pool.connect();
    let fault: Error | undefined;
    const watch = (error: Error): void => {
      fault = error;
    };
    client.on("error", watch);
    try {
      const run: Run = async (name, ...values) =>
        (await client.query(statements[name], [...values])).rows as Rows<typeof name>;
      // A replica that is gone without a word must not hold a lock on a link.
      const begun = client.query(
        `BEGIN; SET LOCAL synchronous_commit = ${durable ? "on" : "off"}; SET LOCAL statement_timeout = ${STATEMENT_MS};
        SET LOCAL idle_in_transaction_session_timeout = ${IDLE_MS}`,
      );
      const entries: AuditEntry[] = [];
      const append = (...more: readonly AuditEntry[]): void => void entries.push(...more);
      const [result] = await Promise.all([work({ run, append, attempt }, client), begun]);
      const flushed =
        entries.length > 0 ? await flushJournal(run, { entries, writer, at: time.now(), limits, chain }) : undefined;
      const [{ command }] = await Promise.all([client.query("COMMIT"), flushed?.stored]);
      if (command !== "COMMIT") throw new Error("the transaction was rolled back");
      // A crash of the database may lose a commit that is not durable.
      if (durable && flushed?.commit !== undefined) chain.committed(flushed.commit);
      return result;
    } catch (error) {
      fault ??= await client.query("ROLLBACK").then(
        () => undefined,
        (failed: Error) => failed,
      );
      throw error;
    } finally {
      client.off("error", watch);
      client.release(fault);
    }
  }

  async function untilDone<T>(
    attempt: (count: number) => Promise<T>,
    deadline = performance.now() + DEADLINE_MS,
  ): Promise<T> {
    for (let count = 0; ; count += 1) {
      if (performance.now() >= deadline) throw new StateUnavailable("the database does not answer");
      try {
        await prepareOnce();
        const result = await attempt(count);
        isAvailable = true;
        return result;
      } catch (error) {
        if (!isPassing(error)) throw error;
        const isFull = (error as { code?: string }).code === DISK_FULL;
        isAvailable = isFull;
        if (isFull) fullUntil = time.now() + FULL_MS;
        onFault?.(error as Error);
        await sleep(RETRY_MS);
        if (isFull) throw new StateUnavailable("the disk of the database is full");
      }
    }
  }

  return {
    read: (name, ...values) =>
      untilDone(async () => {
        const answer = await timed(async () => (await pool.query(statements[name], [...values])).rows);
        if (name === "clock") time.read(answer);
        return answer.rows as Rows<typeof name>;
      }),
    transaction: (work, { durable, deadline } = {}) =>
      untilDone((attempt) => inTransaction(work, durable, attempt), deadline),
    now: time.now,
    isAvailable: () => isAvailable,
    isFull: () => time.now() < fullUntil,
    close: () => pool.end(),
  };
}

interface Timed<R> {
  readonly rows: R;
  readonly begun: number;
  readonly ended: number;
}

async function timed<R>(work: () => Promise<R>): Promise<Timed<R>> {
  const begun = performance.now();
  const rows = await work();
  return { rows, begun, ended: performance.now() };
}

/** The clock of the database as an offset of this process's own, which no operator changes. The reading with the shortest trip counts. */
function databaseClock(clock: (() => Date) | undefined): {
  now(): Millis;
  read(answer: Timed<Rows<"clock">[0][]>): void;
} {
  let offset = 0;
  let trip = Number.POSITIVE_INFINITY;
  let readAt = Number.NEGATIVE_INFINITY;
  let latest: Millis = 0;
  return {
    now() {
      latest = Math.max(latest, clock?.().getTime() ?? Math.floor(performance.now() + offset));
      return latest;
    },
    read({ rows: [row], begun, ended }) {
      if (row === undefined || (ended - begun > trip && ended - readAt < CLOCK_MS)) return;
      trip = ended - begun;
      readAt = ended;
      offset = row.now - (begun + ended) / 2;
    },
  };
}
