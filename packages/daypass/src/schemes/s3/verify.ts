import { equalDigests, sha256Hex } from "#crypto";
import { checkSession } from "../../core/access-key.ts";
import type { KeyResolver, Scheme, Verifier, WireRequest } from "../../core/contracts.ts";
import { type DaypassError, type ErrorDetails, refusal } from "../../core/errors.ts";
import { requireOptions } from "../../core/require-options.ts";
import { type Instant, instantText } from "../../core/time.ts";
import {
  AWS4,
  type CanonicalParts,
  type CredentialScope,
  canonicalRequestText,
  type SigningKeys,
  scopeText,
  signingKeys,
  stringToSignText,
  v4Signature,
} from "../../core/v4.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import { canonicalHeaders, type SignedHeader, s3Location } from "./canonical.ts";
import { credentialResolver, type S3Credentials } from "./credentials.ts";
import { type S3Grant, s3Grant, s3Obligations } from "./grant.ts";
import { checkSignatureForm, detectS3, hasExpressSession, type ParsedS3, parseS3 } from "./parse.ts";
import { s3Verdicts } from "./verdicts.ts";

/** `CLOCK_SKEW` for a request whose header says a time that is further from the clock than `maxSkew` seconds. */
export function checkSkew(signedAt: Date, now: number, maxSkew: number): DaypassError | undefined {
  const ahead = signedAt.getTime() - now;
  // Written so that an invalid date on either side refuses. The end is exclusive, as in every grant.
  if (ahead <= maxSkew * 1000 && ahead > -maxSkew * 1000) return undefined;
  const [requestTime, serverTime] = [signedAt.toISOString(), instantText(now)];
  return refusal("CLOCK_SKEW", `the request was signed at ${requestTime}, and it is ${serverTime}. Check both clocks`, {
    requestTime,
    serverTime,
    maximum: maxSkew,
  });
}

/** Options of {@link s3Verifier}. */
export interface S3VerifierOptions extends VerifierOptions {
  /**
   * One access key, several, or a function that looks them up by access key id.
   *
   * `origins` may contain `https://*.s3.example.com`, where `*` is the bucket (virtual-host style); otherwise, the
   * bucket is the first path segment.
   */
  readonly credentials: S3Credentials | readonly S3Credentials[] | KeyResolver<S3Credentials>;
  /** Regions that signatures may be for; any if omitted (the region is signed in any case). */
  readonly regions?: readonly string[] | undefined;
  /** Seconds that a signing time may lie in the future, 900 by default, as in MinIO. */
  readonly maxFutureSkew?: number | undefined;
  /**
   * How many accepted URLs the verifier remembers at most, such as 4096; none by default. An equal request, such as the next range of a
   * video, then needs no hash. All URLs together take at most 16 MB, which is room for 5,000 short URLs.
   *
   * Only URLs whose signed headers are `host` alone are remembered, and only requests without `Authorization` and without headers that begin
   * with `x-` use them. Each request still resolves the key, which must be the same object as before: a lookup function should return a stored
   * object. Time, session and obligations are checked each time. Check scope and revocation after `verify`, as without a cache.
   *
   * @example
   * ```ts
   * import { type S3Credentials, s3Verifier } from "daypass/s3";
   *
   * const keys = new Map<string, S3Credentials>();
   * export const verifier = s3Verifier({ credentials: (id) => keys.get(id), origins: ["https://s3.example.com"], cache: 4096 });
   * ```
   */
  readonly cache?: number | undefined;
}

/** Credentials with the signing keys that were derived from them. */
export interface S3Key {
  readonly credentials: S3Credentials;
  readonly keys: SigningKeys;
}

/**
 * Verifies S3 presigned URLs (AWS Signature Version 4 in the query): grammar, signature over method, path, query and
 * signed headers, session token, date and expiry (1 to 604800 s), and that no `x-amz-*` header is unsigned.
 *
 * Does not check that the key may touch this bucket, and does not read the body: a signed payload hash or checksum, a
 * create-only header and response overrides become obligations of the grant, and are refused with
 * `UNENFORCED_CONSTRAINT` unless listed in `enforces`.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_HEADER`, `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`,
 * `EXPIRED`, `NOT_YET_VALID`, `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3Verifier } from "daypass/s3";
 *
 * const verifier = s3Verifier({
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   origins: ["https://s3.example.com", "https://*.s3.example.com"],
 * });
 * export const grantFor = (request: WireRequest) => verifier.verify(request);
 * ```
 */
export function s3Verifier(options: S3VerifierOptions): Verifier<S3Grant> {
  requireOptions(options);
  const { credentials, regions, cache } = options;
  // A caller may take a region out of its list.
  const checkRegion = ({ scope }: ParsedS3): void => checkScope(scope, regions, "X-Amz-Credential");
  const verdicts = cache === undefined ? undefined : s3Verdicts<S3Key>(cache, checkRegion);
  const { verify } = verifier(s3Scheme(options), s3KeyResolver(credentials), options, verdicts);
  // Among others it leaves the sessions of S3 Express to their verifier. Alone it says what is wrong with their scope, and
  // searches no URL for them.
  return { verify, detects: (request) => detectS3(request) && !hasExpressSession(request) };
}

/** Turns any form of the `credentials` option into a resolver of prepared keys. */
export function s3KeyResolver(credentials: S3VerifierOptions["credentials"]): KeyResolver<S3Key> {
  return credentialResolver(credentials, s3Key);
}

function s3Key(credentials: S3Credentials): S3Key {
  return { credentials, keys: signingKeys(AWS4, credentials.secretAccessKey) };
}

/** The key that replaces an unknown key, so that both cost the same hashes. */
export const DUMMY_S3_KEY: S3Key = /* @__PURE__ */ s3Key({ accessKeyId: "unknown", secretAccessKey: "unknown" });

/** The scheme, which S3 Express has with its own token and service. */
export function s3Scheme({ regions, maxFutureSkew = 900 }: S3VerifierOptions): Scheme<ParsedS3, S3Key, S3Grant> {
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
      const parts = canonicalParts(request.method, parsed);
      const { signature, stringToSign } = v4Signature(keys(parsed.scope), parsed.time, parts);
      const matches = equalDigests(signature, parsed.signature) && parsed.headers.every(isThere);
      // What matched has the one form.
      if (!matches) checkSignatureForm(parsed.signature);
      return { matches, stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: (parsed, now) => checkWindow(parsed, now, maxFutureSkew),
    grant({ request, wildcard }, parsed, { key, stringToSign, now }) {
      checkSession(key.credentials.sessionToken, key.credentials.expiration, parsed.sessionToken, now);
      const { bucket, key: objectKey } = s3Location(parsed.decodedPath, wildcard);
      return s3Grant(
        {
          scheme: this.id,
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

function isThere({ values }: SignedHeader): boolean {
  return values.length > 0;
}

function canonicalParts(method: string, parsed: ParsedS3): CanonicalParts {
  const { path, query, headers, signedHeaders, payload } = parsed;
  return { method, path, query, headers: canonicalHeaders(headers), signedHeaders, payload };
}

/** The signature was made for this service, and for one of the configured regions. */
export function checkScope(
  scope: CredentialScope,
  regions: readonly string[] | undefined,
  parameter: string,
  service = "s3",
): void {
  if (scope.service !== service) throw wrongScope(parameter, "service", [service], scope.service);
  if (regions === undefined || (Array.isArray(regions) && regions.includes(scope.region))) return;
  // `regions` may be a text in JavaScript: `includes` of a text would accept parts of a region.
  const allowed = [regions].flat();
  if (!allowed.includes(scope.region)) throw wrongScope(parameter, "region", allowed, scope.region);
}

/** `WRONG_SCOPE`, with what programs need to tell which part it is. */
export function wrongScope(
  parameter: string,
  problem: string,
  expected: readonly string[],
  found: string,
): DaypassError {
  return refusal(
    "WRONG_SCOPE",
    `the signature is for the ${problem} ${JSON.stringify(found)}. Sign for ${expected.join(", ")}`,
    { parameter, problem, expected, found },
  );
}

function checkWindow(parsed: ParsedS3, now: number, maxFutureSkew: number): DaypassError | undefined {
  const { time, signedAt, expires } = parsed;
  // Written so that an invalid date on either side refuses.
  if (!(now >= signedAt - maxFutureSkew * 1000)) {
    return refusal(
      "NOT_YET_VALID",
      `the URL was signed at ${time}, more than ${maxFutureSkew} s in the future. Check both clocks`,
      { time },
    );
  }
  return checkEnd(parsed.expiresAt, now, { expires });
}

/** `EXPIRED` at and after the end of a URL. */
export function checkEnd(end: Instant, now: number, details: ErrorDetails): DaypassError | undefined {
  // Written so that an invalid clock refuses.
  if (now < Number(end)) return undefined;
  const expiresAt = instantText(end);
  return refusal("EXPIRED", `the URL expired at ${expiresAt}. Ask for a new one`, {
    ...details,
    expiresAt,
    serverTime: instantText(now),
  });
}

/** The text that is signed: the request's own bytes in canonical form, without any secret of the verifier. */
export interface S3Texts {
  /** SigV2 has none. */
  readonly canonicalRequest?: string | undefined;
  /** The lines as the server shows them, in one text. */
  readonly stringToSign: string;
}

/**
 * The canonical request and string to sign of a request with SigV4 in its query, as S3 shows them to a caller whose
 * signature does not match. Verifies nothing. Holds the session token of a request that has one: for its sender only.
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3Texts } from "daypass/s3";
 *
 * export const lines = (request: WireRequest) => s3Texts(request).canonicalRequest?.split("\n");
 * ```
 */
export function s3Texts(request: WireRequest): S3Texts {
  const wire = parseTarget(request.target);
  // Neither the origin nor the bucket is part of what SigV4 signs.
  return v4Texts(request.method, parseS3({ request, wire, origin: "", wildcard: "" }));
}

/** The texts of any request that was read strictly. */
export function v4Texts(
  method: string,
  parsed: Pick<ParsedS3, "path" | "query" | "headers" | "signedHeaders" | "payload" | "time" | "scope">,
): S3Texts {
  const canonicalRequest = canonicalRequestText({ ...parsed, method, headers: canonicalHeaders(parsed.headers) });
  return {
    canonicalRequest,
    stringToSign: stringToSignText(AWS4, parsed.time, scopeText(AWS4, parsed.scope), sha256Hex(canonicalRequest)),
  };
}
