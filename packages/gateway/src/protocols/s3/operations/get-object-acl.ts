import type { HeadObject } from "../../../operations/head-object.ts";
import { expectNullVersion } from "../arguments.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { OWNER, ownerElement } from "../owner.ts";
import { xmlAnswer } from "../xml.ts";

/** "If your bucket uses the bucket owner enforced setting … requests to read ACLs are still supported and return the … owner's full control". */
export const getObjectAclOperation: S3ObjectOperation<HeadObject> = {
  name: "GetObjectAcl",
  action: "s3:GetObjectAcl",
  method: "GET",
  on: "object",
  selectors: ["acl"],
  parameters: ["versionId"],
  readsBody: false,
  read({ parameters }, object) {
    expectNullVersion(parameters.get("versionId"), object.key);
    return { operation: "head-object", object, conditions: undefined, range: undefined };
  },
  present: (_, __, { requestId }) =>
    xmlAnswer({
      root: "AccessControlPolicy",
      elements: [
        ownerElement("Owner"),
        [
          "AccessControlList",
          [
            [
              "Grant",
              [
                ["Grantee", OWNER, GRANTEE],
                ["Permission", "FULL_CONTROL"],
              ],
            ],
          ],
        ],
      ],
      requestId,
    }),
};

const GRANTEE = { "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance", "xsi:type": "CanonicalUser" };
