import { constantTimeEqual, hmacSha1 } from "#crypto";
import type { Checked } from "../../../core/contracts.ts";
import { base64 } from "../../../wire/encoding.ts";
import { type S3V2Parts, s3V2StringToSign } from "./canonical.ts";

/**
 * Holds a signature against what SigV2 signs. A bucket's path is signed as `/bucket/` by boto, and by others as it stands on the
 * wire, `/bucket`: both name the same, so both are compared, and both give the grant of the first.
 */
export function checkS3V2(
  parts: S3V2Parts,
  { secretAccessKey, signature }: { readonly secretAccessKey: string; readonly signature: string },
): Checked {
  const signs = (text: string): boolean => constantTimeEqual(base64(hmacSha1(secretAccessKey, text)), signature);
  const stringToSign = s3V2StringToSign(parts);
  const resource = parts.resource.replace(/^(\/[^/?]+)\/(?=\?|$)/, "$1");
  const other = resource !== parts.resource && signs(s3V2StringToSign({ ...parts, resource }));
  return { matches: signs(stringToSign) || other, stringToSign };
}
