import { constantTimeEqual } from "#crypto";
import { checkSession } from "../../core/access-key.ts";
import { objectLocation } from "../../core/bucket-endpoint.ts";
import type { ReceivedRequest, Scheme, Verifier } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import { grantOf } from "../../core/grant.ts";
import { keyResolver } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkValidity } from "../../core/time.ts";
import { type SigningKeys, signingKeys } from "../../core/v4.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { detectOss, OSS4, ossSignature, type ParsedOss, parseOss, resourcePath } from "./canonical.ts";
import {
  checkCredentials,
  keyIdOf,
  type OssBucketOptions,
  type OssCredentials,
  type OssGrant,
  ossObligations,
} from "./credentials.ts";

/** Options of {@link ossVerifier}. */
export interface OssVerifierOptions extends OssBucketOptions, VerifierOptions {
  /** Regions (or cloud boxes) that signatures may be for; any if omitted (the region is signed in any case). */
  readonly regions?: readonly string[] | undefined;
  /** Seconds that a signing time may lie in the future, 900 by default as on OSS. */
  readonly maxFutureSkew?: number | undefined;
}

/**
 * Verifies Alibaba Cloud OSS presigned URLs in signature version 4: grammar, signature over method, `/bucket/key`, every
 * parameter, Content-Type, Content-MD5, every `x-oss-*` header and the additional ones, security token, date and lifetime (1
 * to 604800 s).
 *
 * The host is signed only if the URL says so. Does not check that the key may access this bucket, does not run `callback` or
 * `x-oss-process`, and does not read the body: Content-MD5, `x-oss-forbid-overwrite` and `response-*` become
 * obligations. URLs that are bound to a network (`x-oss-ac-*`) are refused.
 *
 * Source: https://www.alibabacloud.com/help/en/oss/developer-reference/add-signatures-to-urls
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `NOT_YET_VALID`, `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { ossVerifier } from "daypass/oss";
 *
 * export const verifier = ossVerifier({
 *   credentials: { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "…" },
 *   origins: ["https://*.oss-cn-hangzhou.aliyuncs.com", "https://files.example.com"],
 *   buckets: { "https://files.example.com": "media" },
 *   regions: ["cn-hangzhou"],
 * });
 * ```
 */
export function ossVerifier(options: OssVerifierOptions): Verifier<OssGrant> {
  const keys = keyResolver(requireOptions(options).credentials, keyIdOf, ossKey);
  return verifier(ossScheme(options), keys, options);
}

/** Credentials with the signing keys that were derived from them. */
interface OssKey {
  readonly credentials: OssCredentials;
  readonly keys: SigningKeys;
}

const ossKey = (credentials: OssCredentials): OssKey => ({
  credentials: checkCredentials(credentials),
  keys: signingKeys(OSS4, credentials.accessKeySecret),
});
const DUMMY_KEY: OssKey = /* @__PURE__ */ ossKey({ accessKeyId: "unknown", accessKeySecret: "unknown" });

function ossScheme({ buckets, regions, maxFutureSkew = 900 }: OssVerifierOptions): Scheme<ParsedOss, OssKey, OssGrant> {
  const sign = (received: ReceivedRequest, parsed: ParsedOss, keys: SigningKeys) => {
    const { bucket, key } = objectLocation(received, buckets);
    const parts = { ...parsed, method: received.request.method, resource: resourcePath(bucket, key) };
    return ossSignature(keys, parsed.scope, parsed.time, parts);
  };
  return {
    id: "oss",
    detect: detectOss,
    parse(received) {
      const parsed = parseOss(received);
      const { region, service } = parsed.scope;
      if (!/^oss(?:-cloudbox)?$/.test(service) || (regions !== undefined && ![regions].flat().includes(region))) {
        throw refusal(
          "WRONG_SCOPE",
          `the signature is for ${region}/${service}. Sign for ${[regions ?? "oss"].flat().join(", ")}`,
        );
      }
      return parsed;
    },
    keyId: (parsed) => parsed.accessKeyId,
    dummyKey: DUMMY_KEY,
    check(received, parsed, { keys }) {
      const { signature, stringToSign } = sign(received, parsed, keys);
      const isComplete = parsed.headers.every(({ values }) => values.length > 0);
      return { matches: constantTimeEqual(signature, parsed.signature) && isComplete, stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ notBefore, expiresAt }, now) => checkValidity(now, expiresAt, notBefore, maxFutureSkew),
    grant(received, parsed, { key: { credentials }, stringToSign, now }) {
      checkSession(credentials.securityToken, credentials.expiration, parsed.securityToken, now);
      const { accessKeyId: keyId, notBefore, expiresAt, headers, parameters, payload, scope } = parsed;
      const obligations = ossObligations(headers, parameters, payload);
      const signedHeaders = headers.map(({ name }) => name);
      return grantOf(
        received.request,
        { scheme: "oss", keyId, notBefore, expiresAt, obligations },
        {
          ...objectLocation(received, buckets),
          region: scope.region,
          parameters,
          unsignedParameters: [],
          signedHeaders,
        },
        stringToSign,
      );
    },
  };
}
