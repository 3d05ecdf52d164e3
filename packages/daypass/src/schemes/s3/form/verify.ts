import { constantTimeEqual, hmacSha256Once } from "#crypto";
import { checkSession } from "../../../core/access-key.ts";
import { refusal } from "../../../core/errors.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { type Instant, parseBasicTime } from "../../../core/time.ts";
import { AWS4, type CredentialScope, signingKey } from "../../../core/v4.ts";
import type { FormGrant, FormVerifier } from "../../../forms/form.ts";
import { requiredField } from "../../../forms/policy.ts";
import { type FormVerifierOptions, formVerifier, postGrant, type VerifiedForm } from "../../../forms/verify.ts";
import { hex } from "../../../wire/encoding.ts";
import { malformed } from "../../../wire/parameters.ts";
import { MAX_EXPIRES } from "../canonical.ts";
import { CHECKSUM_HEADER } from "../grant.ts";
import { parseCredential } from "../parse.ts";
import { checkScope, DUMMY_S3_KEY, type S3Key, type S3VerifierOptions, s3KeyResolver } from "../verify.ts";

/** "The string to sign is the policy document in base64", and the key is derived as for any other request. */
export function formSignature(secretAccessKey: string, scope: CredentialScope, policy: string): string {
  return hex(hmacSha256Once(signingKey(AWS4, secretAccessKey, scope), policy));
}

/** Names of the signature's own fields. The policy has to name all of them but the signature. */
export const OWN_FIELDS: RegExp = /^x-amz-(?:algorithm|credential|date|security-token|signature)$/;

/** The signature's own fields, read strictly. Nothing in them has been verified. */
export interface ParsedS3Form {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedAt: Date;
  readonly signature: string;
  readonly sessionToken: string | undefined;
}

/** Reads the signature's own fields. Throws `MALFORMED`. */
export function parseS3Form(fields: ReadonlyMap<string, string>): ParsedS3Form {
  const algorithm = requiredField(fields, "x-amz-algorithm");
  if (algorithm !== AWS4.algorithm) throw malformed("x-amz-algorithm", "algorithm", AWS4.algorithm);
  const { accessKeyId, scope } = parseCredential(requiredField(fields, "x-amz-credential"), "x-amz-credential");
  const time = requiredField(fields, "x-amz-date");
  const signedAt = parseBasicTime(time);
  if (signedAt === undefined) throw malformed("x-amz-date", "form", "a real instant as YYYYMMDDTHHMMSSZ");
  if (!time.startsWith(scope.date)) throw malformed("x-amz-credential", "date-mismatch", "the date of x-amz-date");
  const signature = requiredField(fields, "x-amz-signature");
  if (!/^[0-9a-f]{64}$/.test(signature)) {
    throw malformed("x-amz-signature", "form", "64 lower-case hex digits");
  }
  return { accessKeyId, scope, signedAt, signature, sessionToken: fields.get("x-amz-security-token") };
}

/** What a verified S3 form allows: one POST of a file to a key. */
export interface S3FormGrant extends FormGrant {
  readonly key: string;
  /** The region of the signature; empty in SigV2, which has none. */
  readonly region: string;
  /** Where the browser is redirected after the upload: `success_action_redirect`, else the deprecated `redirect`. Bound by the policy. */
  readonly redirect: string | undefined;
  /** The status to respond with if there is no redirect. "If the value is not valid, 204", as on S3. */
  readonly status: 200 | 201 | 204;
}

/** `KEY_SCOPE` for a form that lives longer than it may. */
export function checkLife(start: number, end: Date, maxLife: number): void {
  if (end.getTime() - start <= maxLife * 1000) return;
  throw refusal("KEY_SCOPE", `the form lives longer than ${maxLife} s. Sign a shorter one`);
}

/** The grant of both versions. */
export function s3FormGrant(
  own: { readonly scheme: string; readonly keyId: string; readonly notBefore: Instant },
  verified: VerifiedForm<S3Key>,
  region: string,
): S3FormGrant {
  const { objectKey: key, fields } = verified;
  const redirect = fields["success_action_redirect"] ?? fields["redirect"];
  return postGrant(own, verified, CHECKSUM_HEADER, { key, region, redirect });
}

/** Options of {@link s3FormVerifier}. */
export interface S3FormVerifierOptions extends FormVerifierOptions {
  /** One access key, several, or a function that looks them up by access key id. */
  readonly credentials: S3VerifierOptions["credentials"];
  /** Regions that signatures may be for; any if omitted (the region is signed in any case). */
  readonly regions?: readonly string[] | undefined;
  /** Longest time from `x-amz-date` to the policy's expiry, in seconds: 604800 by default, because a signing key is valid for seven days. */
  readonly maxLife?: number | undefined;
  /** Seconds that a signing time may lie in the future, 900 by default. */
  readonly maxFutureSkew?: number | undefined;
}

/**
 * Verifies upload forms with an S3 POST policy in AWS Signature Version 4: the signature over the policy, its expiry, each of its
 * conditions, and that a condition names every field. The bucket comes from the request, never from the form.
 *
 * Pass the fields before the file, and use the result: `grant.key` includes the file's name, reduced to one
 * segment. Does not read the file: its length and checksums become obligations, and are refused with
 * `UNENFORCED_CONSTRAINT` unless listed in `enforces`. Does not check that the key may write to this bucket, or that
 * `grant.redirect` is safe to redirect to.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `UNKNOWN_KEY`, `WRONG_SCOPE`, `SIGNATURE_MISMATCH`, `EXPIRED`, `NOT_YET_VALID`, `POLICY_NOT_MET`, `KEY_SCOPE`,
 * `INVALID_TOKEN`, `EXPIRED_TOKEN`, `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { s3FormSigner, s3FormVerifier } from "daypass/s3/form";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const form = s3FormSigner({ region: "eu-west-1", credentials }).sign({ bucket: "media", prefix: "up/", expiresIn: 60 });
 * const verifier = s3FormVerifier({ credentials });
 * const grant = await verifier.verify({ bucket: "media", fields: Object.entries(form.fields), fileName: "C:\\a.png" });
 * console.log(grant.key); // "up/a.png"
 * ```
 */
export function s3FormVerifier(options: S3FormVerifierOptions): FormVerifier<S3FormGrant> {
  requireOptions(options);
  const { regions, maxLife = MAX_EXPIRES, maxFutureSkew = 900 } = options;
  return formVerifier(
    {
      own: OWN_FIELDS,
      id: "s3/form",
      markers: /^x-amz-(?:algorithm|credential|signature)$/,
      exempt: /^x-amz-signature$/,
      parse(fields) {
        const parsed = parseS3Form(fields);
        checkScope(parsed.scope, regions, "x-amz-credential");
        return parsed;
      },
      keyId: ({ accessKeyId }) => accessKeyId,
      dummyKey: DUMMY_S3_KEY,
      check: ({ scope, signature }, { credentials }, policy) => ({
        matches: constantTimeEqual(formSignature(credentials.secretAccessKey, scope, policy), signature),
        stringToSign: policy,
      }),
      grant({ accessKeyId, scope, signedAt, sessionToken }, verified) {
        const { now, expiresAt, key } = verified;
        checkSession(key.credentials.sessionToken, key.credentials.expiration, sessionToken, now);
        if (!(now >= signedAt.getTime() - maxFutureSkew * 1000)) {
          throw refusal(
            "NOT_YET_VALID",
            `the form was signed more than ${maxFutureSkew} s in the future. Check both clocks`,
          );
        }
        checkLife(signedAt.getTime(), expiresAt, maxLife);
        const own = { scheme: "s3/form", keyId: accessKeyId, notBefore: signedAt };
        return s3FormGrant(own, verified, scope.region);
      },
    },
    s3KeyResolver(options.credentials),
    options,
  );
}
