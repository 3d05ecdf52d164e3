import { adviser } from "#advice";
import { credentialSource } from "../../../core/access-key.ts";
import { checkKey } from "../../../core/object-request.ts";
import { requireFeature } from "../../../core/provider.ts";
import { requireOptions } from "../../../core/require-options.ts";
import { signer, warningList } from "../../../core/signed-request.ts";
import { formatBasicTime, signingWindow, systemClock } from "../../../core/time.ts";
import { AWS4, scopeText } from "../../../core/v4.ts";
import { draftForm, type FormRequest } from "../../../forms/draft.ts";
import { FormResult, type FormSigner } from "../../../forms/form.ts";
import { encodePolicy, FILE_NAME } from "../../../forms/policy.ts";
import { MAX_EXPIRES } from "../canonical.ts";
import { checkCredentials, type S3Credentials } from "../credentials.ts";
import { bucketEndpoints } from "../endpoint.ts";
import type { S3SignRequest } from "../request.ts";
import type { S3SignerOptions } from "../sign.ts";
import { formSignature } from "./verify.ts";

/** One upload form to sign. */
export interface S3FormRequest extends FormRequest {
  readonly bucket: string;
  /** The object's key. `${filename}` in it is replaced by the name of the uploaded file. */
  readonly key?: string | undefined;
  /** `sign` accepts keys with `.` or `..` segments, which are refused by default. */
  readonly dotSegments?: S3SignRequest["dotSegments"];
}

/** What sets the two versions apart. */
export interface FormVersion {
  readonly maxSeconds: number;
  /** The own fields that the policy has to name. */
  bound(credentials: S3Credentials, time: string): Readonly<Record<string, string>>;
  /** The other own fields: the policy and what signs it. */
  free(credentials: S3Credentials, time: string, policy: string): Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}

// What any version sets by itself, or no form may hold.
const RESERVED =
  /^(?:awsaccesskeyid|signature|file|policy|x-amz-(?:algorithm|credential|date|security-token|signature))$/i;

const KNOWN =
  /^(?:bucket|key|prefix|dotSegments|contentLength|fields|conditions|expires(?:In|At)|stableWindow|bind(?:\.content(?:Type|Length))?)$/;

/** A form signer of one version. */
export function s3FormSignerOf(version: FormVersion, options: S3SignerOptions): FormSigner<S3FormRequest> {
  const { credentials, credentialExpiry, provider, clock = systemClock } = options;
  const endpointOf = bucketEndpoints(options);
  requireFeature(provider, "forms");
  const identity = credentialSource(credentials, checkCredentials);

  const advise = adviser(options);
  return signer((request) => {
    const current = identity();
    const { bucket, key } = request;
    const { origin, path } = endpointOf(bucket);
    const { conditions, ...draft } = draftForm(request, {
      scheme: "S3",
      bucket,
      key,
      known: KNOWN,
      reserved: RESERVED,
    });
    const formKey = draft.fields["key"] as string;
    checkKey(formKey, request.dotSegments);
    if (formKey.includes(FILE_NAME)) requireFeature(provider, "filename");
    const { signedAt, expiresAt, warnings } = signingWindow(request, clock(), {
      maxSeconds: version.maxSeconds,
      expiration: current.expiration,
      credentialExpiry,
    });
    const time = formatBasicTime(signedAt);
    const bound = version.bound(current, time);
    const named = Object.entries(bound).map(([name, value]) => ({ [name]: value }));
    const policy = encodePolicy(expiresAt, [...conditions, ...named]);
    return new FormResult(
      {
        ...draft,
        url: origin + (path || "/"),
        fields: { ...draft.fields, ...bound, ...version.free(current, time, policy) },
        expiresAt,
        warnings: warningList(advise([...version.warnings, ...warnings, ...draft.warnings], { bucket, key: formKey })),
      },
      policy,
    );
  });
}

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
  requireOptions(options);
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
