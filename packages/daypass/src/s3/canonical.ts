import { uriEncode, uriEncodePath } from "../encode.ts";
import { AWS4, type CanonicalParts, canonicalHeaderValue, canonicalRequestText, stringToSignText } from "../v4.ts";
import { formDecode, percentDecode, type WireTarget } from "../wire.ts";

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

const CANONICAL_PATH = /^[A-Za-z0-9\-._~/]*$/;
// Unreserved bytes as they are, all others as upper-case %XX: what `uriEncode` gives, so encoding again changes nothing.
const CANONICAL_TEXT = /^(?:[A-Za-z0-9\-._~]|%(?:[0189A-F][0-9A-F]|2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-DF]))*$/;

/**
 * Canonical URI of a raw path: each segment decoded and encoded once, `/` kept, nothing normalised ("you do not
 * normalize URI paths for requests to Amazon S3": `//`, `.` and `..` stay).
 */
export function canonicalPath(rawPath: string): string {
  return CANONICAL_PATH.test(rawPath) ? rawPath : uriEncodePath(percentDecode(rawPath));
}

/** A name or value of a raw query in canonical spelling: decoded, then encoded. */
export function canonicalText(raw: string): string {
  return CANONICAL_TEXT.test(raw) ? raw : uriEncode(formDecode(raw));
}

/** A header that takes part in the signature, with all its values in the order received. */
export interface SignedHeader {
  readonly name: string;
  readonly values: readonly string[];
}

/** "name:value\n" for each signed header, in the order of the list of signed headers. */
export function canonicalHeaders(headers: readonly SignedHeader[]): string {
  const [first] = headers;
  if (headers.length === 1 && first?.name === "host") return `host:${first.values[0]}\n`;
  let text = "";
  for (const { name, values } of headers) text += `${name}:${canonicalHeaderValue(values)}\n`;
  return text;
}

/** The two texts that S3 shows in its error bodies, and that the signature is computed over. */
export interface S3Canonical {
  readonly canonicalRequest: string;
  readonly stringToSign: string;
}

/** Canonical request and string to sign. Signing, verifying and explaining all end here, so they cannot drift apart. */
export function s3Canonical(parts: CanonicalParts, time: string, scope: string): S3Canonical {
  const canonicalRequest = canonicalRequestText(parts);
  return { canonicalRequest, stringToSign: stringToSignText(AWS4, time, scope, canonicalRequest) };
}

/** Where an object or a bucket is, in S3's words. */
export interface S3Location {
  readonly bucket: string;
  /** `undefined` for a call on the bucket itself. */
  readonly key: string | undefined;
}

/**
 * Bucket and key of a raw path. In virtual-host style the bucket comes from the host; in path style it is the first
 * segment. The key is all that follows the one `/`, decoded once: it may start with `/` or hold `//`.
 */
export function s3Location(wire: WireTarget, virtualBucket: string): S3Location {
  const path = percentDecode(wire.path).slice(1);
  if (virtualBucket !== "") return { bucket: virtualBucket, key: path === "" ? undefined : path };
  const slash = path.indexOf("/");
  if (slash < 0) return { bucket: path, key: undefined };
  return { bucket: path.slice(0, slash), key: slash === path.length - 1 ? undefined : path.slice(slash + 1) };
}
