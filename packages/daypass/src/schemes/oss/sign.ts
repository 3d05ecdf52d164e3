import { adviser } from "#advice";
import { credentialSource } from "../../core/access-key.ts";
import { bucketAddresses, objectPath } from "../../core/bucket-endpoint.ts";
import type { Clock, Signer } from "../../core/contracts.ts";
import { type ObjectRules, readObjectRequest, unboundBody } from "../../core/object-request.ts";
import { requireOptions } from "../../core/require-options.ts";
import { SignedResult, signer } from "../../core/signed-request.ts";
import { formatBasicTime, signingWindow, systemClock } from "../../core/time.ts";
import { scopeText, signingKeys } from "../../core/v4.ts";
import type { Parameter } from "../../wire/parameters.ts";
import {
  isAlwaysSigned,
  MAX_EXPIRES,
  OSS4,
  ossQuery,
  ossSignature,
  resourcePath,
  UNSIGNED_PAYLOAD,
} from "./canonical.ts";
import {
  checkCredentials,
  INSTEAD,
  type OssCredentials,
  type OssEndpointOptions,
  type OssSignRequest,
  ossEndpoint,
} from "./credentials.ts";

/** Options of {@link ossSigner}. */
export interface OssSignerOptions extends OssEndpointOptions {
  /** An access key, or a function that returns the current one (see `rotatingCredentials`). */
  readonly credentials: OssCredentials | (() => OssCredentials);
  /** What to do if the credentials expire before the URL would: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  /** Signs for a cloud box instead of a region. */
  readonly cloudBoxId?: string | undefined;
  readonly clock?: Clock | undefined;
}

const RESERVED = /^x-oss-(?:additional-headers|credential|date|expires|security-token|signature|signature-version)$/i;
const RULES: ObjectRules = {
  scheme: "OSS",
  known:
    /^(?:bucket|key|resource|method|query|headers|dotSegments|bindHost|expires(?:In|At)|stableWindow|bind(?:\.(?:content(?:Type|Length)|headers|query))?|response(?:\.(?:cacheControl|content(?:Disposition|Encoding|Language|Type)|expires))?)$/,
  reserved: RESERVED,
  instead: INSTEAD,
};

/**
 * Signs Alibaba Cloud OSS presigned URLs with signature version 4. Binds method, bucket, key, every parameter, the signing
 * time and lifetime; of the headers, Content-Type, Content-MD5 and `x-oss-*` (also their absence), and the requested ones.
 *
 * The host is open unless `bindHost` is set. The body is open, too: bind the header `content-md5` to fix it. OSS supports
 * neither a later start nor prefixes. The server decides whether the key may access the bucket.
 *
 * Source: https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { ossSigner } from "daypass/oss";
 *
 * const oss = ossSigner({ region: "cn-hangzhou", credentials: { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "…" } });
 * export const { url } = oss.sign({ bucket: "media", key: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function ossSigner(options: OssSignerOptions): Signer<OssSignRequest> {
  requireOptions(options);
  const { region, cloudBoxId, credentialExpiry, addressing = "virtual", clock = systemClock } = options;
  const address = bucketAddresses(ossEndpoint(options), addressing);
  const credentials = credentialSource(options.credentials, checkCredentials);
  let last: { readonly secret: string; readonly keys: ReturnType<typeof signingKeys> } | undefined;

  const advise = adviser({ region: options.region, endpoint: options.endpoint });

  return signer((request) => {
    const { bucket, key, bindHost } = request;
    const { method, headers, parameters } = readObjectRequest(request, RULES);
    const { accessKeyId, accessKeySecret, securityToken, expiration } = credentials();
    const { signedAt, expiresAt, expiresIn, warnings } = signingWindow(request, clock(), {
      maxSeconds: MAX_EXPIRES,
      expiration,
      credentialExpiry,
    });
    if (last?.secret !== accessKeySecret) {
      last = { secret: accessKeySecret, keys: signingKeys(OSS4, accessKeySecret) };
    }
    const place = address(bucket);
    const time = formatBasicTime(signedAt);
    const scope = {
      date: time.slice(0, 8),
      region: cloudBoxId ?? region,
      service: cloudBoxId ? "oss-cloudbox" : "oss",
    };
    const names = Object.keys(headers);
    const additional = names.filter((name) => !isAlwaysSigned(name));
    const additionalHeaders = [...additional, ...(bindHost ? ["host"] : [])].sort().join(";");
    const own: readonly Parameter[] = [
      ["x-oss-signature-version", OSS4.algorithm],
      ["x-oss-credential", `${accessKeyId}/${scopeText(OSS4, scope)}`],
      ["x-oss-date", time],
      ["x-oss-expires", String(expiresIn)],
      ...optional("x-oss-additional-headers", additionalHeaders),
      ...optional("x-oss-security-token", securityToken),
    ];
    const query = ossQuery([...own, ...parameters]);
    const signed = bindHost ? { ...headers, host: place.host } : headers;
    const { signature, stringToSign } = ossSignature(last.keys, scope, time, {
      method,
      resource: resourcePath(bucket, key),
      query,
      headers: Object.entries(signed).map(([name, value]) => ({ name, values: [value] })),
      additionalHeaders,
      payload: headers["x-oss-content-sha256"] ?? UNSIGNED_PAYLOAD,
    });
    return new SignedResult(
      {
        url: `${place.origin}${objectPath(place, key)}?${query}&x-oss-signature=${signature}`,
        method,
        headers,
        expiresAt,
        bound: [...BOUND, ...(bindHost ? ["host"] : []), ...names.map((name) => `header ${name}`)],
        unbound: [...UNBOUND, ...unboundBody(headers), ...(bindHost ? [] : ["host"])],
        warnings: advise(warnings, request),
      },
      stringToSign,
    );
  });
}

const BOUND: readonly string[] = ["method", "bucket", "key", "query", "time", "content-type, content-md5, x-oss-*"];
const UNBOUND: readonly string[] = ["scheme", "all other headers"];

function optional(name: string, value: string | undefined): readonly Parameter[] {
  return value ? [[name, value]] : [];
}
