import { checkSession } from "../../../core/access-key.ts";
import type { Obligation, Scheme, Verifier, WireRequest } from "../../../core/contracts.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { checkMaxLife, checkRemaining } from "../../../core/time.ts";
import { type VerifierOptions, verifier } from "../../../core/verify.ts";
import { formDecode, parseTarget, percentDecode } from "../../../wire/raw-target.ts";
import { s3Location, UNSIGNED_PAYLOAD } from "../canonical.ts";
import { credentialResolver, type S3Credentials } from "../credentials.ts";
import { type S3Grant, s3Grant, s3Obligations } from "../grant.ts";
import { checkEnd, type S3Texts, type S3VerifierOptions } from "../verify.ts";
import { checkS3V2, type Parameter, s3V2StringToSign } from "./canonical.ts";
import { detectS3V2, type ParsedS3V2, parseS3V2 } from "./parse.ts";

/** Options of {@link s3V2Verifier}. */
export interface S3V2VerifierOptions extends VerifierOptions {
  /**
   * One access key, several, or a function that looks them up by access key id.
   *
   * `origins` may contain `https://*.s3.example.com`, where `*` is the bucket (virtual-host style); otherwise, the
   * bucket is the first path segment. SigV2 does not sign the host, so a URL for one origin also grants the same
   * resource at the others.
   */
  readonly credentials: S3VerifierOptions["credentials"];
  /** Longest remaining lifetime of a URL, in seconds. SigV2 itself has no maximum. */
  readonly maxLife?: number | undefined;
  /**
   * Names of unsigned query parameters that are nevertheless accepted, none by default. The holder of a URL can set them
   * to anything: if you list `prefix`, every holder of a bucket URL can list the whole bucket.
   */
  readonly allowUnsigned?: readonly string[] | undefined;
}

/** What a verified SigV2 URL allows. Its `region` is empty, because SigV2 has none. */
export interface S3V2Grant extends S3Grant {
  /** The parameters of `allowUnsigned` that were present: the holder of the URL chose their values. */
  readonly unsignedParameters: readonly Parameter[];
}

/**
 * Verifies S3 presigned URLs in the legacy Signature Version 2: grammar, signature over method, bucket, path,
 * sub-resources, Content-MD5, Content-Type and `x-amz-*`, session token and expiry.
 *
 * SigV2 covers no other query parameter, so any that is not in `allowUnsigned` is refused. It does not cover host,
 * scheme or any other header, and has no signing time: the grant's `notBefore` is 1970. Does not check that the key may
 * access this bucket, and does not read the body: a signed Content-MD5 and response overrides become obligations.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_PARAMETER`, `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`,
 * `KEY_SCOPE`, `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V2Verifier } from "daypass/s3/v2";
 *
 * const verifier = s3V2Verifier({
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   origins: ["https://s3.example.com"],
 *   maxLife: 604_800,
 * });
 * export const grantFor = (request: WireRequest) => verifier.verify(request);
 * ```
 */
export function s3V2Verifier(options: S3V2VerifierOptions): Verifier<S3V2Grant> {
  checkMaxLife(requireOptions(options).maxLife);
  const keys = credentialResolver(options.credentials, (credentials) => credentials);
  return verifier(s3V2Scheme(options), keys, options);
}

function s3V2Scheme({
  maxLife,
  allowUnsigned = [],
}: S3V2VerifierOptions): Scheme<ParsedS3V2, S3Credentials, S3V2Grant> {
  const allowed: ReadonlySet<string> = new Set([allowUnsigned ?? []].flat());
  return {
    id: "s3/v2",
    detect: detectS3V2,
    parse: (received) => parseS3V2(received, allowed),
    keyId: (parsed) => parsed.accessKeyId,
    dummyKey: { accessKeyId: "unknown", secretAccessKey: "unknown" },
    check: ({ request: { method } }, parsed, { secretAccessKey }) =>
      checkS3V2({ method, ...parsed }, { secretAccessKey, signature: parsed.signature }),
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ expiresAt }, now) => checkEnd(expiresAt, now, {}),
    grant({ request, wire, wildcard }, parsed, { key, stringToSign, now }) {
      checkSession(key.sessionToken, key.expiration, parsed.sessionToken, now);
      checkRemaining(now, parsed.expiresAt, maxLife);
      const { bucket, key: objectKey } = s3Location(percentDecode(wire.path), wildcard);
      const grant = s3Grant(
        {
          scheme: "s3/v2",
          keyId: parsed.accessKeyId,
          methods: [request.method],
          notBefore: 0,
          expiresAt: parsed.expiresAt,
          obligations: obligations(parsed),
          target: request.target,
          bucket,
          key: objectKey,
          region: "",
          parameters: parsed.parameters,
          signedHeaders: ["content-md5", "content-type", ...parsed.amzHeaders.map(({ name }) => name)],
        },
        stringToSign,
      );
      return Object.assign(grant, { unsignedParameters: parsed.unsignedParameters });
    },
  };
}

function obligations(parsed: ParsedS3V2): readonly Obligation[] {
  const { amzHeaders, contentMd5, contentType, parameters } = parsed;
  const payload = amzHeaders.find(({ name }) => name === "x-amz-content-sha256")?.values.join(",");
  const md5 = contentMd5 === "" ? [] : [{ name: "content-md5", values: [contentMd5] }];
  const headers = [{ name: "content-type", values: [contentType] }, ...md5, ...amzHeaders];
  return s3Obligations(payload ?? UNSIGNED_PAYLOAD, headers, parameters);
}

/**
 * The string to sign of a request with SigV2 in its query. Verifies nothing.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
 *
 * @param virtualBucket the bucket if the host names it, else the empty string: SigV2 signs it
 * @throws {DaypassError} `MALFORMED`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3V2Texts } from "daypass/s3/v2";
 *
 * export const signedText = (request: WireRequest) => s3V2Texts(request, "").stringToSign;
 * ```
 */
export function s3V2Texts(request: WireRequest, virtualBucket: string): S3Texts {
  const wire = parseTarget(request.target);
  const names = new Set(wire.tokens.map(({ name }) => formDecode(name)));
  const parsed = parseS3V2({ request, wire, origin: "", wildcard: virtualBucket }, names);
  return { stringToSign: s3V2StringToSign({ method: request.method, ...parsed }) };
}
