import { excerpt } from "../../http/excerpt.ts";
import { childrenOf, optionalText, requiredText } from "../../http/xml-reader.ts";
import type { BucketInfo } from "../contract/buckets.ts";
import { type ObjectRef, StorageError } from "../contract/storage.ts";
import { unavailable } from "./fault.ts";
import { dateOf } from "./object-info.ts";
import { isUpstreamName, type S3Options } from "./options.ts";
import type { Upstream } from "./upstream.ts";

/** The served buckets. Only this translates a client's bucket name into one of the upstream. */
export interface BucketNames {
  /** @throws {StorageError} `NO_SUCH_BUCKET` for every other name, without asking the upstream about that bucket */
  of(bucket: string): Promise<string>;
  /** Like `of` for unauthenticated clients: returns `undefined`, and may miss a new bucket for a while to spare the upstream. */
  peek(bucket: string): Promise<string | undefined>;
  /** The upstream's name for a new bucket. @throws {StorageError} `BUCKET_NAME_TAKEN` */
  toCreate(bucket: string): string;
  all(): Promise<readonly BucketInfo[]>;
  /** Call it after a change of the list. */
  forget(): void;
}

/** An object in the upstream's names. */
export interface Place {
  readonly bucket: string;
  readonly key: string;
}

const LIST_MS = 10_000;
/** How long `peek` reports the failure of the last list without another call. */
const FAILED_MS = 1000;

export function noSuchBucket(bucket: string): StorageError {
  return new StorageError("NO_SUCH_BUCKET", `there is no bucket ${JSON.stringify(bucket)}`);
}

export function bucketNames({ bucket, clock = () => new Date() }: S3Options, upstream: Upstream): BucketNames {
  if (bucket === undefined) return accountNames(upstream, clock);
  const names = new Map(typeof bucket === "string" ? [[bucket, bucket]] : Object.entries(bucket));

  function toCreate(name: string): string {
    const found = names.get(name);
    if (found === undefined) {
      const message = `the bucket ${excerpt(name)} is not configured. Add it to the option bucket`;
      throw new StorageError("BUCKET_NAME_TAKEN", message);
    }
    return found;
  }

  return {
    async of(name) {
      const found = names.get(name);
      if (found === undefined) throw noSuchBucket(name);
      return found;
    },
    peek: async (name) => names.get(name),
    toCreate,
    async all() {
      const created = await listAccount(upstream).catch(() => new Map<string, Date>());
      const infos = await Promise.all(
        Array.from(names, async ([name, upstreamName]): Promise<BucketInfo[]> => {
          const known = created.get(upstreamName);
          if (known !== undefined) return [{ name, created: known }];
          // The credentials may not be allowed to list buckets. Then only existence is known.
          return (await bucketExists(upstream, upstreamName)) ? [{ name, created: new Date(0) }] : [];
        }),
      );
      return infos.flat();
    },
    forget() {},
  };
}

/**
 * All buckets that the account owns. All accounts of Amazon share one space of bucket names: without the list, a client could reach
 * other accounts' buckets with this gateway's signature.
 */
function accountNames(upstream: Upstream, clock: () => Date): BucketNames {
  let list: { readonly at: number; readonly names: ReadonlyMap<string, Date> } | undefined;
  let pending: Promise<ReadonlyMap<string, Date>> | undefined;
  let failed: { readonly at: number; readonly list: Promise<ReadonlyMap<string, Date>> } | undefined;

  function refresh(): Promise<ReadonlyMap<string, Date>> {
    const started = listAccount(upstream)
      .then((names) => {
        if (pending === started) list = { at: clock().getTime(), names };
        return names;
      })
      .finally(() => {
        if (pending === started) pending = undefined;
      });
    pending = started;
    started.catch(() => {
      failed = { at: clock().getTime(), list: started };
    });
    return started;
  }

  /** The list, or its recent failure without another call. */
  function recent(): Promise<ReadonlyMap<string, Date>> {
    const isRecent = failed !== undefined && clock().getTime() - failed.at < FAILED_MS;
    return pending ?? (isRecent ? failed?.list : undefined) ?? refresh();
  }

  const fresh = (): ReadonlyMap<string, Date> | undefined =>
    list !== undefined && clock().getTime() - list.at < LIST_MS ? list.names : undefined;

  return {
    async of(name) {
      if (!isUpstreamName(name)) throw noSuchBucket(name);
      if (fresh()?.has(name) !== true && !(await (pending ?? refresh())).has(name)) throw noSuchBucket(name);
      return name;
    },
    async peek(name) {
      const names = fresh() ?? (await recent());
      return names.has(name) ? name : undefined;
    },
    toCreate(name) {
      if (!isUpstreamName(name))
        throw new StorageError("BUCKET_NAME_TAKEN", `no bucket can be called ${excerpt(name)}. Use another name`);
      return name;
    },
    all: async () => Array.from(await refresh(), ([name, created]) => ({ name, created })),
    forget() {
      list = undefined;
      pending = undefined;
      failed = undefined;
    },
  };
}

/** "You can request … up to a maximum of 1 million buckets". */
const MAX_PAGES = 1000;

/** A page without new buckets is the last: some servers return the same token again, or ignore it and return the first page. */
async function listAccount(upstream: Upstream): Promise<ReadonlyMap<string, Date>> {
  const found = new Map<string, Date>();
  let token: string | undefined;
  for (let known = -1, pages = 0; known < found.size; pages++) {
    if (pages === MAX_PAGES) throw unavailable("list the buckets", "the upstream's pages do not end");
    known = found.size;
    const query: Record<string, string> = token === undefined ? {} : { "continuation-token": token };
    const { document } = await upstream.read({ doing: "list the buckets", query }, "ListAllMyBucketsResult");
    for (const element of childrenOf(document, "Buckets").flatMap((buckets) => childrenOf(buckets, "Bucket")))
      found.set(requiredText(element, "Name"), dateOf(optionalText(element, "CreationDate")));
    token = optionalText(document, "ContinuationToken");
    if (token === undefined || token === "") break;
  }
  return found;
}

export async function bucketExists(upstream: Upstream, bucket: string): Promise<boolean> {
  const doing = "look for the bucket";
  const fault = await upstream.faultOf({ doing, method: "HEAD", bucket });
  if (fault === undefined) return true;
  if (fault.status === 404) return false;
  throw unavailable(doing, `the upstream answered ${fault.status}`);
}

const MAX_KEY_BYTES = 1024;

/** Whether S3 can hold this key. */
export function isStorable(key: string): boolean {
  // With the flag `u`, the range matches only unpaired surrogates.
  return key !== "" && !/[\0\ud800-\udfff]/u.test(key) && Buffer.byteLength(key) <= MAX_KEY_BYTES;
}

/** @throws {StorageError} `KEY_NOT_STORABLE` */
export function expectStorable({ key }: ObjectRef): void {
  if (isStorable(key)) return;
  const message = `the key is empty, not Unicode, longer than ${MAX_KEY_BYTES} bytes, or contains NUL. Choose another key`;
  throw new StorageError("KEY_NOT_STORABLE", message);
}

/** The last key, in the order of UTF-8, that begins with a prefix. */
export function lastKeyOf(prefix: string): string {
  return prefix + "\u{10ffff}".repeat(Math.max(0, Math.floor((MAX_KEY_BYTES - Buffer.byteLength(prefix)) / 4)));
}
