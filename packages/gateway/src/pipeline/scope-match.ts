/**
 * Which requests a key may grant: the rule of the gateway, also for programs that check it beforehand.
 */
import type { KeyScope } from "./key-scope.ts";

/** Bucket and key in the terms of the dialect; no key means the bucket itself. Decoded once, by the dialect's rule. */
export interface Resource {
  readonly bucket: string;
  readonly key: string | undefined;
  /** Without a key: the beginning of the keys that the grant is for. */
  readonly prefix?: string | undefined;
  /** The keys and prefixes below `prefix` that the grant is for; absent: everything below it. */
  readonly parts?: readonly string[] | undefined;
}

export const DOT_SEGMENT: RegExp = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Whether a key is below a prefix, on whole segments. A key with dot segments is not, because a backend could resolve them. */
export function isBelow(prefix: string, key: string): boolean {
  if (!key.startsWith(prefix)) return false;
  if (!(prefix === "" || prefix.endsWith("/") || key.length === prefix.length || key.charAt(prefix.length) === "/"))
    return false;
  return !DOT_SEGMENT.test(key);
}

/**
 * Returns the rule of a scope that the target of a request violates, or `undefined` if it conforms to all. Does not
 * check `maxLife`, `until` and `allow`. A request without a bucket, or without a key, violates no rule about them: the
 * operation checks listings and the source of a copy.
 *
 * @param scope the limits that the operator sets for the key
 * @param resource what the request is for
 * @param method the request's method; `GET` in a scope implies `HEAD`
 * @example
 * ```ts
 * import { scopeBreach } from "@daypass/gateway";
 *
 * const scope = { buckets: ["media"], prefix: "talks/", methods: ["GET"] };
 * console.log(scopeBreach(scope, { bucket: "media", key: "talks/a.mp4" }, "HEAD")); // undefined: GET implies HEAD
 * console.log(scopeBreach(scope, { bucket: "media", key: "private/a.mp4" }, "GET")); // "prefix"
 * ```
 */
export function scopeBreach(
  { buckets, prefix, methods }: Pick<KeyScope, "buckets" | "prefix" | "methods">,
  { bucket, key }: Resource,
  method: string,
): "bucket" | "prefix" | "methods" | undefined {
  // An empty bucket without a key is a call on no bucket, such as the list of buckets. With a key, it is a bucket named "".
  const isForNone = bucket === "" && key === undefined;
  if (buckets !== undefined && !isForNone && !buckets.includes(bucket)) return "bucket";
  if (prefix !== undefined && key !== undefined && !isBelow(prefix, key)) return "prefix";
  // GET implies HEAD, as in every dialect that lists methods.
  if (methods !== undefined && !methods.includes(method) && !(method === "HEAD" && methods.includes("GET")))
    return "methods";
  return undefined;
}
