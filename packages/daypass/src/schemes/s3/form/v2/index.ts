/**
 * Upload forms in the legacy AWS Signature Version 2: {@link s3FormV2Signer} and {@link s3FormV2Verifier}. Only for
 * servers and clients that support nothing newer.
 *
 * @module
 */

import { constantTimeEqual } from "#crypto";
import { checkSession } from "../../../../core/access-key.ts";
import { requireFeature } from "../../../../core/provider.ts";
import { requireOptions } from "../../../../core/require-options.ts";
import { CENTURY } from "../../../../core/time.ts";
import type { FormSigner, FormVerifier } from "../../../../forms/form.ts";
import { type FormVerifierOptions, formVerifier } from "../../../../forms/verify.ts";
import type { S3SignerOptions } from "../../sign.ts";
import { DUMMY_S3_KEY, type S3VerifierOptions, s3KeyResolver } from "../../verify.ts";
import { type S3FormRequest, s3FormSignerOf } from "../sign.ts";
import { checkLife, type S3FormGrant, s3FormGrant } from "../verify.ts";
import { formV2Signature, OWN_FIELDS, parseS3FormV2 } from "./parse.ts";

export type {
  FormGrant,
  FormSigner,
  FormVerifier,
  ReceivedForm,
  SignedForm,
  SignedFormOrError,
} from "../../../../forms/form.ts";
export type { FormFields, PolicyCondition } from "../../../../forms/policy.ts";
export type { S3Credentials } from "../../credentials.ts";
export type { Addressing, EndpointOptions } from "../../endpoint.ts";
export type { S3SignerOptions } from "../../sign.ts";
export type { S3FormRequest } from "../sign.ts";
export type { S3FormGrant } from "../verify.ts";

/** Options of {@link s3FormV2Verifier}. */
export interface S3FormV2VerifierOptions extends FormVerifierOptions {
  /** One access key, several, or a function that looks them up by access key id. */
  readonly credentials: S3VerifierOptions["credentials"];
  /** Longest remaining lifetime of a form, in seconds. SigV2 itself has no maximum. */
  readonly maxLife?: number | undefined;
}

/**
 * Verifies upload forms in the legacy Signature Version 2. It checks and returns the same as `s3FormVerifier`, and leaves
 * the same to the caller; there is no signing time, so the grant's `notBefore` is 1970.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/HTTPPOSTForms.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `verify`: `NO_SIGNATURE`, `MALFORMED`,
 * `UNKNOWN_KEY`, `SIGNATURE_MISMATCH`, `EXPIRED`, `POLICY_NOT_MET`, `KEY_SCOPE`, `INVALID_TOKEN`, `EXPIRED_TOKEN`,
 * `UNENFORCED_CONSTRAINT`
 * @example
 * ```ts
 * import { s3FormV2Signer, s3FormV2Verifier } from "daypass/s3/form/v2";
 *
 * const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" };
 * const form = s3FormV2Signer({ region: "us-east-1", credentials }).sign({ bucket: "media", key: "a.png", expiresIn: 60 });
 * const verifier = s3FormV2Verifier({ credentials, maxLife: 3600 });
 * export const grant = await verifier.verify({ bucket: "media", fields: Object.entries(form.fields) });
 * ```
 */
export function s3FormV2Verifier(options: S3FormV2VerifierOptions): FormVerifier<S3FormGrant> {
  requireOptions(options);
  const { maxLife = Number.POSITIVE_INFINITY } = options;
  return formVerifier(
    {
      own: OWN_FIELDS,
      id: "s3/form/v2",
      markers: /^awsaccesskeyid$/,
      exempt: /^(?:awsaccesskeyid|signature)$/,
      parse: parseS3FormV2,
      keyId: ({ accessKeyId }) => accessKeyId,
      dummyKey: DUMMY_S3_KEY,
      check: ({ signature }, { credentials }, policy) => ({
        matches: constantTimeEqual(formV2Signature(credentials.secretAccessKey, policy), signature),
        stringToSign: policy,
      }),
      grant({ accessKeyId, sessionToken }, verified) {
        const { now, expiresAt, key } = verified;
        checkSession(key.credentials.sessionToken, key.credentials.expiration, sessionToken, now);
        checkLife(now, expiresAt, maxLife);
        return s3FormGrant({ scheme: "s3/form/v2", keyId: accessKeyId, notBefore: 0 }, verified, "");
      },
    },
    s3KeyResolver(options.credentials),
    options,
  );
}

/**
 * Signs upload forms in the legacy Signature Version 2. Accepts the requests of `s3FormSigner` and returns the same result; the policy is the
 * same, and the region only chooses the endpoint.
 *
 * Unlike a SigV2 URL, a SigV2 form binds as much as a SigV4 form. Only the key is weaker: HMAC-SHA1 with the
 * secret itself, for every region and service.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/HTTPPOSTForms.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { s3FormV2Signer } from "daypass/s3/form/v2";
 *
 * const forms = s3FormV2Signer({ region: "us-east-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" } });
 * export const { url, fields } = forms.sign({ bucket: "media", prefix: "uploads/7/", contentLength: { max: 1e6 }, expiresIn: 300 });
 * ```
 */
export function s3FormV2Signer(options: S3SignerOptions): FormSigner<S3FormRequest> {
  requireOptions(options);
  requireFeature(options.provider, "sigv2");
  return s3FormSignerOf(
    {
      maxSeconds: CENTURY,
      bound: ({ sessionToken }) => (sessionToken === undefined ? NONE : { "x-amz-security-token": sessionToken }),
      free: ({ accessKeyId, secretAccessKey }, _time, policy) => ({
        AWSAccessKeyId: accessKeyId,
        policy,
        signature: formV2Signature(secretAccessKey, policy),
      }),
      warnings: ["SigV2 is legacy, and regions opened since 2014 refuse it: use SigV4 where the server knows it"],
    },
    options,
  );
}

const NONE: Readonly<Record<string, string>> = {};
