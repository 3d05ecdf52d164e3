import { DaypassError } from "daypass";
import type { StoredScope } from "./key-record.ts";

/** What a URL or a form is for, as far as a scope asks. */
export interface S3Wish {
  readonly bucket: string;
  /** Without it the call is on the bucket. */
  readonly key?: string | undefined;
  readonly method: string;
  /** Seconds. */
  readonly life: number;
}

/**
 * Holds what an S3 key signs against the key's scope, as the gateway does with each request. It looks at the rest, such as the prefix of a
 * listing and the source of a copy, once it has read the request.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 */
export function expectS3Scope({ buckets, prefix, methods, maxLife }: StoredScope, wish: S3Wish): void {
  const { bucket, key, method, life } = wish;
  if (buckets !== undefined && bucket !== "" && !buckets.includes(bucket)) throw outsideScope("bucket");
  if (prefix !== undefined && key !== undefined && !isBelow(prefix, key)) throw outsideScope("prefix");
  // GET implies HEAD.
  if (methods !== undefined && !methods.includes(method) && !(method === "HEAD" && methods.includes("GET")))
    throw outsideScope("methods");
  if (maxLife !== undefined && life > maxLife) throw outsideScope("maxLife");
}

const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?:\/|$)/;

/** Whether a key lies below a prefix, on whole segments. */
export function isBelow(prefix: string, key: string): boolean {
  if (!key.startsWith(prefix) || DOT_SEGMENT.test(key)) return false;
  return prefix === "" || prefix.endsWith("/") || key.length === prefix.length || key.charAt(prefix.length) === "/";
}

/** The refusal of what a key's scope does not allow. */
export function outsideScope(rule: string): DaypassError {
  return new DaypassError(
    "KEY_SCOPE",
    `expected a grant within the key's scope, found one outside its ${rule}: see daypass keys list`,
    { details: { rule } },
  );
}
