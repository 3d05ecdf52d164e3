import { adviser } from "#advice";
import { credentialSource } from "../../core/access-key.ts";
import type { AsyncSigner, Clock, SignedRequest, Signer } from "../../core/contracts.ts";
import { refusal } from "../../core/errors.ts";
import type { ObjectRules } from "../../core/object-request.ts";
import { requireOptions } from "../../core/require-options.ts";
import { asyncSigner, SignedResult, signer } from "../../core/signed-request.ts";
import { basicTime, signingWindow, startSeconds, systemClock } from "../../core/time.ts";
import { type CredentialScope, scopeText, type V4Family } from "../../core/v4.ts";
import { hex } from "../../wire/encoding.ts";
import type { Parameter } from "../../wire/parameters.ts";
import {
  GOOG4_HMAC,
  GOOG4_RSA,
  gcsTexts,
  hostWithoutPort,
  payloadLine,
  type SignedHeader,
  UNSIGNED_PAYLOAD,
} from "./canonical.ts";
import { accountSigner, checkHmacKey, type GcsAccount, type GcsHmacKey, hmacSigner } from "./credentials.ts";
import { MAX_EXPIRES, OWN, OWN_NAME } from "./parse.ts";
import {
  type GcsEndpointOptions,
  type GcsSignRequest,
  gcsAddresses,
  gcsPath,
  INSTEAD,
  KNOWN,
  readGcsRequest,
} from "./request.ts";

/** Options of {@link gcsSigner}. */
export interface GcsSignerOptions extends GcsEndpointOptions {
  /**
   * The parsed key file of a service account, an account whose key is elsewhere (see `iamCredentials`), or a function
   * that returns the current one (see `rotatingCredentials`).
   */
  readonly credentials: GcsAccount | (() => GcsAccount);
  /** What to do if the credentials expire before the URL would: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/** Options of {@link gcsHmacSigner}. */
export interface GcsHmacSignerOptions extends GcsEndpointOptions {
  /** A key, or a function that returns the current one (see `rotatingCredentials`). */
  readonly credentials: GcsHmacKey | (() => GcsHmacKey);
  /** What to do if the credentials expire before the URL would: refuse (default) or shorten the URL's lifetime. */
  readonly credentialExpiry?: "refuse" | "clamp" | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Signs Google Cloud Storage URLs (V4, `GOOG4-RSA-SHA256`) with the RSA key of a service account. Adds nothing that you did
 * not ask for.
 *
 * Binds method, host without its port, path, every parameter, signing time, lifetime and the requested headers; a
 * length range as `x-goog-content-length-range`. The body is open unless `bind.sha256` or a signed `content-md5` or
 * `x-goog-hash` binds it. Google decides whether the account may access the bucket when the URL is used.
 *
 * Source: https://cloud.google.com/storage/docs/authentication/canonical-requests
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { type GcsServiceAccount, gcsSigner } from "daypass/gcs";
 *
 * export async function downloadUrl(keyFile: GcsServiceAccount): Promise<string> {
 *   const gcs = gcsSigner({ credentials: keyFile });
 *   return (await gcs.sign({ bucket: "media", object: "talks/keynote.mp4", expiresIn: 900 })).url;
 * }
 * ```
 */
export function gcsSigner(options: GcsSignerOptions): AsyncSigner<GcsSignRequest> {
  requireOptions(options);
  // A function is asked for credentials later, when the object may hold the options of the next signer.
  const kept = { ...options };
  const current = credentialSource(options.credentials, (credentials) => {
    const key = accountSigner(credentials);
    const { client_email, universe_domain: universeDomain, expiration } = credentials;
    const keyLife = "signBytes" in credentials ? credentials.keyLife : undefined;
    const draft = drafts({ universeDomain, ...kept, keyLife, expiration }, GOOG4_RSA, client_email);
    return async (request: GcsSignRequest) => {
      const { stringToSign, finish } = draft(request);
      return finish(hex(await key(stringToSign)));
    };
  });
  return asyncSigner(async (request) => current()(request));
}

/**
 * Signs Google Cloud Storage URLs (V4, `GOOG4-HMAC-SHA256`) with an HMAC key, synchronously. The signing key is derived
 * once per day. All else is as with {@link gcsSigner}.
 *
 * Source: https://cloud.google.com/storage/docs/authentication/signatures
 *
 * @throws {DaypassError} as {@link gcsSigner} does
 * @example
 * ```ts
 * import { gcsHmacSigner } from "daypass/gcs";
 *
 * const gcs = gcsHmacSigner({ credentials: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" } });
 * export const { url } = gcs.sign({ bucket: "media", object: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function gcsHmacSigner(options: GcsHmacSignerOptions): Signer<GcsSignRequest> {
  requireOptions(options);
  const kept = { ...options };
  const current = credentialSource(options.credentials, (credentials) => {
    const { accessKeyId, secretAccessKey, expiration } = checkHmacKey(credentials);
    const key = hmacSigner(secretAccessKey);
    const draft = drafts({ ...kept, expiration }, GOOG4_HMAC, accessKeyId);
    return (request: GcsSignRequest) => {
      const { scope, stringToSign, finish } = draft(request);
      return finish(hex(key(stringToSign, scope)));
    };
  });
  return signer((request) => current()(request));
}

/** All of a signed request but its signature. */
interface Draft {
  readonly scope: CredentialScope;
  readonly stringToSign: string;
  /** @param signature lower-case hexadecimal */
  finish(signature: string): SignedRequest;
}

/** The options of a signer, with what its credentials say of themselves. */
export type DraftOptions = GcsEndpointOptions &
  Pick<GcsSignerOptions, "clock" | "credentialExpiry"> & { readonly expiration: Date | undefined };

const BOUND: readonly string[] = ["method", "host without its port", "path", "query", "time"];
const UNBOUND: readonly string[] = ["scheme", "port", "headers that are not listed"];
const RULES: ObjectRules = { scheme: "GCS", known: KNOWN, reserved: OWN_NAME, instead: INSTEAD };
// "For signed URLs, the signature is usable from 15 minutes before the active datetime."
const LEEWAY = 900;

function drafts(
  options: DraftOptions & { readonly keyLife?: number | undefined },
  family: V4Family,
  keyId: string,
): (request: GcsSignRequest) => Draft {
  const { clock = systemClock, keyLife = MAX_EXPIRES, expiration, credentialExpiry } = options;
  const advise = adviser(options);
  const address = gcsAddresses(options);
  return (request) => {
    const { bucket, object } = request;
    const { method, headers, parameters } = readGcsRequest(request, RULES);
    const place = address(bucket);
    const { signedAt, expiresAt, warnings } = signingWindow(request, clock(), {
      maxSeconds: MAX_EXPIRES,
      expiration,
      credentialExpiry,
    });
    // A later signing time if the URL starts later.
    const startsAt = Math.max(signedAt, ((startSeconds(request.notBefore) ?? -LEEWAY) + LEEWAY) * 1000);
    const expiresIn = (expiresAt.getTime() - startsAt) / 1000;
    if (!(expiresIn > 0))
      throw refusal("INVALID_EXPIRY", `the URL would expire within ${LEEWAY} s of notBefore. Pass a later end`);
    const time = basicTime(startsAt);
    const scope = { date: time.slice(0, 8), region: "auto", service: "storage" };
    const names = Object.keys(headers);
    const signed: readonly SignedHeader[] = ["host", ...names]
      .sort()
      .map((name) => ({ name, values: [headers[name] ?? hostWithoutPort(place.host)] }));
    const path = gcsPath(place, object);
    const { query, stringToSign } = gcsTexts({
      family,
      scope,
      time,
      method,
      path,
      parameters: [
        ...[
          family.algorithm,
          `${keyId}/${scopeText(family, scope)}`,
          time,
          String(expiresIn),
          signed.map(({ name }) => name).join(";"),
        ].map((value, i): Parameter => [OWN[i] as string, value]),
        ...parameters,
      ],
      headers: signed,
    });
    const finish = (signature: string): SignedRequest =>
      new SignedResult(
        {
          url: `${place.origin}${path}?${query}&X-Goog-Signature=${signature}`,
          method,
          headers,
          expiresAt,
          bound: [...BOUND, ...names.map((name) => `header ${name}`)],
          unbound: payloadLine(signed) === UNSIGNED_PAYLOAD ? [...UNBOUND, "body"] : UNBOUND,
          warnings: advise(
            expiresIn > keyLife ? [...warnings, `the URL may end with its credentials, after ${keyLife} s`] : warnings,
            { bucket, object },
          ),
        },
        stringToSign,
      );
    return { scope, stringToSign, finish };
  };
}
