import { adviser } from "#advice";
import { credentialSource } from "../../core/access-key.ts";
import type { Clock, Signer } from "../../core/contracts.ts";
import { invalidInput } from "../../core/errors.ts";
import { requireOptions } from "../../core/require-options.ts";
import { SignedResult, signer } from "../../core/signed-request.ts";
import { basicTime, signingWindow, systemClock } from "../../core/time.ts";
import {
  AWS4,
  type CanonicalParts,
  canonicalQuery,
  type EncodedPair,
  type ScopeSigner,
  scopeSigner,
  v4Signature,
} from "../../core/v4.ts";
import { uriEncode, uriEncodePath } from "../../wire/encoding.ts";
import { dayScope, headerLine, hostHeader, MAX_EXPIRES, ownQuery, s3Query, UNSIGNED_PAYLOAD } from "./canonical.ts";
import { checkCredentials, type S3Credentials } from "./credentials.ts";
import { type BucketEndpoint, bucketEndpoints, type EndpointOptions } from "./endpoint.ts";
import { checkCall, collectHeaders, collectQuery, type S3SignRequest } from "./request.ts";

/** Options of {@link s3Signer}. */
export interface S3SignerOptions extends EndpointOptions {
  /** An access key, or a function that returns the current one (see `rotatingCredentials`). */
  readonly credentials: S3Credentials | (() => S3Credentials);
  /** What to do if the credentials expire before the URL would: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs S3 presigned URLs with AWS Signature Version 4. The signing key is derived once per day and credential. Adds nothing
 * that you did not ask for: no checksum, no header, no parameter.
 *
 * The body is not bound unless `bind.sha256` is given, and S3 can bind only an exact `bind.contentLength`. The server decides
 * whether the key may access the bucket when the URL is used.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { s3Signer } from "daypass/s3";
 *
 * const s3 = s3Signer({ region: "eu-west-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" } });
 * export const { url } = s3.sign({ bucket: "media", key: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function s3Signer(options: S3SignerOptions): Signer<S3SignRequest> {
  requireOptions(options);
  const { region, credentialExpiry, clock = systemClock } = options;
  const endpointOf = bucketEndpoints(options);
  const identity = credentialSource(options.credentials, checkCredentials as (given: S3Credentials) => Identity);

  const advise = adviser(options);
  return signer((request) => {
    const current = identity();
    const { bucket, key } = request;
    const method = checkCall(request);
    const { origin, host, path: base } = endpointOf(bucket);
    const { signedAt, expiresAt, expiresIn, warnings } = signingWindow(request, clock(), {
      maxSeconds: MAX_EXPIRES,
      expiration: current.expiration,
      credentialExpiry,
    });
    const headers = collectHeaders(request);
    const { signedHeaders, text, bound } = signHeaders(host, headers);
    const extra = collectQuery(request);
    let { last } = current;
    if (last?.signedAt !== signedAt || last.expiresIn !== expiresIn || last.signedHeaders !== signedHeaders) {
      const time = basicTime(signedAt);
      const date = time.slice(0, 8);
      if (current.day?.date !== date) {
        const scope = { date, region, service: "s3" };
        const { query } = dayScope(current.accessKeyId, scope);
        current.day = { date, query, sign: scopeSigner(AWS4, current.secretAccessKey, scope) };
      }
      const { query, sign } = current.day;
      const own = ownQuery({ query, time, expiresIn, sessionToken: current.sessionToken, signedHeaders });
      last = current.last = { signedAt, time, expiresIn, signedHeaders, own, sign };
    }
    const query = s3Query(last.own, extra);
    const path = key === undefined ? base || "/" : `${base}/${uriEncodePath(key)}`;
    const payload = payloadLine(headers, extra);
    const parts = { method, path, query, headers: text, signedHeaders, payload };
    const { signature, stringToSign } = v4Signature(last.sign, last.time, parts);
    return new SignedResult(
      {
        url: `${origin}${path}?${query}&X-Amz-Signature=${signature}`,
        method,
        headers,
        expiresAt,
        bound,
        unbound: payload.length === 64 ? UNBOUND_HEADERS : UNBOUND,
        warnings: advise(warnings, request),
      },
      stringToSign,
    );
  });
}

const BOUND: readonly string[] = ["method", "host", "path", "query", "time"];
export const UNBOUND_HEADERS: readonly string[] = ["scheme", "all other headers"];
export const UNBOUND: readonly string[] = [...UNBOUND_HEADERS, "body"];

/** What can be computed from credentials once a day. */
interface Day {
  readonly date: string;
  /** As in {@link dayScope}. */
  readonly query: string;
  readonly sign: ScopeSigner;
}

/** Credentials with what was computed from them last. */
interface Identity extends S3Credentials {
  day?: Day;
  last?: Moment;
}

/** What the latest URL began with: thousands begin in one second and live equally long. */
interface Moment {
  readonly sign: ScopeSigner;
  readonly signedAt: number;
  readonly expiresIn: number;
  readonly signedHeaders: string;
  readonly time: string;
  /** The signature's own parameters. */
  readonly own: string;
}

/** The signed headers: list, canonical text, and the entries of `bound`. */
export interface SignedHeaders {
  readonly signedHeaders: string;
  readonly text: string;
  readonly bound: readonly string[];
}

export function signHeaders(host: string, headers: Readonly<Record<string, string>>): SignedHeaders {
  const names = Object.keys(headers);
  if (names.length === 0) return { signedHeaders: "host", text: hostHeader(host), bound: BOUND };
  const all = ["host", ...names].sort();
  return {
    signedHeaders: all.join(";"),
    text: all.map((name) => headerLine(name, [headers[name] ?? host])).join(""),
    bound: [...BOUND, ...names.map((name) => `header ${name}`)],
  };
}

// "UNSIGNED-PAYLOAD" for presigned URLs, unless header or parameter X-Amz-Content-Sha256 says otherwise.
export function payloadLine(headers: Readonly<Record<string, string>>, extra: readonly EncodedPair[]): string {
  return (
    headers["x-amz-content-sha256"] ?? extra.find(([name]) => name === "X-Amz-Content-Sha256")?.[1] ?? UNSIGNED_PAYLOAD
  );
}

/** A request that is signed in its query, by any of the algorithms, up to the signature. */
export interface QueryCall {
  readonly canonical: CanonicalParts;
  /** The facts of the result. */
  readonly facts: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly bound: readonly string[];
    readonly unbound: readonly string[];
  };
  url(signature: string): string;
}

/**
 * Checks a request and writes it down in canonical form. The dialects that are rarer than SigV4 share it; `s3Signer` has the
 * same steps with what can be computed once kept between them.
 *
 * @param own the signature's own parameters, not encoded, but for `X-Amz-SignedHeaders`
 */
export function queryCall(
  request: S3SignRequest,
  endpointOf: (bucket: string) => Omit<BucketEndpoint, "virtual">,
  own: Readonly<Record<string, string>>,
): QueryCall {
  const { bucket, key } = request;
  const method = checkCall(request);
  const { origin, host, path: base } = endpointOf(bucket);
  const headers = collectHeaders(request);
  const { signedHeaders, text, bound } = signHeaders(host, headers);
  const extra = collectQuery(request);
  const ownPairs = Object.entries({ ...own, "X-Amz-SignedHeaders": signedHeaders }).map(
    ([name, value]): EncodedPair => [name, uriEncode(value)],
  );
  const reserved = new Set(Object.keys(own).map((name) => name.toLowerCase()));
  const taken = extra.find(([name]) => reserved.has(name.toLowerCase()))?.[0];
  if (taken !== undefined)
    throw invalidInput(`query.${taken}`, "another name: the signer sets this parameter itself", "another");
  const query = canonicalQuery([...ownPairs, ...extra]);
  const path = key === undefined ? base || "/" : `${base}/${uriEncodePath(key)}`;
  const payload = payloadLine(headers, extra);
  return {
    canonical: { method, path, query, headers: text, signedHeaders, payload },
    facts: { method, headers, bound, unbound: payload.length === 64 ? UNBOUND_HEADERS : UNBOUND },
    url: (signature) => `${origin}${path}?${query}&X-Amz-Signature=${signature}`,
  };
}
