import { childrenOf, type ReadElement, textOf } from "../../../http/xml-reader.ts";
import type { HeadObject } from "../../../operations/head-object.ts";
import { Refusal } from "../../../pipeline/refusal.ts";
import { expectNullVersion } from "../arguments.ts";
import { readOptionalDocument } from "../document.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { OWNER_ID } from "../owner.ts";
import { requestIdHeaders } from "../request-id.ts";

/**
 * "If your bucket uses the bucket owner enforced setting … requests to set ACLs or update ACLs fail", but for the one that is the case
 * anyway: clients that copy an object put back what GetObjectAcl gave them.
 */
export const putObjectAclOperation: S3ObjectOperation<HeadObject> = {
  name: "PutObjectAcl",
  action: "s3:PutObjectAcl",
  method: "PUT",
  on: "object",
  selectors: ["acl"],
  parameters: ["versionId"],
  amz: ["x-amz-sdk-checksum-algorithm"],
  readsBody: true,
  async read(call, object) {
    expectNullVersion(call.parameters.get("versionId"), object.key);
    const policy = await readOptionalDocument(call, "AccessControlPolicy");
    if (policy === undefined || !isTheOwners(policy)) {
      throw new Refusal("ACL_NOT_SUPPORTED", "expected no access control list, found one: buckets here have none");
    }
    return { operation: "head-object", object, conditions: undefined, range: undefined };
  },
  present: (_, __, { requestId }) => ({
    status: 200,
    headers: ["content-length", "0", ...requestIdHeaders(requestId)],
    body: undefined,
  }),
};

/** Full control for the owner, and nothing for anybody else. Names that are shown of them are not looked at. */
function isTheOwners(policy: ReadElement): boolean {
  const owner = only(policy, "Owner");
  const list = only(policy, "AccessControlList");
  const grant = list === undefined || list.children.length !== 1 ? undefined : only(list, "Grant");
  if (owner === undefined || grant === undefined || !isOwner(owner)) return false;
  const [grantee, permission] = [only(grant, "Grantee"), only(grant, "Permission")];
  return grantee !== undefined && isOwner(grantee) && permission !== undefined && textOf(permission) === "FULL_CONTROL";
}

function isOwner(element: ReadElement): boolean {
  const id = only(element, "ID");
  return id !== undefined && textOf(id) === OWNER_ID && childrenOf(element, "URI").length === 0;
}

function only(element: ReadElement, name: string): ReadElement | undefined {
  const [first, second] = childrenOf(element, name);
  return second === undefined ? first : undefined;
}
