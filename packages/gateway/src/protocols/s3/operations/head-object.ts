import type { HeadObject } from "../../../operations/head-object.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { presentObject } from "../present.ts";
import { readSelection } from "./get-object.ts";

export const headObjectOperation: S3ObjectOperation<HeadObject> = {
  name: "HeadObject",
  action: "s3:GetObject",
  method: "HEAD",
  on: "object",
  parameters: ["partNumber", "versionId"],
  readsBody: false,
  read: (call, object) => ({ operation: "head-object", object, ...readSelection(call, object.key) }),
  present: presentObject,
};
