import { credentialSource } from "../../../core/access-key.ts";
import { checkKey } from "../../../core/object-key.ts";
import { requireFeature } from "../../../core/provider.ts";
import { signer } from "../../../core/signed-request.ts";
import { formatBasicTime, signingWindow, systemClock } from "../../../core/time.ts";
import { draftForm, type FormRequest } from "../../../forms/draft.ts";
import { FormResult, type FormSigner } from "../../../forms/form.ts";
import { encodePolicy, FILE_NAME } from "../../../forms/policy.ts";
import { checkCredentials, type S3Credentials } from "../credentials.ts";
import { bucketEndpoints } from "../endpoint.ts";
import type { S3SignRequest } from "../request.ts";
import type { S3SignerOptions } from "../sign.ts";

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
        warnings: [...version.warnings, ...warnings, ...draft.warnings],
      },
      policy,
    );
  });
}
