import { basicTimeMs } from "../../../core/time.ts";
import type { CredentialScope, V4Family } from "../../../core/v4.ts";
import type { FormFields } from "../../../forms/policy.ts";
import { requiredField } from "../../../forms/policy.ts";
import { malformed } from "../../../wire/parameters.ts";
import { GOOG4_HMAC } from "../canonical.ts";
import { parseCredential } from "../parse.ts";

/** Names of the signature's own fields. The policy has to name all of them but the signature. */
export const OWN_FIELDS: RegExp = /^x-goog-(?:algorithm|credential|date|signature)$/;

/** The signature's own fields, read strictly. Nothing in them has been verified. */
export interface ParsedGcsForm {
  readonly keyId: string;
  readonly scope: CredentialScope;
  /** In milliseconds since 1970. */
  readonly notBefore: number;
  /** Lower-case hexadecimal. */
  readonly signature: string;
}

/** Whether a form says that an HMAC key has signed it. */
export function saysHmac(fields: FormFields): boolean {
  return fields.some(([name, value]) => value === GOOG4_HMAC.algorithm && name.toLowerCase() === "x-goog-algorithm");
}

/** Reads the signature's own fields. Throws `MALFORMED` or `WRONG_SCOPE`. */
export function parseGcsForm(fields: ReadonlyMap<string, string>, { algorithm }: V4Family): ParsedGcsForm {
  if (requiredField(fields, "x-goog-algorithm") !== algorithm) {
    throw malformed("x-goog-algorithm", "algorithm", algorithm);
  }
  const { keyId, scope } = parseCredential(requiredField(fields, "x-goog-credential"), "x-goog-credential");
  const time = requiredField(fields, "x-goog-date");
  const notBefore = basicTimeMs(time);
  if (Number.isNaN(notBefore)) throw malformed("x-goog-date", "form", "an instant, YYYYMMDDTHHMMSSZ");
  if (!time.startsWith(scope.date)) throw malformed("x-goog-credential", "date-mismatch", "one of the same date");
  const signature = requiredField(fields, "x-goog-signature");
  if (!/^(?:[0-9a-f]{2}){32,1024}$/.test(signature)) {
    throw malformed("x-goog-signature", "form", "lower-case hexadecimal");
  }
  return { keyId, scope, notBefore, signature };
}
