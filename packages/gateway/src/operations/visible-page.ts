/** Pages of a listing without revoked keys. Every operation that lists keys reads its pages here. */
import type { PermittedPrefix } from "../permit.ts";
import { type ListEntry, positionAfter } from "../storage/contract/listing.ts";
import type { ListUploadsOptions, UploadEntry } from "../storage/contract/multipart.ts";

interface Page<E> {
  readonly entries: readonly E[];
  readonly truncated: boolean;
}

type Start = Pick<ListUploadsOptions, "after" | "limit">;

/**
 * Reads a page, and further ones in the place of revoked entries. The page ends with an entry that it shows, so the position after the page
 * names no revoked key. One jump passes a revoked prefix, however many keys it has.
 */
export async function visiblePage<E extends ListEntry | UploadEntry>(
  keys: PermittedPrefix,
  { after: first, limit }: Start,
  read: (start: Start) => Promise<Page<E>>,
): Promise<Page<E>> {
  const entries: E[] = [];
  for (let after = first; ; ) {
    const page = await read({ after, limit: limit - entries.length });
    const shown = page.entries.filter((entry) => keys.revokedAt(textOf(entry)) === undefined);
    entries.push(...shown);
    const last = page.entries.at(-1);
    if (!page.truncated || last === undefined || shown.length === page.entries.length)
      return { entries, truncated: page.truncated };
    const revoked = keys.revokedAt(textOf(last));
    // The revocation came after the check of the request.
    if (revoked !== undefined && keys.prefix.startsWith(revoked)) return { entries, truncated: false };
    after = revoked === undefined ? positionOf(last) : { prefix: revoked };
  }
}

function textOf(entry: ListEntry | UploadEntry): string {
  return entry.kind === "object" ? entry.key : entry.kind === "upload" ? entry.upload.key : entry.prefix;
}

function positionOf(entry: ListEntry | UploadEntry): Start["after"] {
  return entry.kind === "upload" ? entry.upload : positionAfter(entry);
}
