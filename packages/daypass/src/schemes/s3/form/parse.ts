import { parseBasicTime } from "../../../core/time.ts";
import { AWS4, type CredentialScope } from "../../../core/v4.ts";
import { requiredField } from "../../../forms/policy.ts";
import { malformed } from "../../../wire/parameters.ts";
import { parseCredential } from "../parse.ts";

/** Names of the signature's own fields. The policy has to name all of them but the signature. */
export const OWN_FIELDS: RegExp = /^x-amz-(?:algorithm|credential|date|security-token|signature)$/;

/** The signature's own fields, read strictly. Nothing in them has been verified. */
export interface ParsedS3Form {
  readonly accessKeyId: string;
  readonly scope: CredentialScope;
  readonly signedAt: Date;
  readonly signature: string;
  readonly sessionToken: string | undefined;
}

/** Reads the signature's own fields. Throws `MALFORMED`. */
export function parseS3Form(fields: ReadonlyMap<string, string>): ParsedS3Form {
  const algorithm = requiredField(fields, "x-amz-algorithm");
  if (algorithm !== AWS4.algorithm) throw malformed("x-amz-algorithm", "algorithm", AWS4.algorithm);
  const { accessKeyId, scope } = parseCredential(requiredField(fields, "x-amz-credential"), "x-amz-credential");
  const time = requiredField(fields, "x-amz-date");
  const signedAt = parseBasicTime(time);
  if (signedAt === undefined) throw malformed("x-amz-date", "form", "a real instant as YYYYMMDDTHHMMSSZ");
  if (!time.startsWith(scope.date)) throw malformed("x-amz-credential", "date-mismatch", "the date of x-amz-date");
  const signature = requiredField(fields, "x-amz-signature");
  if (!/^[0-9a-f]{64}$/.test(signature)) {
    throw malformed("x-amz-signature", "form", "64 lower-case hex digits");
  }
  return { accessKeyId, scope, signedAt, signature, sessionToken: fields.get("x-amz-security-token") };
}
