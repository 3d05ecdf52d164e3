import { constantTimeEqual } from "#crypto";
import { checkSession } from "../../../core/access-key.ts";
import { refusal } from "../../../core/errors.ts";
import type { FormVerifier } from "../../../forms/form.ts";
import { type FormVerifierOptions, formVerifier } from "../../../forms/verify.ts";
import { MAX_EXPIRES } from "../parse.ts";
import { checkScope, DUMMY_S3_KEY, type S3VerifierOptions, s3KeyResolver } from "../verify.ts";
import { formSignature } from "./canonical.ts";
import { checkLife, type S3FormGrant, s3FormGrant } from "./grant.ts";
import { OWN_FIELDS, parseS3Form } from "./parse.ts";

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
 * conditions, and that a condition names every field. The bucket is that of the request, never one from the form.
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
  const { regions, maxLife = MAX_EXPIRES, maxFutureSkew = 900 } = options;
  return formVerifier(
    {
      own: OWN_FIELDS,
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
            `a signing time at most ${maxFutureSkew} s ahead, found a later one: check both clocks`,
          );
        }
        checkLife(signedAt.getTime(), expiresAt, maxLife);
        const facts = { scheme: "s3/form", keyId: accessKeyId, region: scope.region, notBefore: signedAt };
        return s3FormGrant(facts, verified);
      },
    },
    s3KeyResolver(options.credentials),
    options,
  );
}
