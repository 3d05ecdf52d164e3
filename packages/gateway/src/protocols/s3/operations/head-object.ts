import type { HeadObject } from "../../../operations/head-object.ts";
import { readConditions, readRange } from "../../request-fields.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { presentObject } from "../present.ts";

export const headObjectOperation: S3ObjectOperation<HeadObject> = {
  name: "HeadObject",
  method: "HEAD",
  on: "object",
  readsBody: false,
  read: ({ received: { fields } }, object) => ({
    operation: "head-object",
    object,
    conditions: readConditions(fields),
    range: readRange(fields),
  }),
  present: presentObject,
};
