import { trimBlank } from "../wire/raw-target.ts";
import { compareText, type SignedHeader } from "./v4.ts";

/** The common parts of the legacy signatures of S3, OSS and Cloud Storage. */
export interface LegacyParts {
  readonly method: string;
  /** Empty if the request has no such header: its absence is signed, too. */
  readonly contentMd5: string;
  readonly contentType: string;
  /** Seconds since 1970, as in the URL. */
  readonly expires: string;
  /** The path of bucket and key with its sub-resources. */
  readonly resource: string;
}

/** Method, Content-MD5, Content-Type, expiry, the provider's own headers and the resource, a line each. */
export function legacyStringToSign(
  { method, contentMd5, contentType, expires, resource }: LegacyParts,
  headers: readonly SignedHeader[],
  joined: (values: readonly string[]) => string = joinTrimmed,
): string {
  return `${method}\n${contentMd5}\n${contentType}\n${expires}\n${headerLines(headers, joined)}${resource}`;
}

/** `name:value` lines, sorted by name. */
export function headerLines(
  headers: readonly SignedHeader[],
  joined: (values: readonly string[]) => string = joinTrimmed,
): string {
  return [...headers]
    .sort((a, b) => compareText(a.name, b.name))
    .map(({ name, values }) => `${name}:${joined(values)}\n`)
    .join("");
}

function joinTrimmed(values: readonly string[]): string {
  return values.map(trimBlank).join(",");
}

/** A path with its sub-resources, sorted by name, not encoded, and without `=` before an empty value. */
export function withSubResources(path: string, subResources: readonly (readonly [string, string])[]): string {
  const query = [...subResources]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join("&");
  return query === "" ? path : `${path}?${query}`;
}
