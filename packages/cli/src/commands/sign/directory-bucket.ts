import { DaypassError } from "daypass";
import { isObject, type JsonObject } from "daypass/schemes";

/** "Directory bucket names must … end with the suffix `--x-s3`", and `--xa-s3` names an access point of one. */
const SUFFIX = /--xa?-s3$/;

export function isDirectoryBucket(bucket: string): boolean {
  return SUFFIX.test(bucket);
}

/**
 * Lines for a bucket of S3 Express One Zone are for its own signer, as the AWS SDK decides it: the URL of the other one is refused. A
 * version that was asked for stays.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/directory-bucket-naming-rules.html
 *
 * @throws {DaypassError} `INVALID_KEY` for credentials that cannot be those of a session
 */
export function expressLine(line: JsonObject, found: JsonObject): JsonObject {
  const { bucket, version, credentials, addressing, ...others } = line;
  if (version !== undefined || typeof bucket !== "string" || !SUFFIX.test(bucket)) return line;
  if (isObject(credentials) && credentials["sessionToken"] === undefined) {
    throw new DaypassError(
      "INVALID_KEY",
      `expected the credentials of a session for the directory bucket ${bucket}, found a key without a session token: set those of \`aws s3api create-session --bucket ${bucket}\`, or give --signature-version v4 where the bucket is not Amazon's`,
    );
  }
  // The bucket always stands in the host, whatever the shared files say of other buckets.
  const asked = addressing === undefined || addressing === found["addressing"] ? {} : { addressing };
  return { ...others, ...asked, bucket, version: "express", ...(credentials === undefined ? {} : { credentials }) };
}
