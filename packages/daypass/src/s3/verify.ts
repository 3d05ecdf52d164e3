import { constantTimeEqual, sha256Hex } from "#crypto";
import { DaypassError } from "../errors.ts";
import type { KeyResolver, Scheme, Verifier } from "../scheme.ts";
import type { CanonicalParts, CredentialScope } from "../v4.ts";
import { type VerifierOptions, verifier } from "../verify.ts";
import { canonicalHeaders, s3Location, s3Signature } from "./canonical.ts";
import { checkCredentials, type S3Credentials, type SigningKeys, signingKeys } from "./credentials.ts";
import { type S3Grant, s3Grant, s3Obligations } from "./grant.ts";
import { detectS3, type ParsedS3, parseS3 } from "./parse.ts";

/** Options of {@link s3Verifier}. */
export interface S3VerifierOptions extends VerifierOptions {
  /**
   * One access key, several, or a function that finds them by access key id.
   *
   * `origins` may hold `https://*.s3.example.com`: there `*` is the bucket (virtual-host style), elsewhere the bucket is
   * the first path segment.
   */
  readonly credentials: S3Credentials | readonly S3Credentials[] | KeyResolver<S3Credentials>;
  /** Regions that signatures may be made for; any if left out (the region is signed either way). */
  readonly regions?: readonly string[] | undefined;
  /** Seconds that a signing time may lie in the future, 900 by default as MinIO has it. */
  readonly maxFutureSkew?: number | undefined;
}

/** Credentials with the signing keys that were derived from them. */
export interface S3Key {
  readonly credentials: S3Credentials;
  readonly keys: SigningKeys;
}

/**
 * Verifies S3 presigned URLs (AWS Signature Version 4 in the query): grammar, signature over method, path, query and
 * signed headers, session token, date and expiry (1 to 604800 s), and that no unsigned `x-amz-*` header is there.
 *
 * Does not check that the key may touch this bucket, and does not read the body: a signed payload hash or checksum, a
 * create-only header and response overrides become obligations of the grant, and are refused with
 * `UNENFORCED_CONSTRAINT` unless listed in `enforces`.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * @throws {DaypassError} from `verify`: `NO_SIGNATURE`, `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`,
 * `UNSIGNED_HEADER`, `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `INVALID_TOKEN`,
 * `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { s3Verifier } from "daypass/s3";
 *
 * const verifier = s3Verifier({
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   origins: ["https://s3.example.com", "https://*.s3.example.com"],
 * });
 * export const grant = await verifier.verify({ method: "GET", target: "/media/a.png?…", authority: "s3.example.com", headers: [] });
 * ```
 */
export function s3Verifier(options: S3VerifierOptions): Verifier<S3Grant> {
  return verifier(s3Scheme(options), s3KeyResolver(options.credentials), { ...options, wildcards: true });
}

/** Turns any form of the `credentials` option into a resolver of prepared keys. */
export function s3KeyResolver(credentials: S3VerifierOptions["credentials"]): KeyResolver<S3Key> {
  if (typeof credentials !== "function") {
    const byId = new Map<string, S3Key[]>();
    for (const item of Array.isArray(credentials) ? credentials : [credentials as S3Credentials]) {
      const { accessKeyId } = checkCredentials(item);
      byId.set(accessKeyId, [...(byId.get(accessKeyId) ?? []), s3Key(item)]);
    }
    return (id) => byId.get(id);
  }
  // A resolver that answers with the same object again finds its derived keys again.
  const prepared = new WeakMap<S3Credentials, S3Key>();
  const prepare = (item: S3Credentials): S3Key => {
    let key = prepared.get(item);
    if (key === undefined) {
      key = s3Key(checkCredentials(item));
      prepared.set(item, key);
    }
    return key;
  };
  const prepareAll = (
    found: S3Credentials | readonly S3Credentials[] | undefined,
  ): S3Key | readonly S3Key[] | undefined => {
    if (found === undefined) return undefined;
    return isList(found) ? found.map(prepare) : prepare(found);
  };
  return (id) => {
    const found = credentials(id);
    // A resolver that knows at once is not made to wait for a promise.
    return found instanceof Promise ? found.then(prepareAll) : prepareAll(found);
  };
}

function isList(found: S3Credentials | readonly S3Credentials[]): found is readonly S3Credentials[] {
  return Array.isArray(found);
}

function s3Key(credentials: S3Credentials): S3Key {
  return { credentials, keys: signingKeys(credentials.secretAccessKey) };
}

/** The key that stands in for an unknown one, so that both cost the same hashes. */
export const DUMMY_S3_KEY: S3Key = s3Key({ accessKeyId: "unknown", secretAccessKey: "unknown" });

function s3Scheme({ regions, maxFutureSkew = 900 }: S3VerifierOptions): Scheme<ParsedS3, S3Key, S3Grant> {
  return {
    id: "s3",
    detect: detectS3,
    parse(received) {
      const parsed = parseS3(received);
      checkScope(parsed.scope, regions, "X-Amz-Credential");
      return parsed;
    },
    keyId: (parsed) => parsed.accessKeyId,
    dummyKey: DUMMY_S3_KEY,
    check({ request }, parsed, { keys }) {
      const { signature, stringToSign } = s3Signature(
        keys,
        parsed,
        parsed.time,
        canonicalParts(request.method, parsed),
      );
      const complete = parsed.headers.every(({ values }) => values.length > 0);
      return { matches: constantTimeEqual(signature, parsed.signature) && complete, stringToSign };
    },
    reportsTimeFirst: true,
    checkTime: (parsed, now) => checkWindow(parsed, now, maxFutureSkew),
    grant({ request, wire, wildcard }, parsed, { key, stringToSign, now }) {
      checkSession(key.credentials, parsed.sessionToken, now);
      const { bucket, key: objectKey } = s3Location(wire, wildcard);
      return s3Grant(
        {
          scheme: "s3",
          keyId: parsed.accessKeyId,
          methods: [request.method],
          notBefore: parsed.signedAt,
          expiresAt: parsed.expiresAt,
          obligations: s3Obligations(parsed.payload, parsed.headers, parsed.parameters),
          target: request.target,
          bucket,
          key: objectKey,
          region: parsed.scope.region,
          parameters: parsed.parameters,
          signedHeaders: parsed.headers.map(({ name }) => name),
        },
        stringToSign,
      );
    },
  };
}

function canonicalParts(method: string, parsed: ParsedS3): CanonicalParts {
  const { path, query, headers, signedHeaders, payload } = parsed;
  return { method, path, query, headers: canonicalHeaders(headers), signedHeaders, payload };
}

/** The signature was made for S3, and for one of the configured regions. */
export function checkScope(scope: CredentialScope, regions: readonly string[] | undefined, parameter: string): void {
  if (scope.service !== "s3") throw wrongScope(parameter, "service", "s3", scope.service);
  if (regions !== undefined && !regions.includes(scope.region))
    throw wrongScope(parameter, "region", regions.join(", "), scope.region);
}

function wrongScope(parameter: string, problem: string, expected: string, found: string): DaypassError {
  return new DaypassError(
    "WRONG_SCOPE",
    `expected a signature for the ${problem} ${expected}, found ${JSON.stringify(found)}: sign for the right ${problem}`,
    {
      details: { parameter, problem, expected, found },
    },
  );
}

function checkWindow(parsed: ParsedS3, now: Date, maxFutureSkew: number): DaypassError | undefined {
  const nowMs = now.getTime();
  // Written so that an invalid date on either side refuses.
  if (!(nowMs >= parsed.signedAt.getTime() - maxFutureSkew * 1000)) {
    return new DaypassError(
      "NOT_YET_VALID",
      `expected a signing time at most ${maxFutureSkew} s ahead of the clock, found ${parsed.time}: check both clocks`,
      {
        details: { time: parsed.time },
      },
    );
  }
  if (!(nowMs < parsed.expiresAt.getTime())) {
    return new DaypassError(
      "EXPIRED",
      `expected a URL that is still valid, found one that ended at ${parsed.expiresAt.toISOString()}: ask for a new one`,
      {
        details: { expires: parsed.expires, expiresAt: parsed.expiresAt.toISOString(), serverTime: now.toISOString() },
      },
    );
  }
  return undefined;
}

/** Temporary credentials are three parts, and the third has to be the one that the key was issued with. */
export function checkSession({ sessionToken, expiration }: S3Credentials, found: string | undefined, now: Date): void {
  const agrees =
    sessionToken === undefined || found === undefined
      ? sessionToken === found
      : constantTimeEqual(sha256Hex(sessionToken), sha256Hex(found));
  if (!agrees) {
    throw new DaypassError(
      "INVALID_TOKEN",
      `expected ${sessionToken === undefined ? "no session token with this access key" : "the session token of this access key"}, found ${found === undefined ? "none" : "another"}: use the three parts of one set of credentials`,
    );
  }
  if (expiration !== undefined && !(now.getTime() < expiration.getTime())) {
    throw new DaypassError(
      "EXPIRED_TOKEN",
      "expected credentials that are still valid, found expired ones: sign with fresh credentials",
    );
  }
}
