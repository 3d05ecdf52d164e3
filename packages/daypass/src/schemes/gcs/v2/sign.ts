import { adviser } from "#advice";
import { hmacSha1 } from "#crypto";
import { credentialSource } from "../../../core/access-key.ts";
import type { AsyncSigner, SignedRequest, Signer } from "../../../core/contracts.ts";
import { invalidInput } from "../../../core/errors.ts";
import { type ObjectRules, unboundBody } from "../../../core/object-request.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { asyncSigner, SignedResult, signer } from "../../../core/signed-request.ts";
import { CENTURY, signingWindow, systemClock } from "../../../core/time.ts";
import { unsupportedConstraint } from "../../../core/validate-options.ts";
import { base64, uriEncode } from "../../../wire/encoding.ts";
import { accountSigner, checkHmacKey } from "../credentials.ts";
import { type GcsSignRequest, gcsAddresses, gcsPath, INSTEAD, readGcsRequest } from "../request.ts";
import type { DraftOptions, GcsHmacSignerOptions, GcsSignerOptions } from "../sign.ts";
import { gcsV2StringToSign, isNeverSigned, isSubresource } from "./parse.ts";

/**
 * Signs Google Cloud Storage URLs in the legacy V2 with the RSA key of a service account, for servers and clients that support
 * nothing newer. Accepts the options and requests of `gcsSigner`.
 *
 * V2 binds method, bucket, object, expiry, a subresource such as `cors`, Content-MD5, Content-Type and `x-goog-*` headers (also
 * their absence). The holder may change host, scheme, every other header and every other parameter, including
 * `generation` and the response headers: `unbound` says so, and `warnings` names what was requested but is not
 * covered. There is no maximum lifetime.
 *
 * Source: https://cloud.google.com/storage/docs/access-control/signed-urls-v2
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import type { GcsServiceAccount } from "daypass/gcs";
 * import { gcsV2Signer } from "daypass/gcs/v2";
 *
 * export async function legacyUrl(keyFile: GcsServiceAccount): Promise<string> {
 *   const gcs = gcsV2Signer({ credentials: keyFile });
 *   return (await gcs.sign({ bucket: "media", object: "talks/keynote.mp4", expiresIn: 900 })).url;
 * }
 * ```
 */
export function gcsV2Signer(options: GcsSignerOptions): AsyncSigner<GcsSignRequest> {
  requireOptions(options);
  // A function is asked for credentials later, when the object may hold the options of the next signer.
  const kept = { ...options };
  const current = credentialSource(options.credentials, (credentials) => {
    const key = accountSigner(credentials);
    const { client_email, universe_domain: universeDomain, expiration } = credentials;
    const draft = drafts({ universeDomain, ...kept, expiration }, client_email);
    return async (request: GcsSignRequest) => {
      const { stringToSign, finish } = draft(request);
      return finish(await key(stringToSign));
    };
  });
  return asyncSigner(async (request) => current()(request));
}

/**
 * Signs Google Cloud Storage URLs in the legacy V2 with an HMAC key (HMAC-SHA1), synchronously. All else is as with
 * {@link gcsV2Signer}.
 *
 * Source: https://cloud.google.com/storage/docs/access-control/signed-urls-v2
 *
 * @throws {DaypassError} as {@link gcsV2Signer} does
 * @example
 * ```ts
 * import { gcsV2HmacSigner } from "daypass/gcs/v2";
 *
 * const gcs = gcsV2HmacSigner({ credentials: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" } });
 * export const { url, unbound } = gcs.sign({ bucket: "media", object: "talks/keynote.mp4", expiresIn: 900 });
 * ```
 */
export function gcsV2HmacSigner(options: GcsHmacSignerOptions): Signer<GcsSignRequest> {
  requireOptions(options);
  const kept = { ...options };
  const current = credentialSource(options.credentials, (credentials) => {
    const { accessKeyId, secretAccessKey, expiration } = checkHmacKey(credentials);
    const draft = drafts({ ...kept, expiration }, accessKeyId);
    return (request: GcsSignRequest) => {
      const { stringToSign, finish } = draft(request);
      return finish(hmacSha1(secretAccessKey, stringToSign));
    };
  });
  return signer((request) => current()(request));
}

const BOUND: readonly string[] = [
  "method",
  "bucket",
  "object",
  "end",
  "subresource",
  "content-md5, content-type and x-goog-* headers, or that they are absent",
];
const UNBOUND: readonly string[] = [
  "scheme",
  "host",
  "all other query parameters, generation and response headers among them",
  "all other headers",
];
const LEGACY = "V2 is legacy and leaves host and query open: use V4";

const RULES: ObjectRules = {
  scheme: "GCS V2",
  reserved: /^(?:googleaccessid|expires|signature)$/i,
  known:
    /^(?:bucket|object|resource|method|query|headers|dotSegments|expires(?:In|At)|stableWindow|bind(?:\.(?:content(?:Type|Length)|headers|query))?)$/,
  instead: {
    ...INSTEAD,
    notBefore: "use V4",
    response: "use V4",
    "bind.sha256": "bind the header content-md5",
  },
};

interface Draft {
  readonly stringToSign: string;
  finish(signature: Uint8Array): SignedRequest;
}

function drafts(options: DraftOptions, keyId: string): (request: GcsSignRequest) => Draft {
  const { clock = systemClock, expiration, credentialExpiry } = options;
  const advise = adviser(options);
  const address = gcsAddresses(options);
  return (request) => {
    const { bucket, object, bind } = request;
    // V2 signs no Content-Length, but the header of Google's own that limits it.
    const { method, headers, parameters } = readGcsRequest(request, RULES, true);
    for (const name of Object.keys(headers)) {
      if (!/^(?:content-md5|content-type|x-goog-.*)$/.test(name) || isNeverSigned(name))
        throw unbindable(`header ${name}`);
    }
    for (const name of Object.keys(bind?.query ?? {})) if (!isSubresource(name)) throw unbindable(`bind.query.${name}`);
    const [subresource, second] = parameters.filter(([name]) => isSubresource(name));
    if (second ?? subresource?.[1]) throw invalidInput("query", "one subresource without a value", second);
    const place = address(bucket);
    const { expiresAt, warnings } = signingWindow(request, clock(), {
      maxSeconds: CENTURY,
      expiration,
      credentialExpiry,
    });
    const expires = String(expiresAt.getTime() / 1000);
    const path = gcsPath(place, object);
    const named = place.path === "" ? `/${uriEncode(bucket)}${path}` : path;
    const { "content-md5": contentMd5 = "", "content-type": contentType = "", ...extensions } = headers;
    const stringToSign = gcsV2StringToSign({
      method,
      contentMd5: contentMd5.trim(),
      contentType: contentType.trim(),
      expires,
      extensions: Object.entries(extensions).map(([name, value]) => ({ name, values: [value] })),
      resource: subresource ? `${named}?${subresource[0]}` : named,
    });
    const unsigned = parameters.filter((parameter) => parameter !== subresource);
    const finish = (signature: Uint8Array): SignedRequest => {
      const tokens = [
        ...(subresource ? [subresource[0]] : []),
        `GoogleAccessId=${uriEncode(keyId)}`,
        `Expires=${expires}`,
        `Signature=${uriEncode(base64(signature))}`,
        ...unsigned.map(([name, value]) => `${uriEncode(name)}=${uriEncode(value)}`),
      ];
      return new SignedResult(
        {
          url: `${place.origin}${path}?${tokens.join("&")}`,
          method,
          headers,
          expiresAt,
          bound: BOUND,
          unbound: [...UNBOUND, ...unboundBody(headers)],
          warnings: advise([LEGACY, ...unsigned.map(([name]) => `the parameter ${name} is not signed`), ...warnings], {
            bucket,
            object,
          }),
        },
        stringToSign,
      );
    };
    return { stringToSign, finish };
  };
}

function unbindable(constraint: string): Error {
  return unsupportedConstraint(RULES.scheme, constraint, "use V4");
}
