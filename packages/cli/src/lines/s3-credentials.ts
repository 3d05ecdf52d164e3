import type { S3Credentials } from "daypass/s3";
import { type Fields, fields, object, text } from "./fields.ts";
import { instant } from "./instant.ts";

/** Credentials as they stand in a line: the end of temporary ones is text. */
export interface S3LineCredentials extends Omit<S3Credentials, "expiration"> {
  readonly expiration?: string;
}

export const S3_CREDENTIALS: Fields = fields({
  accessKeyId: text,
  secretAccessKey: text,
  sessionToken: text,
  expiration: text,
  // What the providers of the AWS SDK leave beside an access key. None of it is part of a signature.
  $source: object,
  accountId: text,
  credentialScope: text,
});

/** Credentials of the library from those of a line. */
export function s3Credentials({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiration,
}: S3LineCredentials): S3Credentials {
  const credentials = { accessKeyId, secretAccessKey, sessionToken };
  return expiration === undefined
    ? credentials
    : { ...credentials, expiration: instant("credentials.expiration", expiration) };
}
