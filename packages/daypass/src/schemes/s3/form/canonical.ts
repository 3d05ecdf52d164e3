import { hmacSha256Once } from "#crypto";
import { AWS4, type CredentialScope, signingKey } from "../../../core/v4.ts";
import { hex } from "../../../wire/encoding.ts";

/** "The string to sign is the policy document in base64", and the key is derived as for any other request. */
export function formSignature(secretAccessKey: string, scope: CredentialScope, policy: string): string {
  return hex(hmacSha256Once(signingKey(AWS4, secretAccessKey, scope), policy));
}
