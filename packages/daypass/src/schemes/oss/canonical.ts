import type { ReceivedRequest, WireRequest } from "../../core/contracts.ts";
import { basicTimeMs } from "../../core/time.ts";
import { headerLines } from "../../core/v2.ts";
import {
  type CredentialScope,
  compareText,
  type SignedHeader,
  type SigningKeys,
  type V4Family,
  type V4Signature,
  v4Signature,
} from "../../core/v4.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import { checkOnce, malformed, type Parameter, sortParameters } from "../../wire/parameters.ts";
import { groupHeaders, refuseHeaderAuth } from "../../wire/raw-target.ts";

export { headerLines } from "../../core/v2.ts";
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

/** Seven days. */
export const MAX_EXPIRES = 604_800;

/** A query-signed OSS request, read strictly. Nothing in it has been verified. */
export interface ParsedOss {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly time: string;
  /** In milliseconds since 1970, as is the end. */
  readonly notBefore: number;
  readonly expiresAt: number;
  readonly securityToken: string | undefined;
  readonly signature: string;
  readonly query: string;
  readonly headers: readonly SignedHeader[];
  readonly additionalHeaders: string;
  readonly payload: string;
  /** Parameters other than the signature's own, decoded, in wire order. */
  readonly parameters: readonly Parameter[];
}

const MARKER = /[?&]x-oss-(?:credential|signature|signature-version)=/;

/** Returns, by parameter names, whether a request is signed with OSS V4 in its query. */
export function detectOss(request: WireRequest): boolean {
  return MARKER.test(request.target);
}

const REQUIRED = [
  "x-oss-signature-version",
  "x-oss-credential",
  "x-oss-date",
  "x-oss-expires",
  "x-oss-signature",
] as const;
const OPTIONAL = ["x-oss-additional-headers", "x-oss-security-token"] as const;

/** Reads a query-signed request. Throws `MALFORMED` or `AMBIGUOUS_AUTHENTICATION`. */
export function parseOss({ request, wire }: ReceivedRequest): ParsedOss {
  const { own, others } = sortParameters(wire, REQUIRED, OPTIONAL);
  checkOnce(others);
  refuseHeaderAuth(request.headers);
  const { "x-oss-date": time, "x-oss-expires": expires, "x-oss-signature": signature } = own;
  const additionalHeaders = own["x-oss-additional-headers"] ?? "";
  if (own["x-oss-signature-version"] !== OSS4.algorithm) {
    throw malformed("x-oss-signature-version", "algorithm", OSS4.algorithm);
  }
  if (!/^[0-9a-f]{64}$/.test(signature)) throw malformed("x-oss-signature", "form", "64 lower-case hex digits");
  const { accessKeyId, scope } = readCredential(own["x-oss-credential"]);
  const notBefore = basicTimeMs(time);
  if (Number.isNaN(notBefore)) throw malformed("x-oss-date", "form", "an instant, YYYYMMDDTHHMMSSZ");
  if (!time.startsWith(scope.date)) throw malformed("x-oss-credential", "date-mismatch", "the date of x-oss-date");
  const seconds = Number(expires);
  if (!/^[1-9]\d{0,5}$/.test(expires) || seconds > MAX_EXPIRES)
    throw malformed("x-oss-expires", "form", `1 to ${MAX_EXPIRES} seconds`);
  const signed = Object.entries(own).filter(([name]) => name !== "x-oss-signature");
  const headers = readHeaders(request, additionalHeaders);
  return {
    accessKeyId,
    scope,
    time,
    notBefore,
    expiresAt: notBefore + seconds * 1000,
    securityToken: own["x-oss-security-token"],
    signature,
    query: ossQuery([...signed, ...others]),
    headers,
    additionalHeaders,
    payload: headers.find(({ name }) => name === "x-oss-content-sha256")?.values.join(",") ?? UNSIGNED_PAYLOAD,
    parameters: others,
  };
}

/** Splits `<access key id>/<date>/<region>/<product>/aliyun_v4_request`. */
function readCredential(text: string): { readonly accessKeyId: string; readonly scope: CredentialScope } {
  if (!/^[^/]+\/\d{8}(?:\/[a-z0-9-]+){2}\/aliyun_v4_request$/.test(text)) {
    throw malformed("x-oss-credential", "form", `<access key id>/YYYYMMDD/<region>/oss/${OSS4.terminator}`);
  }
  const [accessKeyId = "", date = "", region = "", service = ""] = text.split("/");
  return { accessKeyId, scope: { date, region, service } };
}

function readHeaders(request: WireRequest, list: string): readonly SignedHeader[] {
  const additional = list === "" ? [] : list.split(";");
  if (
    !additional.every((name, i) => /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) && !(name <= (additional[i - 1] ?? "")))
  ) {
    throw malformed("x-oss-additional-headers", "form", "ascending lower-case names, joined by `;`");
  }
  const received = groupHeaders(request.headers);
  const present = [...received.keys()].filter(isAlwaysSigned);
  return [...new Set([...present, ...additional])].map((name) => ({
    name,
    values: name === "host" ? [request.authority] : (received.get(name) ?? []),
  }));
}
