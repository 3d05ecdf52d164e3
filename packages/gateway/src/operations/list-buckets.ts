import type { PermittedBuckets } from "../permit.ts";
import type { BucketInfo } from "../storage/contract/buckets.ts";
import { compareUtf8 } from "../storage/contract/listing.ts";
import type { OperationContext } from "./operation-context.ts";

export interface ListBuckets {
  readonly operation: "list-buckets";
  /** The key's own; no other is shown. */
  readonly permitted: PermittedBuckets;
  readonly prefix: string;
  readonly after: string | undefined;
  readonly limit: number;
  /** Where the gateway says that its buckets are. */
  readonly region: string;
}

export interface ListedBuckets {
  readonly kind: "buckets";
  readonly region: string;
  readonly buckets: readonly BucketInfo[];
  readonly truncated: boolean;
}

/**
 * Lists the buckets that a key may use.
 * @throws {StorageError} `UNAVAILABLE`
 */
export async function listBuckets(
  { permitted, prefix, after, limit, region }: ListBuckets,
  { storage }: OperationContext,
): Promise<ListedBuckets> {
  const found = (await storage.buckets()).filter(
    ({ name }) =>
      permitted.includes(name) && name.startsWith(prefix) && (after === undefined || compareUtf8(name, after) > 0),
  );
  return { kind: "buckets", region, buckets: found.slice(0, limit), truncated: found.length > limit };
}
