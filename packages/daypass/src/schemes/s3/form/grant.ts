import { refusal } from "../../../core/errors.ts";
import { VerifiedGrant } from "../../../core/grant.ts";
import type { Instant } from "../../../core/time.ts";
import type { FormGrant } from "../../../forms/form.ts";
import type { VerifiedForm } from "../../../forms/verify.ts";
import { uriEncode, uriEncodePath } from "../../../wire/encoding.ts";
import { CHECKSUM_HEADER } from "../grant.ts";
import type { S3Key } from "../verify.ts";

/** What a verified S3 form allows: one POST of a file to a key. */
export interface S3FormGrant extends FormGrant {
  readonly key: string;
  /** The region of the signature; empty in SigV2, which has none. */
  readonly region: string;
  /** Where the browser is redirected after the upload: `success_action_redirect`, else the deprecated `redirect`. Bound by the policy. */
  readonly redirect: string | undefined;
  /** The status to respond with if there is no redirect. "If the value is not valid, 204": as S3 has it. */
  readonly status: 200 | 201 | 204;
}

/** `KEY_SCOPE` for a form that lives longer than it may. */
export function checkLife(start: number, end: Date, maxLife: number): void {
  if (end.getTime() - start <= maxLife * 1000) return;
  throw refusal("KEY_SCOPE", `a form that lives ${maxLife} s at most, found a longer life: ask for a shorter one`);
}

/** Makes the grant of both versions. */
export function s3FormGrant(
  {
    scheme,
    keyId,
    region,
    notBefore,
  }: { readonly scheme: string; readonly keyId: string; readonly region: string; readonly notBefore: Instant },
  { bucket, objectKey, fields, expiresAt, obligations, stringToSign }: VerifiedForm<S3Key>,
): S3FormGrant {
  const checksums = Object.entries(fields)
    .filter(([name]) => CHECKSUM_HEADER.test(name))
    .map(([header, value]) => ({ kind: "body-checksum", header, value }) as const);
  const grant = new VerifiedGrant(
    {
      scheme,
      keyId,
      methods: ["POST"],
      notBefore,
      expiresAt,
      obligations: [...obligations, ...checksums],
      target: `/${uriEncode(bucket)}/${uriEncodePath(objectKey)}`,
    },
    stringToSign,
  );
  const status = fields["success_action_status"];
  return Object.assign(grant, {
    bucket,
    key: objectKey,
    region,
    fields,
    redirect: fields["success_action_redirect"] ?? fields["redirect"],
    status: status === "200" ? 200 : status === "201" ? 201 : 204,
  } as const);
}
