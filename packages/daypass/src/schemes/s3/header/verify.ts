import { constantTimeEqual } from "#crypto";
import { checkSession } from "../../../core/access-key.ts";
import type { Obligation, Scheme, Verifier, WireRequest } from "../../../core/contracts.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { v4Signature } from "../../../core/v4.ts";
import { type VerifierOptions, verifier } from "../../../core/verify.ts";
import { parseTarget } from "../../../wire/raw-target.ts";
import { canonicalHeaders, s3Location, UNSIGNED_PAYLOAD } from "../canonical.ts";
import { type S3Grant, s3Grant, s3Obligations } from "../grant.ts";
import {
  checkScope,
  checkSkew,
  DUMMY_S3_KEY,
  type S3Key,
  type S3Texts,
  type S3VerifierOptions,
  s3KeyResolver,
  v4Texts,
} from "../verify.ts";
import { type ChunkedPayload, type OpenedBody, openChunks, readChunkedPayload } from "./chunks.ts";
import { detectS3Header, type ParsedS3Header, parseS3Header } from "./parse.ts";

/** Options of {@link s3HeaderVerifier}. */
export interface S3HeaderVerifierOptions extends VerifierOptions, Pick<S3VerifierOptions, "credentials" | "regions"> {
  /** Seconds that the signing time may be away from the clock, in either direction; 900 by default, as on S3. */
  readonly maxSkew?: number | undefined;
  /**
   * The service that signatures must be for: `s3` by default. For other services, only calls to the path `/` work, such
   * as calls to `sts`, because S3 encodes paths differently.
   */
  readonly service?: string | undefined;
}

/** The grant of a header-signed request. */
export interface S3HeaderGrant extends S3Grant {
  /**
   * The body itself: a body sent in chunks is unwrapped, and each chunk is checked against its signature (this enforces
   * `body-chunks`); any other body is passed on unchanged. Call it once.
   */
  openBody(body: AsyncIterable<Uint8Array>): OpenedBody;
}

/**
 * Verifies S3 requests that carry AWS Signature Version 4 in their `Authorization` header: grammar, signature over method,
 * path, query, signed headers and payload hash, session token, signing time, and that the request has no unsigned `x-amz-*`
 * header.
 *
 * The body is not read: its hash becomes the obligation `body-sha256`, and chunks become `body-chunks`, which
 * {@link S3HeaderGrant.openBody} discharges. AWS's documentation requires clients to sign Content-Type
 * and Content-MD5 if they are sent; its servers do not enforce this, and neither does this verifier: check `signedHeaders` of
 * the grant. Does not check that the key may access this bucket.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `AMBIGUOUS_AUTHENTICATION`, `WRONG_ORIGIN`, `UNSIGNED_HEADER`, `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`,
 * `CLOCK_SKEW`, `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNSUPPORTED_PAYLOAD` (chunks signed with SigV4A),
 * `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { anyOf } from "daypass";
 * import { s3Verifier } from "daypass/s3";
 * import { s3HeaderVerifier } from "daypass/s3/header";
 *
 * const options = {
 *   credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" },
 *   origins: ["https://s3.example.com"],
 *   enforces: ["body-sha256"],
 * } as const;
 * export const verifier = anyOf(s3Verifier(options), s3HeaderVerifier(options));
 * ```
 */
export function s3HeaderVerifier(options: S3HeaderVerifierOptions): Verifier<S3HeaderGrant> {
  return verifier(s3HeaderScheme(options), s3KeyResolver(options.credentials), options);
}

function s3HeaderScheme(options: S3HeaderVerifierOptions): Scheme<ParsedS3Header, S3Key, S3HeaderGrant> {
  requireOptions(options);
  const { regions, maxSkew = 900, service } = options;
  return {
    id: "s3/header",
    detect: detectS3Header,
    parse(received) {
      const parsed = parseS3Header(received);
      checkScope(parsed.scope, regions, "Authorization", service);
      return parsed;
    },
    keyId: (parsed) => parsed.accessKeyId,
    dummyKey: DUMMY_S3_KEY,
    check({ request }, parsed, { keys }) {
      const parts = { ...parsed, method: request.method, headers: canonicalHeaders(parsed.headers) };
      const { signature, stringToSign } = v4Signature(keys(parsed.scope), parsed.time, parts);
      const complete = parsed.headers.every(({ values }) => values.length > 0);
      return { matches: constantTimeEqual(signature, parsed.signature) && complete, stringToSign };
    },
    reportsTimeFirst: true,
    wildcards: true,
    checkTime: ({ signedAt }, now) => checkSkew(signedAt, now, maxSkew),
    grant({ request, wildcard }, parsed, { key, stringToSign, now }) {
      checkSession(key.credentials.sessionToken, key.credentials.expiration, parsed.sessionToken, now);
      const { bucket, key: objectKey } = s3Location(parsed.decodedPath, wildcard);
      const chunked = readChunkedPayload(parsed);
      const { secretAccessKey } = key.credentials;
      const grant = s3Grant(
        {
          scheme: "s3/header",
          keyId: parsed.accessKeyId,
          methods: [request.method],
          notBefore: parsed.signedAt.getTime() - maxSkew * 1000,
          expiresAt: parsed.signedAt.getTime() + maxSkew * 1000,
          obligations: obligations(parsed, chunked),
          target: request.target,
          bucket,
          key: objectKey,
          region: parsed.scope.region,
          parameters: parsed.parameters,
          signedHeaders: parsed.headers.map(({ name }) => name),
        },
        stringToSign,
      );
      return Object.assign(grant, {
        openBody: (body: AsyncIterable<Uint8Array>): OpenedBody =>
          chunked === undefined
            ? { bytes: body, trailers: NO_TRAILERS }
            : openChunks(body, chunked, { ...parsed, secretAccessKey }),
      });
    },
  };
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

function obligations(
  { payload, headers, parameters }: ParsedS3Header,
  chunked: ChunkedPayload | undefined,
): readonly Obligation[] {
  if (chunked === undefined) return s3Obligations(payload, headers, parameters);
  const { length, trailers } = chunked;
  return [{ kind: "body-chunks", length, trailers }, ...s3Obligations(UNSIGNED_PAYLOAD, headers, parameters)];
}

/**
 * `s3Texts` for a request with SigV4 in its `Authorization` header. Verifies nothing.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * @throws {DaypassError} `MALFORMED`, `UNSIGNED_HEADER`, `AMBIGUOUS_AUTHENTICATION`
 * @example
 * ```ts
 * import type { WireRequest } from "daypass";
 * import { s3HeaderTexts } from "daypass/s3/header";
 *
 * export const signedText = (request: WireRequest) => s3HeaderTexts(request).stringToSign;
 * ```
 */
export function s3HeaderTexts(request: WireRequest): S3Texts {
  const wire = parseTarget(request.target);
  return v4Texts(request.method, parseS3Header({ request, wire, origin: "", wildcard: "" }));
}
