import type { Journal } from "../pipeline/audit.ts";
import type { Storage } from "../storage/contract/storage.ts";

/** What an operation receives with its request. */
export interface OperationContext {
  readonly storage: Storage;
  /** Milliseconds. */
  readonly now: number;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal | undefined;
  /** For the audit. */
  readonly journal: Journal;
}
