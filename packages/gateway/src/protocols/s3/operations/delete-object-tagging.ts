import type { SetObjectTags } from "../../../operations/set-object-tags.ts";
import { expectNullVersion } from "../arguments.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";

export const deleteObjectTaggingOperation: S3ObjectOperation<SetObjectTags> = {
  name: "DeleteObjectTagging",
  action: "s3:DeleteObjectTagging",
  method: "DELETE",
  on: "object",
  selectors: ["tagging"],
  parameters: ["versionId"],
  readsBody: false,
  read(call, object) {
    expectNullVersion(call.parameters.get("versionId"), object.key);
    return { operation: "set-object-tags", object, tags: {} };
  },
  present: (_, __, { requestId }) => ({ status: 204, headers: [...requestIdHeaders(requestId)], body: undefined }),
};
