import type { S3Credentials } from "daypass/s3";
import { type Fields, fields, object, text } from "./fields.ts";
import { instant } from "./instant.ts";
import type { LineCredentials } from "./line-credentials.ts";

export type S3LineCredentials = LineCredentials<S3Credentials>;

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

/** Credentials of the library from those of a line. Named, not spread: this runs for every line of a manifest. */
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
