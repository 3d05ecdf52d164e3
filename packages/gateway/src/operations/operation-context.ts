import type { Journal } from "../pipeline/access-log.ts";
import type { State } from "../state/contract/state.ts";
import type { Storage } from "../storage/contract/storage.ts";

/** What an operation receives with its request. */
export interface OperationContext {
  readonly storage: Storage;
  /** Milliseconds. */
  readonly now: number;
  /** Aborted when the client disconnects. */
  readonly signal: AbortSignal | undefined;
  /** Where links live; absent in a gateway without links. */
  readonly links?: { readonly state: State } | undefined;
  /** For the access log. */
  readonly journal: Journal;
}
