import { hmacSha256Once, sha256Hex } from "#crypto";
import { type EcdsaPrivateKey, ecdsaScalarKey, P256_ORDER } from "#crypto/ecdsa";
import { invalidInput } from "../../../core/errors.ts";
import { type CanonicalParts, canonicalRequestText, stringToSignText, type V4Family } from "../../../core/v4.ts";
import { fromHex, hex } from "../../../wire/encoding.ts";
import type { S3Credentials } from "../credentials.ts";
import { type BucketEndpoint, bucketEndpoints, type EndpointOptions } from "../endpoint.ts";

/** AWS Signature Version 4A, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html#how-sigv4a-works */
export const AWS4A: V4Family = {
  algorithm: "AWS4-ECDSA-P256-SHA256",
  secretPrefix: "AWS4A",
  terminator: "aws4_request",
};

/** `date/service/terminator`: a signature is for no one region. */
export function scopeText(date: string): string {
  return `${date}/s3/${AWS4A.terminator}`;
}

/** What the signature is computed over. Signing and verifying both end here, so they cannot drift apart. */
export function v4aStringToSign(time: string, scope: string, parts: CanonicalParts): string {
  return stringToSignText(AWS4A, time, scope, sha256Hex(canonicalRequestText(parts)));
}

/**
 * The private key of an access key, as 32 bytes. NIST SP 800-108 in counter mode with HMAC-SHA256: label and context are
 * the algorithm and the key's id, then "the candidate is compared with n - 2", and the key is the candidate plus one. A
 * second round comes once in 2^32 secrets.
 */
export function signingScalar({ accessKeyId, secretAccessKey }: S3Credentials): Uint8Array {
  let scalar = P256_ORDER;
  // Beyond 127 the counter would no longer be one byte of UTF-8.
  for (let counter = 1; scalar >= P256_ORDER && counter < 128; counter++) {
    const input = `\0\0\0\x01${AWS4A.algorithm}\0${accessKeyId}${String.fromCharCode(counter)}\0\0\x01\0`;
    scalar = BigInt(`0x${hex(hmacSha256Once(AWS4A.secretPrefix + secretAccessKey, input))}`) + 1n;
  }
  return fromHex(scalar.toString(16).padStart(64, "0")) as Uint8Array;
}

/** The key pair of an access key. */
export function signingPair(credentials: S3Credentials): EcdsaPrivateKey {
  return ecdsaScalarKey(signingScalar(credentials));
}

/** Whether a set of regions (`us-east-1,eu-*`) has one of these. A `*` stands for any characters, none among them. */
export function regionSetHas(set: string, regions: readonly string[]): boolean {
  return set.split(",").some((pattern) => regions.some((region) => matches(pattern, region)));
}

// Not a regular expression: a client could send a pattern that backtracks without end.
function matches(pattern: string, region: string): boolean {
  const [start = "", ...parts] = pattern.split("*");
  const end = parts.pop();
  if (end === undefined) return pattern === region;
  let at = start.length;
  for (const part of parts) {
    const found = region.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return region.startsWith(start) && region.endsWith(end) && region.length - end.length >= at;
}

/** Options for the server that the URLs are for. */
export interface V4aEndpointOptions extends Omit<EndpointOptions, "region"> {
  /** Chooses Amazon's regional endpoint. Not needed for a Multi-Region Access Point, nor with an `endpoint`. */
  readonly region?: string | undefined;
}

// `arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap`, or the alias alone.
const MULTI_REGION = /^(?:arn:aws:s3::\d{12}:accesspoint[/:])?([a-z0-9]{1,50}\.mrap)$/;

/**
 * Addresses of buckets, and of Multi-Region Access Points: `<alias>.accesspoint.s3-global.amazonaws.com`, the one place
 * where S3 takes nothing but SigV4A. Throws `INVALID_INPUT`.
 */
export function v4aEndpoints(options: V4aEndpointOptions): (bucket: string) => BucketEndpoint {
  const { region, endpoint, addressing } = options;
  const ofBuckets =
    region === undefined && endpoint === undefined
      ? undefined
      : bucketEndpoints({ region: region ?? "auto", endpoint, addressing });
  return (bucket) => {
    const alias = MULTI_REGION.exec(bucket)?.[1];
    if (alias === undefined || endpoint !== undefined) {
      if (ofBuckets !== undefined) return ofBuckets(bucket);
      throw invalidInput("bucket", "a Multi-Region Access Point, or a region or an endpoint beside it", bucket);
    }
    const host = `${alias}.accesspoint.s3-global.amazonaws.com`;
    return { origin: `https://${host}`, host, path: "", virtual: true };
  };
}
