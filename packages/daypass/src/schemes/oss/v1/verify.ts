import { constantTimeEqual, hmacSha1 } from "#crypto";
import { checkSession } from "../../../core/access-key.ts";
import { objectLocation } from "../../../core/bucket-endpoint.ts";
import type { Scheme, Verifier } from "../../../core/contracts.ts";
import { grantOf } from "../../../core/grant.ts";
import { keyResolver } from "../../../core/key-resolver.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../../../core/time.ts";
import { type VerifierOptions, verifier } from "../../../core/verify.ts";
import { base64 } from "../../../wire/encoding.ts";
import { malformed } from "../../../wire/parameters.ts";
import { resourcePath } from "../canonical.ts";
import {
  checkCredentials,
  keyIdOf,
  type OssBucketOptions,
  type OssCredentials,
  type OssGrant,
  ossObligations,
} from "../credentials.ts";
import { detectOssV1, isAmbiguousKey, ossV1StringToSign, type ParsedOssV1, parseOssV1 } from "./canonical.ts";

/** Options of {@link ossV1Verifier}. */
export interface OssV1VerifierOptions extends OssBucketOptions, VerifierOptions {
  /** Longest remaining lifetime of a URL, in seconds. V1 itself has no maximum. */
  readonly maxLife?: number | undefined;
  /** Names of query parameters that V1 does not sign and that are let through all the same, none by default. */
  readonly allowUnsigned?: readonly string[] | undefined;
}

/**
 * Verifies Alibaba Cloud OSS presigned URLs in the legacy signature version 1: grammar, signature over method, bucket,
 * key, sub-resources, Content-MD5, Content-Type and `x-oss-*` headers, security token and expiry.
 *
 * V1 covers no other query parameter, so any that is not in `allowUnsigned` is refused. It does not cover host, scheme
 * or any other header, and has no signing time: the grant's `notBefore` is 1970. Keys and values that V1 signs like
 * something else are refused. Does not check that the key may access this bucket, and does not read the body.
 *
 * Source: https://www.alibabacloud.com/help/en/oss/developer-reference/signed-urls
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `KEY_SCOPE`, `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { ossV1Verifier } from "daypass/oss/v1";
 *
 * export const verifier = ossV1Verifier({
 *   credentials: { accessKeyId: "LTAIEXAMPLE", accessKeySecret: "…" },
 *   origins: ["https://*.oss-cn-hangzhou.aliyuncs.com"],
 *   maxLife: 604_800,
 * });
 * ```
 */
export function ossV1Verifier(options: OssV1VerifierOptions): Verifier<OssGrant> {
  checkMaxLife(requireOptions(options).maxLife);
  const keys = keyResolver(options.credentials, keyIdOf, checkCredentials);
  return verifier(ossV1Scheme(options), keys, options);
}

function ossV1Scheme({
  buckets,
  allowUnsigned,
  maxLife,
}: OssV1VerifierOptions): Scheme<ParsedOssV1, OssCredentials, OssGrant> {
  const allowed: ReadonlySet<string> = new Set([allowUnsigned ?? []].flat());
  return {
    id: "oss/v1",
    detect: detectOssV1,
    parse(received) {
      const parsed = parseOssV1(received, allowed);
      if (isAmbiguousKey(objectLocation(received, buckets).key ?? "")) {
        throw malformed("path", "ambiguous", "a key that V1 does not sign like another key with parameters");
      }
      return parsed;
    },
    keyId: (parsed) => parsed.accessKeyId,
    dummyKey: { accessKeyId: "unknown", accessKeySecret: "unknown" },
    check(received, parsed, { accessKeySecret }) {
      const { bucket, key } = objectLocation(received, buckets);
      const parts = { ...parsed, method: received.request.method, resource: resourcePath(bucket, key) };
      const stringToSign = ossV1StringToSign(parts);
      const signature = base64(hmacSha1(accessKeySecret, stringToSign));
      return { matches: constantTimeEqual(signature, parsed.signature), stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ expiresAt }, now) => checkValidity(now, expiresAt),
    grant(received, parsed, { key: credentials, stringToSign, now }) {
      const { accessKeyId: keyId, contentMd5, expiresAt, headers, subResources, securityToken } = parsed;
      checkSession(credentials.securityToken, credentials.expiration, securityToken, now);
      checkRemaining(now, expiresAt, maxLife);
      const parameters = subResources.filter(([name]) => name !== "security-token");
      const md5 = contentMd5 === "" ? [] : [{ name: "content-md5", values: [contentMd5] }];
      const obligations = ossObligations([...md5, ...headers], parameters);
      const signedHeaders = ["content-md5", "content-type", ...headers.map(({ name }) => name)];
      const { unsigned: unsignedParameters } = parsed;
      return grantOf(
        received.request,
        { scheme: "oss/v1", keyId, notBefore: 0, expiresAt, obligations },
        { ...objectLocation(received, buckets), region: "", parameters, unsignedParameters, signedHeaders },
        stringToSign,
      );
    },
  };
}
