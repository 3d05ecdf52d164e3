import { excerpt } from "../../../http/excerpt.ts";
import { expectOnly, optionalText } from "../../../http/xml-reader.ts";
import type { CreateBucket, DeleteBucket, HeadBucket } from "../../../operations/buckets.ts";
import { permitBucketName } from "../../../pipeline/authorize.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { emptyAnswer, noContent, requestIdHeaders } from "../answers.ts";
import { notImplemented } from "../arguments.ts";
import { readOptionalDocument } from "../document.ts";
import { onBucket, onKeys, type S3Call, type S3Row } from "../row.ts";
import { isOwnerPolicy } from "./object-facts.ts";

/** Headers of CreateBucket with the only value that this gateway supports. */
const SUPPORTED: Readonly<Record<string, RegExp>> = {
  "x-amz-bucket-object-lock-enabled": /^false$/i,
  "x-amz-object-ownership": /^BucketOwnerEnforced$/,
};
// "For legacy compatibility, if you re-create an existing bucket that you already own in us-east-1, Amazon S3 returns 200 OK".
const LEGACY = "us-east-1";

export const bucketRows: readonly S3Row[] = [
  onKeys<HeadBucket>({
    name: "HeadBucket",
    action: "s3:ListBucket",
    method: "HEAD",
    read: ({ permit }) => ({ operation: "head-bucket", bucket: permitBucketName(permit) }),
    present: (_, { call, requestId }) => ({
      status: 200,
      headers: [
        "content-type",
        "application/xml",
        "x-amz-bucket-region",
        call.region,
        "x-amz-access-point-alias",
        "false",
        ...requestIdHeaders(requestId),
      ],
      body: undefined,
    }),
  }),
  // "If your bucket uses the bucket owner enforced setting … requests to set ACLs or update ACLs fail".
  onBucket<HeadBucket>({
    name: "PutBucketAcl",
    method: "PUT",
    selectors: ["acl"],
    amz: ["x-amz-sdk-checksum-algorithm"],
    readsBody: true,
    async read(call, bucket) {
      const policy = await readOptionalDocument(call, "AccessControlPolicy");
      if (policy !== undefined && isOwnerPolicy(policy)) return { operation: "head-bucket", bucket };
      throw new Refusal("ACL_NOT_SUPPORTED", "buckets here have no access control lists. Leave yours out");
    },
    present: (_, exchange) => emptyAnswer(exchange),
  }),
  onBucket<CreateBucket>({
    name: "CreateBucket",
    method: "PUT",
    amz: Object.keys(SUPPORTED),
    readsBody: true,
    async read(call, bucket) {
      expectBucketName(bucket);
      for (const [header, supported] of Object.entries(SUPPORTED)) {
        const value = call.amz.get(header);
        if (value !== undefined && !supported.test(value)) throw notImplemented("header", header);
      }
      await expectLocation(call);
      return { operation: "create-bucket", bucket, mayExist: call.region === LEGACY };
    },
    present: (_, { asked, requestId }) =>
      emptyAnswer({ requestId }, ["location", `/${encodeURIComponent(asked.bucket)}`]),
  }),
  onBucket<DeleteBucket>({
    name: "DeleteBucket",
    method: "DELETE",
    read: (_, bucket) => ({ operation: "delete-bucket", bucket }),
    present: (_, exchange) => noContent(exchange),
  }),
];

/** Prefixes and suffixes that Amazon reserves. */
const RESERVED = /^(?:xn--|sthree-|amzn-s3-demo-)|(?:-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)$/;

/**
 * Checks the name of a new bucket by Amazon's rules
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html). Existing folders may have other names.
 *
 * @throws {Refusal} `INVALID_BUCKET_NAME`
 */
function expectBucketName(name: string): void {
  if (
    /^[a-z0-9](?:[a-z0-9.-]{1,61})[a-z0-9]$/.test(name) &&
    !name.includes("..") &&
    !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) &&
    !RESERVED.test(name)
  ) {
    return;
  }
  const message = `a bucket cannot be called ${excerpt(name)}. Use 3 to 63 lower-case letters, digits and hyphens`;
  throw new Refusal("INVALID_BUCKET_NAME", message, { bucket: name });
}

/** A bucket in another region cannot be created here. Without a region, this one is used. */
async function expectLocation(call: S3Call): Promise<void> {
  const document = await readOptionalDocument(call, "CreateBucketConfiguration");
  if (document === undefined) return;
  expectOnly(document, ["LocationConstraint"]);
  const location = optionalText(document, "LocationConstraint") ?? "";
  if (location === "" || location === call.region) return;
  throw new Refusal("WRONG_LOCATION", `LocationConstraint is not ${call.region}. Send that, or none`, { location });
}
