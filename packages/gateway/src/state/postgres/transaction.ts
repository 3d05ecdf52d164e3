/** What the parts of the engine run their statements in. */
import type { AuditEntry } from "../contract/audit.ts";
import type { Millis } from "../contract/deliveries.ts";
import type { RowsOf } from "../contract/tables.ts";
import type { StatementName, statements } from "./statements.ts";

/** How long a call may take in all, with its repetitions. */
export const DEADLINE_MS = 5000;

/** A value of a parameter. Objects become JSON, lists become arrays. */
export type Value = string | number | null | Uint8Array | readonly string[] | object;

/** The rows of a statement. */
export type Rows<N extends StatementName> = RowsOf<(typeof statements)[N]>;

/** Runs statements in a transaction. */
export type Run = <N extends StatementName>(name: N, ...values: readonly Value[]) => Promise<Rows<N>>;

/** A transaction in progress. */
export interface Transaction {
  readonly run: Run;
  /** Records entries, and queues their notifications, before the commit. */
  append(...entries: readonly AuditEntry[]): void;
  /** How often the work ran before, with an unknown result; 0 at first. */
  readonly attempt: number;
}

/** How a transaction is run. */
export interface TransactionOptions {
  /** False if its loss in a crash of the database costs nothing: `true` by default. */
  readonly durable?: boolean | undefined;
  /** When to give up, by `performance.now()`. */
  readonly deadline?: number | undefined;
}

/** An open database. */
export interface Database {
  /** One statement that changes nothing. */
  read: Run;
  /** Runs `work` in a transaction, and again after a fault: it must recognise what an earlier run committed. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** The clock of the database, milliseconds since 1970. Never goes back. */
  now(): Millis;
  /** Whether the last call was answered. */
  isAvailable(): boolean;
  /** Whether the disk was full for a call in the last minute. */
  isFull(): boolean;
  close(): Promise<void>;
}

/** Signals that the data was restored, or that a standby was promoted. */
export class Moved extends Error {}

/** Runs work, and again after `onMoved` if the data is not where it was. */
export async function afterMove<T>(work: () => Promise<T>, onMoved: () => Promise<void>): Promise<T> {
  return work().catch(async (error: unknown) => {
    if (!(error instanceof Moved)) throw error;
    await onMoved();
    return work();
  });
}

/** Runs work that cannot recognise that it was committed while the answer was lost: it is stored with its id. */
export type Once = <T>(work: (transaction: Transaction) => Promise<T>) => Promise<T>;
