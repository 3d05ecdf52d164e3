import { AWS4, scopeText } from "../../../core/v4.ts";
import type { FormSigner } from "../../../forms/form.ts";
import { MAX_EXPIRES } from "../parse.ts";
import type { S3SignerOptions } from "../sign.ts";
import { formSignature } from "./canonical.ts";
import { type S3FormRequest, s3FormSignerOf } from "./request.ts";

/**
 * Signs upload forms for browsers: an S3 POST policy in AWS Signature Version 4. Unlike a presigned PUT, a form can bind a length
 * range, a path instead of one key, and where the browser is redirected afterwards.
 *
 * `fields` are bound to their values; the rest of the policy is `conditions`, in S3's syntax. Not bound: the bytes of the
 * file, unless a checksum field is set, and its length, unless `contentLength` is set. S3 cannot limit a form to a single
 * use.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
 *
 * @throws {DaypassError} from the factory `INVALID_INPUT`, `INVALID_KEY`; from `sign` also `INVALID_EXPIRY`,
 * `DOT_SEGMENTS`, `UNSUPPORTED_CONSTRAINT`, `CREDENTIALS_EXPIRE_FIRST`, `CREDENTIALS_NOT_READY`
 * @example
 * ```ts
 * import { s3FormSigner } from "daypass/s3/form";
 *
 * const forms = s3FormSigner({ region: "eu-west-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "…" } });
 * export const { url, fields } = forms.sign({
 *   bucket: "media",
 *   key: "uploads/7/${filename}",
 *   contentLength: { min: 1, max: 10_000_000 },
 *   bind: { contentType: "image/png" },
 *   expiresIn: 300,
 * });
 * ```
 */
export function s3FormSigner(options: S3SignerOptions): FormSigner<S3FormRequest> {
  const scopeOf = (time: string) => ({ date: time.slice(0, 8), region: options.region, service: "s3" });
  return s3FormSignerOf(
    {
      maxSeconds: MAX_EXPIRES,
      // The case that Amazon's pages and its SDK write: S3 reads any, and some compatibles read no other.
      bound: ({ accessKeyId, sessionToken }, time) => ({
        "X-Amz-Algorithm": AWS4.algorithm,
        "X-Amz-Credential": `${accessKeyId}/${scopeText(AWS4, scopeOf(time))}`,
        "X-Amz-Date": time,
        ...(sessionToken === undefined ? {} : { "X-Amz-Security-Token": sessionToken }),
      }),
      free: ({ secretAccessKey }, time, policy) => ({
        Policy: policy,
        "X-Amz-Signature": formSignature(secretAccessKey, scopeOf(time), policy),
      }),
      warnings: [],
    },
    options,
  );
}
