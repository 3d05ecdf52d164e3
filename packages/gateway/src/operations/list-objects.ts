import type { PermittedPrefix } from "../permit.ts";
import type { ListOptions, ListPage } from "../storage/contract/listing.ts";
import type { OperationContext } from "./operation-context.ts";

export interface ListObjects {
  readonly operation: "list-objects";
  /** The bucket and what keys begin with. */
  readonly keys: PermittedPrefix;
  readonly delimiter: string | undefined;
  readonly after: ListOptions["after"];
  /** Entries at most; may be 0. */
  readonly limit: number;
}

export interface ListedObjects {
  readonly kind: "listing";
  readonly bucket: string;
  readonly page: ListPage;
}

/**
 * Lists keys.
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function listObjects(
  { keys, delimiter, after, limit }: ListObjects,
  { storage, signal }: OperationContext,
): Promise<ListedObjects> {
  const { bucket, prefix } = keys;
  const page = await storage.list(bucket, { prefix, delimiter, after, limit: Math.max(limit, 1), signal });
  return { kind: "listing", bucket, page: limit === 0 ? { entries: [], truncated: false } : page };
}
