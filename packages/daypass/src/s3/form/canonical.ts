import { AWS4, type CredentialScope, signingKey } from "../../v4.ts";

/** "The string to sign is the policy document in base64", and the key is derived as for any other request. */
export function formSignature(secretAccessKey: string, scope: CredentialScope, policy: string): string {
  return signingKey(AWS4, secretAccessKey, scope).hex(policy);
}
