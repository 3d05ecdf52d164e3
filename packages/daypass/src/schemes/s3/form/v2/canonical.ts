import { hmacSha1 } from "#crypto";
import { base64 } from "../../../../wire/encoding.ts";

/** "Sign the policy with your secret key": HMAC-SHA1 over its base64, in base64. */
export function formV2Signature(secretAccessKey: string, policy: string): string {
  return base64(hmacSha1(secretAccessKey, policy));
}
