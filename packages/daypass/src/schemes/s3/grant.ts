import type { Grant, Obligation } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { type GrantFields, VerifiedGrant } from "../../core/grant.ts";
import { canonicalHeaderValue } from "../../core/v4.ts";
import { malformed } from "../../wire/parameters.ts";
import { type S3Location, type SignedHeader, UNSIGNED_PAYLOAD } from "./canonical.ts";

/** What a verified S3 request allows: one method on one object or bucket. */
export interface S3Grant extends Grant, S3Location {
  /** The region of the signature; empty in SigV2, which has none. */
  readonly region: string;
  /** Query parameters other than the signature's own, decoded, in wire order: all of them were signed. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  /** Names of the headers that were signed. */
  readonly signedHeaders: readonly string[];
}

/** The facts of an S3 grant beside the common ones. */
export type S3GrantFields = GrantFields & Pick<S3Grant, "bucket" | "key" | "region" | "parameters" | "signedHeaders">;

/** Makes the grant of any S3 scheme. */
export function s3Grant(fields: S3GrantFields, stringToSign: string): S3Grant {
  return new VerifiedS3Grant(fields, stringToSign);
}

class VerifiedS3Grant extends VerifiedGrant implements S3Grant {
  declare readonly bucket: string;
  declare readonly key: string | undefined;
  declare readonly region: string;
  declare readonly parameters: readonly (readonly [string, string])[];
  declare readonly signedHeaders: readonly string[];

  constructor(fields: S3GrantFields, stringToSign: string) {
    super(fields, stringToSign);
    this.bucket = fields.bucket;
    this.key = fields.key;
    this.region = fields.region;
    this.parameters = fields.parameters;
    this.signedHeaders = fields.signedHeaders;
  }
}

const NONE: readonly Obligation[] = [];
/** Headers, and fields of a form, that hold the body to a checksum. Also by an algorithm that is new: who enforces it has to know it. */
export const CHECKSUM_HEADER: RegExp = /^content-md5$|^x-amz-checksum-(?!algorithm$|mode$|type$)/;

// AWS's SDKs write it into every presigned upload, because they sign without a body (aws-sdk-js-v3 #6810). It is a mistake.
const CHECKSUM_OF_NOTHING = "x-amz-checksum-crc32=AAAAAA==";

/**
 * What an S3 signature promises about body and answer, and cannot enforce itself. A signed Content-Length and
 * Content-Type need no obligation: the HTTP parser holds the body to the one, and the other is read from the request.
 */
export function s3Obligations(
  payload: string,
  headers: readonly SignedHeader[],
  parameters: readonly (readonly [string, string])[],
): readonly Obligation[] {
  if (payload === UNSIGNED_PAYLOAD && headers.length === 1 && parameters.length === 0) return NONE;
  const obligations: Obligation[] = [];
  if (/^[0-9a-f]{64}$/.test(payload)) {
    obligations.push({ kind: "body-sha256", sha256: payload });
  } else if (payload !== UNSIGNED_PAYLOAD) {
    throw refusal(
      "UNSUPPORTED_PAYLOAD",
      `the payload mode is not supported in a URL. Send ${UNSIGNED_PAYLOAD} or a SHA-256 as 64 lower-case hex digits`,
      { parameter: "X-Amz-Content-Sha256", found: payload },
    );
  }
  for (const { name, values } of headers) {
    // As it was signed: spaces around the `*` of an If-None-Match must not lose the obligation.
    const value = values.length === 0 ? undefined : canonicalHeaderValue(values);
    if (CHECKSUM_HEADER.test(name) && value !== undefined)
      obligations.push({ kind: "body-checksum", header: name, value });
    if (name === "if-none-match" && value === "*") obligations.push({ kind: "create-only" });
  }
  for (const [name, value] of parameters) {
    const header = name.toLowerCase();
    if (header !== "content-md5" && CHECKSUM_HEADER.test(header) && `${header}=${value}` !== CHECKSUM_OF_NOTHING)
      obligations.push({ kind: "body-checksum", header, value });
  }
  const response = responseOverrides(parameters);
  if (response !== undefined) obligations.push({ kind: "response", headers: response });
  return obligations;
}

const OVERRIDE =
  /^response-(cache-control|content-disposition|content-encoding|content-language|content-type|expires)$/;

function responseOverrides(
  parameters: readonly (readonly [string, string])[],
): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = {};
  for (const [name, value] of parameters) {
    const header = OVERRIDE.exec(name)?.[1];
    if (header === undefined) continue;
    if (Object.hasOwn(headers, header)) throw malformed(name, "duplicate", "one parameter");
    headers[header] = value;
  }
  return Object.keys(headers).length > 0 ? headers : undefined;
}
