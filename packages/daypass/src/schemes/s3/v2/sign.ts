import { adviser } from "#advice";
import { hmacSha1 } from "#crypto";
import { credentialSource } from "../../../core/access-key.ts";
import type { Signer } from "../../../core/contracts.ts";
import { invalidInput } from "../../../core/errors.ts";
import { requireFeature } from "../../../core/provider.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { SignedResult, signer } from "../../../core/signed-request.ts";
import { CENTURY, signingWindow, systemClock } from "../../../core/time.ts";
import type { EncodedPair } from "../../../core/v4.ts";
import { unsupportedConstraint } from "../../../core/validate-options.ts";
import { base64, uriEncode, uriEncodePath } from "../../../wire/encoding.ts";
import { percentDecode } from "../../../wire/raw-target.ts";
import type { SignedHeader } from "../canonical.ts";
import { checkCredentials } from "../credentials.ts";
import { bucketEndpoints } from "../endpoint.ts";
import { checkCall, collectHeaders, collectQuery, type S3SignRequest } from "../request.ts";
import type { S3SignerOptions } from "../sign.ts";
import {
  canonicalizedResource,
  isAmbiguousValue,
  isSubResource,
  type Parameter,
  s3V2StringToSign,
} from "./canonical.ts";
import { isAuthParameter, SECURITY_TOKEN } from "./parse.ts";

/**
 * Signs S3 presigned URLs in the legacy Signature Version 2, for servers and regions that support nothing newer. Accepts the options and
 * requests of `s3Signer`; the region only chooses the endpoint.
 *
 * SigV2 binds method, bucket, key, expiry, sub-resources (`versionId`, `response-*`, …), Content-MD5, Content-Type and
 * `x-amz-*` headers. The holder may change host, scheme, every other header and every other query
 * parameter: `unbound` says so, and `warnings` names the requested parameters that are not covered.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { s3V2Signer } from "daypass/s3/v2";
 *
 * const s3 = s3V2Signer({ region: "us-east-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" } });
 * export const { url, unbound } = s3.sign({ bucket: "media", key: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function s3V2Signer(options: S3SignerOptions): Signer<S3SignRequest> {
  requireOptions(options);
  const { credentialExpiry, clock = systemClock } = options;
  requireFeature(options.provider, "sigv2");
  const endpointOf = bucketEndpoints(options);
  const credentials = credentialSource(options.credentials, checkCredentials);

  const advise = adviser(options);
  return signer((request) => {
    const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials();
    const { bucket, key } = request;
    const method = checkCall(request, "SigV2");
    checkV2Constraints(request);
    const endpoint = endpointOf(bucket);
    const window = signingWindow(request, clock(), {
      maxSeconds: CENTURY,
      expiration,
      credentialExpiry,
    });
    const expires = String(Number(window.expiresAt) / 1000);

    const headers = collectHeaders(request);
    const query = collectQuery(request);
    const { subResources, amz, unsigned } = sortParameters(query, headers);
    const token: readonly Parameter[] = sessionToken === undefined ? [] : [[SECURITY_TOKEN, sessionToken]];
    const path = `${endpoint.path}/${uriEncodePath(key ?? "")}`;
    const stringToSign = s3V2StringToSign({
      method,
      contentMd5: (headers["content-md5"] ?? "").trim(),
      contentType: (headers["content-type"] ?? "").trim(),
      expires,
      amz: [...amz, ...amzHeaders([...Object.entries(headers), ...token])],
      resource: canonicalizedResource(endpoint.virtual ? bucket : "", path, subResources),
    });
    const signature = base64(hmacSha1(secretAccessKey, stringToSign));
    const tokens = [
      ...query.map(([name, value]) => (value === "" ? name : `${name}=${value}`)),
      `AWSAccessKeyId=${uriEncode(accessKeyId)}`,
      `Signature=${uriEncode(signature)}`,
      ...token.map(([name, value]) => `${name}=${uriEncode(value)}`),
      `Expires=${expires}`,
    ];
    return new SignedResult(
      {
        url: `${endpoint.origin}${path}?${tokens.join("&")}`,
        method,
        headers,
        expiresAt: window.expiresAt,
        bound: BOUND,
        unbound: UNBOUND,
        warnings: advise(
          [LEGACY, ...unsigned.map((name) => `${name} is not signed: a holder can change it`), ...window.warnings],
          request,
        ),
      },
      stringToSign,
    );
  });
}

const BOUND: readonly string[] = [
  "method",
  "bucket",
  "key",
  "end",
  "sub-resources",
  "content-md5, content-type, x-amz-*",
];
const UNBOUND: readonly string[] = ["scheme", "host", "all other query parameters", "all other headers", "body"];
const LEGACY = "SigV2 is legacy and leaves scheme, host and more open";

/** Which parameters the signature covers: sub-resources in the resource, `x-amz-*` among the headers. */
function sortParameters(
  query: readonly EncodedPair[],
  headers: Readonly<Record<string, string>>,
): {
  readonly subResources: readonly Parameter[];
  readonly amz: readonly SignedHeader[];
  readonly unsigned: readonly string[];
} {
  const seen = new Set<string>();
  const subResources: Parameter[] = [];
  const amz: SignedHeader[] = [];
  const unsigned: string[] = [];
  for (const [encodedName, encodedValue] of query) {
    const name = percentDecode(encodedName);
    const value = percentDecode(encodedValue);
    const isAmz = /^x-amz-/i.test(name);
    if (
      isAuthParameter(name) ||
      seen.has(name) ||
      (isAmz && (name !== name.toLowerCase() || Object.hasOwn(headers, name)))
    ) {
      throw invalidInput(`query.${name}`, "documented, once, not set elsewhere", "another");
    }
    if (!isAmz && !isSubResource(name)) {
      unsigned.push(name);
      continue;
    }
    if (isAmbiguousValue(value)) {
      throw invalidInput(`query.${name}`, "without control characters and further parameters inside", "another");
    }
    seen.add(name);
    if (isAmz) amz.push({ name, values: [value] });
    else subResources.push([name, value]);
  }
  return { subResources, amz, unsigned };
}

function amzHeaders(headers: readonly Parameter[]): readonly SignedHeader[] {
  return headers.filter(([name]) => name.startsWith("x-amz-")).map(([name, value]) => ({ name, values: [value] }));
}

const MORE = "use SigV4";

/** Refuses the constraints of the common vocabulary that SigV2 cannot bind, and says what can. */
function checkV2Constraints(request: S3SignRequest): void {
  const { bind, headers } = request;
  for (const name of ["ip", "contentLength", "sha256"] as const)
    if (bind?.[name] !== undefined) throw unsupportedConstraint("SigV2", `bind.${name}`, MORE);
  for (const name of Object.keys({ ...headers, ...bind?.headers })) {
    if (!/^(?:content-md5|content-type|x-amz-.*)$/i.test(name))
      throw unsupportedConstraint("SigV2", `header ${name}`, MORE);
  }
  for (const name of Object.keys(bind?.query ?? {})) {
    if (!isSubResource(name) && !/^x-amz-/i.test(name))
      throw unsupportedConstraint("SigV2", `bind.query.${name}`, MORE);
  }
}
