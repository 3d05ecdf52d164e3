import { uriEncode, uriEncodePath } from "../encode.ts";
import type { Clock, Signer } from "../scheme.ts";
import { SignedResult, signer } from "../signed-request.ts";
import { formatBasicTime, signingWindow } from "../time.ts";
import { AWS4, type CredentialScope, canonicalQuery, compareText, type EncodedPair, scopeText } from "../v4.ts";
import { canonicalHeaders, type SignedHeader, s3Canonical, UNSIGNED_PAYLOAD } from "./canonical.ts";
import { checkCredentials, type S3Credentials, type SigningKeys, signingKeys } from "./credentials.ts";
import { bucketEndpoints, type EndpointOptions } from "./endpoint.ts";
import { MAX_EXPIRES } from "./parse.ts";
import {
  checkConstraints,
  checkKey,
  checkMethod,
  collectHeaders,
  collectQuery,
  type S3SignRequest,
} from "./request.ts";

/** Options of {@link s3Signer}. */
export interface S3SignerOptions extends EndpointOptions {
  /** An access key, or a function that gives the current one (see `rotatingCredentials`). */
  readonly credentials: S3Credentials | (() => S3Credentials);
  /** What to do when the credentials end before the URL would: refuse (default) or shorten the URL's life. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs S3 presigned URLs with AWS Signature Version 4. The signing key is derived once per day and credential. Nothing
 * is added that was not asked for: no checksum, no header, no parameter.
 *
 * The body is not bound unless `bind.sha256` says so, and S3 binds an exact `bind.contentLength` only. Whether the key
 * may touch the bucket is decided by the server when the URL is used.
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
  const { region, credentials, credentialExpiry, clock = systemClock } = options;
  const endpointOf = bucketEndpoints(options);
  const provide = typeof credentials === "function" ? credentials : () => credentials;
  if (typeof credentials !== "function") checkCredentials(credentials);
  let identity: Identity | undefined;

  return signer((request) => {
    const current = provide();
    if (identity?.credentials !== current) identity = prepareIdentity(current, region);
    const { bucket, key, method = "GET" } = request;
    checkMethod(method);
    checkConstraints(request);
    if (key !== undefined) checkKey(key, request.dotSegments);
    const endpoint = endpointOf(bucket);
    const { signedAt, expiresAt, expiresIn, warnings } = signingWindow(request, clock(), {
      maxSeconds: MAX_EXPIRES,
      credentialsExpireAt: current.expiration,
      credentialExpiry,
    });
    const time = formatBasicTime(signedAt);
    const { scope, text, query: scopeQuery } = identity.on(time.slice(0, 8));

    const headers = collectHeaders(request);
    const signed = signedHeaderList(endpoint.host, headers);
    const names = signed.length === 1 ? "host" : signed.map(({ name }) => name).join(";");
    const extra = collectQuery(request);
    const query = mergeQuery(
      `${scopeQuery}&X-Amz-Date=${time}&X-Amz-Expires=${expiresIn}${identity.tokenQuery}&X-Amz-SignedHeaders=${uriEncode(names)}`,
      extra,
    );
    const path = key === undefined ? endpoint.path || "/" : `${endpoint.path}/${uriEncodePath(key)}`;
    const payload = payloadLine(headers, extra);
    const parts = { method, path, query, headers: canonicalHeaders(signed), signedHeaders: names, payload };
    const { stringToSign } = s3Canonical(parts, time, text);
    const signature = identity.keys.forScope(scope).hex(stringToSign);
    return new SignedResult(
      {
        url: `${endpoint.origin}${path}?${query}&X-Amz-Signature=${signature}`,
        method,
        headers,
        expiresAt,
        bound: signed.length === 1 ? BOUND : [...BOUND, ...signed.slice(1).map(({ name }) => `header ${name}`)],
        unbound: payload === UNSIGNED_PAYLOAD ? UNBOUND : UNBOUND_HEADERS,
        warnings,
      },
      stringToSign,
    );
  });
}

const systemClock: Clock = () => new Date();
const BOUND: readonly string[] = ["method", "host", "path", "query", "time"];
const UNBOUND_HEADERS: readonly string[] = ["headers that are not listed"];
const UNBOUND: readonly string[] = [...UNBOUND_HEADERS, "body"];

/** Credentials with what can be computed from them once. */
interface Identity {
  readonly credentials: S3Credentials;
  readonly keys: SigningKeys;
  readonly tokenQuery: string;
  /** The parts that stay the same on one day. */
  on(date: string): DayScope;
}

interface DayScope {
  readonly scope: CredentialScope;
  readonly text: string;
  /** The parameters that depend on the day only. */
  readonly query: string;
}

function prepareIdentity(credentials: S3Credentials, region: string): Identity {
  const { accessKeyId, secretAccessKey, sessionToken } = checkCredentials(credentials);
  let today: DayScope | undefined;
  return {
    credentials,
    keys: signingKeys(secretAccessKey),
    tokenQuery: sessionToken === undefined ? "" : `&X-Amz-Security-Token=${uriEncode(sessionToken)}`,
    on(date) {
      if (today?.scope.date === date) return today;
      const scope = { date, region, service: "s3" };
      const text = scopeText(AWS4, scope);
      today = {
        scope,
        text,
        query: `X-Amz-Algorithm=${AWS4.algorithm}&X-Amz-Credential=${uriEncode(`${accessKeyId}/${text}`)}`,
      };
      return today;
    },
  };
}

function signedHeaderList(host: string, headers: Readonly<Record<string, string>>): readonly SignedHeader[] {
  const names = Object.keys(headers);
  const list = [{ name: "host", values: [host] }];
  if (names.length === 0) return list;
  return [...list, ...names.map((name) => ({ name, values: [headers[name] as string] }))].sort((a, b) =>
    compareText(a.name, b.name),
  );
}

// The signer's own parameters are sorted already; only further ones make it necessary to sort again.
function mergeQuery(own: string, extra: readonly EncodedPair[]): string {
  if (extra.length === 0) return own;
  const pairs = own.split("&").map((token): EncodedPair => {
    const equals = token.indexOf("=");
    return [token.slice(0, equals), token.slice(equals + 1)];
  });
  return canonicalQuery([...pairs, ...extra]);
}

// "UNSIGNED-PAYLOAD" for presigned URLs, unless header or parameter X-Amz-Content-Sha256 says otherwise.
function payloadLine(headers: Readonly<Record<string, string>>, extra: readonly EncodedPair[]): string {
  return (
    headers["x-amz-content-sha256"] ?? extra.find(([name]) => name === "X-Amz-Content-Sha256")?.[1] ?? UNSIGNED_PAYLOAD
  );
}
