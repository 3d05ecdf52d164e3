import type { HeadObject } from "../../../operations/head-object.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import type { S3ObjectOperation } from "../operation.ts";

/** "If your bucket uses the bucket owner enforced setting … requests to set ACLs or update ACLs fail". */
export const putObjectAclOperation: S3ObjectOperation<HeadObject> = {
  name: "PutObjectAcl",
  action: "s3:PutObjectAcl",
  method: "PUT",
  on: "object",
  selectors: ["acl"],
  parameters: ["versionId"],
  readsBody: true,
  read() {
    throw new Refusal("ACL_NOT_SUPPORTED", "expected no access control list, found one: buckets here have none");
  },
  present() {
    throw new TypeError("nothing was asked for");
  },
};
