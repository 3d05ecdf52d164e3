import { constantTimeEqual, hmacSha1 } from "#crypto";
import { hostBucket, objectLocation } from "../../../core/bucket-endpoint.ts";
import type { Scheme, Verifier, WireRequest } from "../../../core/contracts.ts";
import { grantOf } from "../../../core/grant.ts";
import { keyResolver } from "../../../core/key-resolver.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { checkMaxLife, checkRemaining, checkValidity } from "../../../core/time.ts";
import { verifier } from "../../../core/verify.ts";
import { hex } from "../../../wire/encoding.ts";
import type { Parameter } from "../../../wire/parameters.ts";
import { parseTarget } from "../../../wire/raw-target.ts";
import { accountKeys, checkHmacKey, dummyAccount, type GcsHmacKey, type GcsPublicAccount } from "../credentials.ts";
import { type GcsGrant, gcsObligations } from "../grant.ts";
import type { GcsBaseOptions, GcsSignedTexts } from "../verify.ts";
import { detectGcsV2, gcsV2StringToSign, type ParsedGcsV2, parseGcsV2 } from "./parse.ts";

/** Options of {@link gcsV2Verifier} and {@link gcsV2HmacVerifier}. */
export interface GcsV2VerifierOptions<K = GcsPublicAccount> extends GcsBaseOptions<K> {
  /** Longest remaining lifetime of a URL, in seconds. V2 itself has no maximum; Google advises a week. */
  readonly maxLife?: number | undefined;
  /**
   * Names of unsigned query parameters that are nevertheless accepted, none by default. The holder of a URL can set them
   * to anything: if you list `generation`, every holder can read every version of the object.
   */
  readonly allowUnsigned?: readonly string[] | undefined;
}

/** What a verified V2 URL allows. */
export interface GcsV2Grant extends GcsGrant {
  /** The parameters of `allowUnsigned` that were present: the holder of the URL chose their values. */
  readonly unsignedParameters: readonly Parameter[];
}

/**
 * Verifies Google Cloud Storage URLs in the legacy V2, signed by service accounts: grammar, signature over method, bucket, path,
 * subresource, Content-MD5, Content-Type and `x-goog-*` headers, and expiry. URLs signed with HMAC keys are for
 * {@link gcsV2HmacVerifier}; combine the two with `anyOf`.
 *
 * V2 covers no other parameter, so any that is not in `allowUnsigned` is refused; so are customer-supplied encryption keys,
 * which V2 does not sign. It does not cover host, scheme or any other header, and has no signing time: the grant's
 * `notBefore` is 1970. Does not check that the account may access this bucket, and does not read the body.
 *
 * Source: https://cloud.google.com/storage/docs/access-control/signed-urls-v2
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_HEADER`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`,
 * `SIGNATURE_MISMATCH`, `EXPIRED`, `KEY_SCOPE`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { gcsV2Verifier } from "daypass/gcs/v2";
 *
 * export const verifierOf = (certificate: string) =>
 *   gcsV2Verifier({
 *     keys: { client_email: "app@project.iam.gserviceaccount.com", public_key: certificate },
 *     origins: ["https://storage.example.com"],
 *     maxLife: 604_800,
 *   });
 * ```
 */
export function gcsV2Verifier(options: GcsV2VerifierOptions): Verifier<GcsV2Grant> {
  requireOptions(options);
  const dummy = dummyAccount();
  const scheme = gcsV2Scheme(options, "account", {
    dummyKey: dummy,
    // The scope is for derived keys, which accounts do not have.
    check: (key: typeof dummy, text, signature) => key(text, hex(signature), { date: "", region: "", service: "" }),
  });
  return verifier(scheme, accountKeys(options.keys), options);
}

/**
 * Verifies Google Cloud Storage URLs in the legacy V2 of HMAC keys (HMAC-SHA1). All else is as with {@link gcsV2Verifier}.
 *
 * Source: https://cloud.google.com/storage/docs/access-control/signed-urls-v2
 *
 * @throws {DaypassError} as {@link gcsV2Verifier} does
 * @example
 * ```ts
 * import { gcsV2HmacVerifier } from "daypass/gcs/v2";
 *
 * export const verifier = gcsV2HmacVerifier({
 *   keys: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" },
 *   origins: ["https://storage.example.com"],
 * });
 * ```
 */
export function gcsV2HmacVerifier(options: GcsV2VerifierOptions<GcsHmacKey>): Verifier<GcsV2Grant> {
  requireOptions(options);
  const keys = keyResolver(options.keys, ({ accessKeyId }) => accessKeyId, checkHmacKey);
  const scheme = gcsV2Scheme(options, "hmac", {
    dummyKey: { accessKeyId: "unknown", secretAccessKey: "unknown" },
    check: ({ secretAccessKey }: GcsHmacKey, text, signature) =>
      constantTimeEqual(hex(hmacSha1(secretAccessKey, text)), hex(signature)),
  });
  return verifier(scheme, keys, options);
}

interface Keying<P> {
  readonly dummyKey: P;
  check(key: P, text: string, signature: Uint8Array): boolean | Promise<boolean>;
}

function gcsV2Scheme<P>(
  { buckets, maxLife, allowUnsigned }: Omit<GcsV2VerifierOptions<unknown>, "keys">,
  kind: "account" | "hmac",
  { dummyKey, check }: Keying<P>,
): Scheme<ParsedGcsV2, P, GcsV2Grant> {
  checkMaxLife(maxLife);
  const allowed: ReadonlySet<string> = new Set([allowUnsigned].flat() as string[]);
  return {
    id: "gcs/v2",
    detect: (request) => detectGcsV2(request) === kind,
    parse: (received) => parseGcsV2(received, { hostBucket: hostBucket(received, buckets), allowUnsigned: allowed }),
    keyId: ({ keyId }) => keyId,
    dummyKey,
    async check({ request: { method } }, parsed, key) {
      const stringToSign = gcsV2StringToSign({ ...parsed, method });
      return { matches: await check(key, stringToSign, parsed.signature), stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ expiresAt }, now) => checkValidity(now, expiresAt),
    grant(received, parsed, { stringToSign, now }) {
      const { contentMd5, contentType, keyId, expiresAt, extensions, parameters, unsignedParameters } = parsed;
      checkRemaining(now, expiresAt, maxLife);
      const { bucket, key: object } = objectLocation(received, buckets);
      const headers = [
        ...(contentMd5 === "" ? [] : [{ name: "content-md5", values: [contentMd5] }]),
        { name: "content-type", values: [contentType] },
        ...extensions,
      ];
      const obligations = gcsObligations(headers, parameters);
      const signedHeaders = headers.map(({ name }) => name);
      return grantOf(
        received.request,
        { scheme: "gcs/v2", keyId, notBefore: 0, expiresAt, obligations },
        { bucket, object, parameters, signedHeaders, unsignedParameters },
        stringToSign,
      );
    },
  };
}

/**
 * The string to sign of a request with V2 in its query. Verifies nothing.
 *
 * @param hostBucket the bucket if the host names it, else the empty string: V2 signs it
 * @throws {DaypassError} `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`, `UNSIGNED_HEADER`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { gcsV2SignedTexts } from "daypass/gcs/v2";
 *
 * export const signedText = (request: WireRequest) => gcsV2SignedTexts(request, "").stringToSign;
 * ```
 */
export function gcsV2SignedTexts(request: WireRequest, hostBucket: string): GcsSignedTexts {
  const wire = parseTarget(request.target);
  const allowUnsigned = { has: () => true };
  const parsed = parseGcsV2({ request, wire, origin: "", wildcard: hostBucket }, { hostBucket, allowUnsigned });
  return { stringToSign: gcsV2StringToSign({ ...parsed, method: request.method }) };
}
