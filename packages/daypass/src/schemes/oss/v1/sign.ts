import { adviser } from "#advice";
import { hmacSha1 } from "#crypto";
import { credentialSource } from "../../../core/access-key.ts";
import { bucketAddresses, objectPath } from "../../../core/bucket-endpoint.ts";
import type { Clock, Signer } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import {
  type BucketRequest,
  type ObjectRequest,
  type ObjectRules,
  readObjectRequest,
  unboundBody,
} from "../../../core/object-request.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { SignedResult, signer } from "../../../core/signed-request.ts";
import { CENTURY, signingWindow, systemClock } from "../../../core/time.ts";
import { base64, uriEncode } from "../../../wire/encoding.ts";
import type { Parameter } from "../../../wire/parameters.ts";
import { resourcePath } from "../canonical.ts";
import {
  checkCredentials,
  INSTEAD,
  type OssCredentials,
  type OssEndpointOptions,
  ossEndpoint,
} from "../credentials.ts";
import { isAmbiguousKey, isAmbiguousValue, isSubResource, ossV1StringToSign } from "./canonical.ts";

/** One OSS request to sign in V1. */
export type OssV1SignRequest = ObjectRequest | BucketRequest;

/** Options of {@link ossV1Signer}. The region only chooses the endpoint. */
export interface OssV1SignerOptions extends OssEndpointOptions {
  /** An access key, or a function that returns the current one (see `rotatingCredentials`). */
  readonly credentials: OssCredentials | (() => OssCredentials);
  /** What to do if the credentials expire before the URL would: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

const RESERVED = /^(?:OSSAccessKeyId|Expires|Signature|security-token)$/i;
const RULES: ObjectRules = {
  scheme: "OSS V1",
  known:
    /^(?:bucket|key|resource|method|query|headers|dotSegments|expires(?:In|At)|stableWindow|bind(?:\.(?:content(?:Type|Length)|headers|query))?|response(?:\.(?:cacheControl|content(?:Disposition|Encoding|Language|Type)|expires))?)$/,
  reserved: RESERVED,
  instead: INSTEAD,
};
const SIGNED_HEADER = /^(?:content-md5|content-type|x-oss-.*)$/;

/**
 * Signs Alibaba Cloud OSS presigned URLs in the legacy signature version 1 (HMAC-SHA1), for servers and clients that support
 * nothing newer. V1 binds method, bucket, key, expiry, sub-resources (`versionId`, `response-*`, every `x-oss-*` parameter),
 * Content-MD5, Content-Type and `x-oss-*` headers. The holder may change host, scheme, every other header and
 * every other query parameter: `unbound` says so, and `warnings` names the parameters that are not covered.
 *
 * A key such as `a?acl`, which V1 signs like the key `a` with a parameter, is refused.
 *
 * Source: https://www.alibabacloud.com/help/en/oss/developer-reference/signed-urls
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { ossV1Signer } from "daypass/oss/v1";
 *
 * const oss = ossV1Signer({ region: "cn-hangzhou", credentials: { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "…" } });
 * export const { url, unbound } = oss.sign({ bucket: "media", key: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function ossV1Signer(options: OssV1SignerOptions): Signer<OssV1SignRequest> {
  requireOptions(options);
  const { credentialExpiry, addressing = "virtual", clock = systemClock } = options;
  const address = bucketAddresses(ossEndpoint(options), addressing);
  const credentials = credentialSource(options.credentials, checkCredentials);

  const advise = adviser({ region: options.region, endpoint: options.endpoint });

  return signer((request) => {
    const { bucket, key } = request;
    const { method, headers, parameters } = readObjectRequest(request, RULES);
    checkV1(request, headers, parameters);
    const { accessKeyId, accessKeySecret, securityToken, expiration } = credentials();
    const { expiresAt, warnings } = signingWindow(request, clock(), {
      maxSeconds: CENTURY,
      expiration,
      credentialExpiry,
    });
    const place = address(bucket);
    const expires = String(expiresAt.getTime() / 1000);
    const token: readonly Parameter[] = securityToken === undefined ? [] : [["security-token", securityToken]];
    const stringToSign = ossV1StringToSign({
      method,
      contentMd5: (headers["content-md5"] ?? "").trim(),
      contentType: (headers["content-type"] ?? "").trim(),
      expires,
      headers: Object.entries(headers)
        .filter(([name]) => name.startsWith("x-oss-"))
        .map(([name, value]) => ({ name, values: [value] })),
      resource: resourcePath(bucket, key),
      subResources: [...token, ...parameters.filter(([name]) => isSubResource(name))],
    });
    const own: readonly Parameter[] = [
      ["OSSAccessKeyId", accessKeyId],
      ["Expires", expires],
      ["Signature", base64(hmacSha1(accessKeySecret, stringToSign))],
    ];
    const query = [...own, ...token, ...parameters]
      .map(([name, value]) => (value === "" ? uriEncode(name) : `${uriEncode(name)}=${uriEncode(value)}`))
      .join("&");
    return new SignedResult(
      {
        url: `${place.origin}${objectPath(place, key)}?${query}`,
        method,
        headers,
        expiresAt,
        bound: BOUND,
        unbound: [...UNBOUND, ...unboundBody(headers)],
        warnings: advise([LEGACY, ...parameters.flatMap(notCovered), ...warnings], request),
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
  "content-md5, content-type, x-oss-*",
];
const UNBOUND: readonly string[] = ["scheme", "host", "all other query parameters", "all other headers"];
const LEGACY = "OSS V1 rests on SHA-1 and leaves most of the query open: use V4";

function notCovered([name]: Parameter): readonly string[] {
  return isSubResource(name) ? [] : [`the parameter ${name} is not signed: the holder of the URL can change it`];
}

/** Refuses what V1 cannot bind, or binds so that the same signature fits something else. */
function checkV1(
  { key = "", bind }: OssV1SignRequest,
  headers: Readonly<Record<string, string>>,
  parameters: readonly Parameter[],
): void {
  const loose =
    Object.keys(headers).find((name) => !SIGNED_HEADER.test(name)) ??
    Object.keys(bind?.query ?? {}).find((name) => !isSubResource(name));
  if (loose !== undefined) {
    throw refusal(
      "UNSUPPORTED_CONSTRAINT",
      `OSS V1 cannot sign ${loose}: only sub-resources, content-md5, content-type and x-oss-*. Use V4`,
      { constraint: loose },
    );
  }
  const ambiguous = parameters.find(([name, value]) => isSubResource(name) && isAmbiguousValue(value))?.[0];
  if (ambiguous !== undefined || isAmbiguousKey(key)) {
    throw refusal(
      "INVALID_INPUT",
      `${ambiguous === undefined ? "key" : `query.${ambiguous}`} without control characters and without "?" or "&" before a sub-resource's name: use V4`,
    );
  }
}
