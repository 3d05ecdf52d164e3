import { expectOnly, optionalText } from "../../../http/xml-reader.ts";
import type { CreateBucket } from "../../../operations/create-bucket.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { notImplemented } from "../amz.ts";
import { expectBucketName } from "../bucket-name.ts";
import { readOptionalDocument } from "../document.ts";
import type { S3BucketOperation, S3Call } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

// Values that ask for what is the case anyway.
const LOCK = "x-amz-bucket-object-lock-enabled";
const OWNERSHIP = "x-amz-object-ownership";
// "For legacy compatibility, if you re-create an existing bucket that you already own in us-east-1, Amazon S3 returns 200 OK".
const LEGACY = "us-east-1";

export const createBucketOperation: S3BucketOperation<CreateBucket> = {
  name: "CreateBucket",
  action: "s3:CreateBucket",
  method: "PUT",
  on: "bucket",
  amz: [LOCK, OWNERSHIP],
  readsBody: true,
  async read(call, bucket) {
    const { amz } = call;
    expectBucketName(bucket);
    if ((amz.get(LOCK) ?? "false").toLowerCase() !== "false") throw notImplemented("header", LOCK);
    if ((amz.get(OWNERSHIP) ?? "BucketOwnerEnforced") !== "BucketOwnerEnforced")
      throw notImplemented("header", OWNERSHIP);
    await expectLocation(call);
    return { operation: "create-bucket", bucket, mayExist: call.region === LEGACY };
  },
  present: ({ bucket }, _, { requestId }) => ({
    status: 200,
    headers: ["location", `/${encodeURIComponent(bucket)}`, "content-length", "0", ...requestIdHeaders(requestId)],
    body: undefined,
  }),
};

/** A bucket that is asked for in another region cannot be made here. Where none is named this one is meant. */
async function expectLocation(call: S3Call): Promise<void> {
  const document = await readOptionalDocument(call, "CreateBucketConfiguration");
  if (document === undefined) return;
  expectOnly(document, ["LocationConstraint"]);
  const location = optionalText(document, "LocationConstraint") ?? "";
  if (location === "" || location === call.region) return;
  throw new Refusal("WRONG_LOCATION", `expected the region ${call.region}, found another`, { location });
}
