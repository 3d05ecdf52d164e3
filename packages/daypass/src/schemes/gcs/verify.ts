import { objectLocation } from "../../core/bucket-endpoint.ts";
import type { Scheme, Verifier, WireRequest } from "../../core/contracts.ts";
import { grantOf } from "../../core/grant.ts";
import type { Keys } from "../../core/key-resolver.ts";
import { requireOptions } from "../../core/require-options.ts";
import { checkValidity } from "../../core/time.ts";
import type { V4Family } from "../../core/v4.ts";
import { type VerifierOptions, verifier } from "../../core/verify.ts";
import { parseTarget } from "../../wire/raw-target.ts";
import { GOOG4_HMAC, GOOG4_RSA, gcsTexts } from "./canonical.ts";
import {
  accountKeys,
  dummyAccount,
  type GcsHmacKey,
  type GcsPublicAccount,
  type HasSigned,
  hmacKey,
  hmacKeys,
} from "./credentials.ts";
import { type GcsGrant, gcsObligations } from "./grant.ts";
import { detectGcs, type ParsedGcs, parseGcs } from "./parse.ts";

/** Options that the verifiers of both versions share. `K` is the kind of key. */
export interface GcsBaseOptions<K> extends VerifierOptions {
  /**
   * One key, several, or a function that looks them up by the account's address or the HMAC key's id. An account may
   * have several keys: pass or return all of them.
   */
  readonly keys: Keys<K>;
  /**
   * The bucket of each origin that is one bucket's own host. With `https://*.storage.example.com` among the `origins`, `*`
   * is the bucket; elsewhere it is the first path segment.
   */
  readonly buckets?: Readonly<Record<string, string>> | undefined;
}

/** Options of {@link gcsVerifier} and {@link gcsHmacVerifier}. */
export interface GcsVerifierOptions<K = GcsPublicAccount> extends GcsBaseOptions<K> {
  /** Seconds that a signing time may lie in the future, 900 by default as on Google. */
  readonly maxFutureSkew?: number | undefined;
}

/**
 * Verifies Google Cloud Storage signed URLs (V4) of service accounts, `GOOG4-RSA-SHA256`: grammar, signature over method,
 * host without its port, path, query and signed headers, date and lifetime (1 to 604800 s), and that the request has no unsigned
 * `x-goog-*` or `x-amz-*` header. URLs signed with HMAC keys are for {@link gcsHmacVerifier}; combine the two with `anyOf`.
 *
 * Does not check that the account may access this bucket, and does not read the body: a signed length range, digest or
 * checksum, a create-only header and response overrides become obligations of the grant, and are refused with
 * `UNENFORCED_CONSTRAINT` unless listed in `enforces`.
 *
 * Source: https://cloud.google.com/storage/docs/authentication/canonical-requests
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_HEADER`, `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`,
 * `EXPIRED`, `NOT_YET_VALID`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { gcsVerifier } from "daypass/gcs";
 *
 * export const verifierOf = (certificate: string) =>
 *   gcsVerifier({
 *     keys: { client_email: "app@project.iam.gserviceaccount.com", public_key: certificate },
 *     origins: ["https://storage.example.com", "https://*.storage.example.com"],
 *   });
 * ```
 */
export function gcsVerifier(options: GcsVerifierOptions): Verifier<GcsGrant> {
  requireOptions(options);
  const scheme = gcsScheme(options, GOOG4_RSA, dummyAccount());
  return verifier(scheme, accountKeys(options.keys), options);
}

/**
 * Verifies Google Cloud Storage signed URLs (V4) of HMAC keys, `GOOG4-HMAC-SHA256`. All else is as with
 * {@link gcsVerifier}.
 *
 * Source: https://cloud.google.com/storage/docs/authentication/signatures
 *
 * @throws {DaypassError} as {@link gcsVerifier} does
 * @example
 * ```ts
 * import { anyOf } from "daypass";
 * import { gcsHmacVerifier, gcsVerifier } from "daypass/gcs";
 *
 * const origins = ["https://storage.example.com"];
 * export const verifierOf = (certificate: string) =>
 *   anyOf(
 *     gcsVerifier({ keys: { client_email: "app@project.iam.gserviceaccount.com", public_key: certificate }, origins }),
 *     gcsHmacVerifier({ keys: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" }, origins }),
 *   );
 * ```
 */
export function gcsHmacVerifier(options: GcsVerifierOptions<GcsHmacKey>): Verifier<GcsGrant> {
  requireOptions(options);
  const scheme = gcsScheme(options, GOOG4_HMAC, hmacKey("unknown"));
  return verifier(scheme, hmacKeys(options.keys), options);
}

function gcsScheme(
  { buckets, maxFutureSkew = 900 }: Pick<GcsVerifierOptions, "buckets" | "maxFutureSkew">,
  family: V4Family,
  dummyKey: HasSigned,
): Scheme<ParsedGcs, HasSigned, GcsGrant> {
  return {
    id: "gcs",
    detect: (request) => detectGcs(request) === family,
    parse: (received) => parseGcs(received, family),
    keyId: ({ keyId }) => keyId,
    dummyKey,
    async check({ request: { method } }, parsed, hasSigned) {
      const { stringToSign } = gcsTexts({ ...parsed, method });
      const matches = await hasSigned(stringToSign, parsed.signature, parsed.scope);
      return { matches: matches && parsed.headers.every(({ values }) => values.length > 0), stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ expiresAt, notBefore }, now) => checkValidity(now, expiresAt, notBefore, maxFutureSkew),
    grant(received, parsed, { stringToSign }) {
      const { headers, keyId, notBefore, expiresAt, others: parameters } = parsed;
      const { bucket, key: object } = objectLocation(received, buckets);
      const obligations = gcsObligations(headers, parameters);
      return grantOf(
        received.request,
        { scheme: "gcs", keyId, notBefore, expiresAt, obligations },
        { bucket, object, parameters, signedHeaders: headers.map(({ name }) => name) },
        stringToSign,
      );
    },
  };
}

/** The text that is signed: the request's own bytes in canonical form, without any secret of the verifier. */
export interface GcsSignedTexts {
  /** V2 has none. */
  readonly canonicalRequest?: string | undefined;
  /** The lines as the server shows them, in one text. */
  readonly stringToSign: string;
}

/**
 * The canonical request and string to sign of a request with V4 in its query, as Google shows them to a caller whose
 * signature does not match. Verifies nothing.
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `WRONG_SCOPE`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { gcsSignedTexts } from "daypass/gcs";
 *
 * export const lines = (request: WireRequest) => gcsSignedTexts(request).canonicalRequest?.split("\n");
 * ```
 */
export function gcsSignedTexts(request: WireRequest): GcsSignedTexts {
  // Neither the origin nor the bucket is part of what V4 signs.
  const received = { request, wire: parseTarget(request.target), origin: "", wildcard: "" };
  const parsed = parseGcs(received, detectGcs(request) ?? GOOG4_RSA);
  const { canonicalRequest, stringToSign } = gcsTexts({ ...parsed, method: request.method });
  return { canonicalRequest, stringToSign };
}
