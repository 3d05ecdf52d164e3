import type { KeyResolver } from "../../../core/contracts.ts";
import { refusal } from "../../../core/errors.ts";
import type { Keys } from "../../../core/key-resolver.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { basicTimeMs, checkValidity } from "../../../core/time.ts";
import type { CredentialScope, V4Family } from "../../../core/v4.ts";
import type { FormGrant, FormVerifier } from "../../../forms/form.ts";
import { type FormFields, requiredField } from "../../../forms/policy.ts";
import { type FormVerifierOptions, formVerifier, postGrant } from "../../../forms/verify.ts";
import { malformed } from "../../../wire/parameters.ts";
import { GOOG4_HMAC, GOOG4_RSA } from "../canonical.ts";
import {
  accountKeys,
  dummyAccount,
  type GcsHmacKey,
  type GcsPublicAccount,
  type HasSigned,
  hmacKey,
  hmacKeys,
} from "../credentials.ts";
import { MAX_EXPIRES, parseCredential } from "../parse.ts";

/** Names of the signature's own fields. The policy has to name all of them but the signature. */
export const OWN_FIELDS: RegExp = /^x-goog-(?:algorithm|credential|date|signature)$/;

/** The signature's own fields, read strictly. Nothing in them has been verified. */
export interface ParsedGcsForm {
  readonly keyId: string;
  readonly scope: CredentialScope;
  /** In milliseconds since 1970. */
  readonly notBefore: number;
  /** Lower-case hexadecimal. */
  readonly signature: string;
}

/** Whether a form says that an HMAC key has signed it. */
export function saysHmac(fields: FormFields): boolean {
  return fields.some(([name, value]) => value === GOOG4_HMAC.algorithm && name.toLowerCase() === "x-goog-algorithm");
}

/** Reads the signature's own fields. Throws `MALFORMED` or `WRONG_SCOPE`. */
export function parseGcsForm(fields: ReadonlyMap<string, string>, { algorithm }: V4Family): ParsedGcsForm {
  if (requiredField(fields, "x-goog-algorithm") !== algorithm) {
    throw malformed("x-goog-algorithm", "algorithm", algorithm);
  }
  const { keyId, scope } = parseCredential(requiredField(fields, "x-goog-credential"), "x-goog-credential");
  const time = requiredField(fields, "x-goog-date");
  const notBefore = basicTimeMs(time);
  if (Number.isNaN(notBefore)) throw malformed("x-goog-date", "form", "an instant, YYYYMMDDTHHMMSSZ");
  if (!time.startsWith(scope.date)) throw malformed("x-goog-credential", "date-mismatch", "one of the same date");
  const signature = requiredField(fields, "x-goog-signature");
  if (!/^(?:[0-9a-f]{2}){32,1024}$/.test(signature)) {
    throw malformed("x-goog-signature", "form", "lower-case hexadecimal");
  }
  return { keyId, scope, notBefore, signature };
}

/** What a verified form allows: one POST of a file to an object. */
export interface GcsFormGrant extends FormGrant {
  readonly object: string;
  /** Where the browser is redirected after the upload. Bound by the policy. */
  readonly redirect: string | undefined;
  /** The status to respond with if there is no redirect: 204 unless `success_action_status` is one of the other two. */
  readonly status: 200 | 201 | 204;
}

/** Options of {@link gcsFormVerifier} and {@link gcsHmacFormVerifier}. */
export interface GcsFormVerifierOptions<K = GcsPublicAccount> extends FormVerifierOptions {
  /** One key, several, or a function that looks them up by the account's address or the HMAC key's id. */
  readonly keys: Keys<K>;
  /** Longest time from `x-goog-date` to the policy's expiry, in seconds: 604800 by default. */
  readonly maxLife?: number | undefined;
  /** Seconds that a signing time may lie in the future, 900 by default. */
  readonly maxFutureSkew?: number | undefined;
}

/**
 * Verifies upload forms with a Cloud Storage policy document (V4) of a service account: the signature over the policy, its
 * expiry, each of its conditions, and that a condition names every field. The bucket comes from the request, never from the
 * form. Forms signed with HMAC keys are for {@link gcsHmacFormVerifier}.
 *
 * Pass the fields before the file, and use the result: `grant.object` includes the file's name, reduced to one
 * segment. Does not read the file: its length and checksums become obligations, and are refused with
 * `UNENFORCED_CONSTRAINT` unless listed in `enforces`. Does not check that the account may write to this bucket, or that
 * `grant.redirect` is safe to redirect to.
 *
 * Source: https://cloud.google.com/storage/docs/xml-api/post-object-forms
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `POLICY_NOT_MET`, `KEY_SCOPE`,
 * `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { gcsFormVerifier } from "daypass/gcs/form";
 *
 * export const verifierOf = (certificate: string) =>
 *   gcsFormVerifier({
 *     keys: { client_email: "app@project.iam.gserviceaccount.com", public_key: certificate },
 *     enforces: ["body-length"],
 *   });
 * ```
 */
export function gcsFormVerifier(options: GcsFormVerifierOptions): FormVerifier<GcsFormGrant> {
  requireOptions(options);
  return gcsForms(options, GOOG4_RSA, { keys: accountKeys(options.keys), dummyKey: dummyAccount() });
}

/**
 * Verifies upload forms of HMAC keys. All else is as with {@link gcsFormVerifier}.
 *
 * Source: https://cloud.google.com/storage/docs/xml-api/post-object-forms
 *
 * @throws {DaypassError} as {@link gcsFormVerifier} does
 * @example
 * ```ts
 * import { gcsHmacFormSigner, gcsHmacFormVerifier } from "daypass/gcs/form";
 *
 * const key = { accessKeyId: "GOOG1EXAMPLE", secretAccessKey: "bGoa+V7g/yqDXvKRqq+JTFn4uQZbPiQJo4pf9RzJ" };
 * const form = gcsHmacFormSigner({ credentials: key }).sign({ bucket: "media", prefix: "up/", expiresIn: 60 });
 * const verifier = gcsHmacFormVerifier({ keys: key });
 * const grant = await verifier.verify({ bucket: "media", fields: Object.entries(form.fields), fileName: "C:\\a.png" });
 * console.log(grant.object); // "up/a.png"
 * ```
 */
export function gcsHmacFormVerifier(options: GcsFormVerifierOptions<GcsHmacKey>): FormVerifier<GcsFormGrant> {
  requireOptions(options);
  return gcsForms(options, GOOG4_HMAC, { keys: hmacKeys(options.keys), dummyKey: hmacKey("unknown") });
}

interface Keying {
  readonly keys: KeyResolver<HasSigned>;
  readonly dummyKey: HasSigned;
}

function gcsForms(
  options: Omit<GcsFormVerifierOptions, "keys">,
  family: V4Family,
  { keys, dummyKey }: Keying,
): FormVerifier<GcsFormGrant> {
  const { maxLife = MAX_EXPIRES, maxFutureSkew = 900 } = options;
  const { detects, verify } = formVerifier<ReturnType<typeof parseGcsForm>, HasSigned, GcsFormGrant>(
    {
      own: OWN_FIELDS,
      id: "gcs/form",
      markers: /^x-goog-(?:algorithm|credential|signature)$/,
      exempt: /^x-goog-signature$/,
      parse: (fields) => parseGcsForm(fields, family),
      keyId: ({ keyId }) => keyId,
      dummyKey,
      check: async ({ scope, signature }, hasSigned, policy) => ({
        matches: await hasSigned(policy, signature, scope),
        stringToSign: policy,
      }),
      grant({ keyId, notBefore }, verified) {
        const { expiresAt, now, objectKey: object } = verified;
        const early = checkValidity(now, expiresAt, notBefore, maxFutureSkew);
        if (early !== undefined) throw early;
        if (!(expiresAt.getTime() - notBefore <= maxLife * 1000)) {
          throw refusal("KEY_SCOPE", `the form lives longer than ${maxLife} s. Sign a shorter one`);
        }
        return postGrant({ scheme: "gcs/form", keyId, notBefore }, verified, /^(?:content-md5|x-goog-hash)$/, {
          object,
        });
      },
    },
    keys,
    options,
  );
  // Two verifiers serve the two kinds of key. Exactly one must recognise a form.
  return { verify, detects: (fields) => detects(fields) && saysHmac(fields) === (family === GOOG4_HMAC) };
}
