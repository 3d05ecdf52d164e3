/** Whether the target of a link exists and, if it does not, which name was probably meant. */
import type { LinkRequest } from "../links/create-link.ts";
import { hiddenPart } from "../links/hidden-names.ts";
import { nearestName } from "../links/nearest-name.ts";
import { type ListEntry, positionAfter } from "../storage/contract/listing.ts";
import { isStorageError, type Storage } from "../storage/contract/storage.ts";
import { AdminProblem, invalid } from "./http.ts";

/** The part of a storage that finds targets. */
export type TargetStorage = Pick<Storage, "head" | "list" | "buckets">;

type Target = Pick<LinkRequest, "bucket" | "key" | "kind">;

/** Bucket and key of a name; no key means the bucket itself. */
export interface Named {
  readonly bucket: string;
  readonly key: string | undefined;
}

/** What a refusal may name. */
export interface Hints {
  /** Whether the caller may learn of a name. Hidden names are never shown. */
  readonly sees: (name: Named) => boolean;
  /** The target on a route, if the text can mean one. */
  readonly route: string | undefined;
}

/** Names of a folder, or buckets, that are compared with the wrong one. */
const MAX_NAMES = 10_000;
const PAGE = 1000;

/**
 * Returns the target as it exists: a folder may be named without its slash.
 * @throws {AdminProblem} `INVALID_INPUT`, `NO_SUCH_BUCKET`
 */
export async function existingTarget(target: Target, storage: TargetStorage, hints: Hints): Promise<Target> {
  if (target.kind === "route") return target;
  const { bucket, key } = target;
  const has = async (prefix: string) => (await storage.list(bucket, { prefix, limit: 1 })).entries.length > 0;
  const isFile = async (file: string) => (await storage.head({ bucket, key: file })) !== undefined;
  try {
    if (target.kind === "object") {
      if (await isFile(key)) return target;
      if (await has(`${key}/`)) return { bucket, key: `${key}/`, kind: "prefix" };
    } else if ((await has(key)) || key === "") return target;
    const file = key.slice(0, -1);
    if (key.endsWith("/") && hints.sees({ bucket, key: file }) && (await isFile(file)))
      throw invalid(`${bucket}/${file} is a file. Leave out the slash at the end.`);
  } catch (error) {
    if (!isStorageError(error) || error.code !== "NO_SUCH_BUCKET") throw error;
    const names = await namesOf(async () => (await storage.buckets()).slice(0, MAX_NAMES).map(({ name }) => name));
    const near = nearestName(
      bucket,
      names.filter((name) => mayShow({ bucket: name, key: undefined }, hints)),
    );
    throw new AdminProblem(400, "NO_SUCH_BUCKET", `there is no bucket ${bucket}.${advice(near, hints)}`);
  }
  let folder = "";
  const [last = "", ...above] = key.replace(/\/$/, "").split("/").reverse();
  let missing = target.kind === "prefix" ? `${last}/` : last;
  for (const name of above.reverse()) {
    if (await has(`${folder}${name}/`)) folder += `${name}/`;
    else {
      missing = `${name}/`;
      break;
    }
  }
  const entries = await namesOf(() => entriesOf(folder));
  const near = nearestName(missing, entries);
  const what = missing.endsWith("/") ? `folder ${missing} with files` : missing;
  throw invalid(`there is no ${what} in ${bucket}/${folder}.${advice(near, hints)}`);

  async function entriesOf(prefix: string): Promise<readonly string[]> {
    const found: ListEntry[] = [];
    for (let isMore = true; isMore && found.length < MAX_NAMES; ) {
      const end = found.at(-1);
      const after = end && positionAfter(end);
      const page = await storage.list(bucket, { prefix, delimiter: "/", after, limit: PAGE });
      found.push(...page.entries);
      isMore = page.truncated;
    }
    const keys = found.map((entry) => (entry.kind === "object" ? entry.key : entry.prefix));
    return keys.filter((one) => mayShow({ bucket, key: one }, hints)).map((one) => one.slice(prefix.length));
  }
}

function mayShow(name: Named, { sees }: Hints): boolean {
  return hiddenPart(name.key ?? name.bucket) === undefined && sees(name);
}

/** A storage that may not be listed still refuses with the name that is missing. */
function namesOf(read: () => Promise<readonly string[]>): Promise<readonly string[]> {
  return read().catch(() => []);
}

function advice(near: string | undefined, { route }: Hints): string {
  if (route !== undefined) return ` It is on a route: write ${route}`;
  return near === undefined ? " Upload it first, or correct the target." : ` Did you mean ${near}?`;
}
