import { constantTimeEqual } from "#crypto";
import { checkSession } from "../../core/access-key.ts";
import { type ObjectLocation, objectLocation } from "../../core/bucket-endpoint.ts";
import type { Grant, Scheme, Verifier } from "../../core/contracts.ts";
import { grantOf } from "../../core/grant.ts";
import { type Keys, keyResolver } from "../../core/key-resolver.ts";
import { objectObligations } from "../../core/object-request.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../../core/time.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import type { Parameter } from "../../wire/parameters.ts";
import {
  type CosCredentials,
  checkCredentials,
  cosSignature,
  detectCos,
  type ParsedCos,
  parseCos,
} from "./canonical.ts";

/** Options of {@link cosVerifier}. */
export interface CosVerifierOptions extends VerifierOptions {
  /** One key, several, or a function that looks them up by secret id. */
  readonly credentials: Keys<CosCredentials>;
  /**
   * The bucket of each origin that is one bucket's own. With `https://*.cos.example.com` among the `origins`, `*` is the
   * bucket; elsewhere it is the first path segment.
   */
  readonly buckets?: Readonly<Record<string, string>> | undefined;
  /** Longest remaining lifetime of a URL, in seconds. COS itself has no maximum. */
  readonly maxLife?: number | undefined;
  /** Seconds that the start may lie ahead of the clock, 0 by default. */
  readonly maxFutureSkew?: number | undefined;
}

/** What a verified COS request allows: one method on one object or bucket. */
export interface CosGrant extends Grant, ObjectLocation {
  /** Parameters other than the signature's own, decoded, in wire order: all of them were signed. */
  readonly parameters: readonly Parameter[];
  /** Names of the headers that were signed. */
  readonly signedHeaders: readonly string[];
}

/**
 * Verifies Tencent Cloud COS presigned URLs: grammar, signature over method, host, path, start, expiry, parameters and listed
 * headers, and session token. Nothing unsigned may have an effect: a URL with an unsigned host, an unsigned parameter and an
 * unsigned `x-cos-*` header are refused, although COS accepts them.
 *
 * Does not check that the key may access this bucket, and does not read the body: a signed Content-MD5,
 * `x-cos-forbid-overwrite` and `response-*` become obligations. The holder chooses an unsigned Content-Type.
 *
 * Source: https://www.tencentcloud.com/document/product/436/7778
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNSIGNED_HEADER`, `UNKNOWN_KEY`,
 * `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `KEY_SCOPE`, `INVALID_TOKEN`, `EXPIRED_TOKEN`,
 * `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { cosVerifier } from "daypass/cos";
 *
 * export const verifier = cosVerifier({
 *   credentials: { secretId: "AKIDEXAMPLE", secretKey: "…" },
 *   origins: ["https://*.cos.ap-guangzhou.myqcloud.com"],
 *   maxLife: 604_800,
 * });
 * ```
 */
export function cosVerifier(options: CosVerifierOptions): Verifier<CosGrant> {
  requireOptions(options);
  const { buckets, maxLife, maxFutureSkew } = options;
  checkMaxLife(maxLife);
  const scheme: Scheme<ParsedCos, CosCredentials, CosGrant> = {
    id: "cos",
    detect: detectCos,
    parse: parseCos,
    keyId: (parsed) => parsed.secretId,
    dummyKey: { secretId: "unknown", secretKey: "unknown" },
    check(_received, parsed, { secretKey }) {
      const { signature, stringToSign } = cosSignature(secretKey, parsed);
      return { matches: constantTimeEqual(signature, parsed.signature), stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ startsAt, expiresAt }, now) => checkValidity(now, expiresAt, startsAt, maxFutureSkew),
    grant(received, parsed, { key, stringToSign, now }) {
      const { secretId: keyId, expiresAt, startsAt: notBefore, parameters, headers } = parsed;
      checkSession(key.sessionToken, key.expiration, parsed.sessionToken, now);
      checkRemaining(now, expiresAt, maxLife);
      const obligations = objectObligations(headers, parameters, "x-cos-forbid-overwrite");
      return grantOf(
        received.request,
        { scheme: "cos", keyId, notBefore, expiresAt, obligations },
        { ...objectLocation(received, buckets), parameters, signedHeaders: headers.map(([name]) => name) },
        stringToSign,
      );
    },
  };
  const keys = keyResolver(options.credentials, ({ secretId }) => secretId, checkCredentials);
  return verifier(scheme, keys, options);
}
