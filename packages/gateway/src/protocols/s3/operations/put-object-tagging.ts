import type { SetObjectTags } from "../../../operations/set-object-tags.ts";
import { expectNullVersion } from "../arguments.ts";
import { readDocument } from "../document.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { requestIdHeaders } from "../request-id.ts";
import { readTagging } from "../tags.ts";

export const putObjectTaggingOperation: S3ObjectOperation<SetObjectTags> = {
  name: "PutObjectTagging",
  action: "s3:PutObjectTagging",
  method: "PUT",
  on: "object",
  selectors: ["tagging"],
  parameters: ["versionId"],
  amz: ["x-amz-sdk-checksum-algorithm"],
  readsBody: true,
  async read(call, object) {
    expectNullVersion(call.parameters.get("versionId"), object.key);
    return { operation: "set-object-tags", object, tags: readTagging(await readDocument(call, "Tagging")) };
  },
  present: (_, __, { requestId }) => ({
    status: 200,
    headers: ["content-length", "0", ...requestIdHeaders(requestId)],
    body: undefined,
  }),
};
