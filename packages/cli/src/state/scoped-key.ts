import type { S3AccessKey } from "@daypass/gateway";
import type { UrlKey } from "daypass/url";
import type { ActiveKey, StoredScope } from "./key-record.ts";

/** A stored access key with its scope, as the gateway takes it. */
export function accessKey({ credentials, record }: Extract<ActiveKey, { kind: "s3" }>): S3AccessKey {
  const { buckets, prefix, methods, maxLife, until } = record.scope;
  return {
    ...credentials,
    scope: { buckets, prefix, methods, maxLife, until: until === undefined ? undefined : new Date(until) },
  };
}

/** A stored JWK with its scope inside, as the library takes it. */
export function urlKey({
  jwk,
  record,
}: Extract<ActiveKey, { kind: "url" }>): Extract<ActiveKey, { kind: "url" }>["jwk"] {
  return { ...jwk, scope: urlScope(record.scope) };
}

/** The scope of a stored key in the words of a JWK. */
export function urlScope({ origins, prefix, methods, maxLife, until }: StoredScope): NonNullable<UrlKey["scope"]> {
  // `2026-01-02T03:04:05.000Z` as `20260102T030405Z`.
  return { origins, prefix, methods, maxLife, until: until?.replace(/[-:]|\.\d+/g, "") };
}
