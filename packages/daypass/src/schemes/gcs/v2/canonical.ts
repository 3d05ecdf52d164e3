import { canonicalHeaderValue, compareText } from "../../../core/v4.ts";
import type { SignedHeader } from "../canonical.ts";

/**
 * "If the request is scoped to a subresource, such as ?cors, add this subresource, including the question mark": the one
 * part of a query that V2 signs, by its name alone.
 */
export function isSubresource(name: string): boolean {
  return SUBRESOURCE.test(name);
}

const SUBRESOURCE =
  /^(?:acl|billing|compose|cors|defaultObjectAcl|encryption|lifecycle|location|logging|requestPayment|storageClass|tagging|versioning|versions|website)$/;

/** "Customer-supplied encryption keys" are not part of what is signed: whoever holds the URL may choose them. */
export function isNeverSigned(header: string): boolean {
  return /^x-goog-encryption-key(?:-sha256)?$/.test(header);
}

/** What V2 signs. */
export interface GcsV2Parts {
  readonly method: string;
  /** Empty where the request has no such header: its absence is signed, too. */
  readonly contentMd5: string;
  readonly contentType: string;
  /** Seconds since 1970, as it stands in the URL. */
  readonly expires: string;
  /** Every `x-goog-*` header. */
  readonly extensions: readonly SignedHeader[];
  /** `/bucket/object` as in the URL, the bucket also where the host names it; then `?` and the subresource. */
  readonly resource: string;
}

/** Method, Content-MD5, Content-Type, end, `x-goog-*` and resource, a line each. */
export function gcsV2StringToSign({
  method,
  contentMd5,
  contentType,
  expires,
  extensions,
  resource,
}: GcsV2Parts): string {
  const lines = [...extensions]
    .sort((a, b) => compareText(a.name, b.name))
    .map(({ name, values }) => `${name}:${canonicalHeaderValue(values)}\n`);
  return `${method}\n${contentMd5}\n${contentType}\n${expires}\n${lines.join("")}${resource}`;
}
