import { constantTimeEqual, hmacSha1 } from "#crypto";
import type { Checked } from "../../../core/contracts.ts";
import { type LegacyParts, legacyStringToSign, withSubResources } from "../../../core/v2.ts";
import { base64 } from "../../../wire/encoding.ts";
import type { SignedHeader } from "../canonical.ts";

/**
 * The query parameters that SigV2 signs. AWS's page names some of them; the rest are what boto, MinIO and S3Proxy add.
 * A name that one side signs and the other does not is refused as a mismatch, so a longer list only fails closed.
 */
const SUB_RESOURCES: ReadonlySet<string> = new Set(
  (
    "accelerate acl analytics cors delete encryption inventory legal-hold lifecycle location logging metrics " +
    "notification object-lock partNumber policy replication requestPayment response-cache-control " +
    "response-content-disposition response-content-encoding response-content-language response-content-type " +
    "response-expires restore retention select select-type storageClass tagging torrent uploadId uploads versionId " +
    "versioning versions website"
  ).split(" "),
);

export function isSubResource(name: string): boolean {
  return SUB_RESOURCES.has(name);
}

/** A decoded query parameter. @inline */
export type Parameter = readonly [name: string, value: string];

/**
 * Whether a sub-resource's decoded value can be mistaken for further parameters, or has control characters. The
 * canonical resource joins DECODED values by `&`, so the one value `a&versionId=3` and the two parameters `a` and
 * `versionId=3` are the same text: the holder of a URL for the first could turn it into the second.
 */
export function isAmbiguousValue(value: string): boolean {
  const [, ...further] = value.split("&");
  return hasControl(value) || further.some((parameter) => isSubResource(parameter.split("=", 1).join()));
}

export function hasControl(value: string): boolean {
  return /\p{Cc}/u.test(value);
}

/**
 * "/" + bucket (also if the host names it) + "the path part of the un-decoded HTTP Request-URI" + the sub-resources
 * sorted by name: "not URL-encoded", and without `=` if the value is absent. A path-style bucket call has its slash
 * here even if the URL lacks it (vector "location" of botocore).
 */
export function canonicalizedResource(
  virtualBucket: string,
  rawPath: string,
  subResources: readonly Parameter[],
): string {
  const named = virtualBucket === "" ? rawPath : `/${virtualBucket}${rawPath}`;
  const path = named === "/" || named.includes("/", 1) ? named : `${named}/`;
  return withSubResources(path, subResources);
}

/** The parts that SigV2 signs. */
export interface S3V2Parts extends LegacyParts {
  /** Every `x-amz-*` header, and every parameter of such a name. */
  readonly amz: readonly SignedHeader[];
}

/** The text of the HMAC-SHA1. */
export function s3V2StringToSign({ amz, ...parts }: S3V2Parts): string {
  return legacyStringToSign(parts, amz);
}

/**
 * Holds a signature against what SigV2 signs. A bucket's path is signed as `/bucket/` by boto, and by others as it stands on the
 * wire, `/bucket`: both name the same, so both are compared, and both give the grant of the first.
 */
export function checkS3V2(
  parts: S3V2Parts,
  { secretAccessKey, signature }: { readonly secretAccessKey: string; readonly signature: string },
): Checked {
  const signs = (text: string): boolean => constantTimeEqual(base64(hmacSha1(secretAccessKey, text)), signature);
  const stringToSign = s3V2StringToSign(parts);
  const resource = parts.resource.replace(/^(\/[^/?]+)\/(?=\?|$)/, "$1");
  const other = resource !== parts.resource && signs(s3V2StringToSign({ ...parts, resource }));
  return { matches: signs(stringToSign) || other, stringToSign };
}
