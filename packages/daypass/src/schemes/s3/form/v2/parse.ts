import { hmacSha1 } from "#crypto";
import { requiredField } from "../../../../forms/policy.ts";
import { base64, signatureBytes } from "../../../../wire/encoding.ts";
import { malformed } from "../../../../wire/parameters.ts";

/** "Sign the policy with your secret key": HMAC-SHA1 over its base64, in base64. */
export function formV2Signature(secretAccessKey: string, policy: string): string {
  return base64(hmacSha1(secretAccessKey, policy));
}

/** Names of the signature's own fields. The policy has to name the session token only. */
export const OWN_FIELDS: RegExp = /^(?:awsaccesskeyid|signature|x-amz-security-token)$/;

/** The signature's own fields, read strictly. Nothing in them has been verified. */
export interface ParsedS3FormV2 {
  readonly accessKeyId: string;
  readonly signature: string;
  readonly sessionToken: string | undefined;
}

/** Reads the signature's own fields. Throws `MALFORMED`. */
export function parseS3FormV2(fields: ReadonlyMap<string, string>): ParsedS3FormV2 {
  const signature = requiredField(fields, "signature");
  if (signatureBytes(signature, 20) === undefined) {
    throw malformed("signature", "form", "base64 of 20 bytes with exact padding");
  }
  return {
    accessKeyId: requiredField(fields, "awsaccesskeyid"),
    signature,
    sessionToken: fields.get("x-amz-security-token"),
  };
}
