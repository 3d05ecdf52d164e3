import type { SigningKeys } from "../../core/signing-keys.ts";
import {
  type CredentialScope,
  compareText,
  type SignedHeader,
  type V4Family,
  type V4Signature,
  v4Signature,
} from "../../core/v4.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { trimBlank } from "../../wire/raw-target.ts";

export type { SignedHeader } from "../../core/v4.ts";

/** OSS signature version 4, https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls */
export const OSS4: V4Family = {
  algorithm: "OSS4-HMAC-SHA256",
  secretPrefix: "aliyun_v4",
  terminator: "aliyun_v4_request",
};

export const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/** "content-type, content-md5 and all headers that start with x-oss-" are signed wherever they are sent. */
export function isAlwaysSigned(name: string): boolean {
  return name === "content-type" || name === "content-md5" || name.startsWith("x-oss-");
}

/** "/bucket/key" wherever the bucket's name stands; a call on the bucket has its slash. */
export function resourcePath(bucket: string, key: string | undefined): string {
  return `/${bucket}/${key ?? ""}`;
}

/** Parameters encoded and sorted by name; "if a parameter has no value, only its name" (vector "v4 query"). */
export function ossQuery(parameters: readonly Parameter[]): string {
  return parameters
    .map(([name, value]): Parameter => [uriEncode(name), uriEncode(value)])
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`))
    .join("&");
}

/** `name:value` lines sorted by name. Unlike S3, spaces inside a value stay. */
export function headerLines(headers: readonly SignedHeader[]): string {
  return [...headers]
    .sort((a, b) => compareText(a.name, b.name))
    .map(({ name, values }) => `${name}:${values.map(trimBlank).join(",")}\n`)
    .join("");
}

/** Everything that a signature covers. */
export interface OssParts {
  readonly method: string;
  /** Decoded, see {@link resourcePath}. */
  readonly resource: string;
  /** All but the signature, canonical. */
  readonly query: string;
  readonly headers: readonly SignedHeader[];
  /** `x-oss-additional-headers`, or the empty text. */
  readonly additionalHeaders: string;
  readonly payload: string;
}

/** Canonical request → string to sign → signature. Signing and verifying both end here, so they cannot drift apart. */
export function ossSignature(
  keys: SigningKeys,
  scope: CredentialScope,
  time: string,
  { method, resource, query, headers, additionalHeaders, payload }: OssParts,
): V4Signature {
  return v4Signature(keys(scope), time, {
    method,
    path: uriEncodePath(resource),
    query,
    headers: headerLines(headers),
    signedHeaders: additionalHeaders,
    payload,
  });
}
