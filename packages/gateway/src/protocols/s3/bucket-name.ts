import { Refusal } from "../../pipeline/refusal.ts";

/** What Amazon keeps for itself at the beginning or the end. */
const RESERVED = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/**
 * Holds the name of a bucket that is to be made to Amazon's rules
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html). Folders that were there may have others.
 *
 * @throws {Refusal} `INVALID_BUCKET_NAME`
 */
export function expectBucketName(name: string): void {
  if (
    /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/.test(name) &&
    !name.includes("..") &&
    !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) &&
    !RESERVED.test(name)
  ) {
    return;
  }
  throw new Refusal("INVALID_BUCKET_NAME", "expected a name that a bucket may have, found another", { bucket: name });
}
