import type { HeadObject } from "../../../operations/head-object.ts";
import { expectNullVersion } from "../arguments.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { taggingElements } from "../tags.ts";
import { xmlAnswer } from "../xml.ts";

export const getObjectTaggingOperation: S3ObjectOperation<HeadObject> = {
  name: "GetObjectTagging",
  action: "s3:GetObjectTagging",
  method: "GET",
  on: "object",
  selectors: ["tagging"],
  parameters: ["versionId"],
  readsBody: false,
  read({ parameters }, object) {
    expectNullVersion(parameters.get("versionId"), object.key);
    return { operation: "head-object", object, conditions: undefined, range: undefined };
  },
  present: ({ info }, _, { requestId }) =>
    xmlAnswer({ root: "Tagging", elements: taggingElements(info.tags ?? {}), requestId }),
};
