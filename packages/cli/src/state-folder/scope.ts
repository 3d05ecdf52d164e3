/** The scope of a stored key: as text, as the gateway and the library take it, and its check. */
import type { S3AccessKey } from "@daypass/gateway";
import { scopeBreach } from "@daypass/gateway/scope";
import { DaypassError } from "daypass";
import type { UrlKey } from "daypass/url";
import type { ActiveKey, StoredScope } from "./key-record.ts";

/** A scope as text. */
export function scopeText(scope: StoredScope): string {
  const parts = Object.entries(scope).map(
    ([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : value}`,
  );
  return parts.length === 0 ? "everything" : parts.join(" ");
}

/** A stored access key as the gateway takes it. */
export function accessKey({ credentials, record }: Extract<ActiveKey, { kind: "s3" }>): S3AccessKey {
  const { buckets, prefix, methods, maxLife, until } = record.scope;
  // The gateway validates a frozen scope once.
  for (const list of [buckets, methods]) Object.freeze(list);
  return { ...credentials, scope: Object.freeze({ buckets, prefix, methods, maxLife, until }) };
}

type StoredUrlKey = Extract<ActiveKey, { kind: "url" }>;

/** A stored JWK with its scope, as the library takes it. */
export function urlKey({ jwk, record }: StoredUrlKey): StoredUrlKey["jwk"] {
  return { ...jwk, scope: urlScope(record.scope) };
}

/** A stored scope as the `scope` of a JWK. */
export function urlScope({ origins, prefix, methods, maxLife, until }: StoredScope): NonNullable<UrlKey["scope"]> {
  // `2026-01-02T03:04:05.000Z` as `20260102T030405Z`.
  return { origins, prefix, methods, maxLife, until: until?.replace(/[-:]|\.\d+/g, "") };
}

/** The request that a URL or a form grants, as far as a scope limits it. */
export interface S3Request {
  readonly bucket: string;
  /** `undefined` for a request on the bucket itself. */
  readonly key?: string | undefined;
  readonly method: string;
  /** The lifetime in seconds. */
  readonly lifetime: number;
}

/**
 * Checks a request against the scope of an S3 key, as the gateway does. The gateway also checks the prefix of a listing and the source of
 * a copy, which are not known here.
 *
 * @throws {DaypassError} `KEY_SCOPE`
 */
export function expectS3Scope(scope: StoredScope, { bucket, key, method, lifetime }: S3Request): void {
  const rule = scopeBreach(scope, { bucket, key }, method);
  if (rule !== undefined) throw outsideScope(rule);
  if (scope.maxLife !== undefined && lifetime > scope.maxLife) throw outsideScope("maxLife");
}

/** The error for a request outside the key's scope. */
export function outsideScope(rule: string): DaypassError {
  return new DaypassError(
    "KEY_SCOPE",
    `this is outside the key's ${rule}. See daypass keys list for what the key may grant`,
    { details: { rule } },
  );
}
