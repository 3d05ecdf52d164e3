import type { Journal } from "../pipeline/audit.ts";
import type { Storage } from "../storage/contract/storage.ts";

/** What an operation is given besides its request. */
export interface OperationContext {
  readonly storage: Storage;
  /** Milliseconds. */
  readonly now: number;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal | undefined;
  /** For the audit. */
  readonly journal: Journal;
}

/** The signal of a request, or what makes it. */
export type SignalSource = AbortSignal | (() => AbortSignal) | undefined;

interface ContextParts extends Omit<OperationContext, "signal"> {
  readonly signal: SignalSource;
}

/** Makes what operations are given, with a signal that is made when one of them asks. */
export function operationContext(parts: ContextParts): OperationContext {
  return new LazyContext(parts);
}

/** A class for its getter: that of an object literal is defined anew for each request, which took a third of the rate. */
class LazyContext implements OperationContext {
  readonly storage: Storage;
  readonly now: number;
  readonly journal: Journal;
  readonly #signal: SignalSource;

  constructor({ storage, now, signal, journal }: ContextParts) {
    this.storage = storage;
    this.now = now;
    this.journal = journal;
    this.#signal = signal;
  }

  get signal(): AbortSignal | undefined {
    return typeof this.#signal === "function" ? this.#signal() : this.#signal;
  }
}
