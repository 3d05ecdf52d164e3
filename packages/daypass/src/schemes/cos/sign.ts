import { adviser } from "#advice";
import { credentialSource } from "../../core/access-key.ts";
import { type BucketAddressing, bucketAddresses, objectPath } from "../../core/bucket-endpoint.ts";
import type { Clock, Signer } from "../../core/contracts.ts";
import { invalidInput, refusal } from "../../core/errors.ts";
import {
  type BucketRequest,
  type ObjectRequest,
  type ObjectRules,
  readObjectRequest,
  unboundBody,
} from "../../core/object-request.ts";
import { requireOptions } from "../../core/require-options.ts";
import { SignedResult, signer } from "../../core/signed-request.ts";
import { CENTURY, signingWindow, startSeconds, systemClock } from "../../core/time.ts";
import { uriEncode } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import { percentDecode } from "../../wire/raw-target.ts";
import { type CosCredentials, checkCredentials, cosPairs, cosSignature, hasOwnCase } from "./canonical.ts";

/** One COS request to sign. `notBefore` is bound. */
export type CosSignRequest = ObjectRequest | BucketRequest;

/** Options of {@link cosSigner}. */
export interface CosSignerOptions {
  /** `ap-guangzhou`. Not signed: it only chooses the endpoint. */
  readonly region?: string | undefined;
  /** Scheme, host and port; `https://cos.<region>.myqcloud.com` by default. */
  readonly endpoint?: string | undefined;
  /** `virtual` by default; `bucket-bound` if the endpoint is the bucket's own domain. */
  readonly addressing?: BucketAddressing | undefined;
  /** A key, or a function that returns the current one (see `rotatingCredentials`). */
  readonly credentials: CosCredentials | (() => CosCredentials);
  /** What to do if the credentials expire before the URL would: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

const RESERVED =
  /^(?:q-(?:ak|header-list|key-time|sign-algorithm|sign-time|signature|url-param-list)|x-cos-security-token)$/i;
const RULES: ObjectRules = {
  scheme: "COS",
  known:
    /^(?:bucket|key|resource|method|query|headers|dotSegments|notBefore|expires(?:In|At)|stableWindow|bind(?:\.(?:content(?:Type|Length)|headers|query))?|response(?:\.(?:cacheControl|content(?:Disposition|Encoding|Language|Type)|expires))?)$/,
  reserved: RESERVED,
  instead: {
    "bind.sha256": "bind the header content-md5",
    "bind.ip": "use a bucket policy",
  },
};

/**
 * Signs Tencent Cloud COS presigned URLs (HMAC-SHA1). Binds method, host, path, start, expiry, every parameter and every
 * requested header. All other headers, including Content-Type, and the body are open: bind the header
 * `content-md5` to fix the body.
 *
 * The host is always signed: without it, a URL would work for the same key in every bucket of the key's owner. The signature
 * ignores the letter case of parameter names, so they are accepted only in lower case, or as COS documents them (`versionId`).
 *
 * Source: https://www.tencentcloud.com/document/product/436/7778
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { cosSigner } from "daypass/cos";
 *
 * const cos = cosSigner({ region: "ap-guangzhou", credentials: { secretId: "AKIDEXAMPLE", secretKey: "…" } });
 * export const { url } = cos.sign({ bucket: "media-1250000000", key: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function cosSigner(options: CosSignerOptions): Signer<CosSignRequest> {
  requireOptions(options);
  const { region = "", addressing = "virtual", credentialExpiry, clock = systemClock } = options;
  if (options.endpoint === undefined && !/^[a-z0-9-]+$/.test(region)) {
    throw invalidInput("region", 'a name such as "ap-guangzhou", or an endpoint', region);
  }
  const address = bucketAddresses(options.endpoint ?? `https://cos.${region}.myqcloud.com`, addressing);
  const credentials = credentialSource(options.credentials, checkCredentials);

  const advise = adviser({ region: options.region, endpoint: options.endpoint });

  return signer((request) => {
    const { bucket, key } = request;
    const { method, headers, parameters } = readObjectRequest(request, RULES);
    const odd = parameters.find(([name]) => !hasOwnCase(name))?.[0];
    if (odd !== undefined)
      throw invalidInput("query", "names in COS's own case, which its signature does not keep", odd);
    const { secretId, secretKey, sessionToken, expiration } = credentials();
    const { signedAt, expiresAt, warnings } = signingWindow(request, clock(), {
      maxSeconds: CENTURY,
      expiration,
      credentialExpiry,
    });
    const keyTime = `${startOf(request.notBefore, signedAt, expiresAt)};${expiresAt.getTime() / 1000}`;
    const place = address(bucket);
    const path = objectPath(place, key);
    const sent = Object.entries(headers).map(([name, value]): Parameter => [name, value.trim()]);
    const signed = [...sent, ["host", place.host] as const];
    const parts = { method, path: percentDecode(path), parameters, headers: signed, keyTime };
    const { signature, stringToSign } = cosSignature(secretKey, parts);
    const query = [
      "q-sign-algorithm=sha1",
      `q-ak=${uriEncode(secretId)}`,
      `q-sign-time=${keyTime}`,
      `q-key-time=${keyTime}`,
      `q-header-list=${listText(cosPairs(signed).list)}`,
      `q-url-param-list=${listText(cosPairs(parameters).list)}`,
      `q-signature=${signature}`,
      ...(sessionToken === undefined ? [] : [`x-cos-security-token=${uriEncode(sessionToken)}`]),
      ...parameters.map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`),
    ];
    return new SignedResult(
      {
        url: `${place.origin}${path}?${query.join("&")}`,
        method,
        headers,
        expiresAt,
        bound: [...BOUND, ...sent.map(([name]) => `header ${name}`)],
        unbound: [...UNBOUND, ...unboundBody(headers)],
        warnings: advise([SHA1, ...warnings], request),
      },
      stringToSign,
    );
  });
}

const BOUND: readonly string[] = ["method", "host", "path", "query", "start", "end"];
const UNBOUND: readonly string[] = [
  "scheme",
  "further query parameters",
  "headers that are not listed",
  "session token",
];
const SHA1 = "COS knows no other algorithm than HMAC-SHA1 over a SHA-1";

function startOf(notBefore: Date | undefined, signedAt: number, expiresAt: Date): number {
  const start = Math.max(startSeconds(notBefore) ?? 0, signedAt / 1000);
  if (start * 1000 < expiresAt.getTime()) return start;
  throw refusal("INVALID_EXPIRY", `notBefore is after the end, ${expiresAt.toISOString()}. Pass an earlier Date`);
}

/** Names inside a list are encoded already; in the query they are encoded once more. */
function listText(list: string): string {
  return list.replaceAll("%", "%25");
}
