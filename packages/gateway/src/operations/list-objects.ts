import type { PermittedPrefix } from "../permit.ts";
import type { ListEntry, ListOptions, ListPage } from "../storage/contract/listing.ts";
import type { OperationContext } from "./operation-context.ts";
import { visiblePage } from "./visible-page.ts";

export interface ListObjects {
  readonly operation: "list-objects";
  readonly keys: PermittedPrefix;
  readonly delimiter: string | undefined;
  readonly after: ListOptions["after"];
  /** The maximum number of entries; may be 0. */
  readonly limit: number;
}

/** @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE` */
export async function listObjects(
  { keys, delimiter, after, limit }: ListObjects,
  { storage, signal }: OperationContext,
): Promise<ListPage> {
  const options = { after, limit: Math.max(limit, 1) };
  const page = await visiblePage<ListEntry>(keys, options, (more) =>
    storage.list(keys.bucket, { prefix: keys.prefix, delimiter, signal, ...more }),
  );
  return limit === 0 ? { entries: [], truncated: false } : page;
}
