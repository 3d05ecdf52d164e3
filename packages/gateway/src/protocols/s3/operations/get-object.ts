import type { GetObject } from "../../../operations/get-object.ts";
import { readConditions, readRange } from "../../request-fields.ts";
import type { S3ObjectOperation } from "../operation.ts";
import { presentObject } from "../present.ts";

export const getObjectOperation: S3ObjectOperation<GetObject> = {
  name: "GetObject",
  method: "GET",
  on: "object",
  readsBody: false,
  read: ({ received: { fields } }, object) => ({
    operation: "get-object",
    object,
    conditions: readConditions(fields),
    range: readRange(fields),
  }),
  present: presentObject,
};
