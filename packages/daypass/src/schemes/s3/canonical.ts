import {
  AWS4,
  type CredentialScope,
  canonicalHeaderValue,
  canonicalQuery,
  type EncodedPair,
  type SignedHeader,
  scopeText,
} from "../../core/v4.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import { formDecode, percentDecode } from "../../wire/raw-target.ts";

export type { SignedHeader } from "../../core/v4.ts";

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

// Is its own canonical form, and nothing in it is encoded.
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;

/** The path of a request in its two forms. */
export interface S3Path {
  /**
   * Canonical URI: each segment decoded and encoded once, `/` kept, nothing normalised ("you do not normalize URI paths for
   * requests to Amazon S3": `//`, `.` and `..` stay).
   */
  readonly path: string;
  readonly decodedPath: string;
}

/** Reads a raw path. Throws `MALFORMED`. */
export function readPath(rawPath: string): S3Path {
  if (PLAIN_PATH.test(rawPath)) return { path: rawPath, decodedPath: rawPath };
  const decodedPath = percentDecode(rawPath);
  return { path: uriEncodePath(decodedPath), decodedPath };
}

/** A name or value of a raw query in canonical spelling: decoded, then encoded. */
export function canonicalText(raw: string): string {
  return uriEncode(formDecode(raw));
}

/** What stays the same in all signatures of one access key on one day. */
export interface DayScope {
  readonly scope: CredentialScope;
  /** The parameters X-Amz-Algorithm and X-Amz-Credential, encoded. */
  readonly query: string;
}

/** Prepares a {@link DayScope}. */
export function dayScope(accessKeyId: string, scope: CredentialScope): DayScope {
  const credential = uriEncode(`${accessKeyId}/${scopeText(AWS4, scope)}`);
  return { scope, query: `X-Amz-Algorithm=${AWS4.algorithm}&X-Amz-Credential=${credential}` };
}

/** The values of the signature's own parameters, not yet encoded but for `query`. */
export interface AuthQuery {
  readonly query: string;
  readonly time: string;
  readonly expiresIn: number | string;
  readonly sessionToken: string | undefined;
  readonly signedHeaders: string;
}

/** The signature's own parameters but for the signature itself, encoded and sorted. */
export function ownQuery({ query, time, expiresIn, sessionToken, signedHeaders }: AuthQuery): string {
  const token = sessionToken === undefined ? "" : `&X-Amz-Security-Token=${uriEncode(sessionToken)}`;
  return `${query}&X-Amz-Date=${time}&X-Amz-Expires=${expiresIn}${token}&X-Amz-SignedHeaders=${uriEncode(signedHeaders)}`;
}

/** The canonical query of a presigned request: {@link ownQuery} with all others, sorted in. */
export function s3Query(own: string, others: readonly EncodedPair[]): string {
  if (others.length === 0) return own;
  return canonicalQuery([...own.split("&").map((pair) => pair.split("=") as [string, string]), ...others]);
}

/** "name:value\n" for each signed header, in the order of the list of signed headers. */
export function canonicalHeaders(headers: readonly SignedHeader[]): string {
  let text = "";
  for (const { name, values } of headers) text += headerLine(name, values);
  return text;
}

export function headerLine(name: string, values: readonly string[]): string {
  return name === "host" ? hostHeader(values[0] ?? "") : `${name}:${canonicalHeaderValue(values)}\n`;
}

/** The line of the host, which has no blanks: it was compared with the configured ones. */
export function hostHeader(host: string): string {
  if (host !== lastHost.host) lastHost = { host, line: `host:${host}\n` };
  return lastHost.line;
}

// The same text each time, so that caches recognise it.
let lastHost = { host: "", line: "" };

/** Where an object or a bucket is, in S3's terms. */
export interface S3Location {
  readonly bucket: string;
  /** `undefined` for a call on the bucket itself. */
  readonly key: string | undefined;
}

/**
 * Bucket and key of a decoded path. In virtual-host style the bucket comes from the host; in path style it is the first
 * segment. The key is all that follows the one `/`: it may start with `/` or hold `//`.
 */
export function s3Location(decodedPath: string, virtualBucket: string): S3Location {
  const slash = virtualBucket === "" ? decodedPath.indexOf("/", 1) : 0;
  const key = slash < 0 ? "" : decodedPath.slice(slash + 1);
  return {
    bucket: virtualBucket || decodedPath.slice(1, slash < 0 ? undefined : slash),
    key: key === "" ? undefined : key,
  };
}

/** The longest life of a SigV4 URL: seven days. */
export const MAX_EXPIRES = 604_800;
