import type { GetOptions, ObjectInfo, ObjectRef, OpenObject } from "../contract/storage.ts";
import type { WriteConditions } from "./conditions.ts";
import type { HeldBytes } from "./held-memory.ts";
import type { BucketNames } from "./names.ts";
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

export interface ObjectReader {
  get(ref: ObjectRef, options: GetOptions): Promise<OpenObject | undefined>;
  head(ref: ObjectRef, options: GetOptions): Promise<ObjectInfo | undefined>;
}
