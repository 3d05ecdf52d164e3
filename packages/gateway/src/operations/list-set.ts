import { isPinned, type Place } from "../links/link-kinds.ts";
import { LinkRefused } from "../links/open-link.ts";
import type { PermittedTarget } from "../permit.ts";
import type { ListEntry } from "../storage/contract/listing.ts";
import type { ListedFolder } from "./list-folder.ts";
import type { OperationContext } from "./operation-context.ts";

/** The targets of a set, for a page that shows them as one folder. */
export interface ListSet {
  readonly operation: "list-set";
  readonly targets: readonly NamedTarget[];
}

/** A target with its name in the set. */
export interface NamedTarget {
  /** Unique; of a prefix, it ends with `/`. */
  readonly name: string;
  readonly target: PermittedTarget;
  readonly pin: Place["pin"];
}

/**
 * Reads the metadata of the objects. Targets that were revoked, changed or removed are left out.
 * @throws {LinkRefused} if no target is left
 * @throws {StorageError} `NO_SUCH_BUCKET`, `UNAVAILABLE`
 */
export async function listSet({ targets }: ListSet, { storage, signal }: OperationContext): Promise<ListedFolder> {
  const entryOf = async ({ target, pin }: NamedTarget): Promise<ListEntry | undefined> => {
    const { object, keys } = target;
    if (target.isRevoked()) return undefined;
    if (keys !== undefined) return { kind: "prefix", prefix: keys.prefix };
    const info = await storage.head(object, { signal });
    if (info === undefined || !isPinned(pin, info)) return undefined;
    return { kind: "object", key: object.key, size: info.size, etag: info.etag, lastModified: info.lastModified };
  };
  const entries = (await Promise.all(targets.map(entryOf))).filter((entry) => entry !== undefined);
  if (entries.length === 0) throw new LinkRefused("changed");
  return { entries, isTruncated: false };
}
