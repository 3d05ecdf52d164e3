import type { DeleteObject } from "../../../operations/delete-object.ts";
import { readIfMatch } from "../../request-fields.ts";
import { notImplemented } from "../amz.ts";
import { expectNullVersion } from "../arguments.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

export const deleteObjectOperation: S3ObjectOperation<DeleteObject> = {
  name: "DeleteObject",
  action: "s3:DeleteObject",
  method: "DELETE",
  on: "object",
  parameters: ["versionId"],
  readsBody: false,
  read({ received: { fields }, parameters }, object) {
    expectNullVersion(parameters.get("versionId"), object.key);
    return {
      operation: "delete-object",
      object,
      ifMatch: readIfMatch(fields.ifMatch, () => notImplemented("header", "If-Match")),
    };
  },
  present: (_, __, { requestId }) => ({ status: 204, headers: [...requestIdHeaders(requestId)], body: undefined }),
};
