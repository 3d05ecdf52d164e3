import { credentialSource } from "../../../core/access-key.ts";
import { checkKey, type ObjectRequest } from "../../../core/object-request.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { asyncSigner, signer } from "../../../core/signed-request.ts";
import { formatBasicTime, signingWindow, systemClock } from "../../../core/time.ts";
import { type CredentialScope, scopeText, type V4Family } from "../../../core/v4.ts";
import { draftForm, type FormRequest } from "../../../forms/draft.ts";
import { type AsyncFormSigner, FormResult, type FormSigner, type SignedForm } from "../../../forms/form.ts";
import { encodePolicy, escapeUnicode } from "../../../forms/policy.ts";
import { hex } from "../../../wire/encoding.ts";
import { GOOG4_HMAC, GOOG4_RSA } from "../canonical.ts";
import { accountSigner, checkHmacKey, hmacSigner } from "../credentials.ts";
import { MAX_EXPIRES } from "../parse.ts";
import { gcsAddresses } from "../request.ts";
import type { DraftOptions, GcsHmacSignerOptions, GcsSignerOptions } from "../sign.ts";

/** One upload form to sign. */
export interface GcsFormRequest extends FormRequest {
  readonly bucket: string;
  /** The object's name. `${filename}` in it is replaced by the name of the uploaded file. */
  readonly object?: string | undefined;
  /** `sign` accepts names with `.` or `..` segments, which are refused by default. */
  readonly dotSegments?: ObjectRequest["dotSegments"];
}

/**
 * Signs upload forms for browsers: a Cloud Storage policy document (V4), with the RSA key of a service account. Unlike a signed
 * PUT, a form can bind a path instead of one object, and where the browser is redirected afterwards.
 *
 * `fields` are bound to their values; the rest of the policy is `conditions`, in Google's syntax. The bucket is a
 * condition without a field. Not bound: the bytes of the file, and its length unless `contentLength` is set. Cloud Storage
 * cannot limit a form to a single use.
 *
 * Source: https://cloud.google.com/storage/docs/authentication/signatures#policy-document
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import type { GcsServiceAccount } from "daypass/gcs";
 * import { gcsFormSigner } from "daypass/gcs/form";
 *
 * export const uploadForm = (keyFile: GcsServiceAccount) =>
 *   gcsFormSigner({ credentials: keyFile }).sign({
 *     bucket: "media",
 *     object: "uploads/7/${filename}",
 *     contentLength: { min: 1, max: 10_000_000 },
 *     bind: { contentType: "image/png" },
 *     expiresIn: 300,
 *   });
 * ```
 */
export function gcsFormSigner(options: GcsSignerOptions): AsyncFormSigner<GcsFormRequest> {
  requireOptions(options);
  // A function is asked for credentials later, when the object may hold the options of the next signer.
  const kept = { ...options };
  const current = credentialSource(options.credentials, (credentials) => {
    const key = accountSigner(credentials);
    const { client_email, universe_domain: universeDomain, expiration } = credentials;
    const draft = drafts({ universeDomain, ...kept, expiration }, GOOG4_RSA, client_email);
    return async (request: GcsFormRequest) => {
      const { policy, finish } = draft(request);
      return finish(hex(await key(policy)));
    };
  });
  return asyncSigner(async (request) => current()(request));
}

/**
 * Signs upload forms with an HMAC key, synchronously. All else is as with {@link gcsFormSigner}.
 *
 * Source: https://cloud.google.com/storage/docs/authentication/signatures#policy-document
 *
 * @throws {DaypassError} as {@link gcsFormSigner} does
 * @example
 * ```ts
 * import { gcsHmacFormSigner } from "daypass/gcs/form";
 *
 * const forms = gcsHmacFormSigner({ credentials: { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" } });
 * export const { url, fields } = forms.sign({ bucket: "media", prefix: "uploads/", expiresIn: 300 });
 * ```
 */
export function gcsHmacFormSigner(options: GcsHmacSignerOptions): FormSigner<GcsFormRequest> {
  requireOptions(options);
  const kept = { ...options };
  const current = credentialSource(options.credentials, (credentials) => {
    const { accessKeyId, secretAccessKey, expiration } = checkHmacKey(credentials);
    const key = hmacSigner(secretAccessKey);
    const draft = drafts({ ...kept, expiration }, GOOG4_HMAC, accessKeyId);
    return (request: GcsFormRequest) => {
      const { policy, scope, finish } = draft(request);
      return finish(hex(key(policy, scope)));
    };
  });
  return signer((request) => current()(request));
}

interface Draft {
  /** What is signed: "the policy document in base64". */
  readonly policy: string;
  readonly scope: CredentialScope;
  finish(signature: string): SignedForm;
}

// What the signer sets itself, or no form may hold.
const RESERVED = /^(?:file|policy|x-goog-(?:algorithm|credential|date|signature))$/i;

const KNOWN =
  /^(?:bucket|object|prefix|dotSegments|contentLength|fields|conditions|expires(?:In|At)|stableWindow|bind(?:\.content(?:Type|Length))?)$/;

function drafts(options: DraftOptions, family: V4Family, keyId: string): (request: GcsFormRequest) => Draft {
  const { clock = systemClock, expiration, credentialExpiry } = options;
  const address = gcsAddresses(options);
  return (request) => {
    const { bucket, object } = request;
    const { origin, path } = address(bucket);
    const { conditions, ...draft } = draftForm(request, {
      scheme: "GCS",
      bucket,
      key: object,
      known: KNOWN,
      reserved: RESERVED,
    });
    checkKey(draft.fields["key"] as string, request.dotSegments, "object");
    const { signedAt, expiresAt, warnings } = signingWindow(request, clock(), {
      maxSeconds: MAX_EXPIRES,
      expiration,
      credentialExpiry,
    });
    const time = formatBasicTime(signedAt);
    const scope = { date: time.slice(0, 8), region: "auto", service: "storage" };
    // In the order of Google's vectors.
    const own = {
      "x-goog-date": time,
      "x-goog-credential": `${keyId}/${scopeText(family, scope)}`,
      "x-goog-algorithm": family.algorithm,
    };
    const named = Object.entries(own).map(([name, value]) => ({ [name]: value }));
    // "Unicode characters must be escaped": vector "POST Policy Character Escaping".
    const policy = encodePolicy(expiresAt, [...conditions, ...named], escapeUnicode);
    const finish = (signature: string): SignedForm =>
      new FormResult(
        {
          ...draft,
          url: `${origin}${path}/`,
          fields: { ...draft.fields, ...own, policy, "x-goog-signature": signature },
          expiresAt,
          warnings: [...warnings, ...draft.warnings],
        },
        policy,
      );
    return { policy, scope, finish };
  };
}
