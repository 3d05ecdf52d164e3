import type { DeleteObject } from "../../../operations/delete-object.ts";
import { expectNullVersion } from "../arguments.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";
import { readWriteConditions } from "../write-fields.ts";

export const deleteObjectOperation: S3ObjectOperation<DeleteObject> = {
  name: "DeleteObject",
  action: "s3:DeleteObject",
  method: "DELETE",
  on: "object",
  parameters: ["versionId"],
  conditional: true,
  readsBody: false,
  read(call, object) {
    expectNullVersion(call.parameters.get("versionId"), object.key);
    return { operation: "delete-object", object, ...readWriteConditions(call) };
  },
  present: (_, __, { requestId }) => ({ status: 204, headers: [...requestIdHeaders(requestId)], body: undefined }),
};
