import type { PermittedPrefix } from "../permit.ts";
import { type ListEntry, positionAfter } from "../storage/contract/listing.ts";
import type { OperationContext } from "./operation-context.ts";
import { visiblePage } from "./visible-page.ts";

/** The entries directly below a prefix, for a page that sorts them. */
export interface ListFolder {
  readonly operation: "list-folder";
  readonly keys: PermittedPrefix;
  /** Entries at most; the rest is left out. */
  readonly limit: number;
}

/** Objects and folders below a prefix, by name. */
export interface ListedFolder {
  readonly entries: readonly ListEntry[];
  readonly isTruncated: boolean;
}

const PAGE = 1000;

/** Reads as many pages as it takes. @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE` */
export async function listFolder({ keys, limit }: ListFolder, context: OperationContext): Promise<ListedFolder> {
  const { storage, signal } = context;
  const entries: ListEntry[] = [];
  for (;;) {
    const last = entries.at(-1);
    const after = last && positionAfter(last);
    const page = await visiblePage<ListEntry>(keys, { after, limit: PAGE }, (more) =>
      storage.list(keys.bucket, { prefix: keys.prefix, delimiter: "/", signal, ...more }),
    );
    entries.push(...page.entries);
    const isTruncated = page.truncated && entries.length >= limit;
    if (!page.truncated || isTruncated) return { entries: entries.slice(0, limit), isTruncated };
  }
}
