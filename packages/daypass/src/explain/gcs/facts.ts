import { bucketResource } from "../bucket-resource.ts";
import type { Signer } from "../cause/undecided.ts";
import { decodeOr } from "../decoded.ts";
import type { SplitUrl } from "../explainer.ts";
import type { Trap } from "../explanation.ts";
import { readParameters } from "../parameters.ts";
import type { GcsKeyKind } from "./keys.ts";

/** The bucket in one of Google's hosts. */
export function googleBucket(authority: string): string | undefined {
  return /^(.+)\.storage\.(?:googleapis\.com|[a-z0-9.-]+)(?::\d+)?$/.exec(authority)?.[1];
}

/** Bucket and object of the URL. A foreign host may belong to one bucket or to a server. */
export function gcsResource({ authority, wire }: SplitUrl): string {
  const path = decodeOr(wire.path);
  const named = googleBucket(authority);
  if (named === undefined && !/^storage\.[a-z0-9.-]+(?::\d+)?$/.test(authority)) {
    return `${path} at ${authority} (its first segment is the bucket, unless the host is one bucket's own)`;
  }
  return bucketResource(named, path);
}

const IGNORED_OVERRIDE = /^response-(?:cache-control|content-encoding|content-language|expires)$/;
const HEADER_ONLY = /^x-goog-(?!algorithm$|credential$|date$|expires$|signature$|signedheaders$)/i;

/** Pitfalls that Cloud Storage's URLs of both versions have. */
export function gcsTraps(url: SplitUrl): readonly Trap[] {
  return readParameters(url).flatMap(([name]): readonly Trap[] => {
    if (IGNORED_OVERRIDE.test(name)) {
      const text = `Cloud Storage ignores ${name}: of the response headers, a URL can set content-disposition and content-type only.`;
      return [{ name: "ignored-override", text }];
    }
    if (!HEADER_ONLY.test(name)) return [];
    const text = `${name} is in the query, where Cloud Storage ignores it. Sign it as a header, and send it.`;
    return [{ name: "header-in-query", text }];
  });
}

/** Advice about a key pair. HMAC keys need none. */
export function gcsSigner(kind: GcsKeyKind): Signer | undefined {
  if (kind === "hmac") return undefined;
  return {
    what: "key",
    look: "Check that the account still has the key that signed: it may have been deleted, and the keys that Google itself signs with (signBlob, as functions and App Engine do) are replaced within days, which invalidates their URLs.",
  };
}

/** Keys that Google signs with itself last at least 12 hours. */
export const SIGN_BLOB =
  "; if signed through IAM's signBlob, possibly after 12 hours, the least that Google keeps its key";

export function mayEndEarlier(kind: GcsKeyKind): string {
  return kind === "hmac"
    ? "when the HMAC key is deactivated or its account loses the permission"
    : "when the account's key is deleted or the account loses the permission";
}
