import type { WriteConditions } from "./conditions.ts";
import type { HeldBytes } from "./held-memory.ts";
import type { BucketNames } from "./names.ts";
import type { ObjectReader } from "./read-object.ts";
import type { Upstream } from "./upstream.ts";

/** What the calls of the driver share. */
export interface DriverContext {
  readonly upstream: Upstream;
  readonly names: BucketNames;
  readonly conditions: WriteConditions;
  readonly reader: ObjectReader;
  /** Bytes of one upload that may be kept in memory. */
  readonly holdBytes: number;
  readonly heldBytes: () => HeldBytes;
  readonly clock: () => Date;
}
