import { requireFeature } from "../../../../core/provider.ts";
import type { FormSigner } from "../../../../forms/form.ts";
import type { S3SignerOptions } from "../../sign.ts";
import { type S3FormRequest, s3FormSignerOf } from "../request.ts";
import { formV2Signature } from "./canonical.ts";

/**
 * Signs upload forms in the legacy Signature Version 2. Requests and result are those of `s3FormSigner`; the policy is the
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
  requireFeature(options.provider, "sigv2");
  return s3FormSignerOf(
    {
      // The version sets no maximum. A century catches milliseconds that were given as seconds.
      maxSeconds: 100 * 365 * 86_400,
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
