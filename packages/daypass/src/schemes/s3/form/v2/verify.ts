import { constantTimeEqual } from "#crypto";
import { checkSession } from "../../../../core/access-key.ts";
import type { FormVerifier } from "../../../../forms/form.ts";
import { type FormVerifierOptions, formVerifier } from "../../../../forms/verify.ts";
import { DUMMY_S3_KEY, type S3VerifierOptions, s3KeyResolver } from "../../verify.ts";
import { checkLife, type S3FormGrant, s3FormGrant } from "../grant.ts";
import { formV2Signature } from "./canonical.ts";
import { OWN_FIELDS, parseS3FormV2 } from "./parse.ts";

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
  const { maxLife = Number.POSITIVE_INFINITY } = options;
  return formVerifier(
    {
      own: OWN_FIELDS,
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
        return s3FormGrant({ scheme: "s3/form/v2", keyId: accessKeyId, region: "", notBefore: 0 }, verified);
      },
    },
    s3KeyResolver(options.credentials),
    options,
  );
}
