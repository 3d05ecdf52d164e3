import type { GetObject } from "../../../operations/get-object.ts";
import { readConditions, readRange } from "../../request-fields.ts";
import { expectNullVersion, invalidCombination, readPartNumber } from "../arguments.ts";
import type { S3Call, S3ObjectOperation } from "../operation.ts";
import { presentObject } from "../present.ts";

export const getObjectOperation: S3ObjectOperation<GetObject> = {
  name: "GetObject",
  action: "s3:GetObject",
  method: "GET",
  on: "object",
  parameters: ["partNumber", "versionId"],
  readsBody: false,
  read: (call, object) => ({ operation: "get-object", object, ...readSelection(call, object.key) }),
  present: presentObject,
};

/** What GET and HEAD have in common: which state and which part of the object is asked for. */
export function readSelection(
  { received: { fields }, parameters, permit }: S3Call,
  key: string,
): Pick<GetObject, "conditions" | "range" | "part"> {
  const conditions = readConditions(fields);
  const range = readRange(fields, permit.grant);
  if (parameters.size === 0) return { conditions, range };
  expectNullVersion(parameters.get("versionId"), key);
  const number = parameters.get("partNumber");
  const part = number === undefined ? undefined : readPartNumber(number);
  if (part !== undefined && range !== undefined) {
    throw invalidCombination("Cannot specify both Range header and partNumber query parameter");
  }
  return { conditions, range, part };
}
